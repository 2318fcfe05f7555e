"""Logs that other hosts push: whatever comes twice, late or never, what is kept is the beginning of what was written."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from retrofill.executors.logs.capping import cut_middle
from retrofill.executors.logs.keeping import KeptLogs
from retrofill.executors.logs.names import run_name
from retrofill.executors.logs.paths import RunPaths
from retrofill.executors.logs.reading import LogFolder
from retrofill.services.ports import RunRef
from retrofill.services.ports.logs import LogPart

REF = RunRef(7, 1, "token", "boot")
BLOCK = 4096


def kept_in(folder: Path, cap: int = 0) -> KeptLogs:
    return KeptLogs(folder, lambda: cap)


def all_of(folder: Path, offset: int = 0) -> bytes:
    return LogFolder(folder).read(REF, offset, 1 << 30).data


def piece(data: bytes, start: int, end: int) -> LogPart:
    return LogPart(start, data[start:end], 0, len(data))


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=20))
def test_pieces_in_any_order(pieces: list[tuple[int, int]]) -> None:
    """OPS-10: never a byte that was not written, none in another's place; what is connected is taken."""
    data = bytes(range(60))
    with TemporaryDirectory() as name:
        folder, reached = Path(name), 0
        kept = kept_in(folder)
        for start, length in pieces:
            end = min(start + length, len(data))
            size = kept.keep(REF, piece(data, min(start, end), end))
            if start <= reached:
                reached = max(reached, end)
            assert size == reached
        kept.keep(REF, piece(data, 0, 0))
        assert all_of(folder) == data[:reached]


def test_gaps_stay_gaps(tmp_path: Path) -> None:
    """OPS-10: also where a piece was pushed before it was cut out, and nobody reads bytes that were never there."""
    there, here = tmp_path / "there", tmp_path / "here"
    RunPaths(str(there)).make()
    path = RunPaths(str(there)).log(run_name(REF.instance_id, REF.run_number, REF.token))
    Path(path).write_bytes(bytes(i % 251 for i in range(40 * BLOCK)))
    source, kept = LogFolder(there), kept_in(here)
    size = kept.keep(REF, source.read(REF, 0, 10 * BLOCK + 100))
    descriptor = os.open(path, os.O_RDWR)
    cut_middle(descriptor, 8 * BLOCK, 16 * BLOCK)
    os.close(descriptor)
    while (part := source.read(REF, size, 3 * BLOCK + 7)).data:
        size = kept.keep(REF, part)
    assert size == 40 * BLOCK
    ours = LogFolder(here)
    (gap,) = ours.gaps(REF)
    assert gap == (10 * BLOCK, 24 * BLOCK), "what had come before the cut is kept, up to its last whole block"
    assert all_of(here, 24 * BLOCK) == all_of(there, 24 * BLOCK)
    assert all_of(here)[: 8 * BLOCK] == all_of(there)[: 8 * BLOCK]


def test_one_log_is_kept_up_to_its_cap(tmp_path: Path) -> None:
    """RET-2: a host cannot fill the server's disk with one run; offsets stay as they are."""
    kept, data = kept_in(tmp_path, 64 * BLOCK), b"x" * (16 * BLOCK)
    for number in range(32):
        start = number * len(data)
        assert kept.keep(REF, LogPart(start, data, 0, 0)) == start + len(data)
    status = os.stat(RunPaths(str(tmp_path)).log(run_name(7, 1, "token")))
    assert status.st_size == 32 * len(data)
    assert status.st_blocks * 512 <= 64 * BLOCK
