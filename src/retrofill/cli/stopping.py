"""Seeing a stop through to its end, also where no scheduler runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.bootstrap import Project
    from retrofill.services.ticks import Ticked


_LOOK_SECONDS = 0.05


def finish_stops(project: Project, ids: Sequence[int]) -> None:
    """Return when the process trees of these runs have ended and the ledger says so (OPS-1).

    Where no scheduler runs, this process takes the scheduler's place, but starts nothing new.
    """
    while _still_running(project, ids):
        if not project.scheduler_lock.acquire():
            time.sleep(_LOOK_SECONDS)
            continue
        executor = project.executor()
        try:

            def is_done(_: Ticked) -> bool:
                return not _still_running(project, ids)

            project.loop(executor, starts=False).run(is_done, observe_ms=200)
        finally:
            executor.close()
            project.scheduler_lock.release()


def _still_running(project: Project, ids: Sequence[int]) -> list[int]:
    with project.store.read() as reader:
        return [row.id for row in reader.instances(ids) if row.state == "running"]
