"""The store: views and transactions of the ledger, and marks of who is at work on it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from retrofill.services.ports.ledger import Ledger, Reader


class Store(Protocol):
    """The ledger's transactions and locks."""

    def read(self) -> AbstractContextManager[Reader]:
        """One consistent view."""
        ...

    def transaction(self, *, checks_references: bool = True) -> AbstractContextManager[Ledger]:
        """One write transaction: commits at the end, rolls back on an exception.

        Args:
            checks_references: False to delete what surely nothing refers to any more; looking for
                what refers to a backfill may cost as much as there are instances.
        """
        ...

    def creating(self, what: int | str) -> AbstractContextManager[None]:
        """Mark that this process is creating a backfill (by id) or something else, for as long as it lives."""
        ...

    def is_being_created(self, what: int | str) -> bool:
        """Whether a living process is creating it."""
        ...

    def give_way(self) -> None:
        """Between the transactions of something long: let others write that wait for it."""
        ...

    def is_copy(self) -> bool:
        """Whether it belongs to another folder than the one that it lies in (RUN-8)."""
        ...

    def bind(self) -> None:
        """Let it belong to the folder that it lies in, under a word of its own."""
        ...

    def wake(self) -> None:
        """Tell a running scheduler that something has changed; a hint."""
        ...
