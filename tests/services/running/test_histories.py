"""Random histories: whatever runs do and people ask for, the ledger stays in order.

The world is seeded; a failing seed names itself. Checked after every step: counters agree
with states, what runs is what the executor runs, limits hold, and nothing started that had
to wait. At the end everything is mended, and the backfill succeeds unless its plan says why not.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from domain.catalogs import random_catalog, random_policy
from retrofill.domain.catalog.definitions import Catalog, ResourceGroup
from retrofill.domain.errors import RetrofillError
from retrofill.domain.planning.plan import Plan
from retrofill.domain.selection.choice import NothingToRunError
from retrofill.domain.selection.ways import ManualSelection
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.backfills.requests import Request, make_plan
from services.worlds import World

SLOTS = 3
STEPS = 60
SEEDS = [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))]


class History:
    """One random world and what happens in it."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.chance = Random(seed)
        self.world = World(directory, slots=SLOTS)
        self.plan, self.backfill_id = self._create()
        self.seen = 0

    def _create(self) -> tuple[Plan, int]:
        """A backfill of a random catalog of which something is left to run."""
        while True:
            drawn = random_catalog(self.chance)
            groups = {"default": ResourceGroup("default", slots=SLOTS)}
            catalog = Catalog(
                drawn.project, workspaces=drawn.workspaces, tasks=drawn.tasks, resource_groups=groups
            )
            policy = replace(random_policy(self.chance), allow_risks=True)
            request = Request(ManualSelection(tuple(catalog.tasks)), policy)
            try:
                now = instant_of(self.world.clock.now_ms())
                planned = make_plan(catalog, request, self.world.limits, now)
            except NothingToRunError:
                continue
            if planned.plan.instance_count <= 1_500:
                return planned.plan, self.world.creation.create(
                    planned, self.world.deploy(catalog), self.world.user
                )

    def ids(self) -> list[int]:
        return [row.id for row in self.world.rows(self.backfill_id).values()]

    def step(self) -> None:
        """Something happens, then the scheduler looks."""
        chance, world = self.chance, self.world
        what = chance.random()
        if what < 0.55 and world.executor.running:
            instance_id = chance.choice(sorted(world.executor.running))
            outcome = chance.choices(["ok", "fails", "lost", "timeout"], [8, 3, 1, 1])[0]
            if outcome in ("ok", "fails"):
                world.executor.end(instance_id, int(outcome == "fails"))
            else:
                world.executor.end(instance_id, outcome=outcome, exit_code=None)
        elif what < 0.9:
            self._operate()
        elif what < 0.95:
            world.clock.forward(chance.choice([1, 600, 90_000]))
        else:
            world.restart()
        world.tick()
        world.tick()  # runs that the first tick stopped have ended by now

    def _operate(self) -> None:
        chance, world = self.chance, self.world
        name = chance.choice(
            [
                "stop",
                "rerun",
                "rerun",
                "set_successful",
                "freeze",
                "unfreeze",
                "rerun_descendants",
                "batch",
                "hold",
            ]
        )
        some = chance.sample(self.ids(), min(len(self.ids()), chance.randint(1, 4)))
        if name == "hold":
            action = chance.choice(["pause", "resume", "resume", "stop", "resume"])
            try:
                getattr(world.backfills, action)(self.backfill_id)
            except RetrofillError:
                return  # it did not fit the state, and that is a fine answer
        elif name == "batch":
            world.operations.rerun(some, ignore_waits=True)
        else:
            getattr(world.operations, name)(some)

    def check(self) -> None:
        world = self.world
        assert world.drift() == []
        rows = {row.id: row for row in world.rows(self.backfill_id).values()}
        running = {row.id for row in rows.values() if row.state == "running"}
        assert running == set(world.executor.running)
        assert len(running) <= SLOTS
        with world.store.read() as reader:
            record = reader.find_backfill(self.backfill_id)
            reached = {date.position for date in reader.dates(self.backfill_id) if date.reached}
        assert record is not None
        started, self.seen = world.executor.started[self.seen :], len(world.executor.started)
        assert not (started and (record.paused or record.stopped)), "started although it is held"
        for spec in started:
            row = rows[spec.ref.instance_id]
            if row.ignores_waits or row.state != "running":
                continue
            assert row.open_waits == 0, f"{row} started before what it waits for"
            assert (row.id - record.first_instance_id) // record.stride in reached

    def mend(self) -> str:
        """Everything is taken back and succeeds; the status at the end."""
        world = self.world
        for _ in range(1_000):
            world.executor.obeys = True
            for instance_id in sorted(world.executor.running):
                world.executor.end(instance_id, 0)
            world.clock.forward(90_000)
            world.backfills.resume(self.backfill_id)
            world.operations.unfreeze(self.ids())
            failed = [row.id for row in world.rows(self.backfill_id).values() if row.state == "failed"]
            if failed:
                world.operations.set_successful(failed)
            world.tick()
            world.tick()
            self.check()
            status = world.status(self.backfill_id)
            if status in ("succeeded", "failed") and not world.executor.running:
                return status
        raise AssertionError(f"it never ends: {world.row(self.backfill_id)}")


@pytest.mark.parametrize("seed", SEEDS)
def test_no_history_brings_the_ledger_out_of_order(tmp_path: Path, seed: int) -> None:
    """RUN-1, OPS-0..6, POL-6, POL-7, BF-5: invariants after every step, and everything can be mended."""
    history = History(tmp_path, seed)
    for _ in range(STEPS):
        history.step()
        history.check()
    status = history.mend()
    isolated = any(history.plan.isolated(i).any() for i in range(len(history.plan.dates)))
    if status != "succeeded":
        blocked = history.world.row(history.backfill_id)["blocked_by"]
        assert blocked in (["isolated"], ["loop"], ["isolated", "loop"]), blocked
        assert isolated or "loop" in blocked
    history.world.close()
