"""When each instance of a plan is due, and before which moment it may not start (RUN-1, POL-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.planning.plan import Plan
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.instants import day_start

if TYPE_CHECKING:
    from retrofill.domain.arrays import LongArray


class StartTimes:
    """StartTimes of one plan, by date; milliseconds since 1970, one per place."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        zones = [plan.catalog.timezone_of(task) for task in plan.tasks]
        self._zones = sorted(set(zones))
        self._zone_of = np.array([self._zones.index(zone) for zone in zones], dtype=np.int64)[plan.task_of]
        # Dry runs by SEL-6 do not wait for T (RUN-2); those of a task's mode do.
        self._is_immediate = np.array([task.name in plan.dry_runs for task in plan.tasks], dtype=bool)[
            plan.task_of
        ]

    def due(self, date_index: int) -> LongArray:
        """T as an instant."""
        return self._plan.due(date_index) * 1000

    def starts(self, date_index: int) -> LongArray:
        """Not before T, or POL-2's moment; 0 for what waits for no time."""
        start = self.due(date_index)
        if self._plan.policy.run_future:
            elapsed = self._plan.dates[date_index] + ONE_DAY
            midnights = [round(day_start(elapsed, zone).timestamp() * 1000) for zone in self._zones]
            start = np.minimum(start, np.array(midnights, dtype=np.int64)[self._zone_of])
        return np.where(self._is_immediate, 0, start)
