"""Who waits for whom among instances, and what they are beyond their rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from retrofill.services.ports.records import InstanceRecord

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog, Task
    from retrofill.domain.planning.plan import Plan
    from retrofill.services.ports import Reader


_KEPT = 64


V = TypeVar("V")


class InstanceGraph(ABC):
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
        from retrofill.domain.catalog.definitions import RunMode
        from retrofill.domain.planning.plan import Kind
        from retrofill.domain.time.bizdates import ONE_DAY

        task, plan = self.task(row.id), self.plan_of(row.id)
        if row.kind != Kind.FROZEN.word:
            return row.kind, row.resource_group
        if task.mode is RunMode.DRY_RUN:
            return Kind.DRY_RUN.word, ""
        if not task.schedule.matches(plan.dates[self.date_index(row.id)] + ONE_DAY):
            return Kind.OFF_DAY.word, ""
        if not task.type.traits.has_code:
            return Kind.VIRTUAL.word, ""
        return Kind.RUN.word, row.resource_group


def remember(kept: OrderedDict[int, V], key: int, value: V, most: int = _KEPT) -> None:
    """Keep a value; the one that was wanted least recently goes when there are too many."""
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)
