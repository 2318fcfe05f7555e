"""A store that has vanished is no fresh project, and a restore is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from retrofill.store.schema.revision import StoreError
from retrofill.store.sqlite import backups, presence
from retrofill.store.sqlite.database import Database
from retrofill.store.sqlite.presence import StoreMissingError


def make(home: Path, user: str) -> None:
    """A store that says who made it, part of which lies in its WAL."""
    store = Database(home)
    with store.transaction() as tx:
        tx.add_version("{}", 1, user)
    store.close()


def made_by(home: Path) -> str | None:
    store = Database(home)
    try:
        with store.read() as reader:
            found = reader.versions.find(1)
            return found.created_by if found is not None else None
    finally:
        store.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / ".retrofill"


def _logs(home: Path) -> None:
    (home / "runs/logs").mkdir(parents=True)
    (home / "runs/logs/1.1.token.log").touch()


def _journals(home: Path) -> None:
    (home / "runs/journals").mkdir(parents=True)
    (home / "runs/journals/x.journal").touch()


def _wal(home: Path) -> None:
    home.mkdir()
    (home / "retrofill.db-wal").write_bytes(b"x")


REMAINS: list[Callable[[Path], None]] = [
    _logs,
    _journals,
    _wal,
    lambda home: (home / "replaced.20260101").mkdir(parents=True),
    lambda home: (home / "restoring.x").mkdir(parents=True),
]


@pytest.mark.parametrize("remains", REMAINS)
@pytest.mark.parametrize("state", ["absent", "empty"])
def test_a_store_that_has_vanished(home: Path, state: str, remains: Callable[[Path], None]) -> None:
    """CAT-1, RUN-8: neither looking nor writing begins anew."""
    remains(home)
    if state == "empty":
        (home / "retrofill.db").touch()
    before = sorted(home.rglob("*"))
    for act in (made_by, lambda place: make(place, "nobody")):
        with pytest.raises(StoreMissingError, match="this is no fresh project"):
            act(home)
    assert sorted(home.rglob("*")) == before


def test_a_link_to_nothing(home: Path) -> None:
    """CAT-1: a disk that is not mounted."""
    home.mkdir()
    (home / "retrofill.db").symlink_to("/nowhere/retrofill.db")
    with pytest.raises(StoreMissingError, match=r"a link to /nowhere/.*, which is not there"):
        make(home, "nobody")


def test_a_link_to_a_store(home: Path, tmp_path: Path) -> None:
    """CAT-1: is none the less one."""
    make(home, "alice")
    (home / "retrofill.db").rename(tmp_path / "elsewhere.db")
    (home / "retrofill.db").symlink_to(tmp_path / "elsewhere.db")
    assert made_by(home) == "alice"


@pytest.mark.parametrize("leftover", ["nothing", "an empty file", "empty folders"])
def test_a_first_command_that_was_killed(home: Path, leftover: str) -> None:
    """CAT-1: leaves nothing that matters."""
    home.mkdir()
    if leftover == "an empty file":
        (home / "retrofill.db").touch()
    if leftover == "empty folders":
        (home / "runs/logs").mkdir(parents=True)
    make(home, "alice")
    assert made_by(home) == "alice"


def test_a_folder_is_no_store(home: Path) -> None:
    """CAT-1."""
    (home / "retrofill.db").mkdir(parents=True)
    for act in (made_by, lambda place: make(place, "nobody")):
        with pytest.raises(StoreError, match="not a regular file"):
            act(home)


# Restoring


class Killed(BaseException):
    """In the place of a kill."""


@pytest.mark.parametrize("state", ["closed", "in use", "damaged"])
def test_a_restore_that_is_cut_off_anywhere(
    tmp_path: Path, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RUN-8: the old store or the new one, or a sentence; never a mixture, never a fresh one."""
    outcomes = []
    for step in range(100):
        home, prepared = tmp_path / str(step) / "home", tmp_path / str(step) / "prepared"
        make(home, "old")
        make(prepared, "new")
        user = Database(home).open()
        if state == "in use":
            with user.transaction() as tx:
                tx.add_version("{}", 2, "late")
        if state == "damaged":
            (home / "retrofill.db").write_bytes(b"damaged" * 1_000)
            (home / "retrofill.db-wal").write_bytes(b"x" * 5_000)
        if state != "in use":
            user.close()
            if state == "damaged":
                (home / "retrofill.db-wal").write_bytes(b"x" * 5_000)
        is_done = _cut_off(prepared, home, step, monkeypatch)
        try:
            outcomes.append(made_by(home))
        except StoreMissingError as error:
            outcomes.append("refused" if "cut off in the middle" in error.message else error.message)
        except StoreError:
            outcomes.append("damaged")
        if is_done:
            break
    before, between = {"damaged": ("damaged", {"refused"})}.get(state, ("old", set()))
    assert outcomes[0] == before
    assert outcomes[-1] == "new"
    assert set(outcomes) == {before, "new"} | between
    order = [before, *sorted(between), "new"]
    assert outcomes == sorted(outcomes, key=order.index), "forward only"


def _cut_off(prepared: Path, home: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Restore, and be killed before a certain change of the folder; whether it went through."""
    left = step

    def counted(change: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **more: object) -> object:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return change(*args, **more)

        return call

    with monkeypatch.context() as patched:
        for name in ("rename", "link", "unlink", "mkdir"):
            patched.setattr(os, name, counted(getattr(os, name)))
        patched.setattr(Path, "touch", counted(Path.touch))
        try:
            backups.put_in_place(prepared, home, "stamp")
        except Killed:
            return False
    return True


def test_what_was_replaced_is_whole(tmp_path: Path) -> None:
    """RUN-8: with what its WAL held."""
    home, prepared = tmp_path / "home", tmp_path / "prepared"
    make(home, "old")
    make(prepared, "new")
    user = Database(home)
    with user.transaction() as tx:
        tx.add_version("{}", 2, "late")
    aside = backups.put_in_place(prepared, home, "stamp")
    assert aside is not None
    assert made_by(home) == "new"
    store = Database(aside)
    with store.read() as reader:
        assert [found.created_by for found in reader.versions.latest(-1)] == ["late", "old"]
    store.close()
    assert not (home / presence.UNFINISHED).exists()
