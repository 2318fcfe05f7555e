"""What services need from the outside, as contracts; adapters live in `store`, `executors` and `alerts`.

One module per noun. One contract suite per port (`tests/contracts`) holds every adapter to it.
"""

from retrofill.services.ports.checking import Check
from retrofill.services.ports.clock import Clock
from retrofill.services.ports.generations import FrozenTasks, Generations
from retrofill.services.ports.ledger import Ledger, Reader, Store, Wanted
from retrofill.services.ports.notifying import Message, Notifier, NotSentError, UndeliverableError
from retrofill.services.ports.outbox import Outbox, OutboxReader
from retrofill.services.ports.people import People, PeopleReader
from retrofill.services.ports.running import Executor, IncludedCode, RunEnd, RunRef, RunSpec

__all__ = [
    "Check",
    "Clock",
    "Executor",
    "FrozenTasks",
    "Generations",
    "IncludedCode",
    "Ledger",
    "Message",
    "NotSentError",
    "Notifier",
    "Outbox",
    "OutboxReader",
    "People",
    "PeopleReader",
    "Reader",
    "RunEnd",
    "RunRef",
    "RunSpec",
    "Store",
    "UndeliverableError",
    "Wanted",
]
