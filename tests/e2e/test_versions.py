"""What runs is what was deployed, whatever the folder holds by then."""

from __future__ import annotations

import os

import pytest

from e2e.sandboxes import Sandbox

pytestmark = pytest.mark.slow

TASKS = """
sh: {type: shell, schedule: "0 1 * * *", run: '. "$RETROFILL_CODE/lib.sh"; echo $WHAT; cat data.txt'}
py: {type: python, schedule: "0 2 * * *", depends_on: [sh], run: "import lib.mine; print(lib.mine.WHAT)"}
"""


def write(sandbox: Sandbox, what: str) -> None:
    """A workspace with helpers that are included, and one file that is not."""
    sandbox.write(TASKS, head='include: [lib.sh, "lib/**/*.py"]')
    folder = sandbox.home / "workspaces" / "w"
    (folder / "lib").mkdir(exist_ok=True)
    (folder / "lib.sh").write_text(f"WHAT={what}\n")
    (folder / "lib" / "mine.py").write_text(f"WHAT = {what!r}\n")
    (folder / "data.txt").write_text(f"{what}\n")


def logs(sandbox: Sandbox, backfill: int) -> dict[str, str]:
    rows = sandbox.instances("--backfill", backfill)
    return {name: sandbox.call("instance", "log", row["id"]).stdout for name, row in rows.items()}


def test_helpers_that_change_under_a_backfill(sandbox: Sandbox) -> None:
    """CAT-9: included files are those of the version; others are read as they are."""
    write(sandbox, "old")
    first = sandbox.create("--task", "sh", "--task", "py", "--bizdate", "2026-01-05")
    write(sandbox, "new")
    second = sandbox.create("--task", "sh", "--task", "py", "--bizdate", "2026-01-06")
    assert (first["version"], second["version"]) == (1, 2)
    for row in (first, second):
        sandbox.run("backfill", "wait", row["id"])
    assert logs(sandbox, 1) == {"sh 05 01:00": "old\nnew\n", "py 05 02:00": "old\n"}
    assert logs(sandbox, 2) == {"sh 06 01:00": "new\nnew\n", "py 06 02:00": "new\n"}
    rows = sandbox.instances("--backfill", 1)
    assert {row["version"] for row in rows.values()} == {1}
    assert "version" in sandbox.call("instance", "show", rows["sh 05 01:00"]["id"]).stdout
    assert "version 2" in sandbox.call("backfill", "show", 2).stdout

    laid_out = sandbox.home / ".retrofill" / "code"
    assert sorted(os.listdir(laid_out)) == ["1", "2", "lock"]
    assert sandbox.json("retention", "run")["code_folders"] == 2
    assert os.listdir(laid_out) == ["lock"]
    sandbox.call("instance", "rerun", rows["sh 05 01:00"]["id"])
    sandbox.run("backfill", "wait", 1)
    assert logs(sandbox, 1)["sh 05 01:00"] == "old\nnew\n"


def test_what_an_unchanged_folder_costs(sandbox: Sandbox) -> None:
    """CAT-1, CAT-9: no new version; the same content in other places is stored once."""
    write(sandbox, "old")
    assert sandbox.json("deploy") == {"version": 1, "new": True, "notes": []}
    assert sandbox.json("deploy") == {"version": 1, "new": False, "notes": []}
    (sandbox.home / "workspaces/w/lib/copy.py").write_text("WHAT = 'old'\n")
    assert sandbox.json("deploy") == {"version": 2, "new": True, "notes": []}
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(sandbox.home / ".retrofill/retrofill.db")) as store:
        assert store.execute("SELECT count(*) FROM content").fetchone() == (2,)
