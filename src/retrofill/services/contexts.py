"""A backfill as the scheduler and the operations handle it: its row, its plan, its ids.

Plans are rebuilt from what is stored (version, choice, policy) and kept, because a plan
never changes once its instances exist.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrofill.domain.catalog import Catalog, Task
from retrofill.domain.planning import Plan, build
from retrofill.domain.policy import Policy
from retrofill.domain.selection import Choice
from retrofill.services import catalog_document
from retrofill.services.records import BackfillRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger, Reader

_KEPT = 64


@dataclass(slots=True)
class Context:
    """One active backfill. An instance's offset in the plan is its id minus `first_id`."""

    backfill_id: int
    first_id: int
    plan: Plan
    task_ids: dict[str, int]
    reached: set[int] = field(default_factory=set)  # positions; a cache, a reached date stays reached

    def position(self, instance_id: int) -> int:
        """Index of the instance's bizdate in running order."""
        return (instance_id - self.first_id) // self.plan.n

    def place(self, instance_id: int) -> int:
        """Index of the instance in the template of its date."""
        return (instance_id - self.first_id) % self.plan.n

    def task(self, instance_id: int) -> Task:
        return self.plan.tasks[int(self.plan.task_of[self.place(instance_id)])]

    def siblings(self, instance_id: int) -> range:
        """Ids of all instances of the same task and bizdate; some may not exist."""
        task = int(self.plan.task_of[self.place(instance_id)])
        base = self.first_id + self.position(instance_id) * self.plan.n
        return range(base + int(self.plan.first_of_task[task]), base + int(self.plan.first_of_task[task + 1]))

    def ids_of_date(self, position: int) -> range:
        base = self.first_id + position * self.plan.n
        return range(base, base + self.plan.n)

    def has_reached(self, tx: Reader, position: int) -> bool:
        if position not in self.reached and tx.is_reached(self.backfill_id, position):
            self.reached.add(position)
        return position in self.reached


class Contexts:
    """Contexts by backfill id and catalogs by version id, the last few of each."""

    def __init__(self) -> None:
        self._contexts: OrderedDict[int, Context] = OrderedDict()
        self._catalogs: OrderedDict[int, Catalog] = OrderedDict()

    def catalog(self, tx: Reader, version_id: int) -> Catalog:
        catalog = self._catalogs.get(version_id)
        if catalog is None:
            catalog = catalog_document.load(tx.version(version_id))
            self._remember(self._catalogs, version_id, catalog)
        return catalog

    def current(self, tx: Reader) -> Catalog | None:
        """The deployed catalog, None before the first deploy."""
        version_id = tx.current_version_id()
        return None if version_id is None else self.catalog(tx, version_id)

    def get(self, tx: Reader, backfill_id: int) -> Context:
        """The context of an active backfill."""
        context = self._contexts.get(backfill_id)
        if context is None:
            record = tx.find_backfill(backfill_id)
            assert record is not None
            context = self.make(tx, record)
            self._remember(self._contexts, backfill_id, context)
        else:
            self._contexts.move_to_end(backfill_id)
        return context

    def make(self, tx: Reader, record: BackfillRecord) -> Context:
        """Rebuild the plan of a stored backfill."""
        plan = build(
            self.catalog(tx, record.version_id),
            Choice.from_json(json.loads(record.choice)),
            Policy.from_json(json.loads(record.policy)),
        )
        return Context(record.id, record.first_instance_id, plan, tx.task_ids())

    def _remember(self, kept: OrderedDict[int, object], key: int, value: object) -> None:  # type: ignore[misc]
        kept[key] = value
        if len(kept) > _KEPT:
            kept.popitem(last=False)


__all__ = ["Context", "Contexts", "Ledger"]
