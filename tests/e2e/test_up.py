"""`retrofill up` and `serve`: two processes that start, are watched, and end together."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import tomllib
import urllib.error
import urllib.request
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from databases import postgres
from e2e.sandboxes import Result, Sandbox, finished, processes_in, until
from retrofill.cli.commands.server import NEEDED

pytestmark = pytest.mark.slow

TASKS = """
quick: {type: shell, schedule: "0 1 * * *", run: "true"}
long: {type: shell, schedule: "0 1 * * *", run: "until [ -e ../../go ]; do sleep 0.05; done"}
"""
DAY = ("--bizdate", "2026-01-05")


class Up:
    """A group that runs, and what it said when it was ready."""

    def __init__(self, sandbox: Sandbox, *args: object, **env: str) -> None:
        self.home = sandbox.home
        self.process = sandbox.spawn(*(args or ("up", "--port", 0)), "--output", "json", **env)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, finished(self.process).stderr
        self.told: dict[str, str] = json.loads(line)

    @property
    def url(self) -> str:
        return self.told["url"]

    def parts(self) -> dict[str, int]:
        """Its processes by what they do: the scheduler holds the lock of the folder."""
        found = children_of(self.process.pid)
        locked = (self.home / ".retrofill/scheduler.lock").read_text().split()[0]
        scheduler = [pid for pid in found if str(pid) == locked]
        return {"scheduler": scheduler[0], "server": next(pid for pid in found if pid != scheduler[0])}

    def status(self, path: str = "/api/v1/backfills") -> int:
        """What it answers; 0 where it does not."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:  # noqa: S310 - our own address
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def leave(self) -> Result:
        self.process.send_signal(signal.SIGTERM)
        return finished(self.process)


def children_of(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def state(sandbox: Sandbox, number: int) -> str:
    return str(sandbox.json("instance", "show", number)["state"])


def created(sandbox: Sandbox, task: str) -> int:
    """The id of the one instance of a backfill that somebody makes beside the group."""
    made = sandbox.json("backfill", "create", "--task", task, *DAY, "--yes")
    return int(sandbox.json("instance", "list", "--backfill", made["id"])[0]["id"])


def test_from_the_first_start_to_the_last(sandbox: Sandbox) -> None:
    """SEC-1: it answers, it schedules, and its link opens once; what runs goes on when it leaves."""
    sandbox.write(TASKS)
    group = Up(sandbox)
    assert group.told.keys() == {"url", "sign_in_url"}
    assert group.told["sign_in_url"].startswith(f"{group.url}/sign-in?link=")
    assert group.status() == 401
    until(
        lambda: state(sandbox, created(sandbox, "quick")) in ("successful", "running", "waiting_resources"),
        "",
    )
    number = created(sandbox, "long")
    until(lambda: state(sandbox, number) == "running", "the long one runs")
    parts = [*group.parts().values()]
    left = group.leave()
    assert (left.status, "The scheduler has left." in left.stderr) == (0, True)
    assert not any(map(is_alive, parts))
    assert state(sandbox, number) == "running"
    sandbox.touch("go")
    second = Up(sandbox)
    until(lambda: state(sandbox, number) == "successful", "the next scheduler hears of its end")
    assert second.leave().status == 0


@pytest.mark.parametrize("part", ["server", "scheduler"])
def test_a_part_that_is_killed_is_started_again(sandbox: Sandbox, part: str) -> None:
    """At the same address, and nothing is lost."""
    sandbox.write(TASKS)
    group = Up(sandbox)
    number = created(sandbox, "long")
    until(lambda: state(sandbox, number) == "running", "it runs")
    before = group.parts()
    os.kill(before[part], signal.SIGKILL)
    until(lambda: len(children_of(group.process.pid)) == 2, "both run again")
    until(lambda: group.status() == 401, "it answers")
    sandbox.touch("go")
    until(lambda: state(sandbox, number) == "successful", "it schedules")
    after = group.parts()
    assert after[part] != before[part]
    assert {name for name in before if before[name] == after[name]} == {"server", "scheduler"} - {part}
    left = group.leave()
    assert f"The {part} has ended with signal 9; it is started again in 0.5 s." in left.stderr


def test_a_scheduler_that_was_asked_alone_to_leave_is_started_again(sandbox: Sandbox) -> None:
    """Only the group is asked to end, by its own process."""
    sandbox.write(TASKS)
    group = Up(sandbox)
    until(lambda: state(sandbox, created(sandbox, "quick")) != "not_run", "it schedules")
    before = group.parts()
    os.kill(before["scheduler"], signal.SIGTERM)
    until(lambda: not is_alive(before["scheduler"]), "it has left")
    until(lambda: len(children_of(group.process.pid)) == 2, "both run again")
    assert before["server"] in children_of(group.process.pid)
    left = group.leave()
    assert left.status == 0
    assert "The scheduler has ended with status 0; it is started again in 0.5 s." in left.stderr


def test_no_part_outlives_a_parent_that_was_killed(sandbox: Sandbox) -> None:
    """Whatever runs goes on; the address and the scheduler's place are free."""
    sandbox.write(TASKS)
    group = Up(sandbox)
    number = created(sandbox, "long")
    until(lambda: state(sandbox, number) == "running", "it runs")
    parts = [*group.parts().values()]
    group.process.kill()
    finished(group.process)
    until(lambda: not any(map(is_alive, parts)), "its parts have ended")
    assert state(sandbox, number) == "running"
    again = Up(sandbox, "up", "--port", group.url.rpartition(":")[2])
    assert again.url == group.url
    sandbox.touch("go")
    until(lambda: state(sandbox, number) == "successful", "it is taken over")
    assert again.leave().status == 0


def test_a_second_one_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """It names the process that ends all of it, and where it answers; another project hears that the address is taken."""
    sandbox.write(TASKS)
    group = Up(sandbox)
    refused = sandbox.call("up", "--port", 0, status=6)
    assert (
        f"a server and its scheduler run already, as process {group.process.pid}, at {group.url}\n"
        in refused.stderr
    )
    (tmp_path / "other").mkdir()
    other = Sandbox(tmp_path / "other").write(TASKS)
    for command in ("up", "serve"):
        port = group.url.rpartition(":")[2]
        refused = other.call(command, "--port", port, status=6)
        assert f"something else listens on 127.0.0.1, port {port}" in refused.stderr
        assert "--port" in refused.stderr
    other.close()
    assert group.status() == 401
    assert group.leave().status == 0
    alone = sandbox.spawn("scheduler")
    lock = sandbox.home / ".retrofill/scheduler.lock"
    until(lambda: lock.read_text().startswith(f"{alone.pid} "), "a scheduler runs alone")
    refused = sandbox.call("up", "--port", 0, status=6)
    assert f"a scheduler runs already, as process {alone.pid}\n" in refused.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine(sandbox: Sandbox, host: str) -> None:
    sandbox.write(TASKS)
    refused = sandbox.call("up", "--port", 0, "--host", host, status=2)
    assert f"{host} is no address of this machine" in refused.stderr


def test_a_project_with_errors(sandbox: Sandbox) -> None:
    """Nothing stays behind, and the status says what it was."""
    (sandbox.home / "retrofill.yaml").write_text("project: [\n")
    refused = sandbox.run("up", "--port", 0, status=2)
    assert "retrofill.yaml" in refused.stderr
    assert not processes_in(sandbox.home)


@pytest.mark.parametrize("command", ["up", "serve"])
def test_an_installation_without_the_extra(sandbox: Sandbox, tmp_path: Path, command: str) -> None:
    """Nothing is bound, started or made: a plain installation has no server, and says how to get one."""
    sandbox.write(TASKS)
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "sitecustomize.py").write_text(
        "import sys\nsys.modules['uvicorn'] = None  # as if nobody had it\n"
    )
    refused = sandbox.run(command, "--port", 0, status=2, PYTHONPATH=str(bare))
    assert "a server needs the extra `server`, and uvicorn is not installed" in refused.stderr
    assert "pip install 'retrofill[server]'" in refused.stderr
    assert not (sandbox.home / ".retrofill").exists()


def test_what_a_server_needs_is_its_extra() -> None:
    """As `pyproject.toml` has it, so that nothing of it is forgotten in the refusal."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extra = {re.split(r"[^\w-]", line)[0] for line in project["optional-dependencies"]["server"]}
    providers = packages_distributions()
    needed = {name.lower().replace("_", "-") for module in NEEDED for name in providers[module]}
    assert needed == extra


def test_a_server_alone(sandbox: Sandbox) -> None:
    """The scheduler may run beside it or not; several listen where each has a port of its own."""
    sandbox.write(TASKS)
    servers = [Up(sandbox, "serve", "--port", 0) for _ in range(2)]
    assert [one.told.keys() for one in servers] == [{"url"}, {"url"}]
    assert [one.status() for one in servers] == [401, 401]
    assert [one.status("/readyz") for one in servers] == [503, 503]
    for one in servers:
        left = one.leave()
        assert (left.status, left.stderr) == (0, "The server has left.\n")


def test_who_listens_beyond_this_machine_is_warned(sandbox: Sandbox) -> None:
    """SEC-1: unless a proxy with TLS is named."""
    sandbox.write(TASKS)
    open_to_all = Up(sandbox, "serve", "--port", 0, "--host", "0.0.0.0")  # noqa: S104
    assert open_to_all.url.startswith("http://127.0.0.1:")
    assert open_to_all.status() == 401
    assert "put a proxy with TLS before it" in open_to_all.leave().stderr
    origin = {"RETROFILL_PUBLIC_ORIGIN": "https://retrofill.example.com"}
    behind_proxy = Up(sandbox, "serve", "--port", 0, "--host", "0.0.0.0", **origin)  # noqa: S104
    assert "TLS" not in behind_proxy.leave().stderr


def test_on_a_server_there_may_be_several_of_each(sandbox: Sandbox) -> None:
    """RUN-1: a second group stands by, and leads when the first has gone; a server beside them answers."""
    with postgres.database() as url:
        on = {"RETROFILL_STORE": url}
        sandbox.write(TASKS)
        first = Up(sandbox, "up", "--port", 0, **on)
        until(lambda: first.status("/readyz") == 200, "the first leads")
        second, alone = Up(sandbox, "up", "--port", 0, **on), Up(sandbox, "serve", "--port", 0, **on)
        assert (second.status(), alone.status("/readyz")) == (401, 200)
        assert first.leave().status == 0
        until(lambda: second.status("/readyz") == 200, "the second leads")
        sandbox.run("backfill", "create", "--task", "quick", *DAY, "--yes", "--wait", **on)
        assert [one.leave().status for one in (second, alone)] == [0, 0]


def test_an_answer_that_is_on_its_way_is_seen_through(sandbox: Sandbox) -> None:
    """A client that holds its connection open keeps nobody from leaving."""
    sandbox.write(TASKS)
    server = Up(sandbox, "serve", "--port", 0)
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 30) as held:
        held.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert server.leave().status == 0


def test_nothing_is_restored_below_a_server(sandbox: Sandbox) -> None:
    """RET-1: what the server acknowledged would be lost with the store that it has open."""
    sandbox.write(TASKS)
    sandbox.run("deploy", "--yes")
    sandbox.run("backup", "b.zip")
    serving = Up(sandbox, "serve", "--port", 0)
    refused = sandbox.run("restore", "b.zip", "--force", status=6).stderr
    assert f"process {serving.process.pid} (retrofill serve" in refused
    assert "has the store open" in refused
    assert serving.leave().status == 0
    sandbox.run("restore", "b.zip", "--force")
