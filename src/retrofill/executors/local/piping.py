"""The output of runs that know secrets: it passes through their supervisor, which masks it before it is written (SEC-3).

All other runs write straight into their log. What may be the beginning of a value is held back until more
comes or the run has ended.
"""

from __future__ import annotations

import contextlib
import os

from retrofill.domain.running.masking import Masking

_PIECE = 1 << 16
_LOST = b"\n[output was lost here: the log could not be written]\n"


class MaskedOutput:
    """A pipe into a log. Raises OSError where there can be none.

    Args:
        log: descriptor of the log, which stays open.
    """

    def __init__(self, log: int, masking: Masking) -> None:
        self._log = log
        self._masking = masking
        self._has_lost = False
        self.read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.read_end, False)

    def close_write_end(self) -> None:
        """Leave it to the run's processes."""
        os.close(self.write_end)

    def pump(self) -> bool:
        """Write what has come, at most one piece; False where nothing is there, or ever will be."""
        try:
            data = os.read(self.read_end, _PIECE)
        except BlockingIOError:
            return False
        if data:
            self._write(self._masking.feed(data))
        return bool(data)

    def close(self) -> None:
        """Write the rest; no process of the run is left."""
        with contextlib.suppress(OSError):
            while self.pump():
                pass
        self._write(self._masking.flush())
        os.close(self.read_end)

    def _write(self, data: bytes) -> None:
        if self._has_lost and data:
            data = _LOST + data
        try:
            while data:
                data = data[os.write(self._log, data) :]
            self._has_lost = False
        except OSError:
            self._has_lost = True  # the run goes on, as one that writes by itself may choose to
