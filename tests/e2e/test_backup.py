"""Backups of a store in use, and restoring them: consistent, held, and never in the place of something by mistake."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox, finished, tasks_in, until
from retrofill.store.sqlite.database import Database

_TASKS = """
a:
  type: shell
  schedule: '@daily'
  run: echo "a $RETROFILL_BIZDATE" >>../../ran; until [ -e ../../go ]; do sleep 0.02; done
b: {type: shell, schedule: '@daily', depends_on: [a], run: 'echo b >>../../ran'}
"""
_DATES = ("--bizdate", "2024-01-01..2024-01-03")


@pytest.fixture
def busy(sandbox: Sandbox) -> Sandbox:
    """A project of which one instance runs and five wait, with a scheduler."""
    sandbox.write(_TASKS)
    sandbox.create("--task", "a", "--task", "b", *_DATES)
    sandbox.spawn("scheduler")
    until(lambda: sandbox.text("ran"), "the first instance runs")
    return sandbox


@pytest.fixture
def elsewhere(busy: Sandbox, tmp_path: Path) -> Sandbox:
    """The same project on another machine, without a store."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    return Sandbox(home).write(_TASKS)


@pytest.fixture(scope="module")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    sandbox = Sandbox(tmp_path_factory.mktemp("small"))
    sandbox.write("a: {type: shell, schedule: '@daily', run: 'echo hi'}")
    sandbox.run("backfill", "create", "--task", "a", "--bizdate", "2024-01-01", "--wait", "--yes")
    sandbox.call("backup", "good.zip", "--with-logs")
    yield sandbox.home
    sandbox.close()


@pytest.fixture
def small(sandbox: Sandbox, _template: Path) -> Sandbox:
    """A project whose only instance has run, and `good.zip`, a backup of it with its log."""
    shutil.copytree(_template, sandbox.home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
    with closing(Database(sandbox.home / ".retrofill")) as store:
        store.bind()  # else it would be held, as every copy is (RUN-8)
    return sandbox


def test_a_restored_store_is_held(busy: Sandbox, elsewhere: Sandbox) -> None:
    """RET-1: taken while a scheduler runs; what ran is lost, nothing starts, and the original goes on."""
    made = busy.json("backup", "b.zip", "--with-logs")
    assert made["logs"] == 1
    assert stat.S_IMODE((busy.home / "b.zip").stat().st_mode) == 0o600
    restored = elsewhere.json("restore", busy.home / "b.zip")
    assert (restored["paused"], restored["logs"], restored["replaced"]) == ([1], 1, None)
    (lost,) = restored["lost"]
    assert elsewhere.json("instance", "show", lost)["reason"] == "lost"
    assert "restored from a backup of 20" in elsewhere.json("instance", "show", lost)["runs"][0]["message"]
    assert elsewhere.json("backfill", "show", 1)["status"] == "paused"
    elsewhere.touch("go")
    scheduler = elsewhere.spawn("scheduler")
    until(lambda: "runs as process" in elsewhere.call("doctor", status=None).stdout, "the scheduler runs")
    elsewhere.call("instance", "rerun", lost)
    assert elsewhere.text("ran") == ""
    elsewhere.call("backfill", "resume", 1)
    until(lambda: elsewhere.json("backfill", "show", 1)["status"] == "succeeded", "it has gone on")
    scheduler.send_signal(signal.SIGTERM)
    assert finished(scheduler).status == 0
    busy.touch("go")
    until(lambda: busy.json("backfill", "show", 1)["status"] == "succeeded", "the original has gone on")
    assert sorted(busy.text("ran").split("\n")) == sorted(elsewhere.text("ran").split("\n"))
    assert elsewhere.call("doctor").status == 0


@pytest.mark.slow
def test_into_the_place_of_a_store(busy: Sandbox) -> None:
    """RET-1: not while a scheduler or a task runs, not without --force; what was there is moved aside."""
    busy.run("backup", "b.zip")
    assert "a scheduler runs" in busy.run("restore", "b.zip", "--force", status=6).stderr
    for process in busy.processes:
        process.send_signal(signal.SIGTERM)
        finished(process)
    assert (
        "1 run of the store that is there goes on" in busy.run("restore", "b.zip", "--force", status=6).stderr
    )
    busy.touch("go")
    until(lambda: not tasks_in(busy.home), "the task has ended")
    busy.run("backfill", "wait", 1)
    assert "has a store already" in busy.run("restore", "b.zip", status=6).stderr
    assert busy.json("backfill", "show", 1)["status"] == "succeeded"
    restored = busy.json("restore", "b.zip", "--force")
    assert busy.json("backfill", "show", 1)["status"] == "paused"
    assert (Path(restored["replaced"]) / "retrofill.db").exists()
    assert len(busy.text("ran").splitlines()) == 6
    busy.call("instance", "rerun", *restored["lost"])
    busy.call("backfill", "resume", 1)
    busy.run("backfill", "wait", 1)
    assert len(busy.text("ran").splitlines()) == 12


def test_the_place_of_a_broken_store(small: Sandbox) -> None:
    """RET-1: that is what backups are for."""
    (small.home / ".retrofill/retrofill.db").write_bytes(b"no store" * 100)
    small.call("backfill", "list", status=2)
    small.run("restore", "good.zip", "--force")
    assert len(small.json("backfill", "list")) == 1


def test_a_backup_is_not_written_over(small: Sandbox) -> None:
    """RET-1: nor is anything left where it could not be written."""
    small.call("backup", "b.zip")
    before = (small.home / "b.zip").read_bytes()
    assert "exists already" in small.call("backup", "b.zip", status=6).stderr
    assert (small.home / "b.zip").read_bytes() == before
    small.call("backup", "b.zip", "--force")
    small.call("backup", "nowhere/b.zip", status=2)
    os.mkdir(small.home / "folder")
    small.call("backup", "folder", "--force", status=2)
    assert [p.name for p in small.home.iterdir() if p.name.startswith(".") and p.name != ".retrofill"] == []


@pytest.mark.parametrize(
    "damage", ["text", "empty", "cut", "flipped", "other zip", "no file", "newer", "manifest"]
)
def test_what_is_no_backup(small: Sandbox, damage: str) -> None:
    """RET-1: one sentence, and neither a store nor half of one is made."""
    good, bad = small.home / "good.zip", small.home / "bad.zip"
    shutil.rmtree(small.home / ".retrofill")
    data = bytearray(good.read_bytes())
    if damage == "flipped":
        data[len(data) // 3] ^= 0xFF
    if damage in ("newer", "manifest", "other zip"):
        _with_manifest(good, bad, damage)
    elif damage != "no file":
        bad.write_bytes({"text": b"hello", "empty": b"", "cut": bytes(data[:-200])}.get(damage, bytes(data)))
    result = small.call("restore", "bad.zip", status=2)
    assert result.stderr.count("\n") <= 2
    left = [path.name for path in (small.home / ".retrofill").glob("*") if "lock" not in path.name]
    assert left == []
    small.call("restore", good)


def _with_manifest(good: Path, bad: Path, damage: str) -> None:
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        manifest = json.loads(source.read("manifest.json"))
        if damage == "newer":
            manifest["schema"] = "9999"
        for info in source.infolist():
            if info.filename != "manifest.json":
                target.writestr(info, source.read(info))
        if damage != "other zip":
            target.writestr("manifest.json", json.dumps(manifest) if damage == "newer" else "[1]")


def test_a_backup_of_an_older_schema_is_upgraded(small: Sandbox) -> None:
    """RET-1: the copy is; the file stays as it is."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    from retrofill.store.sqlite import schema

    old = small.home / "retrofill.db"
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    engine = create_engine(f"sqlite:///{old}")
    with engine.connect() as shared:
        config.attributes["connection"] = shared
        command.upgrade(config, "0001")
        shared.commit()
    engine.dispose()
    import hashlib

    with (
        zipfile.ZipFile(small.home / "good.zip") as source,
        zipfile.ZipFile(small.home / "old.zip", "w") as target,
    ):
        manifest = json.loads(source.read("manifest.json"))
        data = old.read_bytes()
        manifest |= {"schema": "0001", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        target.writestr("manifest.json", json.dumps(manifest))
        target.writestr("retrofill.db", data)
        target.writestr("logs.jsonl", "")
    small.run("restore", "old.zip", "--force")
    connection = sqlite3.connect(small.home / ".retrofill/retrofill.db")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone()[0] == schema.HEAD
    connection.close()


def test_logs_with_gaps_come_back_as_they_were(small: Sandbox) -> None:
    """RET-2: a gap takes no room in a backup, and is a gap again."""
    (log,) = (small.home / ".retrofill/runs/logs").iterdir()
    with log.open("r+b") as file:
        file.seek(1 << 30)
        file.write(b"the end\n")
    before = log.stat()
    small.call("backup", "b.zip", "--with-logs")
    assert (small.home / "b.zip").stat().st_size < 1 << 20
    log.unlink()
    small.call("restore", "b.zip", "--force")
    after = log.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_mode) == (
        before.st_size,
        before.st_mtime_ns,
        before.st_mode,
    )
    assert after.st_blocks * 512 < 1 << 20
    with log.open("rb") as file:
        file.seek(1 << 30)
        assert file.read() == b"the end\n"


def test_names_that_lead_out_of_the_folder(small: Sandbox) -> None:
    """SEC-2: a backup cannot write anywhere but among the logs."""
    with zipfile.ZipFile(small.home / "good.zip", "a") as archive:
        archive.writestr("logs/../../../evil/0", "x")
        archive.writestr("logs/1.1.x.log/../../0", "x")
    small.call("restore", "good.zip", "--force")
    assert not list(small.home.parent.rglob("*evil*"))
