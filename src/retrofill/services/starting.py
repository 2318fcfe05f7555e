"""From a plan to a backfill that runs: stored, its instances made, or refused.

A backfill by SEL-4 that starts later is stored without instances (phase `planned`); these are
made when it starts.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from retrofill.domain import selection as selections
from retrofill.domain.alerting import Event
from retrofill.domain.errors import RetrofillError
from retrofill.domain.findings import Finding, Level
from retrofill.domain.instants import day_start
from retrofill.domain.planning import ONE_DAY, Plan
from retrofill.domain.policy import Policy
from retrofill.domain.selection import AllDescendantsSelection, Choice
from retrofill.domain.verification import changes
from retrofill.services.alerting import alert_of, tell
from retrofill.services.contexts import BackfillContext, Contexts
from retrofill.services.creating import create_instances, remove_half_created
from retrofill.services.estimating import document, estimate_plan, gather
from retrofill.services.planned import PlanLimits, Planned, Request, check_name, make_plan
from retrofill.services.records import BackfillRecord
from retrofill.services.times import instant_of, ms_of

if TYPE_CHECKING:
    from retrofill.domain.estimation import Estimate
    from retrofill.services.ports import Clock, Ledger, Reader, Store


class Starting:
    """Stores and starts the backfills of one store."""

    def __init__(self, store: Store, contexts: Contexts, clock: Clock, limits: PlanLimits) -> None:
        self._store = store
        self._contexts = contexts
        self._clock = clock
        self._limits = limits

    def create(self, planned: Planned, version_id: int, user: str) -> int:
        """Store a backfill, all or nothing; its id. A refused one is stored without instances (VER-2)."""
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            task_ids = reader.task_ids()
            if planned.estimate is None:
                experience = gather(reader, self._contexts, now_ms)
                planned = replace(planned, estimate=estimate_plan(planned.plan, experience, now_ms))
        record = record_of(planned, version_id, user, now_ms)
        ids = [task_ids[task.name] for task in planned.plan.tasks]
        if planned.is_refused:
            refused = record._replace(phase="refused", check_status="failed", ended_ms=now_ms)
            return self._store_alone(refused, ids)
        start_ms = _first_start_ms(planned, now_ms)
        if isinstance(planned.request.selection, AllDescendantsSelection) and start_ms > now_ms:
            record = record._replace(phase="planned", check_status="passed", start_ms=start_ms)
            return self._store_alone(record, ids, planned.estimate)
        return self._write(record, planned, task_ids)

    def start_planned(self) -> list[int]:
        """SEL-4: make the instances of backfills whose start has come, from the catalog of now."""
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            due = [r for r in _startable(reader) if (r.start_ms or 0) <= now_ms]
        for record in due:
            self._start_one(record, now_ms)
        return [record.id for record in due]

    def next_planned_ms(self) -> int | None:
        """When the next backfill starts whose instances are not made yet."""
        with self._store.read() as reader:
            moments = [record.start_ms for record in _startable(reader)]
        return min((moment for moment in moments if moment is not None), default=None)

    def remove_leftovers(self) -> None:
        """Remove backfills that a crash left half created."""
        with self._store.read() as reader:
            left = reader.in_phase("creating")
        for record in left:
            if not self._store.is_being_created(record.id):
                remove_half_created(self._store, record)

    # Inside

    def _store_alone(
        self, record: BackfillRecord, task_ids: list[int], expected: Estimate | None = None
    ) -> int:
        with self._store.transaction() as tx:
            backfill_id = tx.add_backfill(record, task_ids)
            _keep_estimate(tx, backfill_id, expected)
            tx.record(record.created_ms, record.created_by, "create", backfill_id)
        self._store.wake()
        return backfill_id

    def _write(self, record: BackfillRecord, planned: Planned, task_ids: dict[str, int]) -> int:
        plan = planned.plan
        with ExitStack() as stack:
            with self._store.transaction() as tx:
                first_id = tx.reserve_instance_ids(plan.n * len(plan.dates))
                record = record._replace(first_instance_id=first_id)
                backfill_id = tx.add_backfill(record, [task_ids[task.name] for task in plan.tasks])
                _keep_estimate(tx, backfill_id, planned.estimate)
                tx.record(record.created_ms, record.created_by, "create", backfill_id)
                stack.enter_context(self._store.creating(backfill_id))
            self._fill(backfill_id, first_id, plan, task_ids, record.created_ms)
        return backfill_id

    def _fill(
        self, backfill_id: int, first_id: int, plan: Plan, task_ids: dict[str, int], now_ms: int
    ) -> None:
        """Write the instances; the caller holds the mark of `creating`."""
        context = BackfillContext(backfill_id, first_id, plan, task_ids)
        create_instances(self._store, context, now_ms)
        self._contexts.put(context)
        self._store.wake()

    def _start_one(self, record: BackfillRecord, now_ms: int) -> None:
        with self._store.read() as reader:
            catalog = self._contexts.current(reader)
            version_id = reader.current_version_id()
            task_ids = reader.task_ids()
            experience = gather(reader, self._contexts, now_ms, besides=record.id)
        assert catalog is not None
        request = Request(
            selections.from_json(json.loads(record.selection)),
            Policy.from_json(json.loads(record.policy)),
            record.name,
        )
        try:
            planned = make_plan(catalog, request, self._limits, instant_of(now_ms), experience)
        except RetrofillError as error:
            self._refuse(record, now_ms, json.loads(record.analysis) | {"findings": [_impossible(error)]})
            return
        then = Choice.from_json(json.loads(record.choice)).tasks
        planned = replace(planned, findings=(*changes(then, planned.plan), *planned.findings))
        if planned.is_refused:
            self._refuse(record, now_ms, planned.summary())
            return
        fresh = record_of(planned, version_id or 0, record.created_by, now_ms)
        with ExitStack() as stack:
            with self._store.transaction() as tx:
                now = tx.find_backfill(record.id)
                if now is None or now.phase != "planned" or now.paused or now.stopped:
                    return  # somebody was faster, or has taken it back
                first_id = tx.reserve_instance_ids(planned.plan.n * len(planned.plan.dates))
                stack.enter_context(self._store.creating(record.id))
                tx.set_tasks(record.id, [task_ids[task.name] for task in planned.plan.tasks])
                _keep_estimate(tx, record.id, planned.estimate)
                tx.set_backfill(
                    record.id,
                    phase="creating",
                    version_id=version_id,
                    choice=fresh.choice,
                    analysis=fresh.analysis,
                    task_count=fresh.task_count,
                    instance_count=fresh.instance_count,
                    first_instance_id=first_id,
                    stride=fresh.stride,
                )
            self._fill(record.id, first_id, planned.plan, task_ids, now_ms)

    def _refuse(self, record: BackfillRecord, now_ms: int, analysis: dict[str, object]) -> None:
        with self._store.transaction() as tx:
            tx.set_backfill(
                record.id,
                phase="refused",
                check_status="failed",
                ended_ms=now_ms,
                analysis=json.dumps(analysis),
            )
            tell(tx, record.id, alert_of(record.policy), Event.FAILURE, now_ms)


def record_of(planned: Planned, version_id: int, user: str, now_ms: int) -> BackfillRecord:
    """The row of a backfill that is about to be made."""
    name = planned.request.name
    if name is None:
        name = selections.automatic_name(planned.request.selection, instant_of(now_ms))
    check_name(name)
    return BackfillRecord(
        id=0,
        name=name,
        phase="creating",
        check_status="checking",
        version_id=version_id,
        selection=json.dumps(selections.to_json(planned.request.selection)),
        choice=json.dumps(planned.choice.to_json()),
        policy=json.dumps(planned.request.policy.to_json()),
        analysis=json.dumps(planned.summary()),
        task_count=len(planned.plan.tasks),
        instance_count=planned.plan.instance_count,
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


def _first_start_ms(planned: Planned, now_ms: int) -> int:
    """The first moment at which an instance may start."""
    plan = planned.plan
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


def _keep_estimate(tx: Ledger, backfill_id: int, expected: Estimate | None) -> None:
    """What is expected before it begins, to be told later how far off that was (BF-2)."""
    if expected is not None:
        tx.times.set_first_estimate(backfill_id, json.dumps(document(expected)))


def _startable(reader: Reader) -> list[BackfillRecord]:
    """Planned backfills that nobody holds back."""
    return [r for r in reader.in_phase("planned") if not (r.paused or r.stopped)]


def _impossible(error: RetrofillError) -> dict[str, object]:
    return Finding(Level.RISK, error.code, f"{error.message}.", hint=error.hint).to_json()
