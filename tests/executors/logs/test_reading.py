"""Reading logs by offset, bounding them, and not being fooled by what lies in a log's place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.rooms import Room, collect, wait_until
from retrofill.executors.local.adoption import name_of
from retrofill.executors.logs import capping
from retrofill.executors.logs import reading as logs
from retrofill.services.ports import RunRef

_REF = RunRef(7, 2, "token", "boot")


def write_log(runs: Path, data: bytes) -> Path:
    path = runs / "logs" / f"{name_of(_REF)}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def read_all(runs: Path, limit: int) -> tuple[bytes, int]:
    """All data, and how much was missing."""
    data, missing, offset = b"", 0, 0
    while (part := logs.read(runs, _REF, offset, limit)).data:
        data += part.data
        missing += part.missing
        assert len(part.data) <= limit
        offset = part.next_offset
    return data, missing


@given(data=st.binary(max_size=300), limit=st.integers(1, 50))
def test_reading_in_pieces(tmp_path_factory: pytest.TempPathFactory, data: bytes, limit: int) -> None:
    """OPS-10: the pieces make up the log."""
    runs = tmp_path_factory.mktemp("runs")
    write_log(runs, data)
    assert read_all(runs, limit) == (data, 0)


def test_following(tmp_path: Path) -> None:
    """OPS-10: a read at the end gives nothing, and later what came since."""
    path = write_log(tmp_path, b"one\n")
    first = logs.read(tmp_path, _REF)
    assert (first.data, first.next_offset, first.size) == (b"one\n", 4, 4)
    assert logs.read(tmp_path, _REF, first.next_offset).data == b""
    with path.open("ab") as file:
        file.write(b"two\n")
    assert logs.read(tmp_path, _REF, first.next_offset).data == b"two\n"


def test_an_offset_beyond_the_end(tmp_path: Path) -> None:
    """OPS-10: nothing, and no error; a log that was cut since is read from its end."""
    write_log(tmp_path, b"abc")
    assert logs.read(tmp_path, _REF, 10**15) == logs.Part(3, b"", 0, 3)


def test_a_gap(tmp_path: Path) -> None:
    """OPS-10, RET-2: first and last bytes stay, and how much is missing is told."""
    size = 1_000_000
    data = bytes(ord("a") + i % 26 for i in range(size))
    path = write_log(tmp_path, data)
    logs.shorten(tmp_path, _REF)
    assert path.stat().st_size == size
    assert logs.disk_usage(tmp_path, _REF) <= 80_000
    head = logs.read(tmp_path, _REF, 0, size)
    tail = logs.read(tmp_path, _REF, head.next_offset, size)
    assert head.data == data[: len(head.data)]
    assert tail.data == data[-len(tail.data) :]
    assert min(len(head.data), len(tail.data)) >= 32 << 10
    assert len(head.data) + tail.missing + len(tail.data) == size
    inside = logs.read(tmp_path, _REF, size // 2, 100)
    assert (inside.offset, inside.missing) == (tail.offset, tail.offset - size // 2)
    assert logs.read_tail(tmp_path, _REF, 10).data == data[-10:]


def test_a_short_log_has_no_gap(tmp_path: Path) -> None:
    """RET-2: there is nothing between its first and its last 32 KiB."""
    write_log(tmp_path, b"x" * 60_000)
    logs.shorten(tmp_path, _REF)
    assert read_all(tmp_path, 1 << 20) == (b"x" * 60_000, 0)


@pytest.mark.parametrize("make", ["link", "folder", "pipe", "nothing"])
def test_what_is_no_log(tmp_path: Path, make: str) -> None:
    """SEC-2: a task may put anything in its log's place; only a regular file is read."""
    (tmp_path / "secret").write_text("hush")
    path = write_log(tmp_path, b"")
    path.unlink()
    if make == "link":
        path.symlink_to(tmp_path / "secret")
    elif make == "folder":
        path.mkdir()
    elif make == "pipe":
        os.mkfifo(path)
    with pytest.raises(logs.NoLogError, match="run 2 of instance 7 has no log"):
        logs.read(tmp_path, _REF)


def test_a_tombstone_reads_as_empty(room: Room) -> None:
    spec = room.spec("true")
    room.executor().adopt([spec.ref])
    assert logs.read(room.runs, spec.ref).data == b""


def test_a_removed_log(tmp_path: Path) -> None:
    """RET-1."""
    write_log(tmp_path, b"x")
    logs.remove(tmp_path, _REF)
    logs.remove(tmp_path, _REF)
    assert logs.disk_usage(tmp_path, _REF) == 0
    with pytest.raises(logs.NoLogError):
        logs.read(tmp_path, _REF)


def test_runaway_output_is_bounded(room: Room) -> None:
    """OPS-10: a task that prints far more than the cap while it runs; beginning and end stay readable."""
    cap = 5 << 20
    executor = room.executor(log_cap_bytes=cap)
    spec = room.spec("echo begin; yes 0123456789abcde | head -c 64M; echo end")
    executor.start([spec])
    assert collect(executor, 1)[0].exit_code == 0
    assert logs.disk_usage(room.runs, spec.ref) <= cap
    assert room.log_path(spec).stat().st_size == (64 << 20) + 10
    first = logs.read(room.runs, spec.ref, 0, 1 << 20)
    assert first.data.startswith(b"begin\n0123")
    assert logs.read_tail(room.runs, spec.ref, 100).data.endswith(b"\nend\n")
    assert logs.read(room.runs, spec.ref, cap).missing > 0


def test_a_long_run_is_bounded_while_it_runs(room: Room) -> None:
    """OPS-10: the supervisor looks at the log every second."""
    os.mkfifo(room.path("gate"))
    executor = room.executor(log_cap_bytes=1 << 20)
    spec = room.spec(f"yes | head -c 8M; read x <{room.path('gate')}; true")
    executor.start([spec])
    wait_until(
        lambda: room.log_path(spec).exists() and room.log_path(spec).stat().st_size == 8 << 20, "output"
    )
    wait_until(lambda: logs.disk_usage(room.runs, spec.ref) <= 1 << 20, "the cut")
    room.path("gate").write_text("go\n")
    assert collect(executor, 1)[0].exit_code == 0


def test_where_files_cannot_have_holes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-10: the beginning stays, and the log says so."""

    def refuse(*_: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("retrofill.executors.kernel.punch_hole", refuse)
    path = write_log(tmp_path, b"0123456789" * 100_000)
    with path.open("ab") as file:
        capping.cap_log(file.fileno(), 500_000)
    text = path.read_bytes()
    assert text.startswith(b"0123456789" * 10_000)
    assert text.endswith(b"was removed]\n")
    assert len(text) < 200_000
