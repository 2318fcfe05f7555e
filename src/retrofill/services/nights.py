"""Auto triggered instances as the scheduler and the operations handle them (AUTO-1, AUTO-2).

A generation is a plan of one bizdate over all tasks of a version; its instances wait for
instances of its own bizdate and of the bizdate before, in its own generation and in those
made earlier. What was never made is not waited for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.catalog import Catalog
from retrofill.domain.planning import Plan, build
from retrofill.domain.policy import DateRange, Policy
from retrofill.domain.selection import Choice, NothingToRunError
from retrofill.domain.template import Template
from retrofill.services.contexts import Context, remember
from retrofill.services.records import GenerationRecord

if TYPE_CHECKING:
    from retrofill.domain.arrays import BoolArray, IntArray, LongArray
    from retrofill.services.ports import Reader

_KEPT = 12  # generations with their edges
_ONE_DAY = timedelta(days=1)


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
        self.wiring: Wiring | None = None  # worked out when it is first asked for

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


class Wiring:
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
        within_ids = self._resolve(template.within.up, [*same, generation])
        before_ids = self._resolve(template.before.up, before)
        down = np.concatenate((template.within.waiting, template.before.waiting)).astype(np.int64)
        up = np.concatenate((within_ids, before_ids))
        kept = (up >= 0) & generation.exists[down]
        order = np.argsort(down[kept], kind="stable")
        # Place `down[i]` waits for instance `up[i]`; ascending by place.
        self.down: LongArray = down[kept][order]
        self.up: LongArray = up[kept][order]
        self._lost = self._lost_needs(within_ids)
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

    def _lost_needs(self, within: LongArray) -> BoolArray:
        """For each of the template's needs, whether nothing of it exists."""
        plan = self._generation.plan
        template, width = plan.template, len(plan.tasks)
        found = within >= 0
        there = template.within.waiting[found].astype(np.int64) * width
        there += template.task_of[template.within.up[found]]
        lost: BoolArray = ~np.isin(template.needs_place * width + template.needs_task, there)
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


class Nights:
    """The last few generations, with their plans and edges; templates and catalogs are shared."""

    def __init__(self, catalog_of: Callable[[Reader, int], Catalog]) -> None:
        self._catalog_of = catalog_of
        self._generations: OrderedDict[int, Generation] = OrderedDict()
        self._templates: OrderedDict[int, Template] = OrderedDict()

    def plan(
        self, tx: Reader, version_id: int, bizdate: date, frozen: frozenset[str] = frozenset()
    ) -> Plan | None:
        """The plan of a bizdate's instances from a version."""
        template = self._templates.get(version_id)
        plan = plan_of_night(self._catalog_of(tx, version_id), bizdate, template, frozen)
        if plan is not None and template is None:
            remember(self._templates, version_id, plan.template, _KEPT)
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

    def wiring(self, tx: Reader, record: GenerationRecord) -> Wiring:
        """Who waits for whom in a generation."""
        generation = self.get(tx, record)
        if generation.wiring is None:
            generation.wiring = self.wire(tx, generation)
        return generation.wiring

    def wire(self, tx: Reader, generation: Generation) -> Wiring:
        """Work out who waits for whom; generations made later are not looked at (CAT-2)."""
        same, before = (
            [self._left_of(tx, r) for r in tx.generations.between(day, day) if r.id < generation.record.id]
            for day in (generation.record.bizdate, (generation.bizdate - _ONE_DAY).isoformat())
        )
        return Wiring(generation, same, before)

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


class ScheduleContext(Context):
    """All auto triggered instances; bound to one view of the ledger."""

    backfill_id = None

    def __init__(self, tx: Reader, nights: Nights) -> None:
        self._tx = tx
        self._nights = nights

    def _generation(self, instance_id: int) -> Generation:
        return self._nights.holding(self._tx, instance_id)

    def _wiring(self, instance_id: int) -> Wiring:
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
            following = (date.fromisoformat(bizdate) + _ONE_DAY).isoformat()
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
