"""How a worker of this machine is told of offers: by nobody, or through Celery."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from retrofill.domain.errors import UsageError

if TYPE_CHECKING:
    from retrofill.bootstrap.deployment import Deployment
    from retrofill.services.running.worker import Round, Told

CELERY = "celery"
MIN_AGE_MS = (
    3_000  # an offer that nobody has heard of for so long is found in the ledger: its message got lost
)


class NotThroughServerError(UsageError):
    """Let it look for runs itself, and name the resource groups: it takes theirs, whatever their executor."""

    code = "not_through_server"


class Hearing(Protocol):
    """What tells a worker of offers, while it works."""

    @property
    def told(self) -> Told | None:
        """The offers that it was told of; None: nobody tells it of any."""
        ...

    @property
    def watched(self) -> Sequence[tuple[int, Callable[[], None]]]:
        """Descriptors that its loop waits for, too, and what is done when one is readable."""
        ...

    def observe(self, done: Round, *, takes: bool) -> None:
        """Called after every round, and every second while nothing happens.

        Args:
            takes: whether the worker takes more.
        """
        ...


Hear = Callable[[Path], AbstractContextManager[Hearing]]
"""Begins in a worker's home, for as long as it works."""


class _Looking:
    """It looks for offers itself."""

    told = None
    watched = ()

    def observe(self, done: Round, *, takes: bool) -> None:
        """Nobody waits for an answer."""


@contextmanager
def looking(home: Path) -> Iterator[Hearing]:
    """Told by nobody."""
    yield _Looking()


def refuse_celery(executor: str) -> None:
    """For a worker that reaches a server and nothing else.

    Raises:
        NotThroughServerError: it is to hear of runs through Celery.
    """
    if executor == CELERY:
        raise NotThroughServerError("a worker hears of runs through Celery only where it reaches the store")


def through_celery(deployment: Deployment, groups: Sequence[str], *, is_attended: bool) -> Hear:
    """Told through the deployment's broker.

    Args:
        is_attended: Celery was there first, and has started the worker.

    Raises:
        NoCeleryError: it is not installed here.
        NoBrokerError: no broker is named.
    """
    from retrofill.executors.celery.broker import broker_of, refuse_without_celery
    from retrofill.executors.celery.hearing import hearing

    refuse_without_celery()
    catalog = deployment.in_force()
    found = deployment.surroundings(catalog.project, deployment.settings_of(catalog))
    broker = broker_of(found.deployment, found.settings, found.secret)
    return lambda home: hearing(home, broker, groups, deployment.say, is_attended=is_attended)
