"""Whether a host is there: what it has said last, and how long ago, in one word.

A host that is not heard of is unknown before it is lost: its runs may go on, and nobody else may start them. Only
when it has been silent for as long as the setting `host_lost_minutes` says are they lost (RUN-3).
"""

from __future__ import annotations

from enum import StrEnum

_UNHEARD_PART = 4  # of the time after which a host is lost; it speaks twice as often
_LONGEST_PATIENCE_MS = 45_000


class Presence(StrEnum):
    """RUN-3; `draining` and `left` are what people and the host itself have asked for."""

    THERE = "there"
    DRAINING = "draining"  # takes no more, as a person has asked
    LEFT = "left"  # by itself
    UNKNOWN = "unknown"  # not heard of
    LOST = "lost"  # not heard of for so long that its runs are lost

    @property
    def is_heard(self) -> bool:
        """Whether what lives there is known to go on."""
        return self in (Presence.THERE, Presence.DRAINING)


def presence_of(left_ms: int | None, lost_after_ms: int, is_draining: bool, has_left: bool) -> Presence:
    """What a host is to those who look.

    Args:
        left_ms: until its runs are lost; negative: since; None: it was never heard of.
        lost_after_ms: how long that takes in all.
        has_left: it has said so.
    """
    if has_left:
        return Presence.LEFT
    if left_ms is None or left_ms < 0:
        return Presence.LOST
    if lost_after_ms - left_ms > min(lost_after_ms // _UNHEARD_PART, _LONGEST_PATIENCE_MS):
        return Presence.UNKNOWN
    return Presence.DRAINING if is_draining else Presence.THERE
