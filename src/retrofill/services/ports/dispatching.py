"""Telling other machines of runs that were offered to them.

All of it is hints (`ports.hosting`): a dispatcher may lose what it is told, say it twice, late, or in another order.
So it never waits: who schedules calls it between two ticks. Adapters are found by the executor's name in a resource
group, among the entry points `retrofill.executors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from retrofill.services.ports.hosting import Offer


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer, and what decides who hears of it first.

    Attributes:
        priority: of its instance, 1 to 8; the highest comes first (RUN-1).
        due_ms: among equal ones the earliest comes first.
    """

    offer: Offer
    resource_group: str
    priority: int
    due_ms: int


class Dispatcher(Protocol):
    """What makes offers of some resource groups known to those who claim them."""

    def offer(self, offers: Sequence[Offered]) -> None:
        """Make them known; never waits, never raises for what a broker does."""
        ...

    def withdraw(self, offers: Sequence[Offer]) -> None:
        """Nobody need hear of them any more: they were stopped before anybody claimed them."""
        ...

    def alive(self, host: str) -> bool | None:
        """Whether that host answers another way than by its beats; None where that cannot be told."""
        ...

    def trouble(self) -> str | None:
        """Why offers are not made known at the moment, a sentence; None while all is well."""
        ...

    def close(self) -> None:
        """Leave; what was not made known yet is found in the ledger."""
        ...
