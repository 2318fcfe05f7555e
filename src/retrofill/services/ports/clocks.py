"""Holding the clock against what the ledger knows (TIME-8)."""

from __future__ import annotations

from typing import Protocol

from retrofill.domain.time.clocks import ClockCheck


class ClockReader(Protocol):
    """Whether the clock can be believed."""

    def check(self, wall_ms: int) -> ClockCheck:
        """Hold what the clock shows against the time since the machine was started, and the newest instant."""
        ...


class ClockKeeper(ClockReader, Protocol):
    """Inside a write transaction."""

    def keep(self, wall_ms: int, tolerance_ms: int | None = None) -> ClockCheck:
        """Check it; note it where it was not known yet, and let pauses follow where it has jumped.

        Args:
            tolerance_ms: how far it may be off from now on.
        """
        ...

    def accept(self, wall_ms: int) -> None:
        """Believe it, whatever contradicts it."""
        ...
