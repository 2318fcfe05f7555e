"""A window as a sequence of openings, in milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime

from retrofill.domain.time.windows import Window

NEVER = 1 << 62
_WEEK = 7 * 24 * 3_600_000
_MOST_WEEKS = 52 * 200  # further ahead nobody looks, and calendars end


class OpenTimes:
    """When a window is open, asked in ascending order of time; without a window, always."""

    def __init__(self, window: Window | None) -> None:
        self._window = window
        self._from, self._to = (0, NEVER) if window is None else (0, 0)

    def next_open(self, at_ms: int) -> int:
        """The first moment, not before this one, at which it is open."""
        if self._window is None or self._from <= at_ms < self._to:
            return at_ms
        opens = self._window.next_open(instant_of(at_ms))
        self._from = max(at_ms, round(opens.timestamp() * 1000))
        self._to = round(self._window.next_close(instant_of(self._from)).timestamp() * 1000)
        return self._from

    def close_after(self, at_ms: int) -> int:
        """The end of the opening that this moment, at which it is open, lies in."""
        self.next_open(at_ms)
        return self._to

    def between(self, from_ms: int, to_ms: int) -> int:
        """For how much of this time it is open; weeks are alike, so that long spans are not walked."""
        if self._window is None:
            return to_ms - from_ms
        weeks = max((to_ms - from_ms) // _WEEK - 1, 0)
        total = weeks * self._week_after(from_ms) if weeks else 0
        at_ms = self.next_open(from_ms + weeks * _WEEK)
        while at_ms < to_ms:
            closes = self.close_after(at_ms)
            total += min(closes, to_ms) - at_ms
            at_ms = self.next_open(closes) if closes < to_ms else to_ms
        return total

    def after(self, from_ms: int, open_ms: int) -> int:
        """The moment by which it has been open for so long, at most some 200 years ahead."""
        open_ms = min(open_ms, _MOST_WEEKS * _WEEK)
        if self._window is None:
            return from_ms + open_ms
        at_ms = self.next_open(from_ms)
        week_ms = self._week_after(at_ms)
        weeks = min(max(open_ms // week_ms - 1, 0), _MOST_WEEKS)
        if weeks == _MOST_WEEKS:
            return at_ms + weeks * _WEEK
        at_ms, open_ms = self.next_open(at_ms + weeks * _WEEK), open_ms - weeks * week_ms
        while open_ms > (length := self.close_after(at_ms) - at_ms):
            open_ms -= length
            at_ms = self.next_open(self.close_after(at_ms))
        return at_ms + open_ms

    def _week_after(self, at_ms: int) -> int:
        """Open time of the week from this moment on; some of it, because every window opens within a week."""
        return max(OpenTimes(self._window).between(at_ms, at_ms + _WEEK), 1)


def instant_of(ms: int) -> datetime:
    """Milliseconds since 1970 as an aware UTC instant."""
    return datetime.fromtimestamp(ms / 1000, UTC)
