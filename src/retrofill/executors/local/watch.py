"""Who is at work on this machine: who leads, supervisors, and what stands still."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.executors.local.standstill import Standstill
    from retrofill.services.ports.leadership import Leader


class LocalWatch:
    """Looks anew at every question.

    Args:
        leader: who schedules now.
        host: this machine's name among those that share the store; None where it has the store alone.
    """

    def __init__(
        self, runs_directory: Path, leader: Callable[[], Leader | None], host: str | None = None
    ) -> None:
        self._runs = runs_directory
        self.leader = leader
        self.host = host

    def starts(self, *, auto: bool = False) -> bool:
        found = self.leader()
        return found is not None and found.starts(auto)

    def standstills(self) -> list[Standstill]:
        from retrofill.executors.local.standstill import find_standstills

        leader = self.leader()
        is_here = leader is not None and leader.host == os.uname().nodename
        return find_standstills(self._runs, leader.pid if leader is not None and is_here else None)

    def living_runs(self) -> frozenset[str]:
        from retrofill.executors.local.folder import RunsFolder

        return frozenset(name for _, name in RunsFolder(self._runs).living_supervisors())
