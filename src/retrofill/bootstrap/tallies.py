"""What schedulers of one machine have done since its first one: counts in a small file that their processes share.

The leader adds to it in its memory, which costs no write and survives the process; a server reads it for its metrics. It is no
part of the ledger: nothing is decided by it, and where it is lost counts begin anew.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from retrofill.services.ports import RunEnd
    from retrofill.services.running.tick_report import TickReport

_SUCCESSFUL, _FAILED = "successful", "failed"
OUTCOMES = (_SUCCESSFUL, _FAILED, "stopped", "timeout", "lost", "not_started")


class Tallies(NamedTuple):
    """Counts that only grow, and when the last tick was.

    Attributes:
        ends: of runs, in the order of `OUTCOMES`.
        tick_seconds: that transactions of ticks have taken together.
        ticked_at: of the last tick, in seconds since the epoch; 0 where there was none.
        started_at: of the last tick that started something, likewise.
    """

    starts: float
    ticks: float
    tick_seconds: float
    ticked_at: float
    started_at: float
    ends: tuple[float, ...]


_ENDS = len(Tallies._fields) - 1  # where counts of ends begin
_FORM = struct.Struct(f"<{_ENDS + len(OUTCOMES)}d")


class TallyFile:
    """The file of one folder."""

    def __init__(self, home: Path) -> None:
        self._path = home / "scheduler.tallies"

    def read(self) -> Tallies:
        """What it says; all zero where there is none."""
        try:
            found = self._path.read_bytes()
        except OSError:
            found = b""
        numbers = _FORM.unpack(found[: _FORM.size].ljust(_FORM.size, b"\0"))
        starts, ticks, tick_seconds, ticked_at, started_at = numbers[:_ENDS]
        return Tallies(starts, ticks, tick_seconds, ticked_at, started_at, numbers[_ENDS:])

    def open(self) -> Tally:
        """For who leads: to go on counting."""
        return Tally(self._path, self.read())


class Tally:
    """Goes on counting; where the file cannot be had it counts for nobody, because no tick may fail for that."""

    def __init__(self, path: Path, found: Tallies) -> None:
        self._found = found
        self._map = _mapped(path)

    def note(self, ticked: TickReport, now_ms: int) -> None:
        """Add a tick."""
        found, now = self._found, now_ms / 1000
        ends = list(found.ends)
        for end in ticked.ends:
            ends[OUTCOMES.index(_outcome(end))] += 1
        self._found = Tallies(
            found.starts + ticked.started,
            found.ticks + 1,
            found.tick_seconds + ticked.seconds,
            now,
            now if ticked.started else found.started_at,
            tuple(ends),
        )
        if self._map is not None:
            _FORM.pack_into(self._map, 0, *self._found[:_ENDS], *ends)

    def close(self) -> None:
        if self._map is not None:
            self._map.close()


def _outcome(end: RunEnd) -> str:
    if end.outcome != "exited":
        return end.outcome
    return _SUCCESSFUL if end.exit_code == 0 else _FAILED


def _mapped(path: Path) -> mmap.mmap | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _FORM.size)  # else a full disk would end the process
            return mmap.mmap(descriptor, _FORM.size)
        finally:
            os.close(descriptor)
    except OSError:
        return None
