"""What people ask lists for, as they write it: names, dates and states are texts that whoever searches judges.

What is not given asks for nothing; of what is given, all must hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class BackfillSearch(NamedTuple):
    """Which backfills (BF-1).

    Attributes:
        name: is in the name, in whatever case.
        status, check_status: as rows show them.
        bizdate, created: a date or a range `D..D`.
        task: takes part, as people name it.
        task_type, workspace: of a task that takes part.
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


class InstanceSearch(NamedTuple):
    """Which instances: of each kind one of the values, where there are any.

    Attributes:
        backfills: ids; auto triggered instances fit none.
        tasks: as people name them.
        bizdates: dates or ranges `D..D`.
        states: as rows show them.
        auto: only auto triggered ones.
        after: id of the instance after which to go on.
    """

    backfills: Sequence[int] = ()
    tasks: Sequence[str] = ()
    bizdates: Sequence[str] = ()
    states: Sequence[str] = ()
    auto: bool = False
    after: int | None = None


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
