"""Several schedulers on one PostgreSQL server (RUN-1): one leads, others take over, and nothing runs twice.

Two folders of one deployment are two machines here: each has runs, journals and a flock of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from databases import pooler, postgres
from databases.wire import wired
from e2e.machines import PATIENCE, Machine, Process
from e2e.sandboxes import until
from retrofill.cli.commands.scheduler import LOOK_MS
from retrofill.store.postgres.leading import TERM_SECONDS

pytestmark = pytest.mark.slow


class Scheduler(Process):
    """A scheduler's process."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, ("scheduler",), {})

    def leads(self) -> None:
        self.says("runs; Ctrl-C ends it")

    def stands_by(self) -> None:
        self.says("this one stands by")


TASKS = """
work:
  type: shell
  schedule: "0 2 * * *"
  run: echo $day >> {record}; sleep 0.3; echo $day done >> {record}
  parameters: {{day: "$[yyyymmdd-1]"}}
  rerun: {{mode: always, times: 3, on_lost: false}}
"""


@pytest.fixture
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """Two of one deployment; with a marker `pooler`, behind one."""
    with ExitStack() as closing:
        url = closing.enter_context(postgres.rows())
        if request.node.get_closest_marker("pooler"):
            url = closing.enter_context(pooler.pooled(url))
        first, second = (Machine(tmp_path / name, url) for name in ("one", "two"))
        first.home.mkdir()
        tasks = TASKS.format(record=tmp_path / "record").strip()
        first.write(tasks, "resource_groups: {default: {slots: 3}}")
        shutil.copytree(first.home, second.home)
        first.run("deploy")
        try:
            yield first, second
        finally:
            for machine in (first, second):
                for process in machine.processes:
                    process.kill()
                    process.wait()


def both(one: Machine, two: Machine) -> tuple[Scheduler, Scheduler]:
    """Two schedulers: that of the first machine leads."""
    first = Scheduler(one)
    first.leads()
    second = Scheduler(two)
    second.stands_by()
    return first, second


def record(machine: Machine) -> Counter[str]:
    path = machine.home.parent / "record"
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


def create(machine: Machine, days: int) -> None:
    machine.run(
        "backfill",
        "create",
        "--task",
        "work",
        "--bizdate",
        f"2026-01-01..2026-01-{days:02}",
        "--groups",
        3,
        "--yes",
    )


def succeeded(machine: Machine) -> bool:
    return bool(machine.json("backfill", "show", 1)["status"] == "succeeded")


def each_ran_once(machine: Machine, days: int) -> None:
    begun = {f"202601{day:02}" for day in range(1, days + 1)}
    assert record(machine) == Counter(begun) + Counter(f"{day} done" for day in begun)


def test_a_term_and_a_look_are_shorter_than_the_promise() -> None:
    """RUN-1: who stands by takes over within ten seconds."""
    assert TERM_SECONDS + 2 * LOOK_MS / 1000 < 10


def test_a_killed_leader_is_followed(machines: tuple[Machine, Machine]) -> None:
    """RUN-1: what it had started on its machine runs on there, and is taken over there."""
    one, two = machines
    first, second = both(one, two)
    create(one, 24)
    until(lambda: len(record(one)) > 6, "work is done", PATIENCE)
    first.kill()
    second.leads()
    again = Scheduler(one)  # sees to what runs on its machine, and stands by
    again.stands_by()
    until(lambda: told_of_both(two), "both machines are told of", PATIENCE)
    until(lambda: succeeded(two), "it has succeeded", PATIENCE)
    each_ran_once(one, 24)
    takes = [row["comment"] for row in two.json("operation", "list") if row["action"] == "lead"]
    assert len(takes) == len(set(takes)) == 2


def told_of_both(machine: Machine) -> bool:
    """Whether `doctor` names the leader's machine, and how many runs live where."""
    found = {check["check"]: check for check in machine.json("doctor", status=None)}
    assert f"on {os.uname().nodename} since 20" in found["scheduler"]["detail"]
    assert "(this one): " in found["machines"]["detail"]
    return found["machines"]["detail"].count(" open run") == 2


def test_a_leader_that_stood_still_starts_nothing(machines: tuple[Machine, Machine]) -> None:
    """RUN-1: it finds its term over, and stands by."""
    one, two = machines
    first, second = both(one, two)
    create(one, 24)
    until(lambda: len(record(one)) > 6, "work is done", PATIENCE)
    first.kill(signal.SIGSTOP)
    second.leads()
    first.kill(signal.SIGCONT)
    first.stands_by()  # and tells how what runs on its machine has ended
    until(lambda: succeeded(two), "it has succeeded", PATIENCE)
    each_ran_once(one, 24)


def test_a_lost_connection_ends_no_term(machines: tuple[Machine, Machine]) -> None:
    """RUN-1: connections are made anew; whoever then leads, nothing runs twice."""
    one, two = machines
    both(one, two)
    create(one, 15)
    for _ in range(4):
        so_far = len(record(one))
        postgres.end_connections(one.url)
        until(lambda so_far=so_far: len(record(one)) > so_far, "work goes on", PATIENCE)  # type: ignore[misc]
    until(lambda: succeeded(two), "it has succeeded", PATIENCE)
    each_ran_once(one, 15)


def test_what_lies_on_a_machine_that_does_not_lead(machines: tuple[Machine, Machine]) -> None:
    """RET-1, OPS-10: is let go of by who stands by there; and its logs are read elsewhere through its door."""
    one, two = machines
    key = {"RETROFILL_SERVER_KEY": "ab" * 32}
    leader = one.process("scheduler", "--serve-logs", "127.0.0.1:0", **key)
    leader.says("runs; Ctrl-C ends it")
    two.process("scheduler").says("stands by")
    until((two.home / ".retrofill/tidied").exists, "the job has gone through", PATIENCE)
    create(one, 1)
    until(lambda: succeeded(one), "the backfill has succeeded", PATIENCE)
    assert two.call("instance", "log", 1, status=0, **key).stdout == ""  # it says nothing, and that is known
    assert "RETROFILL_SERVER_KEY" in two.call("instance", "log", 1, status=5).stderr
    leader.kill(signal.SIGTERM)
    assert "which serves none" in two.call("instance", "log", 1, status=5, **key).stderr


def test_one_that_is_asked_to_leave_hands_over_at_once(machines: tuple[Machine, Machine]) -> None:
    one, two = machines
    first, second = both(one, two)
    first.kill(signal.SIGTERM)
    assert first.process.returncode == 0
    second.leads()
    second.kill(signal.SIGTERM)
    assert second.process.returncode == 0


def test_one_that_stands_by_outlives_the_server(machines: tuple[Machine, Machine]) -> None:
    """RUN-1: it waits for it as who leads does, though it never led."""
    one, two = machines
    Scheduler(one).leads()
    with wired(one.url) as wire:
        two.url = wire.url
        second = Scheduler(two)
        second.stands_by()
    second.says("; trying again.")
    second.kill(signal.SIGTERM)
    assert second.process.returncode == 0


@pytest.mark.parametrize("where", ["on the same machine", "on another one"])
def test_a_command_that_waits_gives_way(machines: tuple[Machine, Machine], where: str) -> None:
    """AUTO-1: a scheduler makes nights, too; who waits for a backfill goes on waiting."""
    one, two = machines
    gate = one.home / "gate"
    for machine in machines:
        machine.write(TASKS.replace("sleep 0.3", f"until [ -e {gate} ]; do sleep 0.1; done").format(
            record=one.home.parent / "record"
        ).strip(), "resource_groups: {default: {slots: 3}}")  # fmt: skip
    one.run("deploy")
    create(one, 6)
    waiting = one.spawn("backfill", "wait", 1)
    until(lambda: len(record(one)) == 3, "three run", PATIENCE)
    Scheduler(one if where == "on the same machine" else two).leads()
    gate.touch()  # what runs ends where it runs, whoever leads
    assert waiting.wait(PATIENCE) == 0
    each_ran_once(one, 6)


def test_a_second_one_on_the_same_machine_waits(machines: tuple[Machine, Machine]) -> None:
    """RUN-1: runs of a machine are one process's to see to."""
    one, _ = machines
    first, second = both(one, one)
    create(one, 6)
    until(lambda: len(record(one)) > 2, "work is done", PATIENCE)
    first.kill()
    second.leads()
    until(lambda: succeeded(one), "it has succeeded", PATIENCE)
    each_ran_once(one, 6)


@pytest.mark.pooler
def test_behind_a_pooler(machines: tuple[Machine, Machine]) -> None:
    """RUN-1: no lock of a session is used, so it does not matter whose session a transaction gets."""
    one, two = machines
    first, second = both(one, two)
    create(one, 15)
    until(lambda: len(record(one)) > 6, "work is done", PATIENCE)
    first.kill()
    second.leads()
    Scheduler(one).stands_by()
    until(lambda: succeeded(two), "it has succeeded", PATIENCE)
    each_ran_once(one, 15)


@pytest.mark.parametrize("hours", [1, -1])
def test_clocks_an_hour_apart(machines: tuple[Machine, Machine], hours: int) -> None:
    """RUN-1, TIME-8: terms and beats are the server's time; nothing waits for, or runs by, a machine's wrong clock."""
    one, two = machines
    two.clock = an_hour_off(hours)
    first, second = both(one, two)
    create(one, 15)
    until(lambda: len(record(one)) > 6, "work is done", PATIENCE)
    assert not any("runs; Ctrl-C" in line for line in second.said)
    first.kill()
    second.leads()
    Scheduler(one).stands_by()
    until(lambda: succeeded(one), "it has succeeded", PATIENCE)
    each_ran_once(one, 15)


def an_hour_off(hours: int) -> dict[str, str]:
    """Variables for a process whose wall clock is wrong; the time that passes is not."""
    found = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]
    if not found:
        reason = "no libfaketime: it is a package of the system"
        if os.environ.get("RETROFILL_TEST_SERVICES") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": f"{hours:+d}h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
