"""Who holds slots now, and who gets the free ones (RUN-1, RUN-5, RUN-6, RUN-7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.running.slots import FreeSlots, choose, free_slots
from retrofill.domain.running.states import State
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.ports.records import InstanceRecord, Partition, RunRecord
from retrofill.services.ports.start_filter import StartFilter

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger


@dataclass(slots=True)
class RunningInstance:
    """What the scheduler must know of a running instance to count slots, and to let it make way."""

    backfill_id: int | None
    task_id: int
    resource_group: str
    started_ms: int
    bizdate: str
    slot: int
    same_partition_id: int | None = (
        None  # the auto triggered instance of the same task and T, of a backfill's (RUN-5)
    )
    looked: bool = False  # whether one was looked for

    @property
    def partition(self) -> Partition:
        return self.task_id, self.bizdate, self.slot


class Slots:
    """The instances that run, and the choice of those that start next.

    They are counted from the open runs of the ledger, wherever these live (`follow`). What a tick starts and ends itself
    is kept up to date instead of being read again, which holds for as long as nobody else commits.
    """

    def __init__(self, graphs: GraphCache) -> None:
        self._graphs = graphs
        self._running: dict[int, RunningInstance] = {}
        # Ready instances that were met on the way to a start while somebody wrote their partition, by it: they
        # are not asked for again before that one has ended. What is not met costs nothing (RUN-7).
        self._behind: dict[Partition, set[int]] = {}

    def __contains__(self, instance_id: int) -> bool:
        return instance_id in self._running

    def __len__(self) -> int:
        return len(self._running)

    def follow(self, open_runs: Iterable[tuple[InstanceRecord, RunRecord]]) -> None:
        """Count the open runs anew, as a tick's transaction sees them."""
        before, self._running = self._running, {}
        for row, run in open_runs:
            known = before.get(row.id)
            self.take(row, run.started_ms)
            if known is not None and known.started_ms == run.started_ms:
                now = self._running[row.id]
                now.same_partition_id, now.looked = known.same_partition_id, known.looked

    def take(self, row: InstanceRecord, started_ms: int) -> None:
        """Note that an instance runs."""
        self._running[row.id] = RunningInstance(
            row.backfill_id, row.task_id, row.resource_group, started_ms, row.bizdate, row.slot
        )

    def find(self, instance_id: int) -> RunningInstance | None:
        return self._running.get(instance_id)

    def release(self, instance_id: int) -> None:
        """Note that an instance runs no more."""
        del self._running[instance_id]

    def has_any_of(self, backfill_id: int) -> bool:
        """Whether an instance of the backfill runs."""
        return any(running.backfill_id == backfill_id for running in self._running.values())

    def yield_to_auto(self, tx: Ledger) -> Iterator[int]:
        """Backfill instances that are told to stop for an auto triggered one that is ready (RUN-5)."""
        in_the_way: dict[int, list[int]] = {}  # several backfills may run the same task and T
        for instance_id, running in self._running.items():
            if running.same_partition_id is not None:
                in_the_way.setdefault(running.same_partition_id, []).append(instance_id)
        for rival in tx.instances(in_the_way) if in_the_way else ():
            if rival.state == State.WAITING_RESOURCES:
                yield from (i for i in in_the_way[rival.id] if tx.mark_yielding(i))

    def find_rivals(self, tx: Ledger, again: bool = False) -> None:
        """Look which running backfill instances would write the same partition as an auto triggered one.

        Args:
            again: also for those that had none, because some may have been made.
        """
        for running in self._running.values():
            if (
                running.backfill_id is None
                or running.same_partition_id is not None
                or (running.looked and not again)
            ):
                continue
            running.same_partition_id = tx.generations.find_instance(
                running.task_id, running.bizdate, running.slot
            )
            running.looked = True

    def wanted(self, held: tuple[int, ...], auto: bool) -> StartFilter:
        """What may start now at all where there are auto triggered instances.

        Args:
            held: backfills of which nothing may start.
            auto: whether auto triggered instances may; one that nobody starts keeps no backfill waiting.
        """
        running = self._running.values()
        taken = {r.task_id for r in running if r.backfill_id is None}
        rivals = [r.same_partition_id for r in running if r.same_partition_id is not None]
        return StartFilter(held=held, auto=auto, taken=sorted(taken), yields=auto, behind=sorted(rivals))

    def choose(
        self, tx: Ledger, catalog: Catalog, wanted: StartFilter, elsewhere: bool = True
    ) -> list[InstanceRecord]:
        """The instances that start now, in their order (RUN-1); none writes what another one writes (RUN-7).

        Args:
            elsewhere: whether instances of groups may start that run on other machines.
        """
        running = self._running.values()
        writing = {r.partition for r in running}
        self._behind = {partition: ids for partition, ids in self._behind.items() if partition in writing}
        behind = {*wanted.behind, *(i for ids in self._behind.values() for i in ids)}
        used = Counter(r.resource_group for r in running)
        of_backfills = Counter(r.resource_group for r in running if r.backfill_id is not None)
        per_task = Counter(r.task_id for r in running)
        free = {
            name: free_slots(group.slots, group.reserved_for_auto, used[name], of_backfills[name])
            for name, group in catalog.resource_groups.items()
            if group.is_local or elsewhere
        }
        limits: dict[int, int | None] = {}
        chosen: list[InstanceRecord] = []
        full: set[int] = set()
        most_met = 0
        while True:
            asked = replace(wanted, behind=sorted(behind)) if behind else wanted
            found = _candidates(tx, free, asked, full, len(chosen) + most_met)
            candidates = [row for row in found if row not in chosen]
            for row in candidates:
                if row.task_id not in limits:
                    limits[row.task_id] = self._graphs.of(tx, row).task(row.id).max_parallel_instances
            more = choose(candidates, free, per_task, limits, writing)
            chosen += more.starts
            full |= more.full
            for row in more.behind:
                self._behind.setdefault(row.partition, set()).add(row.id)
                behind.add(row.id)
            most_met = max(most_met, 2 * len(more.behind))  # where many write the same, many may follow
            if not more.is_cut:
                return chosen


def _candidates(
    tx: Ledger,
    free: Mapping[str, FreeSlots],
    wanted: StartFilter,
    full: Collection[int],
    more: int,
) -> list[InstanceRecord]:
    """The first of every group that has a free slot, in the order of RUN-1 over all groups.

    Args:
        more: instances beyond the free slots; those chosen before still stand among what is found, because
            the ledger does not know of them yet.
    """
    found: list[InstanceRecord] = []
    for group, slots in free.items():
        if slots.all:
            asked = wanted
            if full or not slots.backfill:
                asked = replace(wanted, full=sorted(full), backfill=slots.backfill > 0)
            found += tx.candidates(group, asked, slots.all + more)
    if len(free) > 1:
        found.sort(key=lambda row: (-row.priority, row.backfill_id is not None, row.due_ms, row.id))
    return found
