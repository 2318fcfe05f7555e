"""From a plan to a backfill: stored with its instances, to start later, to be checked, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from retrofill.services.backfills.backfill_rows import (
    BackfillRows,
    Noted,
    first_start_ms,
    nothing_noted,
    record_of,
    reserved,
)
from retrofill.services.backfills.checks import CheckRounds, ChecksOf, no_checks
from retrofill.services.backfills.estimates import estimate_plan, gather_facts
from retrofill.services.backfills.requests import PlannedBackfill
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.ports import Check
from retrofill.services.ports.records import BackfillRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Store


class BackfillCreation:
    """Creates the backfills of one store.

    Args:
        checks_of: those that a deployed catalog's settings ask for; all must pass before a backfill runs.
        noted: what is written beside a new backfill, in the transaction that adds it.
    """

    def __init__(
        self,
        store: Store,
        graphs: GraphCache,
        clock: Clock,
        checks_of: ChecksOf = no_checks,
        noted: Noted = nothing_noted,
    ) -> None:
        self._store = store
        self._graphs = graphs
        self._clock = clock
        self._checks_of = checks_of
        self._rows = BackfillRows(store, graphs, noted)
        self._rounds = CheckRounds(store, self._rows, clock)

    def create(self, planned: PlannedBackfill, version_id: int, user: str) -> int:
        """Store a backfill, all or nothing; its id. A refused one is stored without instances (VER-2, VER-3).

        Waits for the answers of extension checks, if there are any; an interrupt takes it all back.
        """
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            task_ids = reader.task_ids()
            sure_ms = reader.clock.check(now_ms).sure_ms
            if planned.estimate is None:
                facts = gather_facts(reader, self._graphs, now_ms)
                planned = replace(planned, estimate=estimate_plan(planned.plan, facts, now_ms))
        record = record_of(planned, version_id, user, now_ms)
        ids = [task_ids[task.name] for task in planned.plan.tasks]
        if planned.is_refused:
            refused = record._replace(phase="refused", check_status="failed", ended_ms=now_ms)
            return self._rows.store_alone(refused, ids)
        start_ms = first_start_ms(planned.plan, sure_ms)
        is_later = start_ms > sure_ms and planned.request.selection.is_chosen_at_start
        checks = self._checks_of(planned.plan.catalog)
        if checks:
            checking = record._replace(phase="checking", start_ms=start_ms if is_later else sure_ms)
            return self._ask_first(checking, planned, checks, ids)
        if is_later:
            record = record._replace(phase="planned", check_status="passed", start_ms=start_ms)
            return self._rows.store_alone(record, ids, planned.estimate)
        return self._make(record, planned, task_ids)

    def _make(self, record: BackfillRecord, planned: PlannedBackfill, task_ids: dict[str, int]) -> int:
        plan = planned.plan
        with ExitStack() as mark:
            with self._store.transaction() as tx:
                record = record._replace(**reserved(tx, plan))
                ids = [task_ids[task.name] for task in plan.tasks]
                backfill_id = self._rows.add(tx, record, ids, planned.estimate)
                mark.enter_context(self._store.creating(backfill_id))
            self._rows.fill(record._replace(id=backfill_id), plan, task_ids, record.created_ms)
        return backfill_id

    def _ask_first(
        self, record: BackfillRecord, planned: PlannedBackfill, checks: Sequence[Check], task_ids: list[int]
    ) -> int:
        """Store, ask, and make the instances where all checks pass."""
        with ExitStack() as mark:
            with self._store.transaction() as tx:
                backfill_id = self._rows.add(tx, record, task_ids, planned.estimate)
                mark.enter_context(self._store.creating(backfill_id))
            self._rounds.ask(record._replace(id=backfill_id), planned.plan, checks)
        return backfill_id
