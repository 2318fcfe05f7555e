"""`doctor` finishes on what it should diagnose, and names what was broken off."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from random import Random

import pytest

from e2e.sandboxes import Sandbox

LAST = "broken off"


def checks(sandbox: Sandbox) -> dict[str, dict]:
    return {row["check"]: row for row in sandbox.json("doctor", status=None)}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.beside_store("the store is damaged")
def test_damaged_pages(filled: Sandbox, seed: int) -> None:
    """A page of the store that holds anything at all: every other check has its turn."""
    chance = Random(seed)
    path = filled.home / ".retrofill" / "retrofill.db"
    sqlite3.connect(path).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = path.stat().st_size // 4096
    with path.open("r+b") as file:
        for page in chance.sample(range(1, pages), k=min(chance.choice([1, 3, pages // 2]), pages - 1)):
            file.seek(page * 4096)
            file.write(chance.choice([bytes(4096), chance.randbytes(4096), b"\xff" * 4096]))
    found = checks(filled)
    assert not found["store"]["ok"]
    assert LAST in found
    assert all("\n" not in row["detail"] for name, row in found.items() if name != "project")


def test_a_fifo_among_the_journals(filled: Sandbox) -> None:
    """Nobody waits for a writer that never comes."""
    journals = filled.home / ".retrofill" / "runs" / "journals"
    journals.mkdir(parents=True, exist_ok=True)
    os.mkfifo(journals / "1.journal")
    os.symlink("/dev/zero", journals / "2.journal")
    found = checks(filled)
    assert not found["journals"]["ok"]
    assert "1.journal, 2.journal among the journals" in found["journals"]["detail"]
    assert LAST in found


@pytest.mark.beside_store("copies of the store")
def test_what_a_killed_backup_left_is_named_and_removed(filled: Sandbox, tmp_path: Path) -> None:
    """By the next backup, wherever the killed one was being written; nothing else is touched."""
    home, elsewhere = filled.home / ".retrofill", tmp_path / "elsewhere"
    elsewhere.mkdir()
    left, precious = elsewhere / ".b.zip.7.partial", elsewhere / "precious.db"
    left.write_text("half")
    precious.write_text("mine")
    (home / "backup.7.note").write_text(
        json.dumps([str(left), str(elsewhere / ".b.zip.7.db"), str(precious)])
    )
    assert str(left) in checks(filled)[LAST]["detail"]
    filled.call("backup", elsewhere / "b.zip")
    assert sorted(path.name for path in elsewhere.iterdir()) == ["b.zip", "precious.db"]
    assert checks(filled)[LAST]["detail"] == "none"
    assert list(home.glob("backup.*.note")) == []


@pytest.mark.beside_store("copies of the store")
def test_what_a_killed_restore_left_is_named_and_removed(filled: Sandbox, tmp_path: Path) -> None:
    """By the next restore; the stores that were replaced stay, and are named."""
    filled.call("backup", tmp_path / "b.zip")
    left = filled.home / ".retrofill" / "restoring.abc"
    left.mkdir()
    (left / "retrofill.db").write_text("half")
    assert str(left) in checks(filled)[LAST]["detail"]
    filled.call("restore", tmp_path / "b.zip", "--force")
    found = checks(filled)
    assert found[LAST]["detail"] == "none"
    assert "replaced." in found["left by restore"]["detail"]
    assert not left.exists()
