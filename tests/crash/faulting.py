"""Commands that die at a commit, or stand still in the middle of one: what follows from a commit is owed, and
whoever only looks needs nobody's leave.
"""

from __future__ import annotations

import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from crash.checking import Verdict
from crash.nemesis import COMMIT_POINTS, Deaths
from crash.world import World, WorldError, state_of

_SECONDS = 30.0
_SOON = """\
workspace: soon
tasks:
  soon: {type: virtual, schedule: "*/7 * * * *", generation: immediate}
"""
_LATEST_HOUR = 23  # from then on, nothing of the day may be left to make
_READERS = (
    ("backfill", "list"), ("instance", "list"), ("task", "list"), ("version", "list"), ("backfill", "show", "1"),
)  # fmt: skip


def run(directory: Path, random: Random, deaths: Deaths) -> Verdict:
    """A deploy that is killed at one of its commits, and a create that is halted in one."""
    verdict = Verdict()
    for name, scenario in (("deploy", _deploy), ("halt", _halt)):
        world = World(directory / name, seed=1, longest_ms=0)
        try:
            scenario(world, random, deaths, verdict)
        except (WorldError, TimeoutError) as error:
            verdict.other.append(f"{name}: {error}")
        finally:
            world.kill_all()
    return verdict


def _deploy(world: World, random: Random, deaths: Deaths, verdict: Verdict) -> None:
    """AUTO-1: what a version that was published owes of today is made by whoever comes next, and once."""
    if datetime.now(UTC).hour >= _LATEST_HOUR:
        return
    world.run("deploy")
    folder = world.directory / "workspaces" / "soon"
    folder.mkdir()
    (folder / "workspace.yaml").write_text(_SOON)
    before = len(world.rows("version", "list"))
    point = f"{random.choice(COMMIT_POINTS)}@{random.randint(1, 4)}"
    deploy = world.popen("deploy", environment={"RETROFILL_FAIL_POINTS": point})
    if deploy.wait(_SECONDS) == -signal.SIGKILL:
        deaths.kinds["deploy"] += 1
    if len(world.rows("version", "list")) == before:
        world.run("deploy")
    scheduler = world.popen("scheduler")
    try:
        _until(lambda: bool(_made(world)), "the instances that the deploy owed are made")
    finally:
        scheduler.kill()
        scheduler.wait()
    made = _made(world)
    if len(made) != len(set(made)):
        verdict.doubled.append(f"deploy killed at {point}: instances of today were made twice")
    world.run("doctor")


def _made(world: World) -> list[str]:
    return [row["scheduled_at"] for row in world.rows("instance", "list", "--task", "soon.soon")]


def _halt(world: World, random: Random, deaths: Deaths, verdict: Verdict) -> None:
    """A command that is halted while it holds the lock keeps nobody from looking, and goes on afterwards."""
    arguments = (
        "backfill",
        "create",
        "--task",
        "ops.extract",
        "--bizdate",
        "2024-03-01..2024-03-03",
        "--yes",
    )
    world.run(*arguments)
    point = f"{random.choice(('store.begun', 'store.commit'))}=STOP@{random.randint(1, 3)}"
    halted = world.popen(*arguments, environment={"RETROFILL_FAIL_POINTS": point})
    try:
        _until(lambda: state_of(halted.pid) == "T" or halted.poll() is not None, "the create stands still")
        for reader in _READERS:
            world.run(*reader)
        halted.send_signal(signal.SIGCONT)
        status = halted.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        status = None
    finally:
        halted.kill()
        halted.wait()
    if status != 0:
        verdict.lost.append(f"a create that was halted at {point} ended with {status}")
    count = len(world.rows("backfill", "list"))
    if count != 2:
        verdict.other.append(f"after a create that was halted at {point} there are {count} backfills, not 2")
    world.run("doctor", expected=(0, 1))  # no scheduler runs what is open


def _until(condition: object, what: str) -> None:
    assert callable(condition)
    give_up_at = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"waited {_SECONDS:.0f} s in vain: {what}")
        time.sleep(0.05)
