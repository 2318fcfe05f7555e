"""The row of a backfill, made from its plan: stored alone, or with its instances made after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from retrofill.domain.errors import WrongStateError
from retrofill.domain.planning.plan import Plan
from retrofill.domain.running.expected import Expected
from retrofill.domain.selection import ways
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.instants import day_start
from retrofill.domain.time.milliseconds import instant_of, ms_of
from retrofill.domain.verification.summaries import task_count
from retrofill.services.backfills.estimates import document
from retrofill.services.backfills.expected import NOTHING_MOVED, checksum
from retrofill.services.backfills.instance_rows import create_instances
from retrofill.services.backfills.requests import PlannedBackfill, check_name
from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.stored import text_of
from retrofill.services.ports.records import BackfillRecord

if TYPE_CHECKING:
    from retrofill.domain.estimating.estimate import Estimate
    from retrofill.services.ports import Ledger, Store


class PlanChangedError(WrongStateError):
    """Look at the plan as it is now, then create that."""

    code = "plan_changed"


Noted = Callable[["Ledger", int], None]


def nothing_noted(tx: Ledger, backfill_id: int) -> None:
    """Nothing is noted beside a new backfill."""


class BackfillRows:
    """Stores backfills, and makes their instances.

    Args:
        noted: what is written beside a new backfill, in the transaction that adds it.
    """

    def __init__(self, store: Store, graphs: GraphCache, noted: Noted = nothing_noted) -> None:
        self._store = store
        self._graphs = graphs
        self._noted = noted

    def store_alone(
        self, record: BackfillRecord, task_ids: list[int], expected: Estimate | None = None
    ) -> int:
        """Store a backfill without instances; its id."""
        with self._store.transaction() as tx:
            backfill_id = self.add(tx, record, task_ids, expected)
        self._store.wake()
        return backfill_id

    def add(self, tx: Ledger, record: BackfillRecord, task_ids: list[int], expected: Estimate | None) -> int:
        """Add a row with what is expected of it, who asked for it, and what else is to be noted; its id.

        Raises:
            PlanChangedError: another version is deployed by now than the one that it was planned from.
        """
        if tx.current_version_id() != record.version_id:
            raise PlanChangedError("the project was deployed anew since the plan was made")
        backfill_id = tx.add_backfill(record, task_ids)
        keep_estimate(tx, backfill_id, record.policy, expected)
        tx.record(record.created_ms, record.created_by, "create", backfill_id)
        self._noted(tx, backfill_id)
        return backfill_id

    def fill(self, record: BackfillRecord, plan: Plan, task_ids: dict[str, int], now_ms: int) -> None:
        """Write the instances of a backfill in phase `creating`; the caller holds its mark."""
        policy = text_of(plan.policy)
        graph = BackfillGraph(record.id, record.first_instance_id, plan, task_ids, record.version_id, policy)
        create_instances(self._store, graph, now_ms)
        self._graphs.put(graph, record._replace(policy=policy))
        self._store.wake()


def reserved(tx: Ledger, plan: Plan) -> dict[str, Any]:
    """Columns: what a backfill's row says while its instances are made."""
    first_id = tx.reserve_instance_ids(plan.n * len(plan.dates))
    return {"phase": "creating", "first_instance_id": first_id, "stride": plan.n}


def record_of(planned: PlannedBackfill, version_id: int, user: str, now_ms: int) -> BackfillRecord:
    """The row of a backfill that is about to be made."""
    name = planned.request.name
    if name is None:
        name = ways.automatic_name(planned.request.selection, instant_of(now_ms))
    check_name(name)
    return BackfillRecord(
        id=0,
        name=name,
        phase="creating",
        check_status="checking",
        version_id=version_id,
        selection=text_of(planned.request.selection),
        choice=text_of(planned.choice),
        policy=text_of(planned.request.policy),
        analysis=text_of(planned.summary()),
        task_count=task_count(planned.plan),
        instance_count=planned.plan.instance_count,
        run_count=sum(planned.plan.running_counts),
        first_instance_id=0,
        stride=planned.plan.n,
        paused=0,
        stopped=0,
        created_by=user,
        created_ms=now_ms,
        start_ms=None,
        started_ms=None,
        ended_ms=None,
    )


def first_start_ms(plan: Plan, now_ms: int) -> int:
    """The first moment at which an instance may start."""
    now = instant_of(now_ms)
    earliest = min(
        int(plan.due(position).min()) * 1000
        for position in range(len(plan.dates))
        if plan.present(position).any()
    )
    if plan.policy.run_future:
        zones = {plan.catalog.timezone_of(task) for task in plan.tasks}
        elapsed = min(plan.dates) + ONE_DAY
        earliest = min(earliest, *(ms_of(day_start(elapsed, zone)) for zone in zones))
    window = plan.policy.window
    start = max(now_ms, earliest)
    if window is not None and not window.is_open(max(now, instant_of(start))):
        start = ms_of(window.next_open(instant_of(start)))
    return start


def keep_estimate(tx: Ledger, backfill_id: int, policy: str, expected: Estimate | None) -> None:
    """What is expected before it begins, to be told later how far off that was (BF-2)."""
    if expected is not None:
        tx.times.set_first_estimate(backfill_id, json.dumps(document(expected)))
        now = Expected(expected.end_ms, expected.at_ms, checksum(policy), NOTHING_MOVED)
        tx.times.set_expected(backfill_id, now.to_json())
