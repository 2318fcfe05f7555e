"""Killing `backfill create` while it fills a large backfill: afterwards it is there whole, or not at all.

Its dates lie in the far future, so that a scheduler finds nothing to start in it.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from random import Random

from crash.checking import Verdict
from crash.nemesis import Deaths
from crash.world import World, WorldError

_DATES = 365
_HOURLY, _DAILY = 5, 17
INSTANCES = (_HOURLY * 24 + _DAILY) * _DATES
_LARGE = (
    "--task",
    "large.first",
    "--descendants",
    "all",
    "--bizdate",
    "2190-01-01..2190-12-31",
    "--name",
    "large",
)
_SMALL = ("--task", "ops.extract", "--bizdate", "2024-03-01", "--name", "small")


def run(directory: Path, random: Random, deaths: Deaths, kills: int) -> Verdict:
    """Kill so many `create`s, each on a fresh copy of one deployed project, and look at what is left."""
    verdict = Verdict()
    world = World(directory / "template", seed=1, longest_ms=0)
    _add_workspace(world)
    try:
        world.run("deploy")
        seconds = _measure(_copy(world, directory / "whole"), verdict)
        enough, number = deaths.total + kills, 0
        while deaths.total < enough:
            number += 1
            copy = _copy(world, directory / f"copy-{number}")
            # Most of the time goes into filling, which begins after start-up and planning.
            _kill_one(copy, seconds * random.uniform(0.1, 1.02), deaths)
            _check(copy, f"create {number}", verdict)
            copy.kill_all()
            if verdict.violations:
                break
            shutil.rmtree(copy.directory)
    except WorldError as error:
        verdict.other.append(str(error))
    return verdict


def _add_workspace(world: World) -> None:
    tasks = ["first: {type: shell, run: exit, schedule: '0 0 * * *'}"]
    tasks += [
        f"daily_{n}: {{type: virtual, schedule: '0 1 * * *', depends_on: [first]}}" for n in range(1, _DAILY)
    ]
    tasks += [
        f"hourly_{n}: {{type: virtual, schedule: '0 * * * *', depends_on: [first]}}" for n in range(_HOURLY)
    ]
    folder = world.directory / "workspaces" / "large"
    folder.mkdir()
    (folder / "workspace.yaml").write_text(
        "workspace: large\ntasks:\n" + "".join(f"  {task}\n" for task in tasks)
    )


def _copy(world: World, directory: Path) -> World:
    """The project as it was deployed, in another folder."""
    copy = World(directory, seed=1, longest_ms=0, like=world)
    for name in ("workspaces", ".retrofill"):
        shutil.rmtree(directory / name, ignore_errors=True)
        shutil.copytree(world.directory / name, directory / name)
    return copy


def _measure(world: World, verdict: Verdict) -> float:
    """How long an undisturbed `create` takes."""
    began = time.monotonic()
    world.run("backfill", "create", *_LARGE, "--yes")
    seconds = time.monotonic() - began
    if _visible(world) != {"large"} or _stored(world, "large") != INSTANCES:
        verdict.other.append(f"an undisturbed create did not make {INSTANCES} instances")
    shutil.rmtree(world.directory)
    return seconds


def _kill_one(world: World, after_seconds: float, deaths: Deaths) -> None:
    process = world.popen("backfill", "create", *_LARGE, "--yes")
    time.sleep(after_seconds)
    if process.poll() is None:
        process.kill()
        deaths.kinds["create of a large backfill"] += 1
    process.wait()


def _check(world: World, name: str, verdict: Verdict) -> None:
    """I16: whole or not at all; and what is left of a part goes with the next scheduler."""
    before = _visible(world)
    if not before <= {"large"}:
        verdict.other.append(f"{name}: the list shows {sorted(before)}")
    if before and _stored(world, "large") != INSTANCES:
        verdict.lost.append(f"{name}: the backfill is listed with {_stored(world, 'large')} instances")
    world.run("backfill", "create", *_SMALL, "--wait", "--yes")
    world.ask_doctor()
    if _visible(world) != before | {"small"}:
        verdict.other.append(f"{name}: after the next scheduler the list shows {sorted(_visible(world))}")
    expected = 1 + (INSTANCES if before else 0)
    total, backfills = (
        world.ask_store("SELECT count(*) FROM instance"),
        world.ask_store("SELECT count(*) FROM backfill"),
    )
    if (total, backfills) != (expected, 1 + len(before)):
        verdict.other.append(
            f"{name}: the next scheduler left {total} instances of {backfills} backfills where {expected} are shown"
        )


def _visible(world: World) -> set[str]:
    return {row["name"] for row in world.rows("backfill", "list")}


def _stored(world: World, name: str) -> int:
    """Instances of the one backfill of this name, as the ledger holds them."""
    row = next(row for row in world.rows("backfill", "list") if row["name"] == name)
    count = world.ask_store(f"SELECT count(*) FROM instance WHERE backfill_id = {int(row['id'])}")
    return count if row["instance_count"] == count else -1
