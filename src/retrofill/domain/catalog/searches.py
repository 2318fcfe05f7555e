"""What programs ask of tasks; what is not given asks for nothing, of what is given, all must hold."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class TaskSearch(NamedTuple):
    """Which tasks.

    Attributes:
        name: is in the name inside its workspace, in whatever case.
        modes: of `normal`, `dry_run` and `paused`; a frozen task counts as paused.
    """

    workspace: str | None = None
    ids: Collection[int] = ()
    name: str | None = None
    owner: str | None = None
    type: str | None = None
    resource_group: str | None = None
    modes: Collection[str] = ()
