"""Revisions: what every write transaction has changed of what people look at, numbered in the order of commits.

The numbers rise by one. A transaction that changed nothing that is shown has none. The last `KEPT` are kept, and
some more: who knows the store as of a number before them has to look at everything anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

KEPT = 10_000
MOST_NAMED = 1_000  # instances of one revision
SCHEDULE = 0  # in place of a backfill's id: auto triggered instances


class Revision(NamedTuple):
    """What one transaction has changed.

    Attributes:
        backfills: ids of those of which the row, the dates or the record of operations have changed.
        whole: ids of those of which any instance may have changed, also in what it is shown as: what is paused, stopped
            or not active shows what waits as Not run; `SCHEDULE` for auto triggered ones.
        instances: ids of further instances that have changed.
        rights: whether somebody may see something else by now, or may not any more.
    """

    number: int
    backfills: tuple[int, ...] = ()
    whole: tuple[int, ...] = ()
    instances: tuple[int, ...] = ()
    rights: bool = False


class InstancePlace(NamedTuple):
    """Whose an instance is."""

    id: int
    backfill_id: int  # or SCHEDULE
    task_id: int


class Revisions(Protocol):
    """Within a view, or a transaction, which does not see its own."""

    def last(self) -> int:
        """The number of the last one; 0 while there was none."""
        ...

    def since(self, number: int, limit: int) -> list[Revision] | None:
        """Up to `limit` later ones, in order; None where some of them are not kept, or the number is yet to come."""
        ...

    def places(self, instance_ids: Iterable[int]) -> list[InstancePlace]:
        """Of those instances that exist."""
        ...
