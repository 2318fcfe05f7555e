"""Graphs of instances by backfill, and catalogs by version: the last few of each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.graph import InstanceGraph, remember
from retrofill.services.instances.stored import choice_of, policy_of
from retrofill.services.ports.records import BackfillRecord, InstanceRecord, OpenBackfill

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.planning.plan import Plan
    from retrofill.services.instances.schedule_graph import GenerationCache
    from retrofill.services.ports import Reader


class GraphCache:
    """GraphCache by backfill id and catalogs by version id, the last few of each."""

    def __init__(self) -> None:
        self._graphs: OrderedDict[int, BackfillGraph] = OrderedDict()
        self._catalogs: OrderedDict[int, Catalog] = OrderedDict()

    def catalog(self, tx: Reader, version_id: int) -> Catalog:
        catalog = self._catalogs.get(version_id)
        if catalog is None:
            from retrofill.services.catalogs import document as catalog_document

            catalog = catalog_document.load(tx.version(version_id))
            remember(self._catalogs, version_id, catalog)
        return catalog

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

        return GenerationCache(self.catalog)

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

    def put(self, context: BackfillGraph) -> None:
        """Keep a context that has just been created, so that its plan need not be rebuilt."""
        remember(self._graphs, context.backfill_id, context)

    def make(self, tx: Reader, record: BackfillRecord) -> BackfillGraph:
        """The context of a stored backfill."""
        plan = self.plan_of(tx, record)
        return BackfillGraph(
            record.id, record.first_instance_id, plan, tx.task_ids(), record.version_id, record.policy
        )

    def plan_of(self, tx: Reader, record: BackfillRecord, frozen: Collection[str] = ()) -> Plan:
        """Rebuild the plan of a stored backfill.

        Args:
            frozen: tasks that a command has frozen; matters until the instances are made.
        """
        from retrofill.domain.planning.plan import build

        return build(
            self.catalog(tx, record.version_id),
            choice_of(record),
            policy_of(record),
            frozen=frozen,
        )
