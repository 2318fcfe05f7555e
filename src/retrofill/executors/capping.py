"""Bounding a log: its middle is given back to the file system, offsets stay as they are.

What is missing is a hole in the file, which readers see as a gap.
"""

from __future__ import annotations

import contextlib
import os

HEAD_SHARE = 5  # a fifth of the cap for the beginning, two fifths for the end
_BLOCK = 4096


def cap_log(descriptor: int, cap: int) -> int:
    """Cut the middle out of a log that takes more disk space than `cap` bytes; the log's length.

    What stays is three fifths of the cap, so that the next cut comes only after a while.
    """
    status = os.fstat(descriptor)
    if 0 < cap < status.st_blocks * 512:
        head = cap // HEAD_SHARE
        try:
            cut_middle(descriptor, head, 2 * head)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, head)  # this file system cannot: only the beginning stays
                os.write(descriptor, b"\n[the log had become too large: what stood here was removed]\n")
    return status.st_size


def cut_middle(descriptor: int, head: int, tail: int) -> None:
    """Keep the first `head` and last `tail` bytes, rounded up to whole blocks.

    Raises:
        OSError: the file system cannot do this.
    """
    from retrofill.executors.kernel import punch_hole

    size = os.fstat(descriptor).st_size
    start = -(-head // _BLOCK) * _BLOCK
    end = (size - tail) // _BLOCK * _BLOCK
    if end > start:
        punch_hole(descriptor, start, end - start)
