"""What every adapter of `Logs` keeps, wherever the log lies: bytes, offsets, gaps (OPS-10)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.adapters import LogsRoom
from retrofill.services.ports import RunRef
from retrofill.services.ports.logs import Logs, NoLogError

BLOCK = 4096  # of a file: smaller gaps are none
_ids = itertools.count(1)


def ref(run_number: int = 1) -> RunRef:
    return RunRef(next(_ids), run_number, "0a1b2c3d4e5f60718293a4b5", "boot")


def read_all(logs: Logs, ref: RunRef, limit: int) -> list[tuple[int, int, bytes]]:
    """Every piece: offset, what was missing before it, data."""
    found, offset = [], 0
    while (part := logs.read(ref, offset, limit)).data:
        assert len(part.data) <= limit
        found.append((part.offset, part.missing, part.data))
        offset = part.next_offset
    assert offset == part.size
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(
    stretches=st.lists(st.tuples(st.integers(0, 2), st.binary(min_size=1, max_size=3 * BLOCK)), max_size=4),
    limit=st.integers(500, 5 * BLOCK),
    run_number=st.integers(1, 2),
)
def test_the_pieces_make_up_the_log(
    logs_room: LogsRoom, stretches: list[tuple[int, bytes]], limit: int, run_number: int
) -> None:
    """OPS-10: nothing is lost, nothing is made up, and how much was cut out is told where it was."""
    pieces, end, gaps = [], 0, []
    for blocks, data in stretches:
        begin = -(-end // BLOCK) * BLOCK + blocks * BLOCK if blocks else end
        pieces.append((begin, data))
        if blocks:
            gaps.append((-(-end // BLOCK) * BLOCK, begin))
        end = begin + len(data)
    whole = bytearray(end)
    for begin, data in pieces:
        whole[begin : begin + len(data)] = data
    of = ref(run_number)
    logs = logs_room.show(of, pieces)
    assert logs.gaps(of) == tuple(gaps)
    found = read_all(logs, of, limit)
    assert sum(missing for _, missing, _ in found) == sum(to - since for since, to in gaps)
    for offset, _, data in found:
        assert bytes(whole[offset : offset + len(data)]) == data
    assert sum(len(data) + missing for _, missing, data in found) == end
    if end:
        tail = logs.read_tail(of, 10)
        assert tail.data == bytes(whole[max(end - 10, 0, *(to for _, to in gaps)) :])
        assert tail.next_offset == tail.size == end


def test_an_empty_log_is_one(logs_room: LogsRoom) -> None:
    """OPS-10: a run that has said nothing has a log."""
    of = ref()
    logs = logs_room.show(of, [])
    assert logs.read(of, 0, 100) == (0, b"", 0, 0)
    assert logs.read_tail(of, 100).data == b""
    assert logs.gaps(of) == ()


def test_beyond_the_end_and_nothing_at_all(logs_room: LogsRoom) -> None:
    """OPS-10: nothing, and no error; the size is told."""
    of = ref()
    logs = logs_room.show(of, [(0, b"abc")])
    assert logs.read(of, 10**15, 100) == (3, b"", 0, 3)
    assert logs.read(of, 0, 0) == (0, b"", 0, 3)
    assert logs.read(of, 1, 1) == (1, b"b", 0, 3)


def test_there_is_none(logs_room: LogsRoom) -> None:
    """OPS-10: another run's log is not taken for it."""
    there, missing = ref(), ref()
    logs = logs_room.show(there, [(0, b"abc")])
    for ask in (
        lambda: logs.read(missing, 0, 10),
        lambda: logs.read_tail(missing, 10),
        lambda: logs.gaps(missing),
    ):
        with pytest.raises(NoLogError, match=f"instance {missing.instance_id} has no log"):
            ask()
