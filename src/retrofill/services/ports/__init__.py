"""What services need from the outside, as contracts; adapters live in `store`, `executors` and `alerts`.

One module per noun. One contract suite per port (`tests/contracts`) holds every adapter to it.
Contracts are classes that take time to make: a name is looked for in its module when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.services.ports.checking import Check
    from retrofill.services.ports.clock import Clock
    from retrofill.services.ports.feed import Ear, Feed
    from retrofill.services.ports.generations import FrozenTasks, Generations
    from retrofill.services.ports.leadership import Leader, Leadership
    from retrofill.services.ports.ledger import Ledger, Reader
    from retrofill.services.ports.notifying import Message, Notifier, NotSentError, UndeliverableError
    from retrofill.services.ports.outbox import Outbox, OutboxReader
    from retrofill.services.ports.people import PeopleReader, PeopleTables
    from retrofill.services.ports.running import Executor, IncludedCode, RunEnd, RunRef, RunSpec
    from retrofill.services.ports.signing_in import SignInReader, SignInTables
    from retrofill.services.ports.start_filter import StartFilter
    from retrofill.services.ports.store import ConstraintError, Store

_HOMES = {
    "Check": "checking",
    "Clock": "clock",
    "ConstraintError": "store",
    "Ear": "feed",
    "Feed": "feed",
    "FrozenTasks": "generations",
    "Generations": "generations",
    "Leader": "leadership",
    "Leadership": "leadership",
    "Ledger": "ledger",
    "Reader": "ledger",
    "Store": "store",
    "StartFilter": "start_filter",
    "Message": "notifying",
    "Notifier": "notifying",
    "NotSentError": "notifying",
    "UndeliverableError": "notifying",
    "Outbox": "outbox",
    "OutboxReader": "outbox",
    "PeopleTables": "people",
    "PeopleReader": "people",
    "Executor": "running",
    "IncludedCode": "running",
    "RunEnd": "running",
    "RunRef": "running",
    "RunSpec": "running",
    "SignInReader": "signing_in",
    "SignInTables": "signing_in",
}

__all__ = [
    "Check",
    "Clock",
    "ConstraintError",
    "Ear",
    "Executor",
    "Feed",
    "FrozenTasks",
    "Generations",
    "IncludedCode",
    "Leader",
    "Leadership",
    "Ledger",
    "Message",
    "NotSentError",
    "Notifier",
    "Outbox",
    "OutboxReader",
    "PeopleReader",
    "PeopleTables",
    "Reader",
    "RunEnd",
    "RunRef",
    "RunSpec",
    "SignInReader",
    "SignInTables",
    "StartFilter",
    "Store",
    "UndeliverableError",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found
