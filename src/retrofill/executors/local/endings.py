"""Sentences for people about how a command ended."""

from __future__ import annotations

import errno
import os
import signal

_NOT_FOUND = rb": ([^:\n]{1,200}): (?:command )?not found\s*\Z"
_TAIL_BYTES = 1024
_SHELL_OFFSET = 128  # a shell's exit status for a command that a signal ended: 128 + signal
_OF_THE_COMMAND = (errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR)
NOT_FOUND = 127
NOT_EXECUTABLE = 126


def describe_exit(exit_code: int, log: int) -> str:
    """Why a command exited with this status; empty for 0.

    Args:
        log: descriptor of the run's log; its last line may name a command that was not found.
    """
    if exit_code == 0:
        return ""
    if exit_code == NOT_FOUND:
        name = _missing_command(log)
        return f"command not found: {name}" if name else "exit status 127 (command not found)"
    if exit_code == NOT_EXECUTABLE:
        return "exit status 126 (a command could not be executed)"
    number = exit_code - _SHELL_OFFSET
    if number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
        return f"exit status {exit_code} (a command was {describe_signal(number)})"
    return f"exit status {exit_code}"


def describe_signal(number: int) -> str:
    """`killed by signal 9 (SIGKILL, maybe out of memory)`."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "real-time"
    hint = ", maybe out of memory" if number == signal.SIGKILL else ""
    return f"killed by signal {number} ({name}{hint})"


def describe_duration(seconds: float) -> str:
    """`90s`, `2h`: in the largest unit that leaves no rest."""
    whole = round(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def describe_spawn_error(error: OSError, program: bytes, folder: bytes) -> tuple[int | None, str]:
    """Exit status, as a shell would give it, and sentence for a command that could not be started.

    Returns:
        None as the status where it is the machine that could not: no memory, processes, descriptors, space...
    """
    if error.errno == errno.ENOENT:
        return NOT_FOUND, f"command not found: {_shown(program)}"
    if error.errno == errno.E2BIG:
        return (
            NOT_EXECUTABLE,
            "the code's arguments and variables are too large for the system (a value may have 128 KiB)",
        )
    if error.errno in _OF_THE_COMMAND:
        return NOT_EXECUTABLE, f"cannot execute {_shown(program)}: {error.strerror or error}"
    return None, f"cannot start {_shown(program)} in {_shown(folder)}: {error.strerror or error}"


def describe_folder_error(error: OSError, folder: bytes) -> str:
    """Sentence for a working directory that cannot be entered."""
    return f"cannot enter the folder {_shown(folder)}: {error.strerror or error}"


def _missing_command(log: int) -> str:
    import re  # not on the way of every run

    try:
        descriptor = os.open(f"/proc/self/fd/{log}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    finally:
        os.close(descriptor)
    match = re.search(_NOT_FOUND, tail)
    return _shown(match[1].strip()) if match else ""


def _shown(text: bytes) -> str:
    """As it may stand in a terminal."""
    decoded = text.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in decoded)
