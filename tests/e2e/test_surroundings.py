"""Odd terminals, closed pipes, folders that cannot be written, stores that are broken."""

from __future__ import annotations

import ctypes
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.sandboxes import RETROFILL, Sandbox, finished, until

QUICK = 'a: {type: shell, schedule: "0 * * * *", run: "echo Grüße"}'
MINUTES = 'm: {type: shell, run: "true", schedule: "* * * * *"}'


def pipe(sandbox: Sandbox, command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A line of shell in the project; `retrofill` is ours."""
    path = f"{Path(RETROFILL).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=sandbox.home, env=sandbox.environment({"PATH": path, **env}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
def test_the_reader_of_the_output_leaves(sandbox: Sandbox, output: str) -> None:
    """CAT-1: as `head -1` does; no traceback, no complaint."""
    sandbox.write(MINUTES)
    command = (
        f"retrofill backfill plan --task m --bizdate 2026-01-01..2026-01-05 --instances --output {output}"
    )
    result = pipe(sandbox, f"{command} | head -c 20")
    assert len(result.stdout) == 20
    assert result.stderr == ""
    assert result.returncode == 0


def test_a_closed_stdout(sandbox: Sandbox) -> None:
    """CAT-1: `>&-` is told in a sentence or not at all."""
    sandbox.write(QUICK)
    result = pipe(sandbox, "retrofill task list >&-")
    assert "Traceback" not in result.stderr
    assert result.returncode != 70


def test_a_full_disk_behind_stdout(sandbox: Sandbox) -> None:
    """CAT-1: what could not be written is an error."""
    sandbox.write(QUICK)
    result = pipe(sandbox, "retrofill task list > /dev/full")
    assert result.returncode == 2
    assert "No space left" in result.stderr
    assert "bug" not in result.stderr


@pytest.mark.parametrize(
    "env",
    [
        {"LANG": "C", "LC_ALL": "C"},
        *(
            pytest.param(env, marks=pytest.mark.slow)
            for env in (
                {"COLUMNS": "1"},
                {"PYTHONIOENCODING": "ascii"},
                {"TERM": "dumb"},
                {"COLUMNS": "x"},
            )
        ),
    ],
)
def test_odd_terminals(sandbox: Sandbox, env: dict[str, str]) -> None:
    """CAT-1: everything is shown, in whatever way the terminal can."""
    sandbox.write(QUICK.replace("}", ", description: Überblick}"))
    assert "w.a" in sandbox.run("task", "list", **env).stdout
    assert "berblick" in sandbox.run("task", "show", "a", **env).stdout
    assert (
        "24 instances"
        in sandbox.run("backfill", "plan", "--task", "a", "--bizdate", "2026-01-05", **env).stdout
    )
    sandbox.run("--help", **env)


def test_a_log_in_any_encoding(sandbox: Sandbox) -> None:
    """OPS-10: a pipe gets the bytes as they are."""
    sandbox.write(QUICK.replace("* * * *", "1 * * *"))
    sandbox.run(
        "backfill",
        "create",
        "--task",
        "a",
        "--bizdate",
        "2026-01-05",
        "--wait",
        "--yes",
        PYTHONIOENCODING="ascii",
    )
    assert pipe(sandbox, "retrofill instance log 1", PYTHONIOENCODING="ascii").stdout == "Grüße\n"


def without_root_powers() -> None:
    """Let root obey file modes as everybody else does."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.mark.slow
def test_a_folder_that_cannot_be_written(sandbox: Sandbox) -> None:
    """CAT-1: looking works, what must write says what it cannot write."""
    sandbox.write(QUICK)
    sandbox.home.chmod(0o555)
    try:
        for args, status in (
            (["check"], 0),
            (["task", "list"], 0),
            (["backfill", "plan", "--task", "a", "--bizdate", "2026-01-05"], 0),
            (["backfill", "list"], 0),
            (["deploy"], 2),
            (["backfill", "create", "--task", "a", "--bizdate", "2026-01-05", "--yes"], 2),
            (["init", "new"], 2),
        ):
            done = subprocess.run(
                [RETROFILL, *args], cwd=sandbox.home, env=sandbox.environment({}), capture_output=True, text=True,
                check=False, preexec_fn=without_root_powers,
            )  # fmt: skip
            assert done.returncode == status, (args, done)
            assert "Traceback" not in done.stderr
            assert "bug" not in done.stderr
            if status:
                assert "writ" in done.stderr
    finally:
        sandbox.home.chmod(0o755)


def test_a_store_that_cannot_be_written(sandbox: Sandbox) -> None:
    """CAT-1: `.retrofill` is a file."""
    sandbox.write(QUICK)
    (sandbox.home / ".retrofill").write_text("")
    result = sandbox.run("deploy", status=2)
    assert ".retrofill" in result.stderr


# Broken stores


def broken(sandbox: Sandbox, how: Callable[[Path], None]) -> Path:
    sandbox.write(QUICK)
    sandbox.create("--task", "a", "--bizdate", "2026-01-05")
    store = sandbox.home / ".retrofill" / "retrofill.db"
    assert sorted(path.name for path in store.parent.glob("retrofill.db*")) == ["retrofill.db"]
    how(store)
    return store


def _garbage(store: Path) -> None:
    store.write_bytes(b"this is no database " * 1000)


def _corrupt(store: Path) -> None:
    with store.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))


def _newer(store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def _foreign(store: Path) -> None:
    store.unlink()
    with sqlite3.connect(store) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()


def _folder(store: Path) -> None:
    store.unlink()
    store.mkdir()


@pytest.mark.parametrize(
    ("how", "part"),
    [
        (_garbage, "not a database"),
        (_corrupt, "malformed"),
        (_newer, "schema 9999, this program knows up to"),
        (_foreign, "not one of Retrofill"),
        (_folder, "not a regular file"),
    ],
)
def test_a_store_that_cannot_be_used(sandbox: Sandbox, how: Callable[[Path], None], part: str) -> None:
    """CAT-1: one sentence, exit 2, and the file stays as it is."""
    store = broken(sandbox, how)
    before = store.read_bytes() if store.is_file() else b""
    for args in (
        ["backfill", "list"],
        ["backfill", "create", "--task", "a", "--bizdate", "2026-01-05", "--yes"],
    ):
        result = sandbox.call(*args, status=2)
        assert part in result.stderr, result
    assert (store.read_bytes() if store.is_file() else b"") == before


def test_an_empty_store_is_a_new_one(sandbox: Sandbox) -> None:
    """CAT-1: zero bytes are what SQLite makes before the first write."""
    store = broken(sandbox, lambda path: path.write_bytes(b""))
    assert sandbox.json("backfill", "list") == []
    sandbox.json("deploy")
    assert store.stat().st_size > 0


def test_doctor_tells_of_a_broken_store(sandbox: Sandbox) -> None:
    """CAT-1: in a sentence too."""
    broken(sandbox, _garbage)
    result = sandbox.call("doctor", status=1)
    assert "not a database" in result.stdout


# All or nothing


@pytest.mark.slow
def test_an_interrupted_create_leaves_nothing_half_done(sandbox: Sandbox) -> None:
    """POL-13, VER-4: killed while it fills, the backfill is there as a whole or not at all."""
    sandbox.write(MINUTES)
    sandbox.run("deploy")
    for delay in (0.45, 0.6, 0.8, 1.0):
        making = sandbox.spawn(
            "backfill", "create", "--task", "m", "--bizdate", "2026-01-01..2026-03-31", "--yes"
        )
        time.sleep(delay)  # any moment will do
        making.send_signal(signal.SIGKILL)
        making.communicate()
    rows = sandbox.json("backfill", "list")
    for row in rows:
        assert row["instance_count"] == 90 * 1440 == sum(row["counts"].values())
    sandbox.run(
        "backfill", "create", "--task", "m", "--bizdate", "2026-01-01", "--wait", "--yes", timeout=120
    )
    details = {check["check"]: check["detail"] for check in sandbox.json("doctor", status=None)}
    assert details["backfills"] == "none is half created"


def test_ctrl_c_during_create_says_whether_it_was_created(sandbox: Sandbox) -> None:
    """POL-13: exit 130 and nothing half done."""
    sandbox.write(MINUTES)
    sandbox.run("deploy")
    making = sandbox.spawn(
        "backfill", "create", "--task", "m", "--bizdate", "2026-01-01..2026-06-30", "--yes"
    )
    home = sandbox.home / ".retrofill"
    until(lambda: list(home.glob("creating.*.lock")), "the backfill is being filled")
    making.send_signal(signal.SIGINT)
    result = finished(making)
    assert result.status == 130
    assert "not created" in result.stderr
    assert sandbox.json("backfill", "list") == []


EARLY = """
import os, signal, sys

class Early:
    def find_spec(self, name, *rest):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Early())
from retrofill.cli.main import main
"""


def test_ctrl_c_while_the_command_is_being_imported() -> None:
    """POL-13: exit 130 without a word; once it is imported, an interrupt is caught as ever."""
    early = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, check=False)
    assert (early.returncode, early.stdout, early.stderr) == (130, "", "")
    later = "import signal, retrofill.cli.main; print(signal.getsignal(2) is signal.default_int_handler)"
    assert subprocess.check_output([sys.executable, "-c", later], text=True) == "True\n"


def test_a_no_creates_nothing_and_says_so(sandbox: Sandbox) -> None:
    """POL-13."""
    sandbox.write(QUICK)
    ours, theirs = pty.openpty()
    asking = subprocess.Popen(
        [RETROFILL, "backfill", "create", "--task", "a", "--bizdate", "2026-01-05"],
        cwd=sandbox.home, env=sandbox.environment({}), stdin=theirs, stdout=subprocess.PIPE, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, b"n\n")
    asking.communicate(timeout=60)
    assert asking.returncode == 1
    assert b"Nothing was created." in os.read(ours, 10_000)
    os.close(ours)
    assert sandbox.json("backfill", "list") == []


@pytest.mark.slow
def test_a_copied_project_works_elsewhere(sandbox: Sandbox, tmp_path: Path) -> None:
    """CAT-1: nothing in the store is bound to the folder's place."""
    sandbox.write(QUICK)
    sandbox.run("backfill", "create", "--task", "a", "--bizdate", "2026-01-05", "--wait", "--yes")
    shutil.copytree(sandbox.home, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock"))
    copy = Sandbox(tmp_path / "copy")
    assert copy.call("instance", "log", 1).stdout == "Grüße\n"
    assert (
        copy.run("backfill", "create", "--task", "a", "--bizdate", "2026-01-06", "--wait", "--yes").status
        == 0
    )


@pytest.mark.slow
def test_a_deep_folder(tmp_path: Path) -> None:
    """CAT-1: longer than a socket's path may be, with spaces and quotes in it."""
    home = tmp_path / ("x" * 100) / 'it\'s a "deep" one; $(touch no)%20?#' / "project"
    home.mkdir(parents=True)
    sandbox = Sandbox(home)
    sandbox.write(QUICK)
    try:
        assert (
            sandbox.run(
                "backfill", "create", "--task", "a", "--bizdate", "2026-01-05", "--wait", "--yes"
            ).status
            == 0
        )
    finally:
        sandbox.close()
