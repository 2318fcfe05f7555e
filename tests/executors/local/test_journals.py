"""Journals: what is read from them is what was written, whatever a crash has left of the last record."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.rooms import Room, collect, wait_for_end
from retrofill.executors.local import adoption, journals
from retrofill.executors.local.journals import Exit, Journal, find_runs, format_exit, is_locked, parse_exit
from retrofill.executors.logs.names import run_name
from retrofill.executors.logs.paths import RunPaths

_RECORD = Exit("1.1.a", "exited", 0, None, 1.5, 2.5, "")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(str(tmp_path), "boot")


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("*.journal")
    return path


@given(
    st.builds(
        Exit,
        st.just("1.2.t"),
        st.sampled_from(["exited", "stopped", "timeout"]),
        st.none() | st.integers(0, 255),
        st.none() | st.integers(1, 64),
        st.none() | st.floats(0, 1e10).map(lambda x: round(x, 3)),
        st.floats(0, 1e10).map(lambda x: round(x, 3)),
        st.text(),
    )
)
def test_an_exit_survives_the_journal(record: Exit) -> None:
    """RUN-3: all fields; the message becomes one line."""
    line = format_exit(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    read = parse_exit(line.decode()[:-1])
    assert read is not None
    assert read[:4] == record[:4]
    assert read.started_at == pytest.approx(record.started_at)
    assert read.ended_at == pytest.approx(record.ended_at)
    assert len(read.message) <= len(record.message)


@pytest.mark.parametrize(
    "line", ["", "exit", "exit\t1.1.a", "claim\t1.1.a\t2.0", "exit\t1\t2\t3\t4\t5\t6\t7\t8"]
)
def test_what_is_no_exit(line: str) -> None:
    assert parse_exit(line) is None


def test_a_run_in_each_state(journal: Journal, tmp_path: Path) -> None:
    for name in (b"1.1.a", b"2.1.b", b"3.1.c"):
        journal.claim(name, 1.0)
    journal.exit(format_exit(_RECORD))
    journal.refuse(b"3.1.c")
    found = find_runs(str(tmp_path), {"1.1.a", "2.1.b", "3.1.c", "4.1.d"})
    assert found.keys() == {"1.1.a", "2.1.b"}
    assert found["1.1.a"].exit == _RECORD
    assert found["2.1.b"].exit is None
    assert found["2.1.b"].is_locked
    assert found["2.1.b"].pid == os.getpid()


def test_a_torn_record_counts_for_nothing(journal: Journal, tmp_path: Path) -> None:
    """RUN-3: cut anywhere, the journal tells what the whole records say."""
    journal.claim(b"1.1.a", 1.0)
    whole = len(only_file(tmp_path).read_bytes())
    journal.exit(format_exit(_RECORD))
    text = only_file(tmp_path).read_bytes()
    for length in range(whole, len(text)):
        only_file(tmp_path).write_bytes(text[:length])
        assert find_runs(str(tmp_path), {"1.1.a"})["1.1.a"].exit is None
    only_file(tmp_path).write_bytes(text)
    assert find_runs(str(tmp_path), {"1.1.a"})["1.1.a"].exit == _RECORD


def test_a_record_after_a_torn_one(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUN-3: when the disk was full for a moment."""
    journal.claim(b"1.1.a", 1.0)
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    with pytest.raises(OSError, match="No space"):
        journal.exit(format_exit(_RECORD))
    monkeypatch.undo()
    journal.exit(format_exit(_RECORD))
    assert find_runs(str(tmp_path), {"1.1.a"})["1.1.a"].exit == _RECORD


def test_the_lock_is_the_supervisors_life(tmp_path: Path) -> None:
    """RUN-3: gone with the process, not with the file."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        journal = Journal(str(tmp_path), "boot")
        journal.claim(b"1.1.a", 1.0)
        os.write(write, b"x")
        signal.pause()
        os._exit(0)
    os.read(read, 1)
    assert is_locked(str(only_file(tmp_path)))
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert not is_locked(str(only_file(tmp_path)))
    os.close(read)
    os.close(write)


def test_a_long_journal_goes_on_in_a_new_file(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RUN-3: the old file is no longer locked, and all that it says is durable and final."""
    monkeypatch.setattr(journals, "ROLL_BYTES", 200)
    for number in range(6):
        journal.claim(f"{number}.1.a".encode(), 1.0)
        journal.exit(format_exit(_RECORD._replace(name=f"{number}.1.a")))
    paths = sorted(tmp_path.glob("*.journal"))
    assert len(paths) > 1
    assert [is_locked(str(path)) for path in paths] == [False] * (len(paths) - 1) + [True]
    found = find_runs(str(tmp_path), {f"{number}.1.a" for number in range(6)})
    assert [entry.exit is not None for entry in found.values()] == [True] * 6


def test_journals_are_kept_while_the_ledger_needs_them(room: Room) -> None:
    """RUN-3: those of open runs and of living supervisors stay."""
    executor = room.executor()
    spec = room.spec("true")
    executor.start([spec])
    collect(executor, 1)
    places = RunPaths(str(room.runs))
    assert adoption.remove_journals(places, set()) == 0
    pids = room.supervisors()
    executor.close()
    wait_for_end(pids)
    assert adoption.remove_journals(places, {adoption.name_of(spec.ref)}) == 0
    assert adoption.remove_journals(places, set()) == 1
    assert room.journals() == []


@pytest.mark.parametrize("token", ["", "../x", "a/b", "a.b", "a b", "é", "a\n", "a\0"])
def test_a_token_that_is_no_plain_word(token: str) -> None:
    """A run's name is part of paths."""
    with pytest.raises(ValueError, match="token"):
        run_name(1, 1, token)
