"""Auto triggered instances as the scheduler and the operations handle them (AUTO-1, AUTO-2).

A generation is a plan of one bizdate over all tasks of a version; its instances wait for
instances of its own bizdate and of the bizdate before, in its own generation and in those
made earlier. What was never made is not waited for. A task that a bizdate has at other slots
than the plan says, because a deploy has changed them, is waited for at those.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.catalog.definitions import Catalog, Task
from retrofill.domain.catalog.dependencies import Waits, previous_cycle, same_cycle, to_date_before
from retrofill.domain.planning.plan import Plan, build
from retrofill.domain.planning.policy import Policy
from retrofill.domain.planning.template import Edges, Template, dependencies
from retrofill.domain.selection.choice import Choice, NothingToRunError
from retrofill.domain.time.bizdates import ONE_DAY, DateRange
from retrofill.services.instances.graph import InstanceGraph, remember
from retrofill.services.instances.plans import PlanCache
from retrofill.services.ports.records import GenerationRecord

if TYPE_CHECKING:
    from retrofill.domain.arrays import BoolArray, IntArray, LongArray
    from retrofill.services.ports import Reader

_KEPT = 12  # generations with their edges


def plan_of_night(
    catalog: Catalog, bizdate: date, template: Template | None, frozen: frozenset[str] = frozenset()
) -> Plan | None:
    """All tasks on one bizdate; None where no task has an instance then.

    Args:
        template: of the catalog's tasks, if it is at hand already.
    """
    policy = Policy(ranges=(DateRange(bizdate, bizdate),))
    try:
        return build(catalog, Choice(tuple(catalog.tasks)), policy, frozen=frozen, template=template)
    except NothingToRunError:
        return None


class Generation:
    """One generation with its plan.

    Args:
        exists: bool[n], the places that have an instance.
    """

    def __init__(self, record: GenerationRecord, plan: Plan, exists: BoolArray) -> None:
        self.record, self.plan, self.exists = record, plan, exists
        self.bizdate = date.fromisoformat(record.bizdate)
        self.wiring: GenerationEdges | None = None  # worked out when it is first asked for

    @property
    def first_id(self) -> int:
        return self.record.first_instance_id

    def places_of(self, other: Plan, places: IntArray) -> LongArray:
        """The same tasks and slots in this generation's template, -1 where it has none."""
        if other.template is self.plan.template:
            return places.astype(np.int64)
        own = self.plan.template
        mapped = np.full(other.n, -1, dtype=np.int64)
        for i, task in enumerate(other.tasks):
            here = own.index_of.get(task.name)
            if here is None:
                continue
            slots = {int(own.slot_of[place]): place for place in own.slots_of(here)}
            for place in other.template.slots_of(i):
                mapped[place] = slots.get(int(other.slot_of[place]), -1)
        return mapped[places]


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A task that a bizdate has at other slots than a plan says."""

    generation: Generation
    index: int  # of the task, in the generation's plan

    @property
    def task(self) -> Task:
        return self.generation.plan.tasks[self.index]

    def ids(self, positions: IntArray) -> LongArray:
        """Ids of its instances by positions among its slots, -1 where there is none."""
        places = self.generation.plan.template.slots_of(self.index).start + positions.astype(np.int64)
        return np.where(self.generation.exists[places], places + self.generation.first_id, -1)


def made_otherwise(plan: Plan, generations: Sequence[Generation]) -> dict[int, Otherwise]:
    """The tasks of a plan that these generations of one bizdate have at other slots, by index."""
    found: dict[int, Otherwise] = {}
    for generation in generations:
        theirs = generation.plan.template
        if theirs is plan.template:
            continue
        for i, task in enumerate(plan.tasks):
            j = theirs.index_of.get(task.name)
            if j is None or theirs.tasks[j].schedule.slots == task.schedule.slots:
                continue
            places = theirs.slots_of(j)
            if generation.exists[places.start : places.stop].any():
                found[i] = Otherwise(generation, j)
    return found


@dataclass(frozen=True, slots=True)
class _Waits:
    """Places that wait, the instances that they wait for (-1: there is none), and the tasks of these."""

    down: LongArray
    up: LongArray
    task: LongArray


class GenerationEdges:
    """Who waits for whom in one generation, of what exists (DEP-1..9, AUTO-2).

    Args:
        same: the generations of its bizdate that were made before it.
        before: those of the bizdate before.
    """

    def __init__(
        self, generation: Generation, same: Sequence[Generation], before: Sequence[Generation]
    ) -> None:
        self._generation = generation
        template = generation.plan.template
        self._moved = made_otherwise(generation.plan, same)
        within = self._waits(template.within, [*same, generation], self._moved, before=False)
        earlier = self._waits(template.before, before, made_otherwise(generation.plan, before), before=True)
        down = np.concatenate((within.down, earlier.down))
        up = np.concatenate((within.up, earlier.up))
        kept = (up >= 0) & generation.exists[down]
        down, up = down[kept], up[kept]
        order = np.lexsort((up, down))
        down, up = down[order], up[order]
        # Two dependencies may lead to the same instance: it is waited for once.
        is_first = np.ones(len(down), dtype=bool)
        is_first[1:] = (down[1:] != down[:-1]) | (up[1:] != up[:-1])
        # Place `down[i]` waits for instance `up[i]`; ascending by place.
        self.down: LongArray = down[is_first]
        self.up: LongArray = up[is_first]
        self._lost = self._lost_needs(within)
        order = np.argsort(self.up, kind="stable")
        self._by_up = self.up[order], self.down[order] + generation.first_id

    def above(self, instance_id: int) -> list[int]:
        """Ids that an instance of the generation waits for."""
        place = instance_id - self._generation.first_id
        start, end = np.searchsorted(self.down, [place, place + 1])
        found: list[int] = self.up[start:end].tolist()
        return found

    def below(self, ids: LongArray) -> list[int]:
        """Ids of the generation that wait for these, one entry per wait."""
        up, down = self._by_up
        starts, ends = np.searchsorted(up, ids, "left"), np.searchsorted(up, ids, "right")
        found: list[int] = []
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            found += down[start:end].tolist()
        return found

    @property
    def isolated(self) -> BoolArray:
        """bool[n]: places that miss every instance of a same-cycle upstream task (DEP-11)."""
        isolated = np.zeros(self._generation.plan.n, dtype=bool)
        isolated[self._generation.plan.template.needs_place[self._lost]] = True
        return isolated & self._generation.exists

    def isolated_from(self, instance_id: int) -> tuple[str, ...]:
        """Names of the upstream tasks of which nothing exists that the instance waits for."""
        plan, place = self._generation.plan, instance_id - self._generation.first_id
        start, end = plan.template.needs_from[place : place + 2]
        missing = plan.template.needs_task[start:end][self._lost[start:end]]
        return tuple(sorted({plan.tasks[i].name for i in missing.tolist()}))

    def _waits(
        self, edges: Edges, among: Sequence[Generation], moved: dict[int, Otherwise], *, before: bool
    ) -> _Waits:
        """The template's edges into a bizdate, those to moved tasks as the slots were made (AUTO-2)."""
        template = self._generation.plan.template
        tasks = template.task_of[edges.up].astype(np.int64)
        kept = ~np.isin(tasks, list(moved)) if moved else np.ones(len(tasks), dtype=bool)
        parts = [
            _Waits(edges.waiting[kept].astype(np.int64), self._resolve(edges.up[kept], among), tasks[kept])
        ]
        for up, down, is_same_cycle in dependencies(template.tasks, template.index_of) if moved else ():
            made = moved.get(up)
            if made is None or (is_same_cycle and before):
                continue
            waits = _as_made(made.task, template.tasks[up], template.tasks[down], is_same_cycle, before)
            chosen = waits.before == before
            places = int(template.first_of_task[down]) + waits.down[chosen].astype(np.int64)
            parts.append(_Waits(places, made.ids(waits.up[chosen]), np.full(len(places), up, dtype=np.int64)))
        return _Waits(*(np.concatenate([getattr(p, name) for p in parts]) for name in _Waits.__slots__))

    def _lost_needs(self, within: _Waits) -> BoolArray:
        """For each of the template's needs, whether it is missed: nothing exists of what is valid (DEP-11)."""
        template, width = self._generation.plan.template, len(self._generation.plan.tasks)
        needs = template.needs_place * width + template.needs_task
        waits = within.down * width + within.task
        lost: BoolArray = ~np.isin(needs, waits[within.up >= 0])
        lost &= self._generation.plan.valid_tasks(0)[template.needs_task]
        if self._moved:
            # By the slots as made, an instance may need none of a moved task.
            lost &= np.isin(needs, waits) | ~np.isin(template.needs_task, list(self._moved))
        return lost

    def _resolve(self, places: IntArray, among: Sequence[Generation]) -> LongArray:
        """Ids of the instances at these places in those generations, -1 where there is none."""
        ids = np.full(len(places), -1, dtype=np.int64)
        for generation in among:
            theirs = generation.places_of(self._generation.plan, places)
            there = (ids < 0) & (theirs >= 0)
            there[there] = generation.exists[theirs[there]]
            ids[there] = generation.first_id + theirs[there]
        return ids


def _as_made(made: Task, upstream: Task, downstream: Task, is_same_cycle: bool, before: bool) -> Waits:
    """Edges of a dependency upon a task's slots as a bizdate has them."""
    itself = made.depends_on_itself
    if is_same_cycle:
        return same_cycle(made.schedule, itself, downstream.schedule)
    if not before:
        return previous_cycle(made.schedule, itself, downstream.schedule)
    return to_date_before(
        made.schedule,
        itself,
        upstream.schedule,
        downstream.schedule,
        is_itself=upstream.name == downstream.name,
    )


class GenerationCache:
    """The last few generations, with their plans and edges, for one thread; templates and catalogs are shared."""

    def __init__(self, plans: PlanCache) -> None:
        self._plans = plans
        self._generations: OrderedDict[int, Generation] = OrderedDict()

    def plan(
        self, tx: Reader, version_id: int, bizdate: date, frozen: frozenset[str] = frozenset()
    ) -> Plan | None:
        """The plan of a bizdate's instances from a version."""
        template = self._plans.templates.get(version_id)
        plan = plan_of_night(self._plans.catalog(tx, version_id), bizdate, template, frozen)
        if plan is not None and template is None:
            self._plans.templates.put(version_id, plan.template)
        return plan

    def get(self, tx: Reader, record: GenerationRecord) -> Generation:
        """The generation, its wiring perhaps still to be asked for."""
        found = self._generations.get(record.id)
        if found is None:
            plan = self.plan(tx, record.version_id, date.fromisoformat(record.bizdate))
            assert plan is not None
            found = Generation(record, plan, _existing(tx, record, plan))
            remember(self._generations, record.id, found, _KEPT)
        else:
            self._generations.move_to_end(record.id)
        return found

    def holding(self, tx: Reader, instance_id: int) -> Generation:
        """The generation that an auto triggered instance is of; asked for every move of one."""
        for found in self._generations.values():
            if 0 <= instance_id - found.first_id < found.record.stride:
                return found
        record = tx.generations.holding(instance_id)
        assert record is not None
        return self.get(tx, record)

    def wiring(self, tx: Reader, record: GenerationRecord) -> GenerationEdges:
        """Who waits for whom in a generation."""
        generation = self.get(tx, record)
        if generation.wiring is None:
            generation.wiring = self.wire(tx, generation)
        return generation.wiring

    def wire(self, tx: Reader, generation: Generation) -> GenerationEdges:
        """Work out who waits for whom; generations made later are not looked at (CAT-2)."""
        same, before = (
            [self._left_of(tx, r) for r in tx.generations.between(day, day) if r.id < generation.record.id]
            for day in (generation.record.bizdate, (generation.bizdate - ONE_DAY).isoformat())
        )
        return GenerationEdges(generation, same, before)

    def _left_of(self, tx: Reader, record: GenerationRecord) -> Generation:
        """A generation without what has been deleted of it by now: nobody waits for that (RET-1)."""
        found = self.get(tx, record)
        found.exists = _existing(tx, record, found.plan)
        return found


def _existing(tx: Reader, record: GenerationRecord, plan: Plan) -> BoolArray:
    """bool[n]: the places that have an instance; even of a whole night, retention may have deleted some."""
    ids = tx.generations.ids_between(record.first_instance_id, record.first_instance_id + plan.n - 1)
    exists = np.zeros(plan.n, dtype=bool)
    exists[np.array(ids, dtype=np.int64) - record.first_instance_id] = True
    return exists


class ScheduleGraph(InstanceGraph):
    """All auto triggered instances; bound to one view of the ledger."""

    backfill_id = None

    def __init__(self, tx: Reader, nights: GenerationCache) -> None:
        self._tx = tx
        self.newer = {}
        self._nights = nights

    def _generation(self, instance_id: int) -> Generation:
        return self._nights.holding(self._tx, instance_id)

    def _wiring(self, instance_id: int) -> GenerationEdges:
        return self._nights.wiring(self._tx, self._generation(instance_id).record)

    def plan_of(self, instance_id: int) -> Plan:
        return self._generation(instance_id).plan

    def version_id(self, instance_id: int) -> int:
        return self._generation(instance_id).record.version_id

    def offset(self, instance_id: int) -> int:
        return instance_id - self._generation(instance_id).first_id

    def date_order(self, instance_id: int) -> int:
        return self._generation(instance_id).bizdate.toordinal()

    def siblings(self, instance_id: int) -> range:
        """None: an auto triggered instance fails alone."""
        return range(0)

    def upstream(self, instance_id: int) -> list[int]:
        return self._wiring(instance_id).above(instance_id)

    def isolated_from(self, instance_id: int) -> tuple[str, ...]:
        return self._wiring(instance_id).isolated_from(instance_id)

    def downstream(self, ids: Sequence[int]) -> list[int]:
        found: list[int] = []
        for bizdate, group in self._by_bizdate(ids).items():
            following = (date.fromisoformat(bizdate) + ONE_DAY).isoformat()
            for record in self._tx.generations.between(bizdate, following):
                found += self._nights.wiring(self._tx, record).below(group)
        return found

    def dependents(self, ids: Sequence[int]) -> list[int]:
        return self.downstream(ids)

    def has_reached(self, tx: Reader, instance_id: int) -> bool:
        return True

    def _by_bizdate(self, ids: Sequence[int]) -> dict[str, LongArray]:
        groups: dict[str, list[int]] = {}
        for instance_id in ids:
            groups.setdefault(self._generation(instance_id).record.bizdate, []).append(instance_id)
        return {bizdate: np.array(group, dtype=np.int64) for bizdate, group in groups.items()}
