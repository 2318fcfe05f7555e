"""Looking is instant: commands that only show something import nothing that plans, checks or draws.

Times depend on the machine and are measured by `make bench`; what makes them is counted here.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from e2e.sandboxes import Sandbox

HEAVY = {
    "numpy",
    "pydantic",
    "yaml",
    "rich",
    "sqlalchemy",
    "alembic",
    "sqlglot",
    "duckdb",
    "asyncio",
    "subprocess",
    "hashlib",
    # Of ours: what stands for types alone, and what changes backfills.
    "retrofill.services.ports.ledger",
    "retrofill.domain.planning.changes",
}
CALL = """
import json, sys
sys.argv = ["retrofill", *sys.argv[1:]]
from retrofill.cli.main import main
try:
    main()
except SystemExit as left:
    status = left.code
found = sorted({name if name.startswith("retrofill") else name.partition(".")[0] for name in sys.modules})
print(json.dumps({"status": status, "modules": found}), file=sys.stderr)
"""


def modules_of(sandbox: Sandbox, *args: str) -> set[str]:
    """Packages, and modules of ours, that a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", CALL, *args],
        cwd=sandbox.home,
        env=sandbox.environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = json.loads(done.stderr.splitlines()[-1])
    assert told["status"] in (0, None), done.stderr
    return set(told["modules"])


@pytest.mark.parametrize(
    "command",
    [
        "--version",
        "backfill list",
        "backfill list --output json --status pending",
        "backfill show 1",
        "backfill analysis 1",
        "backfill history 1",
        "instance list",
        "instance list --backfill 1 --state not_run --output jsonl",
        "instance show 20",
        "instance why 20",
        "instance history 1",
        "operation list",
    ],
)
@pytest.mark.beside_store("what a process loads that reads the store")
def test_looking_imports_nothing_heavy(filled: Sandbox, command: str) -> None:
    """BF-1, BF-2, OPS-9: neither lists nor single rows build a plan or an estimate."""
    assert not modules_of(filled, *command.split()) & HEAVY


def test_a_log_is_printed_without_planning(sandbox: Sandbox) -> None:
    """OPS-10."""
    sandbox.write('a: {type: shell, run: "echo hello; exit 1", schedule: "@daily"}')
    sandbox.run("backfill", "create", "--task", "a", "--bizdate", "2026-01-05", "--yes", "--wait", status=1)
    for command in ("instance log 1", "instance why 1", "instance show 1", "backfill show 1"):
        assert not modules_of(sandbox, *command.split()) & HEAVY, command


@pytest.mark.beside_store("what a process loads that reads the store")
def test_planning_is_what_imports_arrays(filled: Sandbox) -> None:
    """The measure itself works: a command that plans is seen to import them."""
    assert "numpy" in modules_of(filled, *["backfill", "plan", "--task", "mid", "--bizdate", "2026-01-05"])
