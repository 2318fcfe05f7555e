"""The machine's clocks."""

from __future__ import annotations

import time


class SystemClock:
    """The wall clock of the machine."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


def passed_seconds() -> float:
    """Grows as time passes, also while the machine is suspended; no change of the wall clock changes it."""
    return time.clock_gettime(_PASSING)


_PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
