"""A check is asked in a process of its own, so that nothing that it does can hold us up.

A plugin may hang in C code, end the process or eat memory; a server may send one byte a
second, a resolver never answer. All of that ends with the process, which a timer of the
kernel ends at its limit even when we are gone. `child.py` is what runs there.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

# Beyond a check's own limit, for the start of the interpreter on a machine under load.
_PATIENCE_SECONDS = 30.0
_CONFIDENTIAL = ("RETROFILL_SECRET_", "RETROFILL_TOKEN")


def ask(job: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
    """Run a job in a child for at most so long; what it wrote, or `{"problem": SENTENCE}`.

    Args:
        job: JSON; `kind` says what `child.py` does with the rest. It goes through a pipe, because
            everybody can read arguments.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "retrofill.checks.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith(_CONFIDENTIAL)},
        start_new_session=True,
    )
    document = json.dumps({**job, "limit_seconds": limit_seconds}).encode()
    try:
        output, _ = process.communicate(document, timeout=limit_seconds + _PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        return _out_of_time(limit_seconds)
    finally:
        _end(process)
    if process.returncode == -signal.SIGALRM:
        return _out_of_time(limit_seconds)
    try:
        found: dict[str, Any] = json.loads(output)
    except ValueError:
        code = process.returncode
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        return {"problem": f"its process ended without an answer ({how})"}
    return found


def _out_of_time(limit_seconds: float) -> dict[str, Any]:
    return {"problem": f"it did not answer within {limit_seconds:g} s"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the child and what it started, which may still hold its pipes, and close these."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()
