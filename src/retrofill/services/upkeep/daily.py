"""Retention once a day, in steps between the ticks of a scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, time
from typing import TYPE_CHECKING

from retrofill.domain.errors import StoreUnavailableError
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.instants import due_at, local_date
from retrofill.domain.time.milliseconds import instant_of, ms_of
from retrofill.services.upkeep.clocks import ClockDoubtedError

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Store
    from retrofill.services.upkeep.retention import Retention

_DOUBTED_MS = 60_000  # until a clock that is not believed is looked at again


class Daily:
    """When the job is due, and how far it has come.

    Args:
        make: a job as of now.
        minutes: after midnight in the time zone, when it is due.
    """

    def __init__(
        self, store: Store, make: Callable[[], Retention], clock: Clock, minutes: int, timezone: str
    ) -> None:
        self._store = store
        self._make = make
        self._clock = clock
        self._steps: Iterator[None] | None = None
        self.set_time(minutes, timezone)

    def set_time(self, minutes: int, timezone: str) -> None:
        """When it is due from now on; a job that has begun goes on."""
        self._at = time(minutes // 60, minutes % 60)
        self._timezone = timezone
        self._looked_ms = self._look_ms = 0  # between these, nothing is due

    def step(self) -> bool:
        """Do one short step if the job is due or has begun; whether there is more to do now."""
        if self._steps is None:
            now_ms = self._clock.now_ms()
            # A clock that was ahead has put the next look too far away.
            if self._looked_ms <= now_ms < self._look_ms or not self._is_due(now_ms):
                return False
            self._steps = self._make().steps()
        try:
            next(self._steps)
        except ClockDoubtedError:
            self._steps = None
            self._look_ms = self._looked_ms + _DOUBTED_MS
            return False
        except (StopIteration, OSError, StoreUnavailableError):  # what is refused today may go tomorrow
            self._steps = None
            self._look_ms = self._due_ms(self._clock.now_ms(), 1)
            return False
        return True

    def _is_due(self, now_ms: int) -> bool:
        """Whether the job has not gone through since it was due last."""
        self._looked_ms, self._look_ms = now_ms, self._due_ms(now_ms, 1)
        with self._store.read() as reader:
            last_ms = reader.retention.last_run_ms()
        # One in the future is of a clock that was wrong.
        return last_ms is None or last_ms > now_ms or last_ms < self._due_ms(now_ms, 0)

    def _due_ms(self, now_ms: int, later: int) -> int:
        """The last moment up to now at which the job was due, or the `later`-th after it."""
        today = local_date(instant_of(now_ms), self._timezone)
        moments = (
            ms_of(due_at(datetime.combine(today + days * ONE_DAY, self._at), self._timezone))
            for days in (0, -1, -2)
        )
        index = next(i for i, moment in enumerate(moments) if moment <= now_ms)
        day = today + (later - index) * ONE_DAY
        return ms_of(due_at(datetime.combine(day, self._at), self._timezone))
