"""How long somebody waits who has signed in wrongly again and again (SEC-6).

Failures are counted by account and by address. Some are free; from then on one try a minute is looked at, so that nobody is
locked out for good, and guessing comes to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

PAUSE_MS = 60_000
FORGOTTEN_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures are free, until an hour without one."""

    free: int

    def wait_ms(self, failures: int, last_ms: int, now_ms: int) -> int:
        """Milliseconds from now until the next try is looked at; 0: it may be made at once."""
        since_ms = max(0, now_ms - last_ms)
        return 0 if failures < self.free else max(0, PAUSE_MS - since_ms)


ACCOUNT = Allowance(free=5)
ADDRESS = Allowance(free=30)
