"""Making auto triggered instances: every night, and at a deploy where a task asks for it (AUTO-1..4).

Rows are written in phase `creating`, which nobody sees, in transactions of at most 5,000; one
transaction then shows them, and what waits for nothing becomes ready in phase `releasing`. What
a crash leaves in either phase is put in order by whoever comes next.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.catalog import Catalog
from retrofill.domain.instants import local_date
from retrofill.domain.nights import ONE_DAY, due_nights, next_night, night_of
from retrofill.domain.planning import Plan
from retrofill.services.contexts import Contexts
from retrofill.services.creating import InstanceRows
from retrofill.services.nights import Generation, Wiring
from retrofill.services.records import GenerationRecord
from retrofill.services.settling import Settling
from retrofill.services.times import instant_of, ms_of

if TYPE_CHECKING:
    from retrofill.domain.arrays import BoolArray, IntArray
    from retrofill.services.ports import Clock, Reader, Store

_ROWS = 5_000
_NOTICE_SECONDS = 600  # AUTO-1: slots sooner after a deploy are not made


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """When nights are made, in minutes after midnight, and how many missed ones (AUTO-1, AUTO-3)."""

    generation_minute: int
    catch_up_nights: int


class Schedule:
    """Makes auto triggered instances in one store."""

    def __init__(self, store: Store, contexts: Contexts, clock: Clock, settings: ScheduleSettings) -> None:
        self._store = store
        self._contexts = contexts
        self._clock = clock
        self._settings = settings

    def put_in_order(self) -> None:
        """Remove what a crash left half written, and go on where one left off after that."""
        with self._store.read() as reader:
            left = reader.generations.unfinished()
        for record in left:
            if record.phase == "releasing":
                self._release(record)
            elif not self._store.is_being_created(_mark(record.id)):
                self._remove(record)

    def make_due(self, was_down: bool) -> list[date]:
        """Make the nights that are due, oldest first; their bizdates.

        Args:
            was_down: no scheduler ran until now, so that all due nights count as missed (AUTO-3).
        """
        most = self._settings.catch_up_nights
        with self._store.read() as reader:
            if reader.generations.is_held():
                return []
            catalog, version_id = self._contexts.current(reader), reader.current_version_id()
            since_ms, last = reader.first_deployed_ms(), reader.generations.last_night()
        if catalog is None or version_id is None or since_ms is None:
            return []
        due = due_nights(
            instant_of(self._clock.now_ms()),
            self._settings.generation_minute,
            _timezones(catalog),
            since=instant_of(since_ms),
            last=None if last is None else date.fromisoformat(last),
            most=most if was_down else max(most, 1),
        )
        for bizdate in due:
            self._make(version_id, bizdate, "night")
        return list(due)

    def next_ms(self) -> int | None:
        """When the next night is, None before the first deploy and while the schedule is held."""
        with self._store.read() as reader:
            catalog = self._contexts.current(reader)
            if catalog is None or reader.generations.is_held():
                return None
        zones, minute = _timezones(catalog), self._settings.generation_minute
        return ms_of(night_of(next_night(instant_of(self._clock.now_ms()), minute, zones), minute, zones))

    def make_immediate(self) -> int:
        """Make today's remaining slots of the deployed tasks that ask for it (AUTO-1); how many.

        Slots within ten minutes from now are left out, and those that have their instance already.
        """
        with self._store.read() as reader:
            catalog, version_id = self._contexts.current(reader), reader.current_version_id()
        if catalog is None or version_id is None:
            return 0
        tasks = [task for task in catalog.tasks.values() if task.generation == "immediate"]
        now = instant_of(self._clock.now_ms())
        # Zones may be at different dates; what is today's in one is due another day elsewhere.
        bizdates = {local_date(now, catalog.timezone_of(task)) - ONE_DAY for task in tasks}
        return sum(self._make(version_id, bizdate, "immediate") for bizdate in sorted(bizdates))

    def hold(self, user: str, comment: str = "") -> bool:
        """Pause the schedule: no night is made and nothing of it starts; whether that is new."""
        return self._hold(user, True, comment)

    def go_on(self, user: str, comment: str = "") -> bool:
        """Take back a pause; whether there was one. Missed nights are made by the scheduler (AUTO-3)."""
        return self._hold(user, False, comment)

    def _hold(self, user: str, held: bool, comment: str) -> bool:
        with self._store.transaction() as tx:
            if tx.generations.is_held() == held:
                return False
            tx.generations.hold(held)
            action = "pause-schedule" if held else "resume-schedule"
            tx.record(self._clock.now_ms(), user, action, comment=comment)
        self._store.wake()
        return True

    # Inside

    def _make(self, version_id: int, bizdate: date, kind: str) -> int:
        """Make one generation; the number of its instances.

        One after the other: a deploy and a scheduler that starts may make the same bizdate.
        """
        with self._store.creating("generations"):
            return self._make_alone(version_id, bizdate, kind)

    def _make_alone(self, version_id: int, bizdate: date, kind: str) -> int:
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            frozen = reader.frozen_tasks.names()
            plan = self._contexts.nights.plan(reader, version_id, bizdate, frozen)
            task_ids = reader.task_ids()
            exists = None
            if plan is not None:
                exists = plan.present(0) & ~_taken(reader, plan, task_ids, bizdate)
                if kind == "immediate":
                    exists &= _remaining(plan, bizdate, now_ms)
        if plan is None or exists is None or (kind == "immediate" and not exists.any()):
            # A night without instances was made all the same: it is not missed.
            if kind == "night":
                with self._store.transaction() as tx:
                    first_id = tx.reserve_instance_ids(1)
                    record = GenerationRecord(
                        0, bizdate.isoformat(), kind, "active", version_id, first_id, 0, now_ms
                    )
                    tx.generations.add(record)
            return 0
        with ExitStack() as stack:
            with self._store.transaction() as tx:
                first_id = tx.reserve_instance_ids(plan.n)
                record = GenerationRecord(
                    0, bizdate.isoformat(), kind, "creating", version_id, first_id, plan.n, now_ms
                )
                record = record._replace(id=tx.generations.add(record))
                stack.enter_context(self._store.creating(_mark(record.id)))
            self._fill(Generation(record, plan, exists), task_ids, now_ms)
        self._release(record)
        return int(exists.sum())

    def _fill(self, generation: Generation, task_ids: dict[str, int], now_ms: int) -> None:
        with self._store.read() as reader:
            wiring = self._contexts.nights.wire(reader, generation)
            done = _successful(reader, wiring, generation.record)
        self._write(generation, wiring, _open_waits(generation, wiring, done), task_ids, now_ms)
        self._show(generation, wiring, done)

    def _write(
        self,
        generation: Generation,
        wiring: Wiring,
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
        for start in range(0, len(rows), _ROWS):
            with self._store.transaction() as tx:
                tx.add_instances(rows[start : start + _ROWS])

    def _show(self, generation: Generation, wiring: Wiring, done: set[int]) -> None:
        """Make the rows visible; what has succeeded or been rerun above them meanwhile is made good."""
        record = generation.record
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
        now_ms = self._clock.now_ms()
        last_id = record.first_instance_id + record.stride
        for start in range(record.first_instance_id, last_id, _ROWS):
            with self._store.transaction() as tx:
                held = tx.generations.is_held()
                settling = Settling(tx, self._contexts.schedule(tx), now_ms, held)
                settling.reconsider(range(start, min(start + _ROWS, last_id)))
                settling.settle()
        with self._store.transaction() as tx:
            tx.generations.set_phase(record.id, "active")

    def _remove(self, record: GenerationRecord) -> None:
        last_id = record.first_instance_id + record.stride - 1
        while True:
            with self._store.transaction() as tx:
                if tx.delete_instances(record.first_instance_id, last_id, _ROWS):
                    continue
                tx.generations.delete(record.id)
                return


def _mark(generation_id: int) -> str:
    """What the process that makes a generation holds for as long as it does."""
    return f"generation-{generation_id}"


def _timezones(catalog: Catalog) -> frozenset[str]:
    return frozenset(w.timezone for w in catalog.workspaces.values()) or frozenset((catalog.timezone,))


def _taken(reader: Reader, plan: Plan, task_ids: dict[str, int], bizdate: date) -> BoolArray:
    """bool[n]: places whose task and slot have an auto triggered instance already."""
    there = set(reader.generations.slots_of(bizdate.isoformat()))
    taken = np.zeros(plan.n, dtype=bool)
    if there:
        ids = [task_ids[task.name] for task in plan.tasks]
        for place in range(plan.n):
            taken[place] = (ids[plan.task_of[place]], int(plan.slot_of[place])) in there
    return taken


def _remaining(plan: Plan, bizdate: date, now_ms: int) -> BoolArray:
    """bool[n]: slots of `immediate` tasks that are due today, and late enough (AUTO-1)."""
    now = instant_of(now_ms)
    is_meant = [
        task.generation == "immediate"
        and local_date(now, plan.catalog.timezone_of(task)) == bizdate + ONE_DAY
        for task in plan.tasks
    ]
    late_enough = plan.due(0) * 1000 > now_ms + _NOTICE_SECONDS * 1000
    remaining: BoolArray = np.array(is_meant, dtype=bool)[plan.task_of] & late_enough
    return remaining


def _successful(reader: Reader, wiring: Wiring, record: GenerationRecord) -> set[int]:
    """Of the instances outside the generation that it waits for, those that are Successful."""
    outside = wiring.up[
        (wiring.up < record.first_instance_id) | (wiring.up >= record.first_instance_id + record.stride)
    ]
    if not len(outside):
        return set()
    found = reader.generations.successful_between(int(outside.min()), int(outside.max()))
    return set(found) & set(outside.tolist())


def _open_waits(generation: Generation, wiring: Wiring, done: set[int]) -> IntArray:
    """int[n]: how much each place waits for; isolated ones wait for ever."""
    is_open = ~np.isin(wiring.up, np.array(sorted(done), dtype=np.int64))
    counts = np.bincount(wiring.down[is_open], minlength=generation.plan.n)
    waits: IntArray = (counts + wiring.isolated).astype(np.int32)
    return waits
