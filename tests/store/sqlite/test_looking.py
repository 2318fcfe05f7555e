"""Reading needs no writer, no room and nobody's leave; waiting for the lock ends, and names its holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from executors.rooms import wait_until as until
from retrofill.domain.errors import StoreBusyError, StoreFullError
from retrofill.store.schema.revision import StoreError
from retrofill.store.sqlite import waiting
from retrofill.store.sqlite.database import Database


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / ".retrofill"
    store = Database(home)
    with store.transaction() as tx:
        tx.add_version("{}", 1, "admin")
    store.close()
    return home


def count(home: Path) -> int | None:
    """What a process finds that has not looked before."""
    store = Database(home)
    try:
        with store.read() as reader:
            return reader.current_version_id()
    finally:
        store.close()


def write(home: Path) -> None:
    store = Database(home)
    try:
        with store.transaction() as tx:
            tx.add_version("{}", 2, "admin")
    finally:
        store.close()


@pytest.fixture
def standing(home: Path) -> Iterator[int]:
    """A process that was stopped in the middle of a write transaction."""
    ready, pid = os.eventfd(0), os.fork()
    if pid == 0:
        with Database(home).transaction() as tx:
            tx.add_version("{}", 9, "nobody")
            os.eventfd_write(ready, 1)
            os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    os.eventfd_read(ready)
    os.waitid(os.P_PID, pid, os.WSTOPPED)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.kill(pid, signal.SIGCONT)
    os.waitpid(pid, 0)
    os.close(ready)


def test_a_writer_that_stands_still(home: Path, standing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-9, RUN-1: looking goes on; who wants to write is told who stands in the way."""
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.05)
    assert count(home) == 1
    with pytest.raises(StoreBusyError, match=rf"process {standing} .*which is stopped.*has been writing"):
        write(home)
    assert count(home) == 1


def test_who_has_given_up_does_not_hold_it_later(
    home: Path, standing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RUN-1: its place in the queue comes, and goes to the next."""
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.05)
    patient = Database(home)
    for _ in range(3):
        with pytest.raises(StoreBusyError), patient.transaction():
            raise AssertionError
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 30)
    os.kill(standing, signal.SIGKILL)
    with patient.transaction() as tx:
        assert tx.current_version_id() == 1, "what stood still was never committed"
        tx.add_version("{}", 2, "admin")
    patient.close()
    write(home)
    assert count(home) == 3


def test_the_lock_is_handed_on(home: Path) -> None:
    """RUN-1: in the order in which it was asked for, to a thread's file that then keeps others out."""
    lock, other = waiting.WriteLock(home / "write.lock"), waiting.WriteLock(home / "write.lock")
    third = os.open(home / "write.lock", os.O_RDWR)
    lock.acquire()
    queuing = threading.Thread(target=other.acquire, args=(30,))
    queuing.start()
    until(lambda: _is_waited_for(third), "somebody waits for the lock")
    lock.release()
    queuing.join()
    with pytest.raises(BlockingIOError):
        fcntl.flock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert waiting.holder_of(third) == os.getpid()
    other.release()
    fcntl.flock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for one in (lock, other):
        one.close()
    os.close(third)


def _is_waited_for(descriptor: int) -> bool:
    """Whether the kernel lists somebody who waits for the flock of a file."""
    inode = f":{os.fstat(descriptor).st_ino} "
    return any("-> FLOCK" in line and inode in line for line in Path("/proc/locks").read_text().splitlines())


def test_locks_that_do_not_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUN-1: are noticed before anything is written."""
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    with pytest.raises(StoreError, match="locks do not lock"):
        write(tmp_path / ".retrofill")
    assert not (tmp_path / ".retrofill" / "retrofill.db").exists()


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE])
def test_no_room_is_no_damage(home: Path, code: int) -> None:
    """RUN-3: nobody is told to restore a store because a disk is full."""
    from retrofill.store.sqlite.opening import refusal

    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    told = refusal(error, home / "retrofill.db")
    assert isinstance(told, StoreFullError)
    assert "estore" not in str(told.hint)


# File systems of their own


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "disk"
    home.mkdir()
    _mount("-t", "tmpfs", "-o", "size=2m,mode=700", "none", str(home))
    write(home)
    yield home
    subprocess.run(["umount", "--lazy", str(home)], check=True)


def _mount(*arguments: str) -> None:
    if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")


@pytest.mark.parametrize("state", ["closed", "in use", "killed"])
def test_a_read_only_disk(mounted: Path, state: str) -> None:
    """OPS-9: what is there can be read; writing says why it cannot be."""
    store = Database(mounted).open()
    if state == "killed":
        with store.transaction() as tx:
            tx.add_version("{}", 3, "admin")
        wal = (mounted / "retrofill.db-wal").read_bytes()
        assert wal
        copies = {path.name: path.read_bytes() for path in mounted.iterdir()}
        store.close()
        for name, data in copies.items():
            (mounted / name).write_bytes(data)
    elif state == "closed":
        store.close()
    if state == "in use":
        _mount("-o", "bind", str(mounted), str(mounted))
        _mount("-o", "remount,bind,ro", str(mounted), str(mounted))
    else:
        _mount("-o", "remount,ro", str(mounted))
    assert count(mounted) == (2 if state == "killed" else 1)
    with pytest.raises(StoreError, match="cannot be written: Read-only file system"):
        write(mounted)
    if state == "in use":
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)
        store.close()


def test_a_full_disk(mounted: Path) -> None:
    """OPS-9, RUN-3: what is there can be read."""
    with open(mounted / "filling", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    assert count(mounted) == 1
    with pytest.raises(StoreFullError) as told:
        write(mounted)
    assert "estore" not in str(told.value.hint)
    (mounted / "filling").unlink()
    write(mounted)
    assert count(mounted) == 2
