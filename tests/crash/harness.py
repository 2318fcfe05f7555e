"""Kill Retrofill at random and hold what its tasks saw against the plan.

    STORE=postgresql python tests/crash/harness.py --seed 1 --kills 300
    EXECUTOR=celery python tests/crash/harness.py --seed 1 --kills 800

A scenario is a real project in a folder of its own, a backfill of it, and `backfill wait` run
again and again while schedulers, launchers and supervisors are killed, until the backfill has
ended. The seed decides what is asked for, who dies and when; what the machine does in between
it does not decide, so a seed repeats the plan of the attack and not its every step.

With EXECUTOR=pull or celery, workers carry out half of what runs, and they, what they reach the store by, its server
and the broker (BROKER=rabbitmq or redis) are attacked, too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from random import Random
from tempfile import mkdtemp

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crash import creating, faulting
from crash.checking import Ended, Event, Verdict, check, check_partitions, expect, parse_events
from crash.crew import Crew
from crash.nemesis import COMMIT_POINTS, FAIL_POINTS, Deaths, Nemesis
from crash.site import Site, opened
from crash.world import DATABASES, World, WorldError
from databases import postgres
from databases.stores import chosen

_ROOT = Path(__file__).resolve().parents[2] / ".crash"
_PATIENCE_SECONDS = 180.0
_CLEAR_SECONDS = 15.0
_CREATE_SECONDS = 60.0
_KILLS_A_SCENARIO = (8, 22)
_CREATE_SHARE = 0.05  # of all kills hit a `create` that fills a large backfill
_RIVAL_SHARE = 0.5  # of all scenarios have a second backfill of some of the same tasks and dates (RUN-7)

Say = Callable[[str], None]


@dataclass(slots=True)
class Total:
    """Sums over all scenarios."""

    deaths: Deaths = field(default_factory=Deaths)
    scenarios: int = 0
    starts: int = 0
    reruns: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    other: int = 0

    def add(self, verdict: Verdict) -> None:
        self.scenarios += 1
        self.starts += verdict.starts
        self.reruns += verdict.reruns
        self.lost += len(verdict.lost)
        self.doubled += len(verdict.doubled)
        self.out_of_order += len(verdict.out_of_order)
        self.other += len(verdict.other)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.out_of_order or self.other)

    def summary(self, seed: int) -> str:
        others = f", {self.other} other violations" if self.other else ""
        return (
            f"crash harness: {self.deaths.total:,} kills, {self.starts:,} starts, {self.lost} lost, "
            f"{self.doubled} doubled, {self.out_of_order} out of order{others} (seed {seed})"
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What one scenario asks for."""

    options: tuple[str, ...]
    barrier: str
    first: int = 1  # day of the first bizdate


def choose_rival(random: Random, request: Request) -> Request:
    """The first dates of the same tasks once more: the two begin at the same instances, and keep in step."""
    options = (
        *("--task", "ops.extract", "--task", "ops.hourly", "--descendants", "all"),
        *("--bizdate", f"2024-03-{request.first:02}..2024-03-{request.first + random.randint(1, 2):02}"),
    )
    return Request(options, "date")


def choose_request(random: Random) -> Request:
    """Eight dates, some of them apart, with the policy of chance."""
    first = random.randint(1, 15)
    barrier = random.choice(("date", "date", "task"))
    options = (
        *("--task", "ops.extract", "--task", "ops.hourly", "--descendants", "all"),
        *("--bizdate", f"2024-03-{first:02}..2024-03-{first + 5:02}"),
        *("--bizdate", f"2024-03-{first + 8:02}..2024-03-{first + 9:02}"),
        *("--groups", str(random.choice((2, 2, 2, 1, 3)))),
        *("--barrier", barrier),
        *("--across-groups", random.choice(("wait", "ignore"))),
    )
    return Request(options, barrier, first)


def run_scenario(
    world: World, random: Random, deaths: Deaths, fail_points: Iterator[str], kills: int
) -> Verdict:
    """One backfill from its creation to its end, with about this many kills."""
    request = choose_request(random)
    world.run("deploy")
    requests = [request]
    if random.random() < _RIVAL_SHARE:
        requests.append(choose_rival(random, request))
    made = [(_create(world, random, deaths, one), one) for one in requests]
    nemesis = Nemesis(world, random, deaths, fail_points, kills, _PATIENCE_SECONDS)
    verdict = Verdict()
    nemesis.crew = crew = Crew(world, deaths, nemesis.for_worker) if world.site is not None else None
    try:
        for backfill_id, _ in made:
            status = nemesis.run(backfill_id)
            if status != 0:
                verdict.lost.append(f"`backfill wait {backfill_id}` ended with {status}")
    except TimeoutError:
        shown = world.run("instance", "list", "--backfill", str(backfill_id), "--output", "jsonl")
        still = [line for line in shown.splitlines() if '"successful"' not in line]
        verdict.lost.append(
            f"nothing began or ended for {_PATIENCE_SECONDS:.0f} s; first of the rest: {still[:3]}"
        )
        return verdict
    finally:
        if crew is not None:
            crew.dismiss()
            verdict.other += crew.complaints
    events = parse_events((world.oracle / "events").read_text())
    for backfill_id, one in made:
        verdict.add(_check_one(world, backfill_id, one, events))
    verdict.doubled += check_partitions(events)
    if nemesis.knows_all:
        for instance, number in set(verdict.repeated) - nemesis.struck:
            verdict.doubled.append(
                f"instance {instance}: run {number} had not failed and its supervisor was not killed, "
                "but the work was done again"
            )
    _check_rest(world, verdict)
    return verdict


def _check_one(world: World, backfill_id: int, request: Request, events: Sequence[Event]) -> Verdict:
    """One backfill by itself, as if there were no other."""
    rows = world.rows("instance", "list", "--backfill", str(backfill_id))
    ended = {(row["task"], row["scheduled_at"]): Ended(row["state"], row["run_number"]) for row in rows}
    own = {row["id"] for row in rows}
    lines = world.rows("backfill", "plan", *request.options, "--instances")
    return check([event for event in events if event.instance in own], expect(lines, request.barrier), ended)


def _create(world: World, random: Random, deaths: Deaths, request: Request) -> int:
    """The backfill's id; the command is killed at times, and repeated where nothing came of it."""
    arguments = ("backfill", "create", *request.options, "--yes")
    before = {row["id"] for row in world.rows("backfill", "list")}
    if random.random() < 0.3:
        creating = world.popen(*arguments)
        time.sleep(random.uniform(0.1, 0.6))
        creating.kill()
        deaths.kinds["create"] += creating.wait() < 0
    elif random.random() < 0.4:
        point = random.choice((*COMMIT_POINTS, "fault.store=ENOSPC"))
        deaths.faults[point] += point.startswith("fault.")
        words = {"RETROFILL_FAIL_POINTS": f"{point}@{random.randint(1, 6)}"}
        deaths.kinds["create"] += world.popen(*arguments, environment=words).wait(_CREATE_SECONDS) < 0
    ids = [row["id"] for row in world.rows("backfill", "list") if row["id"] not in before]
    if not ids:
        world.run(*arguments)
        ids = [row["id"] for row in world.rows("backfill", "list") if row["id"] not in before]
    if len(ids) != 1:
        raise WorldError(f"there are {len(ids)} new backfills where there should be one")
    return int(ids[0])


def _check_rest(world: World, verdict: Verdict) -> None:
    """Nothing is left running, and doctor finds nothing wrong."""
    give_up_at = time.monotonic() + _CLEAR_SECONDS
    while (left := world.processes()) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    if left:
        roles = ", ".join(f"{process.role} {process.pid}" for process in left)
        verdict.other.append(f"left running {_CLEAR_SECONDS:.0f} s after the end: {roles}")
    try:
        world.run("doctor")
    except WorldError as error:
        verdict.other.append(str(error))


def run(seed: int, kills: int, say: Say, root: Path = _ROOT, site: Site | None = None) -> Total:
    """Scenarios until so many have been killed; stops at the first that went wrong, and keeps its folder."""
    total = Total()
    creates = max(1, round(kills * _CREATE_SHARE)) if site is None else 0
    root.mkdir(exist_ok=True)
    folder = Path(mkdtemp(prefix=f"seed-{seed}-", dir=root))
    fail_points = cycle(Random(seed).sample(FAIL_POINTS, len(FAIL_POINTS)))
    while total.is_clean and (left := kills - creates - total.deaths.total) > 0:
        name = f"scenario-{total.scenarios + 1}"
        random = Random(f"{seed}.{name}")
        deaths = Deaths()
        enough = min(left, random.randint(*_KILLS_A_SCENARIO))
        verdict = _run_guarded(folder / name, random, deaths, fail_points, enough, site)
        _add(total, verdict, deaths, folder / name, say)
    if total.is_clean and site is None:
        deaths = Deaths()
        left = max(1, kills - total.deaths.total)
        verdict = creating.run(folder / "create", Random(f"{seed}.create"), deaths, left)
        _add(total, verdict, deaths, folder / "create", say)
    if total.is_clean and site is None:
        deaths = Deaths()
        verdict = faulting.run(folder / "faults", Random(f"{seed}.faults"), deaths)
        _add(total, verdict, deaths, folder / "faults", say)
    if total.is_clean:
        shutil.rmtree(folder, ignore_errors=True)
    return total


def _run_guarded(
    directory: Path,
    random: Random,
    deaths: Deaths,
    fail_points: Iterator[str],
    kills: int,
    site: Site | None,
) -> Verdict:
    world = World(directory, seed=random.randrange(1 << 30), site=site)
    try:
        return run_scenario(world, random, deaths, fail_points, kills)
    except WorldError as error:
        verdict = Verdict()
        verdict.other.append(str(error))
        return verdict
    finally:
        world.kill_all()


def _add(total: Total, verdict: Verdict, deaths: Deaths, directory: Path, say: Say) -> None:
    total.add(verdict)
    total.deaths.kinds.update(deaths.kinds)
    total.deaths.faults.update(deaths.faults)
    total.deaths.stood_still += deaths.stood_still
    say(
        f"{directory.name}: {deaths.total} kills ({deaths.words}), {verdict.starts} starts, {verdict.reruns} reruns, "
        f"{len(verdict.violations)} violations; {total.deaths.total} kills so far{_with_faults(deaths)}"
    )
    for sentence in verdict.violations[:20]:
        say(f"  WRONG  {sentence}")
    if verdict.violations:
        say(f"  everything is kept in {directory}")
    else:
        shutil.rmtree(directory)


def _with_faults(deaths: Deaths) -> str:
    return f"; with {', '.join(sorted(+deaths.faults))}" if +deaths.faults else ""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Kill Retrofill at random and check what came of it.")
    parser.add_argument("--seed", type=int, default=1, help="decides what is attacked and how (default: 1)")
    parser.add_argument("--kills", type=int, default=300, help="how many processes die (default: 300)")
    options = parser.parse_args(arguments)
    print(f"crash harness: seed {options.seed}, {options.kills} kills", flush=True)
    began = time.monotonic()
    with _site() as site, DATABASES:
        total = run(options.seed, options.kills, lambda text: print(text, flush=True), site=site)
    print(f"killed: {total.deaths.words}; {total.reruns} reruns; {time.monotonic() - began:.0f} s")
    if total.deaths.faults:
        print("besides:", ", ".join(f"{count} {fault}" for fault, count in total.deaths.faults.most_common()))
    print(total.summary(options.seed))
    return 0 if total.is_clean else 1


@contextmanager
def _site() -> Iterator[Site | None]:
    """As the environment wants it: EXECUTOR, BROKER, STORE."""
    executor = os.environ.get("EXECUTOR", "local")
    if executor != "local":
        os.environ["STORE"] = "postgresql"  # nothing else is reached from other machines
        with opened(executor, os.environ.get("BROKER", "rabbitmq")) as site:
            yield site
        return
    if chosen() == "postgresql":
        postgres.begin()
    try:
        yield None
    finally:
        if chosen() == "postgresql":
            postgres.end()


if __name__ == "__main__":
    sys.exit(main())
