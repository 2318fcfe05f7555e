"""What the log is told of bugs: where each is, and not so often that who finds one fills a disk with it."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from threading import Lock

_FRAMES = 20
_MOST_CHARACTERS = 2_000  # of the error's own text
_PER_MINUTE = 10


class FaultLog:
    """Tells of so many bugs a minute, then counts the rest.

    Args:
        seconds: the monotonic clock.
    """

    def __init__(self, log: logging.Logger, seconds: Callable[[], float] = time.monotonic) -> None:
        self._log, self._seconds = log, seconds
        self._lock = Lock()
        self._since = seconds()
        self._told = self._left_out = 0

    def note(self, what: str, error: BaseException) -> None:
        """Tell where an error comes from: its last frames, and its own text without all that it may quote."""
        left_out = self._turn()
        if left_out is None:
            return
        more = f" ({left_out} like it were not told)" if left_out else ""
        self._log.error("%s%s\n%s", what, more, _last_frames(error))

    def _turn(self) -> int | None:
        """How many went untold before this one; None: this one does, too."""
        with self._lock:
            if self._seconds() - self._since >= 60:
                self._since, self._told = self._seconds(), 0
            if self._told == _PER_MINUTE:
                self._left_out += 1
                return None
            self._told += 1
            left_out, self._left_out = self._left_out, 0
            return left_out


def _last_frames(error: BaseException) -> str:
    frames = traceback.format_tb(error.__traceback__, limit=-_FRAMES)
    words = "".join(traceback.format_exception_only(error))[:_MOST_CHARACTERS]
    return "".join([*frames, words]).rstrip()
