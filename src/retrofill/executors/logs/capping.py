"""Bounding a log: its middle is given back to the file system, offsets stay as they are.

What is missing is a hole in the file, which readers see as a gap.
"""

from __future__ import annotations

import contextlib
import errno
import os

HEAD_SHARE = 5  # a fifth of the cap for the beginning, two fifths for the end
_BLOCK = 4096
_ROOMY_BYTES = 1 << 30  # with so much free, nothing is reserved
_RESERVED_BYTES = 64 << 10


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


def reserve_room(descriptor: int) -> bool:
    """Where the disk is nearly full, take the space that a short log needs; whether that was done.

    A command whose own words cannot be written fails, and nobody could tell that from a failure of its work.

    Raises:
        OSError: there is no room.
    """
    from retrofill.executors.kernel import reserve

    status = os.fstatvfs(descriptor)
    if status.f_bavail * status.f_frsize >= _ROOMY_BYTES:
        return False
    try:
        reserve(descriptor, _RESERVED_BYTES)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOSYS):
            return False
        raise
    return True


def give_back_room(descriptor: int) -> None:
    """What was reserved and not needed."""
    os.ftruncate(descriptor, os.fstat(descriptor).st_size)


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
