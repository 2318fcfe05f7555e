"""The store: views and transactions of the ledger, and marks of who is at work on it.

What every use case relies upon, whatever database lies below; `tests/contracts` holds each store to it:

- Write transactions of one store are serial, also those of different processes and machines. What a
  `Ledger` has read stays true until it commits, so a use case may read, decide and write.
- A `Reader` sees one moment. It never waits for a writer, and no writer waits for it.
- A commit is durable when `transaction` has ended. An exception that leaves it undoes all of it.
- A move of an instance is a compare-and-set on its state, and where it starts or ends a run on run
  number and token. A move that came too late changes nothing and is no error: it answers False where
  it is of one instance, and says nothing where it is of many (who must know reads within the same transaction).
- A statement that contradicts what is kept (a number that runs twice) is a `ConstraintError`: not a
  lost race, but a mistake of the caller, and the transaction is undone.
- No write transaction writes more than `MOST_ROWS` rows. What is longer is done in pieces that each
  leave the store as it should be, with `give_way` between them; what a crash leaves of it is found again.
- A transaction that changes what is shown of backfills and instances has a number, the store's revision, which
  rises by one with each of them in the order of commits (`revisions`); it is written in the same transaction.
- Who waits for changes is woken (`feed`); that is a hint, on which nothing may depend.
- Any number of threads use one store at once. A transaction or a view belongs to the thread that asked for
  it, and within a view that thread is given the same one again. What another thread has committed counts
  as others' (`others_commits`), as another process's does. A store does not survive a fork.
- Ids of backfills, generations and instances are never given again, also after what had them is deleted.
- Filters are values (`BackfillFilter`, `InstanceFilter`, `OperationFilter`): only a store speaks SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from retrofill.services.ports.feed import Feed

if TYPE_CHECKING:
    from retrofill.services.ports.health import Found
    from retrofill.services.ports.ledger import Ledger, Reader

MOST_ROWS = 5_000  # that one write transaction writes


class ConstraintError(Exception):
    """What was to be written contradicts what the store holds; nothing of the transaction is kept."""


class Store(Feed, Protocol):
    """The ledger's transactions and locks, and the feed of what happens to it."""

    def read(self) -> AbstractContextManager[Reader]:
        """One consistent view."""
        ...

    def transaction(
        self, *, checks_references: bool = True, is_brief: bool = False
    ) -> AbstractContextManager[Ledger]:
        """One write transaction: commits at the end, rolls back on an exception.

        Args:
            checks_references: False to delete what surely nothing refers to any more; looking for
                what refers to a backfill may cost as much as there are instances.
            is_brief: nothing is computed in it. Who still holds it after some seconds stands still or was cut off
                from the store, and it is rolled back so that others can write.

        Raises:
            ConstraintError: what was written contradicts what the store holds.
            StoreUnavailableError: it cannot be written now: busy, full, or out of reach.
        """
        ...

    def creating(self, what: int | str) -> AbstractContextManager[None]:
        """Mark that this process is creating a backfill (by id) or something else, for as long as it lives.

        Raises:
            StoreBusyError: another one has created it for a minute and still does.
        """
        ...

    def is_being_created(self, what: int | str) -> bool:
        """Whether a living process is creating it."""
        ...

    def give_way(self) -> None:
        """Between the transactions of something long: let others write that wait for it."""
        ...

    def obstacle(self) -> str | None:
        """Why nobody could write just now, None where one can; does not wait for long."""
        ...

    def condition(self, reader: Reader) -> Iterator[Found]:
        """What the store says of itself when somebody asks how it is: the data as it is kept, and what it lies on."""
        ...

    def is_copy(self) -> bool:
        """Whether it belongs to another folder than the one that it lies in (RUN-8)."""
        ...

    def bind(self) -> None:
        """Let it belong to the folder that it lies in, under a word of its own."""
        ...

    def close(self) -> None:
        """Let go of what is open; the next question opens it again."""
        ...
