"""What one pass of the scheduler has done, for whoever looks on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from retrofill.domain.texts import Text

if TYPE_CHECKING:
    from retrofill.services.ports import RunEnd


@dataclass(slots=True)
class TickReport:
    """What a tick did, and when the next one is due at the latest (ms, None: when something happens)."""

    ends: Sequence[RunEnd] = ()  # of runs, as they came
    started: int = 0
    seconds: float = 0.0  # that its transaction has taken
    next_ms: int | None = None
    alert_ms: int | None = None  # when the next alert is due
    more: bool = False
    backfills_ended: list[int] = field(default_factory=list)
    trouble: str | None = None  # why nothing could be noted; it is tried again soon
    nights: list[date] = field(default_factory=list)  # bizdates whose instances were made before it
    clock_trouble: Text | None = None  # why the clock is not believed (TIME-8)
    notes: list[str | Text] = field(default_factory=list)  # sentences that people are told
    missed: list[date] = field(default_factory=list)  # nights that came and will not be made (AUTO-3)

    @property
    def ended(self) -> int:
        """How many runs."""
        return len(self.ends)


def earliest(*moments: int | None) -> int | None:
    """Of those that are known."""
    known = [moment for moment in moments if moment is not None]
    return min(known) if known else None
