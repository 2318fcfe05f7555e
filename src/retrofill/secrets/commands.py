"""Running a program for what it prints, within a time and a size; it and what it has started end with that."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_CHUNK = 16 * 1024


class CommandError(Exception):
    """It printed nothing that can be used: the end of a sentence that begins with the command."""


def output_of(
    arguments: Sequence[str], directory: Path, environ: Mapping[str, str], seconds: float, longest: int
) -> bytes:
    """What it prints on stdout; what it says on stderr goes nowhere, because it may hold anything.

    Raises:
        CommandError: it cannot be started, ends badly, prints more than `longest` bytes, or takes longer.
    """
    try:
        process = subprocess.Popen(
            arguments,
            cwd=directory,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "an argument that no program can be given"
        raise CommandError(f"cannot be started: {reason}") from None
    try:
        return _printed(process, time.monotonic() + seconds, seconds, longest)
    finally:
        _end(process)


def _printed(process: subprocess.Popen[bytes], deadline: float, seconds: float, longest: int) -> bytes:
    assert process.stdout is not None
    out = process.stdout.fileno()
    found = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([out], [], [], left)[0]:
            raise CommandError(f"did not end within {seconds:g} s")
        chunk = os.read(out, _CHUNK)
        if not chunk:
            break
        found += chunk
        if len(found) > longest:
            raise CommandError(f"printed more than {longest // 1024} KiB")
    try:
        code = process.wait(max(deadline - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        raise CommandError(f"did not end within {seconds:g} s") from None
    if code != 0:
        raise CommandError(f"ended with {f'signal {-code}' if code < 0 else f'exit status {code}'}")
    return bytes(found)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    assert process.stdout is not None
    process.stdout.close()
    process.wait()
