"""Who is at work on this machine: who leads, supervisors, and what stands still."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.executors.local.standstill import Standstill
    from retrofill.services.ports.hosts import Host, Hosts
    from retrofill.services.ports.leadership import Leader


class LocalWatch:
    """Looks anew at every question.

    Args:
        leader: who schedules now.
        host: this machine's name among those that share the store; None where it has the store alone.
        hosts: all of those machines; None where there are no others.
        lost_after_ms: without a sign of life for so long, what one of them ran is lost; both are asked when needed.
    """

    def __init__(
        self,
        runs_directory: Path,
        leader: Callable[[], Leader | None],
        host: str | None = None,
        hosts: Callable[[], Hosts | None] = lambda: None,
        lost_after_ms: Callable[[], int] = int,
    ) -> None:
        self._runs = runs_directory
        self.leader = leader
        self.host = host
        self._hosts, self._lost_after_ms = hosts, lost_after_ms

    def hosts(self) -> Sequence[Host]:
        found = self._hosts()
        return () if found is None else found.all()

    @property
    def lost_after_ms(self) -> int:
        return self._lost_after_ms()

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
