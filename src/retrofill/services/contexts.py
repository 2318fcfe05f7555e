"""A backfill as the scheduler and the operations handle it: its row, its plan, its ids.

Plans are rebuilt from what is stored (version, choice, policy) and kept: instances and what
they wait for never change once they exist. Who follows whom in groups, priorities and
resource groups do when somebody changes the policy; whoever looks at the ledger anew calls
`follow` with what it found. Planning is imported where a plan is built: who only looks needs none.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from retrofill.domain.policy import Barrier, Policy
from retrofill.services.records import BackfillRecord, InstanceRecord, OpenBackfill

if TYPE_CHECKING:
    from retrofill.domain.arrays import IntArray
    from retrofill.domain.catalog import Catalog, Task
    from retrofill.domain.planning import Plan
    from retrofill.services.nights import Nights
    from retrofill.services.ports import Reader

_KEPT = 64
_FEW = 16  # instances for which lists are faster than arrays

V = TypeVar("V")


class Context(ABC):
    """What instances of one backfill, or of the schedule, are beyond their rows: tasks and waits."""

    backfill_id: int | None  # None: auto triggered instances
    newer: dict[int, Catalog]  # later versions whose code reruns of its instances use (OPS-2)

    @abstractmethod
    def plan_of(self, instance_id: int) -> Plan:
        """The plan that the instance is a place of."""

    @abstractmethod
    def version_id(self, instance_id: int) -> int:
        """The version that the instance is from (CAT-2)."""

    @abstractmethod
    def offset(self, instance_id: int) -> int:
        """The instance's offset in its plan."""

    @abstractmethod
    def date_order(self, instance_id: int) -> int:
        """Sorts bizdates in the order in which they run."""

    @abstractmethod
    def siblings(self, instance_id: int) -> range:
        """Ids of what fails together with it: the instances of its task and bizdate (POL-7)."""

    @abstractmethod
    def upstream(self, instance_id: int) -> list[int]:
        """Ids that the instance waits for."""

    @abstractmethod
    def downstream(self, ids: Sequence[int]) -> list[int]:
        """Ids that wait for these, one entry per wait."""

    @abstractmethod
    def dependents(self, ids: Sequence[int]) -> list[int]:
        """Ids that depend on these (chapter 4): `downstream` without what only the order of dates asks for."""

    @abstractmethod
    def isolated_from(self, instance_id: int) -> tuple[str, ...]:
        """Names of the upstream tasks that leave it isolated (DEP-11, AUTO-2)."""

    @abstractmethod
    def has_reached(self, tx: Reader, instance_id: int) -> bool:
        """Whether the turn of its date has come (POL-6)."""

    def place(self, instance_id: int) -> int:
        """Index of the instance in the template of its date."""
        return self.offset(instance_id) % self.plan_of(instance_id).n

    def date_index(self, instance_id: int) -> int:
        """Index of the instance's bizdate in its plan."""
        return self.offset(instance_id) // self.plan_of(instance_id).n

    def task(self, instance_id: int) -> Task:
        plan = self.plan_of(instance_id)
        return plan.tasks[int(plan.task_of[self.place(instance_id)])]

    def unfrozen_kind(self, row: InstanceRecord) -> tuple[str, str]:
        """Kind and resource group that an instance has when it is not frozen (SEL-8)."""
        from retrofill.domain.catalog import RunMode, TaskType
        from retrofill.domain.planning import ONE_DAY, Kind

        task, plan = self.task(row.id), self.plan_of(row.id)
        if row.kind != Kind.FROZEN.word:
            return row.kind, row.resource_group
        if task.mode is RunMode.DRY_RUN:
            return Kind.DRY_RUN.word, ""
        if not task.schedule.matches(plan.dates[self.date_index(row.id)] + ONE_DAY):
            return Kind.OFF_DAY.word, ""
        if task.type is TaskType.VIRTUAL:
            return Kind.VIRTUAL.word, ""
        return Kind.RUN.word, row.resource_group


@dataclass(slots=True)
class BackfillContext(Context):
    """One active backfill. An instance's offset in the plan is its id minus `first_id`."""

    backfill_id: int
    first_id: int
    plan: Plan
    task_ids: dict[str, int]
    version: int
    policy_text: str  # as stored: tells whether somebody has changed the policy since (BF-3)
    reached: set[int] = field(default_factory=set)  # positions
    # By position, how many instances are not Successful. Both are caches that spare queries; they hold as
    # long as no other process commits; the scheduler forgets them then.
    open_left: dict[int, int] = field(default_factory=dict)
    # By position, what is Not run below a failure, of dates that were looked at for that: a cache as well.
    below_failures: dict[int, frozenset[int]] = field(default_factory=dict)
    newer: dict[int, Catalog] = field(default_factory=dict)
    _lists_below: dict[int, tuple[list[int], list[int]]] = field(default_factory=dict)  # by place

    def plan_of(self, instance_id: int) -> Plan:
        return self.plan

    def version_id(self, instance_id: int) -> int:
        return self.version

    def offset(self, instance_id: int) -> int:
        return instance_id - self.first_id

    def position(self, instance_id: int) -> int:
        """Index of the instance's bizdate in running order."""
        return (instance_id - self.first_id) // self.plan.n

    date_order = position

    def place(self, instance_id: int) -> int:
        return (instance_id - self.first_id) % self.plan.n

    def siblings(self, instance_id: int) -> range:
        """Some may not exist."""
        return self._ids(self.position(instance_id), int(self.plan.task_of[self.place(instance_id)]))

    def ids_of_date(self, position: int) -> range:
        base = self.first_id + position * self.plan.n
        return range(base, base + self.plan.n)

    # Waits: the plan's edges, and with `barrier: task` those between a task's dates (POL-6).

    def open_waits(self, position: int) -> IntArray:
        """int[n]: how much each instance of the date waits for before anything ran."""
        waits = self.plan.open_waits(position) + self.plan.isolated(position)
        if self.plan.policy.barrier is Barrier.TASK:
            import numpy as np

            sizes = np.diff(self.plan.first_of_task)
            for task, size in enumerate(sizes.tolist()):
                if self.plan.previous_of_task(position, task) is not None:
                    waits[self.plan.task_of == task] += size
        return waits

    def upstream(self, instance_id: int) -> list[int]:
        offset = instance_id - self.first_id
        found = [self.first_id + int(o) for o in self.plan.upstream(offset)]
        if self.plan.policy.barrier is Barrier.TASK:
            task = int(self.plan.task_of[self.place(instance_id)])
            before = self.plan.previous_of_task(self.position(instance_id), task)
            found += self._ids(before, task)
        return found

    def isolated_from(self, instance_id: int) -> tuple[str, ...]:
        return self.plan.isolated_from(instance_id - self.first_id)

    def downstream(self, ids: Sequence[int]) -> list[int]:
        if len(ids) <= _FEW and not self.plan.has_holes and self.plan.policy.barrier is Barrier.DATE:
            return [below for instance_id in ids for below in self._below(instance_id)]
        found = self.dependents(ids)
        if self.plan.policy.barrier is Barrier.TASK:
            for instance_id in ids:
                task = int(self.plan.task_of[self.place(instance_id)])
                found += self._ids(self.plan.next_of_task(self.position(instance_id), task), task)
        return found

    def dependents(self, ids: Sequence[int]) -> list[int]:
        import numpy as np

        offsets = self.plan.downstream(np.asarray(ids, dtype=np.int64) - self.first_id)
        found: list[int] = (offsets + self.first_id).tolist()
        return found

    def _below(self, instance_id: int) -> list[int]:
        """What waits for one instance, without the fixed cost of array operations."""
        date, place = divmod(instance_id - self.first_id, self.plan.n)
        lists = self._lists_below.get(place)
        if lists is None:
            edges = (self.plan.edges_within(date), self.plan.edges_before(date, date))  # all dates are alike
            within, before = (e.down[e.down_from[place] : e.down_from[place + 1]].tolist() for e in edges)
            lists = self._lists_below[place] = (within, before)
        base = self.first_id + date * self.plan.n
        found = [base + below for below in lists[0]]
        after = self.plan.date_after(date) if lists[1] else None
        if after is not None:
            base = self.first_id + after * self.plan.n
            found += [base + below for below in lists[1]]
        return found

    def _ids(self, position: int | None, task: int) -> range:
        if position is None:
            return range(0)
        base = self.first_id + position * self.plan.n
        return range(base + int(self.plan.first_of_task[task]), base + int(self.plan.first_of_task[task + 1]))

    def has_reached(self, tx: Reader, instance_id: int) -> bool:
        position = self.position(instance_id)
        if position not in self.reached and tx.is_reached(self.backfill_id, position):
            self.reached.add(position)
        return position in self.reached


class Contexts:
    """Contexts by backfill id and catalogs by version id, the last few of each."""

    def __init__(self) -> None:
        self._contexts: OrderedDict[int, BackfillContext] = OrderedDict()
        self._catalogs: OrderedDict[int, Catalog] = OrderedDict()

    def catalog(self, tx: Reader, version_id: int) -> Catalog:
        catalog = self._catalogs.get(version_id)
        if catalog is None:
            from retrofill.services import catalog_document

            catalog = catalog_document.load(tx.version(version_id))
            remember(self._catalogs, version_id, catalog)
        return catalog

    def current(self, tx: Reader) -> Catalog | None:
        """The deployed catalog, None before the first deploy."""
        version_id = tx.current_version_id()
        return None if version_id is None else self.catalog(tx, version_id)

    def of(self, tx: Reader, row: InstanceRecord) -> Context:
        """The context that an instance belongs to, with what it runs (`as_run`)."""
        context = self.by_id(tx, row.backfill_id)
        if row.code_version_id is not None:
            context.newer[row.code_version_id] = self.catalog(tx, row.code_version_id)
        return context

    def by_id(self, tx: Reader, backfill_id: int | None) -> Context:
        """The context of an active backfill; None means the schedule."""
        return self.schedule(tx) if backfill_id is None else self.get(tx, backfill_id)

    def schedule(self, tx: Reader) -> Context:
        """The context of all auto triggered instances, for as long as this view is open."""
        from retrofill.services.nights import ScheduleContext

        return ScheduleContext(tx, self.nights)

    @cached_property
    def nights(self) -> Nights:
        from retrofill.services.nights import Nights  # which needs this module

        return Nights(self.catalog)

    def get(self, tx: Reader, backfill_id: int) -> BackfillContext:
        """The context of an active backfill."""
        context = self._contexts.get(backfill_id)
        if context is None:
            record = tx.find_backfill(backfill_id)
            assert record is not None
            context = self.make(tx, record)
            remember(self._contexts, backfill_id, context)
        else:
            self._contexts.move_to_end(backfill_id)
        return context

    def forget(self) -> None:
        """What contexts have noted was rolled back in the ledger."""
        self._contexts.clear()

    def forget_counts(self) -> None:
        """Somebody else has changed the ledger."""
        for context in self._contexts.values():
            context.open_left.clear()
            context.reached.clear()
            context.below_failures.clear()

    def follow(self, records: Iterable[OpenBackfill | BackfillRecord]) -> None:
        """Forget plans of a policy that is not the stored one any more (BF-3)."""
        for record in records:
            context = self._contexts.get(record.id)
            if context is not None and context.policy_text != record.policy:
                del self._contexts[record.id]

    def put(self, context: BackfillContext) -> None:
        """Keep a context that has just been created, so that its plan need not be rebuilt."""
        remember(self._contexts, context.backfill_id, context)

    def make(self, tx: Reader, record: BackfillRecord) -> BackfillContext:
        """The context of a stored backfill."""
        plan = self.plan_of(tx, record)
        return BackfillContext(
            record.id, record.first_instance_id, plan, tx.task_ids(), record.version_id, record.policy
        )

    def plan_of(self, tx: Reader, record: BackfillRecord, frozen: Collection[str] = ()) -> Plan:
        """Rebuild the plan of a stored backfill.

        Args:
            frozen: tasks that a command has frozen; matters until the instances are made.
        """
        from retrofill.domain.planning import build
        from retrofill.domain.selection import Choice

        return build(
            self.catalog(tx, record.version_id),
            Choice.from_json(json.loads(record.choice)),
            Policy.from_json(json.loads(record.policy)),
            frozen=frozen,
        )


def remember(kept: OrderedDict[int, V], key: int, value: V, most: int = _KEPT) -> None:
    """Keep a value; the one that was wanted least recently goes when there are too many."""
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)
