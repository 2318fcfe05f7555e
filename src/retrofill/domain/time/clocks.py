"""Whether the wall clock can be believed (TIME-8).

It is held against the time that has passed since the machine was started, of which no change of
the clock takes anything, and against the newest instant of which the store knows. An anchor is a
moment at which both were believed. Instants and lengths are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

DEFAULT_TOLERANCE_MS = 3_600_000
_JUMP_MS = 1_500  # less is what reading two clocks one after the other and slewing make


@dataclass(frozen=True, slots=True)
class Boot:
    """One start of the machine, and how long ago that is, suspended or not."""

    id: str
    ms: int


class Anchor(NamedTuple):
    """What was believed last.

    Attributes:
        boot, booted: of which start of the machine, and how long that was ago.
        wall: what the clock showed.
        tolerance: how far it may be off.
        shift: by how much what is sure of it has jumped since, as far as lengths of time have followed (`jump_of`).
        accepted: instants of the store up to this one contradict nothing: somebody has said so.
        gap: how much older than `wall` everything in the store was.
    """

    boot: str
    booted: int
    wall: int
    tolerance: int = DEFAULT_TOLERANCE_MS
    shift: int = 0
    accepted: int = 0
    gap: int = 0


@dataclass(frozen=True, slots=True)
class ClockCheck:
    """What became of holding the clock against what is known.

    Attributes:
        wall_ms: what the clock shows.
        sure_ms: what it certainly is or was: nothing starts for a later time.
        expected_ms: what it should show; None where it shows what can be.
        is_behind: it is expected later because the store has something of then.
        gap_ms: by how much everything in the store was older when the clock was first believed.
    """

    wall_ms: int
    sure_ms: int
    expected_ms: int | None = None
    is_behind: bool = False
    gap_ms: int = 0


def judge(anchor: Anchor | None, boot: Boot, wall_ms: int, newest_ms: int | None) -> ClockCheck:
    """Hold the clock against the anchor of this start of the machine, else against the store.

    Args:
        newest_ms: the newest instant of which the store knows; asked for where there is no such anchor.
    """
    if anchor is not None and anchor.boot == boot.id:
        expected = _expected(anchor, boot)
        if abs(wall_ms - expected) > anchor.tolerance:
            return ClockCheck(wall_ms, min(wall_ms, expected), expected, gap_ms=anchor.gap)
        return ClockCheck(wall_ms, wall_ms, gap_ms=anchor.gap)
    known = [ms for ms in (newest_ms, anchor and anchor.wall) if ms is not None]
    newest = max(known, default=wall_ms)
    tolerance = DEFAULT_TOLERANCE_MS if anchor is None else anchor.tolerance
    if newest > wall_ms + tolerance and newest > (0 if anchor is None else anchor.accepted):
        return ClockCheck(wall_ms, wall_ms, newest, is_behind=True)
    return ClockCheck(wall_ms, wall_ms, gap_ms=max(wall_ms - newest, 0))


def believe(anchor: Anchor | None, boot: Boot, check: ClockCheck) -> Anchor:
    """The anchor of this start of the machine, where the check found nothing wrong."""
    kept = Anchor("", 0, 0) if anchor is None else anchor
    return kept._replace(boot=boot.id, booted=boot.ms, wall=check.wall_ms, shift=0, gap=check.gap_ms)


def accept(anchor: Anchor | None, boot: Boot, wall_ms: int, newest_ms: int | None) -> Anchor:
    """The anchor where somebody says that the clock is right."""
    known = Anchor("", 0, 0) if anchor is None else anchor
    newest = max(known.accepted, known.wall, newest_ms or 0)
    return known._replace(boot=boot.id, booted=boot.ms, wall=wall_ms, shift=0, accepted=newest, gap=0)


def jump_of(anchor: Anchor, boot: Boot, sure_ms: int) -> int:
    """By how much the time that is sure has jumped since lengths of time followed it last; 0: it has not."""
    jump = sure_ms - _expected(anchor, boot) - anchor.shift
    return jump if abs(jump) > _JUMP_MS else 0


def followed(anchor: Anchor, jump: int) -> Anchor:
    """With what follows from a jump done."""
    return anchor._replace(shift=anchor.shift + jump)


def _expected(anchor: Anchor, boot: Boot) -> int:
    return anchor.wall + boot.ms - anchor.booted
