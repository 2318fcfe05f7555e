"""A backfill as the scheduler and the operations handle it: its row, its plan, its ids.

Plans are rebuilt from what is stored (version, choice, policy) and kept: instances and what
they wait for never change once they exist. Who follows whom in groups, priorities and
resource groups do when somebody changes the policy; whoever looks at the ledger anew calls
`follow` with what it found. Planning is imported where a plan is built: who only looks needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrofill.domain.planning.policy import Barrier
from retrofill.services.instances.graph import InstanceGraph

if TYPE_CHECKING:
    from retrofill.domain.arrays import IntArray
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.planning.plan import Plan
    from retrofill.services.ports import Reader

_FEW = 16  # instances for which lists are faster than arrays


@dataclass(slots=True)
class BackfillGraph(InstanceGraph):
    """One active backfill. An instance's offset in the plan is its id minus `first_id`."""

    backfill_id: int
    first_id: int
    plan: Plan
    task_ids: dict[str, int]
    version: int
    policy_text: str  # as stored: tells whether somebody has changed the policy since (BF-3)
    reached: set[int] = field(default_factory=set)  # positions
    # By position, how many instances are not Successful. Both are caches that spare queries; they hold as
    # long as nobody else commits: within a transaction, and for who leads until others have committed.
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
