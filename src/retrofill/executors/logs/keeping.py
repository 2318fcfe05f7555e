"""Logs of runs on other hosts, kept where those of this one are: as files that grow, with the gaps that theirs have."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from retrofill.executors.logs.capping import cap_log
from retrofill.executors.logs.names import run_name
from retrofill.executors.logs.paths import RunPaths
from retrofill.services.ports.logs import LogPart

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrofill.services.ports import RunRef

_BLOCK = 4096  # of which gaps consist


class KeptLogs:
    """The logs of a folder of runs that others write.

    Args:
        cap: most bytes of one log, as of now; 0: as many as there are.
    """

    def __init__(self, runs_directory: Path, cap: Callable[[], int]) -> None:
        self._places = RunPaths(str(runs_directory))
        self._cap = cap

    def keep(self, ref: RunRef, part: LogPart) -> int:
        self._places.make()
        path = self._places.log(run_name(ref.instance_id, ref.run_number, ref.token))
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # its host may have asked twice
            size = _append(descriptor, os.fstat(descriptor).st_size, part)
            cap_log(descriptor, self._cap())
            return size
        finally:
            os.close(descriptor)


def _append(descriptor: int, size: int, part: LogPart) -> int:
    """What is new of a piece, to a log of that size; its size then."""
    if not part.data or part.next_offset <= size or part.offset - part.missing > size:
        return size
    if part.missing and part.offset > size:
        os.ftruncate(descriptor, size - size % _BLOCK)  # what follows in its block has gone on its host, too
    start = max(part.offset, size)
    data = part.data[start - part.offset :]
    while data:
        written = os.pwrite(descriptor, data, start)
        start, data = start + written, data[written:]
    return start
