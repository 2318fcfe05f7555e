"""Printing the log of a run, as it is or as it grows."""

from __future__ import annotations

import sys
import time

from retrofill.bootstrap import Project
from retrofill.executors import logs
from retrofill.services.ports import RunRef
from retrofill.services.records import InstanceRecord, RunRecord

_LOOK_SECONDS = 0.1
_PIECE = 256 << 10


def print_log(project: Project, row: InstanceRecord, run: RunRecord, follow: bool) -> None:
    """Write the log to stdout; with `follow`, until the run has ended.

    A terminal gets control characters escaped, so that a log cannot reprogram it; a file or a
    pipe gets the bytes as they are.
    """
    ref = RunRef(run.instance_id, run.number, run.token, run.boot_id)
    offset = 0
    while True:
        has_ended = not follow or _has_ended(project, row.id, run.number)
        offset = _print_new(project, ref, offset)
        if has_ended:
            return
        time.sleep(_LOOK_SECONDS)


def _print_new(project: Project, ref: RunRef, offset: int) -> int:
    while True:
        piece = logs.read(project.runs_directory, ref, offset, _PIECE)
        if not piece.data:
            return offset
        _write(piece.data)
        offset = piece.next_offset


def _write(data: bytes) -> None:
    if sys.stdout.isatty():
        text = data.decode("utf-8", "replace")
        sys.stdout.write("".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text))
    else:
        sys.stdout.buffer.write(data)
    sys.stdout.flush()


def _has_ended(project: Project, instance_id: int, number: int) -> bool:
    with project.store.read() as reader:
        return any(run.number == number and run.ended_ms is not None for run in reader.runs(instance_id))
