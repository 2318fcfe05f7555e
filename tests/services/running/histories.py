"""Random catalogs, policies and histories of one backfill: whatever people do and however runs end.

After every step the rules hold: counters agree with states, nothing started before what it waits for, no
group overtook a bizdate, each round's success and failure were queued once.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from domain.catalogs import random_catalog, random_policy
from retrofill.domain.catalog.definitions import Catalog, ResourceGroup
from retrofill.domain.errors import RetrofillError
from retrofill.domain.planning.changes import Changes
from retrofill.domain.planning.policy import Alert, AlertTrigger
from retrofill.domain.running.results import ItemResult
from retrofill.domain.running.states import State
from retrofill.domain.selection.ways import ManualSelection
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.backfills.requests import Request, make_plan
from retrofill.services.instances.graph import InstanceGraph
from retrofill.services.ports.records import DateRecord
from services.worlds import World, changes_of

MOST = 120
METHODS = ("email", "sms")
ENDED = ("succeeded", "failed", "stopped")
OPERATIONS = ["rerun", "set_successful", "freeze", "unfreeze", "stop", "rerun_descendants"]
ENDS: list[dict[str, Any]] = [
    {"exit_code": 0},
    {"exit_code": 0},
    {"exit_code": 0},
    {"exit_code": 1},
    {"outcome": "timeout", "exit_code": None},
    {"outcome": "lost", "exit_code": None},
    {"outcome": "not_started", "exit_code": None},
]


class History:
    """One backfill in one world, and a source of chance."""

    def __init__(self, directory: Path, chance: Random) -> None:
        self.chance = chance
        catalog: Catalog = random_catalog(chance)
        other = ResourceGroup("other", slots=chance.randint(1, 3), workspaces=frozenset({"x"}))
        self.world = World(directory, *catalog.tasks.values(), slots=chance.randint(1, 6), groups=(other,))
        self.backfill = 0
        self.ignoring: set[int] = set()  # instances that were told to ignore their waits (OPS-3)
        self.had_ended = False
        self.most: int | None = None  # groups since the last change (BF-3)
        self.begun_before: set[int] = set()  # positions that had begun then
        self.been_complete: set[int] = set()  # positions that have been complete: a rerun takes nothing back

    def create(self) -> bool:
        """Whether a backfill of a fair size came about."""
        w = self.world
        roots = tuple(self.chance.sample(sorted(w.catalog.tasks), k=min(3, len(w.catalog.tasks))))
        policy = replace(random_policy(self.chance), alert=Alert(AlertTrigger.EITHER))
        # Without descendants, what lies between the roots are dry runs, which a time range may remove (SEL-6).
        below = self.chance.choice(["all", None])
        request = Request(ManualSelection(roots, below), policy)
        try:
            planned = make_plan(w.catalog, request, w.limits, instant_of(w.clock.now_ms()))
        except RetrofillError:
            return False
        if planned.is_refused or planned.plan.instance_count > MOST:
            return False
        self.backfill = w.creation.create(planned, w.version_id, w.user)
        return True

    def step(self) -> None:
        w, chance = self.world, self.chance
        what = chance.randrange(12)
        if what < 5 and w.executor.running:
            number = chance.choice(sorted(w.executor.running))
            w.executor.end(number, **chance.choice(ENDS))
        elif what < 8:
            rows = list(w.rows(self.backfill).values())
            ids = [row.id for row in chance.sample(rows, k=min(len(rows), chance.randint(1, 4)))]
            if chance.random() < 0.1:
                w.emergencies.remove_waits(ids, None)
            else:
                self.operate(ids)
        elif what == 8:
            self.steer()
        elif what in (9, 10):
            self.change()
        else:
            w.restart()
        started = len(w.executor.started)
        ticked = w.tick()
        # A scheduler that waits costs nothing: the next tick is due later, or when something happens.
        assert ticked.more or ticked.next_ms is None or ticked.next_ms > w.clock.now_ms()
        self.check([spec.ref.instance_id for spec in w.executor.started[started:]])

    def operate(self, ids: list[int]) -> None:
        """One operation on several instances; a rerun may be in order or at once, stopping what runs or not."""
        operations, chance = self.world.operations, self.chance
        how, flag = chance.choice(OPERATIONS), chance.random() < 0.5
        if how == "rerun":
            results = operations.rerun(ids, ignore_waits=flag, latest=chance.random() < 0.2)
            self.note_reruns(results, flag)
        elif how == "rerun_descendants":
            while flag and (running := operations.running_below(ids, include_self=True)):
                operations.stop(running)  # others may get their slots
                self.world.tick()
                self.world.tick()
            below = {i for number in ids for i in operations.running_below([number], include_self=flag)}
            results = operations.rerun_descendants(ids, include_self=flag)
            assert not below & {result.id for result in results if result.ok}
            self.note_reruns(results, at_once=False)
        else:
            getattr(operations, how)(ids)

    def steer(self) -> None:
        backfills, at_once = self.world.backfills, self.chance.random() < 0.3
        how = self.chance.choice(["pause", "resume", "stop", "rerun", "rerun", "freeze", "unfreeze"])
        try:
            if how == "rerun":
                only_failed = self.chance.random() < 0.5
                results = backfills.rerun(self.backfill, only_failed, ignore_waits=at_once)
                self.note_reruns(results, at_once)
            else:
                getattr(backfills, how)(self.backfill)
        except RetrofillError:
            return

    def note_reruns(self, results: list[ItemResult], at_once: bool) -> None:
        """OPS-2, OPS-3: what was rerun is not stopped any more, and only what is asked to ignores waits."""
        done = {result.id for result in results if result.ok}
        self.ignoring = self.ignoring | done if at_once else self.ignoring - done
        if done:
            row = self.world.row(self.backfill)
            assert row["held"] != "stopped"
            assert row["ended_at"] is None or row["status"] in ENDED

    def change(self) -> None:
        """BF-3: any one thing, or several."""
        chance = self.chance
        begun = self.reached()
        ways: list[dict[str, Any]] = [
            {"groups": chance.randint(1, 10)},
            {
                "window": chance.choice(["12:00-13:00", "13:00-11:00", "00:00-12:00"]),
                "weekends": chance.random() < 0.3,
            },
            {"no_window": True},
            {"priority": chance.choice([1, 8])},
            {"own_priority": True},
            {"resource_group": "other"},
            {"own_resource_group": True},
        ]
        changes: dict[str, Any] = {}
        for way in chance.sample(ways, k=chance.choice([1, 1, 2])):
            changes |= way
        try:
            found = self.world.backfills.change(self.backfill, changes_of(**changes))
        except RetrofillError:
            assert self.reached() == begun, "what is refused changes nothing"
            return
        if any(difference.what == "groups" for difference in found.differences):
            self.most, self.begun_before = changes["groups"], begun

    def dates(self) -> list[DateRecord]:
        with self.world.store.read() as reader:
            return reader.dates(self.backfill)

    def reached(self) -> set[int]:
        return {date.position for date in self.dates() if date.reached}

    def check_groups(self) -> None:
        """BF-3: never more dates under way that began after a change than there are groups since."""
        dates = self.dates()
        self.been_complete |= {d.position for d in dates if d.reached and d.successful == d.total}
        if self.most is not None:
            new = {d.position for d in dates if d.reached} - self.begun_before - self.been_complete
            assert len(new) <= self.most
        numbers = {date.group_number for date in dates}
        assert numbers == set(range(1, len(numbers) + 1))

    def context(self) -> InstanceGraph:
        with self.world.store.read() as reader:
            return self.world.graphs.get(reader, self.backfill)

    def check(self, started: list[int]) -> None:
        """RUN-1, POL-6, DEP-10: what has just started was allowed to."""
        assert self.world.drift() == []
        self.check_alerts()
        self.check_groups()
        rows = {row.id: row for row in self.world.rows(self.backfill).values()}
        ended = {State.SUCCESSFUL, State.FAILED}
        self.ignoring -= {i for i in self.ignoring if rows[i].state in ended}
        if not started:
            return
        context = self.context()
        for number in started:
            if number in self.ignoring:
                continue
            with self.world.store.read() as reader:
                removed = reader.interventions.removed_of(number)
            above = [rows[i].state for i in context.upstream(number) if i in rows and i not in removed]
            assert set(above) <= {State.SUCCESSFUL}, (number, above)
        reached = self.reached()
        assert all(context.position(i) in reached for i in started if i not in self.ignoring)
        policy = context.plan.policy
        assert policy.window is None or policy.window.is_open(instant_of(self.world.clock.now_ms()))
        assert policy.priority in (None, *(rows[i].priority for i in started))

    def check_alerts(self) -> None:
        """POL-9: each round's success and failure is queued once by each method, and nothing else is."""
        with self.world.store.read() as reader:
            queued = [(a.round, a.event, a.method) for a in reader.outbox.of_backfill(self.backfill)]
        assert len(queued) == len(set(queued))
        by_method = [{(number, event) for number, event, how in queued if how == name} for name in METHODS]
        assert by_method[0] == by_method[1]
        told = by_method[0]
        rounds = {number for number, _ in told}
        assert rounds == set(range(1, len(rounds) + 1)), "a round ends by telling how"
        status = self.world.status(self.backfill)
        if status in ENDED and not self.had_ended:
            event = "success" if status == "succeeded" else "failure"
            assert (max(rounds), event) in told
        self.had_ended = status in ENDED
        failed = any(row.state == State.FAILED for row in self.world.rows(self.backfill).values())
        assert not failed or "failure" in {event for _, event in told}

    def mend(self) -> None:
        """Take every obstacle away; then everything must come to its end."""
        w = self.world
        w.backfills.resume(self.backfill)
        if w.status(self.backfill) != "succeeded":
            w.backfills.change(self.backfill, Changes({"window": None}))
        for _ in range(400):
            w.finish()
            w.clock.forward(86_400)
            rows = list(w.rows(self.backfill).values())
            w.operations.unfreeze([row.id for row in rows if row.state == State.FROZEN])
            own = [row.id for row in rows if row.state == State.FAILED and row.reason != "sibling_failed"]
            w.operations.set_successful(own)
            if not own and {row.state for row in rows} <= {State.SUCCESSFUL}:
                return
            assert w.drift() == []
        raise AssertionError(w.states())
