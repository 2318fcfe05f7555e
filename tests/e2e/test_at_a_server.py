"""Commands that ask a server while work goes on there: waiting, following a log, stopping, deploying."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox, finished, tasks_in, until
from e2e.served import Served

pytestmark = pytest.mark.slow

HELD = """
hold: {type: shell, schedule: "0 1 * * *", run: 'echo begun; while test ! -e ../../go; do sleep 0.02; done; echo done'}
"""


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Sandbox]:
    """The project, beside its store."""
    home = tmp_path / "project"
    home.mkdir()
    one = Sandbox(home).write(HELD)
    one.call("deploy")
    yield one
    one.close()


@pytest.fixture
def asking(beside: Sandbox) -> Iterator[Sandbox]:
    """The same project, through a server."""
    served = Served()
    one = Sandbox(beside.home, served)
    yield one
    one.close()
    served.close()


def test_waiting_and_following_a_log(beside: Sandbox, asking: Sandbox) -> None:
    """BF-5, OPS-10: what the server's scheduler does is followed to its end."""
    beside.spawn("scheduler")
    waiting = asking.create_and_wait("hold")
    number = until(lambda: [r for r in beside.instances().values() if r["state"] == "running"], "it runs")[0][
        "id"
    ]
    following = asking.spawn("instance", "log", str(number), "--follow")
    asking.touch("go")
    assert finished(following).stdout == "begun\ndone\n"
    ended = finished(waiting)
    assert ended.status == 0
    assert "1/1" in asking.call("backfill", "list").stdout


def test_a_stop_returns_when_the_processes_have_ended(beside: Sandbox, asking: Sandbox) -> None:
    """OPS-1."""
    beside.spawn("scheduler")
    waiting = asking.create_and_wait("hold")
    until(lambda: tasks_in(beside.home), "its process is there")
    (result,) = asking.run("backfill", "stop", 1, "--output", "json").json
    assert result == {"id": 1, "ok": True, "state": "stopped", "error": None}
    assert tasks_in(beside.home) == []
    assert finished(waiting).status == 1


def test_where_nobody_schedules_who_waits_is_told(asking: Sandbox) -> None:
    """BF-5: a command at a server starts nothing itself."""
    asking.create("--task", "hold", "--bizdate", "2026-01-05")
    told = asking.run("backfill", "wait", 1, "--timeout", "4s", status=124).stderr
    assert told.count("No scheduler runs, so nothing starts until one is up") == 1


def test_a_folder_is_deployed_to_a_server(beside: Sandbox, asking: Sandbox) -> None:
    """CAT-1: what it holds is published there; what does not differ makes no version."""
    asking.write(HELD + 'more: {type: virtual, schedule: "@daily"}\n')
    told = asking.call("deploy")
    assert "new: w.more" in told.stderr
    assert told.stdout == "Version 2 is deployed.\n"
    assert asking.call("deploy").stdout == "Version 2 is deployed already; nothing changed.\n"
    assert [row["version"] for row in beside.json("version", "list")] == [2, 1]
