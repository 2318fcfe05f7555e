"""Graphs of instances by backfill, the last few: of one thread, upon plans and catalogs that all threads share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.graph import InstanceGraph, remember
from retrofill.services.instances.plans import PlanCache
from retrofill.services.instances.stored import running_tasks_of
from retrofill.services.ports.records import BackfillRecord, InstanceRecord, OpenBackfill

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.planning.plan import Plan
    from retrofill.domain.running.expected import Expected
    from retrofill.services.instances.plans import Kept, KnownTrouble, TroubleKey
    from retrofill.services.instances.schedule_graph import GenerationCache
    from retrofill.services.ports import Reader


class GraphCache:
    """Graphs by backfill id, for one thread: they count what is open while they are used.

    Such counts are right for as long as nobody else commits, so only who leads keeps them from one
    transaction to the next, and forgets them where others have committed; everybody else makes a cache for
    a call or a request.

    Args:
        plans: those that all threads of the process share; None: of its own.
    """

    def __init__(self, plans: PlanCache | None = None) -> None:
        self._plans = plans or PlanCache()
        self._graphs: OrderedDict[int, BackfillGraph] = OrderedDict()

    @property
    def expected(self) -> Kept[int, Expected]:
        """Ends of backfills that some thread has estimated lately, by id."""
        return self._plans.expected

    @property
    def troubles(self) -> Kept[TroubleKey, KnownTrouble]:
        """What some thread has lately found to hold up backfills."""
        return self._plans.troubles

    def workspaces_of(self, record: BackfillRecord) -> frozenset[str]:
        """Of the tasks that really run in a backfill, without opening a long text anew for everybody who lists it."""
        key = record.id, hash(record.choice)
        return self._plans.workspaces.got(
            key, lambda: frozenset(task.partition(".")[0] for task in running_tasks_of(record))
        )

    def catalog(self, tx: Reader, version_id: int) -> Catalog:
        return self._plans.catalog(tx, version_id)

    def current(self, tx: Reader) -> Catalog | None:
        """The deployed catalog, None before the first deploy."""
        version_id = tx.current_version_id()
        return None if version_id is None else self.catalog(tx, version_id)

    def of(self, tx: Reader, row: InstanceRecord) -> InstanceGraph:
        """The context that an instance belongs to, with what it runs (`as_run`)."""
        context = self.by_id(tx, row.backfill_id)
        if row.code_version_id is not None:
            context.newer[row.code_version_id] = self.catalog(tx, row.code_version_id)
        return context

    def by_id(self, tx: Reader, backfill_id: int | None) -> InstanceGraph:
        """The context of an active backfill; None means the schedule."""
        return self.schedule(tx) if backfill_id is None else self.get(tx, backfill_id)

    def schedule(self, tx: Reader) -> InstanceGraph:
        """The context of all auto triggered instances, for as long as this view is open."""
        from retrofill.services.instances.schedule_graph import ScheduleGraph

        return ScheduleGraph(tx, self.nights)

    @cached_property
    def nights(self) -> GenerationCache:
        from retrofill.services.instances.schedule_graph import GenerationCache

        return GenerationCache(self._plans)

    def get(self, tx: Reader, backfill_id: int) -> BackfillGraph:
        """The context of an active backfill."""
        context = self._graphs.get(backfill_id)
        if context is None:
            record = tx.find_backfill(backfill_id)
            assert record is not None
            context = self.make(tx, record)
            remember(self._graphs, backfill_id, context)
        else:
            self._graphs.move_to_end(backfill_id)
        return context

    def forget(self) -> None:
        """What graphs have noted was rolled back in the ledger."""
        self._graphs.clear()

    def forget_counts(self) -> None:
        """Somebody else has changed the ledger."""
        for context in self._graphs.values():
            context.open_left.clear()
            context.reached.clear()
            context.below_failures.clear()

    def follow(self, records: Iterable[OpenBackfill | BackfillRecord]) -> None:
        """Forget plans of a policy that is not the stored one any more (BF-3)."""
        for record in records:
            context = self._graphs.get(record.id)
            if context is not None and context.policy_text != record.policy:
                del self._graphs[record.id]

    def put(self, context: BackfillGraph, record: BackfillRecord) -> None:
        """Keep a context that has just been created, so that its plan need not be rebuilt."""
        self._plans.put(record, context.plan)
        remember(self._graphs, context.backfill_id, context)

    def make(self, tx: Reader, record: BackfillRecord) -> BackfillGraph:
        """The context of a stored backfill."""
        plan = self._plans.plan(tx, record)
        return BackfillGraph(
            record.id, record.first_instance_id, plan, tx.task_ids(), record.version_id, record.policy
        )

    def plan_of(self, tx: Reader, record: BackfillRecord, frozen: Collection[str] = ()) -> Plan:
        """The plan of a backfill whose instances are not made yet.

        Args:
            frozen: tasks that a command has frozen; matters until the instances are made.
        """
        return self._plans.build(tx, record, frozenset(frozen))
