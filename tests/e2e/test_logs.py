"""Logs as people read them: whole, as they grow, larger than memory, without secrets."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from e2e.sandboxes import RETROFILL, Sandbox, finished, until

pytestmark = pytest.mark.slow

_SECRET = "correct horse battery"
_BYTES = int(os.environ.get("LOG_BYTES", "200000000"))  # `make crash` asks for 5 GB
_DAY = ("--bizdate", "2024-01-01")


def run_one(sandbox: Sandbox, code: str, *more: str, **env: str) -> int:
    """Run one shell task to its end; its instance's id."""
    sandbox.write(f"a:\n  type: shell\n  schedule: '@daily'\n  run: |\n    {code}\n" + "\n".join(more))
    sandbox.run("backfill", "create", "--task", "a", *_DAY, "--wait", "--yes", **env)
    (row,) = sandbox.instances().values()
    return int(row["id"])


def test_a_secret_that_a_task_prints(sandbox: Sandbox) -> None:
    """SEC-3: it is masked in what is shown while the task runs, and afterwards in every file of ours."""
    sandbox.write(
        "a:\n  type: shell\n  schedule: '@daily'\n  parameters: {token: '${secret:TOKEN}'}\n"
        '  run: echo "it is $token"; until [ -e ../../go ]; do sleep 0.02; done'
    )
    waiting = sandbox.spawn(
        "backfill", "create", "--task", "a", *_DAY, "--wait", "--yes", RETROFILL_SECRET_TOKEN=_SECRET
    )
    until(lambda: any((sandbox.home / ".retrofill/runs/logs").glob("*.log")), "the run has begun")
    number = sandbox.json("instance", "list")[0]["id"]
    hidden = f"it is {'*' * len(_SECRET)}\n"
    shown = until(
        lambda: sandbox.call("instance", "log", number, RETROFILL_SECRET_TOKEN=_SECRET).stdout, "its line"
    )
    assert shown == hidden
    following = sandbox.spawn("instance", "log", str(number), "--follow", RETROFILL_SECRET_TOKEN=_SECRET)
    sandbox.touch("go")
    assert finished(following).stdout == hidden
    assert finished(waiting).status == 0
    assert sandbox.call("instance", "log", number).stdout == hidden
    for path in (sandbox.home / ".retrofill").rglob("*"):
        assert not path.is_file() or _SECRET.encode() not in path.read_bytes(), path


def test_a_log_as_json(sandbox: Sandbox) -> None:
    """OPS-10: pieces with their offsets, also of what is no text."""
    number = run_one(sandbox, r"printf 'one\ntwo \377\000\n'")
    parts = sandbox.json("instance", "log", number)
    assert parts == [{"offset": 0, "missing": 0, "text": "one\ntwo \ufffd\x00\n"}]
    assert sandbox.call("instance", "log", number, "--output", "jsonl").jsonl == parts


@pytest.mark.parametrize("kind", ["lines", "one line", "binary"])
def test_a_log_larger_than_memory(sandbox: Sandbox, kind: str) -> None:
    """OPS-10: far more than memory allows is printed; beginning and end are there, and the gap is told."""
    source = {
        "lines": "yes 0123456789abcde",
        "one line": f"head -c {_BYTES} /dev/zero | tr '\\\\0' x",
        "binary": "cat /dev/urandom",
    }[kind]
    number = run_one(sandbox, f"echo BEGIN; {source} | head -c {_BYTES}; echo; echo END")
    command = (RETROFILL, "instance", "log", str(number))
    for output in ((), ("--output", "jsonl"), ("--follow",)):
        process = subprocess.Popen(
            ["/bin/sh", "-c", f'ulimit -v {400 << 10}; exec "$@"', "sh", *command, *output],
            cwd=sandbox.home,
            stdout=subprocess.PIPE,
            env=sandbox.environment({}),
        )
        assert process.stdout is not None
        first = process.stdout.read(200)
        last, size = b"", 0
        while piece := process.stdout.read(1 << 20):
            size += len(piece)
            last = (last + piece)[-200:]
        assert process.wait() == 0
        assert b"BEGIN\\n" in first if output == ("--output", "jsonl") else first.startswith(b"BEGIN\n")
        assert b"END" in last
        assert size < 300 << 20


def test_json_of_a_followed_log_is_json(sandbox: Sandbox) -> None:
    """OPS-10."""
    number = run_one(sandbox, "echo hi")
    out = sandbox.run("instance", "log", number, "--follow", "--output", "json").stdout
    assert json.loads(out) == [{"offset": 0, "missing": 0, "text": "hi\n"}]
    assert Path(sandbox.home / ".retrofill").exists()
