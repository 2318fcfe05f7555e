"""Where the lines of a log lie: a sparse index, which grows with each look and is shared by all who look.

A line ends with `\\n`; where a part was cut out, the line before it ends, too. Nobody waits until a large log
is counted: each look goes on with it for a moment, and until it is done numbers are not known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from retrofill.services.instances.plans import Kept

if TYPE_CHECKING:
    from retrofill.services.ports.running import RunRef
    from retrofill.services.reading.logs import OpenLog

Open = Callable[[int], "OpenLog"]
Gaps = tuple[tuple[int, int], ...]
_STEP = 1 << 20  # bytes between two entries
_KEPT = 128


class LineIndex:
    """How many lines begin before a byte, for some bytes of one log.

    Attributes:
        counted: bytes up to which lines were counted.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self.counted = 0
        self._ends = 0  # of lines, up to there
        self._is_open = False  # whether a line has begun and not ended there
        self._offsets, self._before = [0], [0]
        self._gaps: list[tuple[int, int]] = []

    @property
    def total(self) -> int:
        """Lines up to what was counted, the last one also where it has not ended."""
        return self._ends + self._is_open

    def go_on(self, opened: Open, gaps: Gaps, most: int) -> None:
        """Count on for a moment; anew where something was cut out of what was counted.

        Args:
            opened: the log, from a byte on.
            gaps: what was cut out of it by now.
            most: bytes.
        """
        with self._lock:
            if self._gaps != [gap for gap in gaps if gap[0] < self.counted]:
                self._forget()
            end = self.counted + most
            for offset, missing, data in opened(self.counted).pieces():
                self._count(offset, missing, data)
                if self.counted >= end:
                    return

    def _count(self, offset: int, missing: int, data: bytes) -> None:
        if missing:
            self._gaps.append((offset - missing, offset))
            self._ends += self._is_open
        if offset >= self._offsets[-1] + _STEP:
            self._offsets.append(offset)
            self._before.append(self._ends)
        self._ends += data.count(b"\n")
        self._is_open = not data.endswith(b"\n")
        self.counted = offset + len(data)

    def number_at(self, opened: Open, offset: int) -> int | None:
        """The number of the line that holds a byte; None where lines were not counted up to there."""
        with self._lock:
            if offset > self.counted:
                return None
            at = bisect_right(self._offsets, offset) - 1
            begin, ends = self._offsets[at], self._before[at]
        return ends + 1 + _ends_before(opened, begin, offset)

    def begin_of(self, opened: Open, number: int) -> int | None:
        """The byte with which a line begins; the end where there are fewer; None where it was not counted up to there."""
        with self._lock:
            if number > self._ends + 1:
                return None
            at = bisect_right(self._before, number - 1) - 1
            begin, left = self._offsets[at], number - 1 - self._before[at]
        return _skip(opened, begin, left)


def _ends_before(opened: Open, begin: int, offset: int) -> int:
    """Ends of lines between two bytes."""
    found, is_open = 0, False
    for at, missing, data in opened(begin).pieces():
        found += bool(missing and is_open)
        part = data[: max(0, offset - at)]
        found += part.count(b"\n")
        is_open = not data.endswith(b"\n")
        if at + len(data) >= offset:
            break
    return found


def _skip(opened: Open, begin: int, left: int) -> int:
    """The byte after so many ends of lines."""
    is_open, offset = False, begin
    for at, missing, data in opened(begin).pieces():
        if missing and is_open:
            left -= 1
        if left <= 0:
            return at if missing else offset
        ends = data.count(b"\n")
        if ends >= left:
            return at + _after(data, left)
        left -= ends
        is_open, offset = not data.endswith(b"\n"), at + len(data)
    return offset


def _after(data: bytes, ends: int) -> int:
    """Behind the end of a line with this number."""
    at = 0
    for _ in range(ends):
        at = data.index(b"\n", at) + 1
    return at


class LineIndexes:
    """Those of the logs that were looked at last, for any number of threads."""

    def __init__(self) -> None:
        self._kept: Kept[tuple[RunRef, tuple[str, ...]], LineIndex] = Kept(_KEPT)

    def of(self, ref: RunRef, secrets: tuple[str, ...]) -> LineIndex:
        """That of a run's log; secrets are masked in it, and may hold ends of lines."""
        return self._kept.got((ref, tuple(sorted(secrets))), LineIndex)
