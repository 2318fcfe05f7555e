"""What people ask lists for, as they write it: names, dates and states are texts that whoever searches judges.

What is not given asks for nothing; of what is given, all must hold.
"""

from __future__ import annotations

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
