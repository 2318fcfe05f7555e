"""Work for other machines through Celery: messages that name offers, and a task that hands them to a worker.

A message is a hint (`services.ports.dispatching`): what runs, once and where, the ledger decides. So Celery is asked for
little: no results, no late acknowledgement, no retries, no revoking (decision 0036).

`celery -A retrofill.executors.celery worker` finds `app` here; it is made when somebody asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celery import Celery

    app: Celery


def __getattr__(name: str) -> object:
    """The application, of the deployment in whose folder this process works."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from retrofill.executors.celery.program import make_app

    made = globals()["app"] = make_app()
    return made
