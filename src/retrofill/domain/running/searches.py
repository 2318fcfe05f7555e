"""What people ask lists for, as they write it: names, dates and states are texts that whoever searches judges.

What is not given asks for nothing; of what is given, all must hold.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple


class BackfillSearch(NamedTuple):
    """Which backfills (BF-1).

    Attributes:
        name: is in the name, in whatever case.
        status, check_status: as rows show them.
        bizdate, created: a date or a range `D..D`.
        task: takes part, as people name it.
        task_type, workspace: of a task that takes part.
        text: is in the name, is the id, or is in the name of a task that takes part.
        is_open: whether it has not ended.
        needs: only those that go on only once somebody has done something.
    """

    name: str | None = None
    creator: str | None = None
    status: str | None = None
    check_status: str | None = None
    bizdate: str | None = None
    task: str | None = None
    task_type: str | None = None
    workspace: str | None = None
    created: str | None = None
    text: str | None = None
    is_open: bool | None = None
    needs: bool = False


class InstanceSearch(NamedTuple):
    """Which instances: of each kind one of the values, where there are any.

    Attributes:
        backfills: ids; auto triggered instances fit none.
        tasks: as people name them.
        bizdates: dates or ranges `D..D`.
        states: as rows show them.
        auto: only auto triggered ones.
        after: id of the instance after which to go on.
        task_part: is in the name of the task, in whatever case.
        groups: of bizdates.
        held_up: besides those states, what waits for something that failed, is frozen or isolated.
    """

    backfills: Sequence[int] = ()
    tasks: Sequence[str] = ()
    bizdates: Sequence[str] = ()
    states: Sequence[str] = ()
    auto: bool = False
    after: int | None = None
    task_part: str | None = None
    groups: Sequence[int] = ()
    held_up: bool = False


class OperationSearch(NamedTuple):
    """Which operations of the record (OPS-8).

    Attributes:
        task: as people name it.
    """

    user: str | None = None
    action: str | None = None
    backfill_id: int | None = None
    instance_id: int | None = None
    task: str | None = None


class DateSearch(NamedTuple):
    """Which bizdates of backfills.

    Attributes:
        workspace: of a task that takes part.
        bizdate: ISO; None: any.
        dates: these, each a backfill's id and the place of the bizdate in running order, from 0.
        name: is in the backfill's name, in whatever case.
        states: as documents show them.
    """

    workspace: str | None = None
    bizdate: str | None = None
    dates: Sequence[tuple[int, int]] = ()
    name: str | None = None
    creator: str | None = None
    states: Collection[str] = ()


class Span(NamedTuple):
    """Instants from the first to the last one, both included, in ms; None: no bound."""

    first: int | None = None
    last: int | None = None

    def has(self, ms: int | None) -> bool:
        """Whether an instant lies in it; where there is a bound, none does not."""
        if ms is None:
            return self == ANY_TIME
        return (self.first is None or self.first <= ms) and (self.last is None or ms <= self.last)


ANY_TIME = Span()


class DateInstanceSearch(NamedTuple):
    """Which instances of one bizdate, of backfills and auto triggered ones.

    Attributes:
        bizdate: ISO.
        workspace: None: of all that the actor sees.
        dates: of these bizdates of backfills, as in `DateSearch`.
        task_ids: of one of these tasks.
        task_name: is in the name of the task inside its workspace, in whatever case.
        task_type, owner: of the task as it is deployed now.
        states, kinds, resource_groups: as documents show them.
        auto: only auto triggered ones, or none of them; None: both.
    """

    bizdate: str
    workspace: str | None = None
    ids: Sequence[int] = ()
    dates: Sequence[tuple[int, int]] = ()
    task_ids: Sequence[int] = ()
    task_name: str | None = None
    task_type: str | None = None
    owner: str | None = None
    resource_group: str | None = None
    states: Collection[str] = ()
    kinds: Collection[str] = ()
    auto: bool | None = None
    started: Span = ANY_TIME
    ended: Span = ANY_TIME
    created: Span = ANY_TIME


class Numbered(NamedTuple):
    """A page by its number, for who wants one: what comes before it, and how it is sorted.

    Attributes:
        by: `id`, `due`, `started`, `ended` or `created`; what has no such instant comes first.
        limit: -1 for all.
    """

    offset: int = 0
    limit: int = 10
    by: str = "id"
    is_descending: bool = True
