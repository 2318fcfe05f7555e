"""Making one generation of auto triggered instances: a night, or what a deploy owes (AUTO-1, AUTO-2).

Rows are written in phase `creating`, which nobody sees, in transactions of at most 5,000; one
transaction then shows them, and what waits for nothing becomes ready in phase `releasing`. What
a crash leaves in either phase is put in order by whoever comes next.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.catalog.definitions import Catalog, Task
from retrofill.domain.planning.plan import Plan
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.instants import local_date
from retrofill.domain.time.milliseconds import instant_of
from retrofill.failpoints import fail_point
from retrofill.services.backfills.instance_rows import InstanceRows
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.propagation import Propagation
from retrofill.services.instances.schedule_graph import Generation, GenerationEdges, made_otherwise
from retrofill.services.ports.records import GenerationRecord
from retrofill.services.ports.store import MOST_ROWS

if TYPE_CHECKING:
    from retrofill.domain.arrays import BoolArray, IntArray
    from retrofill.services.ports import Clock, Reader, Store

_NOTICE_MS = 600_000  # AUTO-1: slots sooner after a deploy are not made


@dataclass(frozen=True, slots=True)
class _Owed:
    """What the deploy of a version owes: slots of which tasks, on which dates (AUTO-1)."""

    version_id: int
    catalog: Catalog
    deployed_ms: int
    night_catalogs: dict[date, Catalog]  # of the nights that were made, by bizdate

    def bizdates(self) -> list[date]:
        """Those of which a slot may be owed, oldest first."""
        # Zones may be at different dates; what is today's in one is due another day elsewhere.
        todays = {self.bizdate_of_today(task) for task in self.catalog.tasks.values()}
        first = min(todays, default=date.max)
        return sorted(todays | {bizdate for bizdate in self.night_catalogs if bizdate >= first})

    def bizdate_of_today(self, task: Task) -> date:
        return local_date(instant_of(self.deployed_ms), self.catalog.timezone_of(task)) - ONE_DAY

    def is_new(self, task: Task, bizdate: date) -> bool:
        """Whether the bizdate's night was made without it."""
        catalog = self.night_catalogs.get(bizdate)
        return catalog is not None and task.name not in catalog.tasks

    def is_asked_for(self, task: Task, bizdate: date) -> bool:
        return task.generation == "immediate" and self.bizdate_of_today(task) == bizdate

    def places(self, plan: Plan, bizdate: date, is_meant: Callable[[Task, date], bool]) -> BoolArray:
        """bool[n]: slots of such tasks, late enough after the deploy."""
        tasks = np.array([is_meant(task, bizdate) for task in plan.tasks], dtype=bool)
        found: BoolArray = tasks[plan.task_of] & (plan.due(0) * 1000 > self.deployed_ms + _NOTICE_MS)
        return found


class Generating:
    """Makes generations in one store, one after the other whoever asks."""

    def __init__(self, store: Store, graphs: GraphCache, clock: Clock) -> None:
        self._store = store
        self._graphs = graphs
        self._clock = clock

    def repair(self) -> None:
        """Remove what a crash left half written, and go on where one left off after that."""
        with self._store.read() as reader:
            left = reader.generations.unfinished()
        for record in left:
            if record.phase == "releasing":
                self._release(record)
            elif not self._store.is_being_created(_mark(record.id)):
                self._remove(record)

    def make_night(self, bizdate: date) -> None:
        """Make the instances of a bizdate from the version that is deployed now (AUTO-1)."""
        with self._store.creating("generations"):
            self.repair()
            # A deploy that comes after this look finds the night made, and adds what is new to it.
            with self._store.read() as reader:
                version_id = reader.current_version_id()
                assert version_id is not None
                plan = self._plan(reader, version_id, bizdate)
                exists = None if plan is None else plan.present(0) & ~self._taken(reader, plan, bizdate)
            if plan is not None and exists is not None:
                self._make(plan, exists, bizdate, "night", version_id)
                return
            # A night without instances was made all the same: it is not missed.
            with self._store.transaction() as tx:
                first_id = tx.reserve_instance_ids(1)
                now_ms = self._clock.now_ms()
                tx.generations.add(
                    GenerationRecord(
                        0, bizdate.isoformat(), "night", "active", version_id, first_id, 0, now_ms
                    )
                )

    def make_owed(self, due: Callable[[Reader], Collection[date]]) -> dict[date, int]:
        """Make what the last deploy owes; how many instances by bizdate.

        These are the remaining slots of today of tasks that ask for it, and the remaining slots of
        tasks that are new after the night of a date was made (AUTO-1).

        Args:
            due: bizdates that the schedule will still make as a whole: what is asked for is among that,
                where it finds all that it waits for.
        """
        with self._store.read() as reader:
            if reader.generations.owing_version() is None:
                return {}
        made: dict[date, int] = {}
        with self._store.creating("generations"):
            self.repair()
            with self._store.read() as reader:
                owed, left = self._owed(reader), due(reader)
            if owed is None:
                return {}
            for bizdate in owed.bizdates():
                if bizdate not in left and (count := self._make_owed_of(owed, bizdate)):
                    made[bizdate] = count
            with self._store.transaction() as tx:
                tx.generations.settle(owed.version_id)
        return made

    # Inside

    def _owed(self, reader: Reader) -> _Owed | None:
        version_id = reader.generations.owing_version()
        version = None if version_id is None else reader.versions.find(version_id)
        if version is None:
            return None
        catalog = self._graphs.catalog(reader, version.id)
        first = (instant_of(min(version.created_ms, self._clock.now_ms())).date() - 3 * ONE_DAY).isoformat()
        nights = {
            date.fromisoformat(bizdate): self._graphs.catalog(reader, night)
            for bizdate, night in reader.generations.night_versions(first).items()
        }
        # A clock that was ahead then owes nothing of dates to come.
        deployed_ms = min(version.created_ms, self._clock.now_ms())
        return _Owed(version.id, catalog, deployed_ms, nights)

    def _make_owed_of(self, owed: _Owed, bizdate: date) -> int:
        with self._store.read() as reader:
            plan = self._plan(reader, owed.version_id, bizdate)
            if plan is None:
                return 0
            asked = owed.places(plan, bizdate, owed.is_asked_for)
            new = owed.places(plan, bizdate, owed.is_new) & ~asked
            exists = plan.present(0) & (asked | new) & ~self._taken(reader, plan, bizdate)
            exists = self._without_lonely(reader, plan, exists, new, bizdate)
        return self._make(plan, exists, bizdate, "immediate", owed.version_id) if exists.any() else 0

    def _without_lonely(
        self, reader: Reader, plan: Plan, exists: BoolArray, new: BoolArray, bizdate: date
    ) -> BoolArray:
        """Without slots of new tasks that could never run, because what they wait for is over for that date."""
        while exists.any():
            record = GenerationRecord(
                sys.maxsize, bizdate.isoformat(), "immediate", "creating", 0, 0, plan.n, 0
            )
            lonely = self._graphs.nights.wire(reader, Generation(record, plan, exists)).isolated & new
            if not lonely.any():
                break
            exists &= ~lonely
        return exists

    def _plan(self, reader: Reader, version_id: int, bizdate: date) -> Plan | None:
        return self._graphs.nights.plan(reader, version_id, bizdate, reader.frozen_tasks.names())

    def _taken(self, reader: Reader, plan: Plan, bizdate: date) -> BoolArray:
        """bool[n]: slots that have an instance, and those of a task that has some at other slots (AUTO-1)."""
        day = bizdate.isoformat()
        there = [self._graphs.nights.get(reader, record) for record in reader.generations.between(day, day)]
        moved = list(made_otherwise(plan, there))
        taken: BoolArray = np.isin(plan.task_of, moved)
        every = np.arange(plan.n, dtype=np.int32)
        for generation in there:
            places = generation.places_of(plan, every)
            taken |= (places >= 0) & generation.exists[places]
        return taken

    def _make(self, plan: Plan, exists: BoolArray, bizdate: date, kind: str, version_id: int) -> int:
        """Make one generation; the number of its instances."""
        now_ms = self._clock.now_ms()
        with ExitStack() as stack:
            with self._store.transaction() as tx:
                first_id = tx.reserve_instance_ids(plan.n)
                record = GenerationRecord(
                    0, bizdate.isoformat(), kind, "creating", version_id, first_id, plan.n, now_ms
                )
                record = record._replace(id=tx.generations.add(record))
                stack.enter_context(self._store.creating(_mark(record.id)))
            self._fill(Generation(record, plan, exists), now_ms)
        self._release(record)
        return int(exists.sum())

    def _fill(self, generation: Generation, now_ms: int) -> None:
        with self._store.read() as reader:
            wiring = self._graphs.nights.wire(reader, generation)
            done = _successful(reader, wiring, generation.record)
            task_ids = reader.task_ids()
        self._write(generation, wiring, _open_waits(generation, wiring, done), task_ids, now_ms)
        self._show(generation, wiring, done)

    def _write(
        self,
        generation: Generation,
        wiring: GenerationEdges,
        open_waits: IntArray,
        task_ids: dict[str, int],
        now_ms: int,
    ) -> None:
        rows = InstanceRows(generation.plan, task_ids, now_ms).of_date(
            0,
            range(generation.first_id, generation.first_id + generation.plan.n),
            None,
            open_waits,
            wiring.isolated,
            generation.exists,
        )
        for start in range(0, len(rows), MOST_ROWS):
            with self._store.transaction() as tx:
                tx.add_instances(rows[start : start + MOST_ROWS])

    def _show(self, generation: Generation, wiring: GenerationEdges, done: set[int]) -> None:
        """Make the rows visible; what has succeeded or been rerun above them meanwhile is made good."""
        record = generation.record
        fail_point("night.written")
        with self._store.transaction() as tx:
            now_done = _successful(tx, wiring, record)
            # What was removed by age meanwhile had succeeded, and stays so.
            undone = {row.id for row in tx.instances(done - now_done)}
            for ids, change in ((now_done - done, -1), (undone, 1)):
                below = wiring.below(np.array(sorted(ids), dtype=np.int64)) if ids else []
                tx.add_waits([(change, instance_id) for instance_id in below])
            tx.generations.set_phase(record.id, "releasing")

    def _release(self, record: GenerationRecord) -> None:
        """Let go on what waits for nothing; may be repeated."""
        fail_point("night.shown")
        now_ms = self._clock.now_ms()
        last_id = record.first_instance_id + record.stride
        for start in range(record.first_instance_id, last_id, MOST_ROWS):
            with self._store.transaction() as tx:
                held = tx.generations.is_held()
                propagation = Propagation(tx, self._graphs.schedule(tx), now_ms, held)
                propagation.reconsider(range(start, min(start + MOST_ROWS, last_id)))
                propagation.propagate()
        with self._store.transaction() as tx:
            tx.generations.set_phase(record.id, "active")

    def _remove(self, record: GenerationRecord) -> None:
        last_id = record.first_instance_id + record.stride - 1
        while True:
            with self._store.transaction() as tx:
                unfinished = tx.generations.unfinished()
                if all(left.id != record.id or left.phase != "creating" for left in unfinished):
                    return  # whoever makes it has finished it since it was looked for
                if tx.delete_instances(record.first_instance_id, last_id, MOST_ROWS):
                    continue
                tx.generations.delete(record.id)
                return


def _mark(generation_id: int) -> str:
    """What the process that makes a generation holds for as long as it does."""
    return f"generation-{generation_id}"


def _successful(reader: Reader, wiring: GenerationEdges, record: GenerationRecord) -> set[int]:
    """Of the instances outside the generation that it waits for, those that are Successful."""
    outside = wiring.up[
        (wiring.up < record.first_instance_id) | (wiring.up >= record.first_instance_id + record.stride)
    ]
    if not len(outside):
        return set()
    found = reader.generations.successful_between(int(outside.min()), int(outside.max()))
    return set(found) & set(outside.tolist())


def _open_waits(generation: Generation, wiring: GenerationEdges, done: set[int]) -> IntArray:
    """int[n]: how much each place waits for; isolated ones wait for ever."""
    is_open = ~np.isin(wiring.up, np.array(sorted(done), dtype=np.int64))
    counts = np.bincount(wiring.down[is_open], minlength=generation.plan.n)
    waits: IntArray = (counts + wiring.isolated).astype(np.int32)
    return waits
