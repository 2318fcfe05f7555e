"""System calls that Python has no name for, through the C library.

Importing this module loads ctypes: the launcher does it once, others only when they need a call.
"""

from __future__ import annotations

import ctypes
import os

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_KEEP_SIZE = 1
_PUNCH_HOLE = 2

_libc = ctypes.CDLL(None, use_errno=True)
_prctl = _libc.prctl
_prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)
_set_name = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p)(("prctl", _libc))
_getenv = _libc.getenv
_getenv.argtypes = (ctypes.c_char_p,)
_getenv.restype = ctypes.c_void_p
_fallocate = _libc.fallocate
_fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def become_subreaper() -> None:
    """Orphaned descendants of this process become its children from now on; forks do not inherit this."""
    if _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        _raise_errno()


def die_with_parent(number: int) -> None:
    """The kernel sends this signal when the parent has died; who asks too late is not told."""
    if _prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        _raise_errno()


def name_process(name: bytes) -> None:
    """The name that `ps -o comm` shows, at most 15 bytes."""
    _set_name(_PR_SET_NAME, name)


def reserve(descriptor: int, length: int) -> None:
    """Take disk space for the beginning of a file, whose size stays.

    Raises:
        OSError: there is not so much, or the file system cannot do this.
    """
    if _fallocate(descriptor, _KEEP_SIZE, 0, length) != 0:
        _raise_errno()


def punch_hole(descriptor: int, start: int, length: int) -> None:
    """Give back the disk space of a part of a file; its size and all offsets stay.

    Raises:
        OSError: the file system cannot do this.
    """
    if _fallocate(descriptor, _KEEP_SIZE | _PUNCH_HOLE, start, length) != 0:
        _raise_errno()


class MarkSpace:
    """The memory of this process in which others see the value of one variable it was started with.

    What is put into `os.environ` later is invisible in `/proc/PID/environ`; what is written here
    is visible, in forks of this process too.
    """

    def __init__(self, variable: str, length: int) -> None:
        self._address = _getenv(variable.encode())
        self._length = length

    def write(self, value: bytes) -> None:
        """Raises ValueError where the value does not fit, or there is no such memory."""
        if not self._address or len(value) > self._length:
            raise ValueError("no room for the mark of a run")
        ctypes.memmove(self._address, value.ljust(self._length, b"\0"), self._length)


def _raise_errno() -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number))
