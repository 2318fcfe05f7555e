"""Planning, creating and steering backfills."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from retrofill.domain import selection as selections
from retrofill.domain.catalog import Catalog
from retrofill.domain.errors import RetrofillError, UnknownNameError, UsageError, WrongStateError
from retrofill.domain.findings import Finding, Level, has_risk
from retrofill.domain.instants import day_start
from retrofill.domain.planning import ONE_DAY, Plan, build
from retrofill.domain.policy import Policy
from retrofill.domain.selection import AllDescendantsSelection, Choice, Limits, Selection
from retrofill.domain.states import WAITING, State
from retrofill.domain.verification import changes, summary, verify
from retrofill.services.contexts import BackfillContext, Contexts
from retrofill.services.creating import create_instances, remove_half_created
from retrofill.services.holds import holds_of
from retrofill.services.operations import ItemResult, Operations
from retrofill.services.records import BackfillRecord
from retrofill.services.statuses import note_end
from retrofill.services.times import instant_of, ms_of

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Ledger, Reader, Store

_NAME_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for: which tasks, which dates, how."""

    selection: Selection
    policy: Policy
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what verification found: preview and creation are made from this same value (VER-4)."""

    request: Request
    choice: Choice
    plan: Plan
    findings: tuple[Finding, ...]

    @property
    def has_risk(self) -> bool:
        return has_risk(self.findings)

    @property
    def is_refused(self) -> bool:
        """Whether it may be stored, but must not run (VER-2)."""
        return self.has_risk and not self.request.policy.allow_risks

    def summary(self) -> dict[str, Any]:
        """The document of `backfill plan --output json`."""
        return summary(self.plan, self.findings)


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """The settings that bound a backfill (SEL-1, POL-1, POL-13)."""

    selection: Limits
    max_bizdates: int
    max_instances: int


def make_plan(catalog: Catalog, request: Request, limits: PlanLimits, now: datetime) -> Planned:
    """Choose, plan and verify; creates nothing.

    Raises:
        SelectionError, InvalidValueError, LimitError, UnknownNameError: as the domain says.
    """
    request.policy.check_size(limits.max_bizdates)
    choice = selections.resolve(request.selection, catalog, limits.selection)
    plan = build(catalog, choice, request.policy, max_instances=limits.max_instances)
    return Planned(request, choice, plan, verify(plan, now))


class Backfills:
    """Backfills of one store, in the name of one user."""

    def __init__(self, store: Store, contexts: Contexts, clock: Clock, limits: PlanLimits, user: str) -> None:
        self._store = store
        self._contexts = contexts
        self._clock = clock
        self._limits = limits
        self._user = user

    def create(self, planned: Planned, version_id: int) -> int:
        """Store a backfill, all or nothing; its id. A refused one is stored without instances (VER-2)."""
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            task_ids = reader.task_ids()
        record = self._record(planned, version_id, now_ms)
        if planned.is_refused:
            return self._store_alone(
                record._replace(phase="refused", check_status="failed", ended_ms=now_ms), ()
            )
        start_ms = _first_start_ms(planned, now_ms)
        if isinstance(planned.request.selection, AllDescendantsSelection) and start_ms > now_ms:
            record = record._replace(phase="planned", check_status="passed", start_ms=start_ms)
            return self._store_alone(record, [task_ids[task.name] for task in planned.plan.tasks])
        return self._write(record, planned.plan, task_ids)

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

    # Steering

    def pause(self, backfill_id: int, comment: str = "") -> BackfillRecord:
        """Nothing new starts; running instances end (BF-3)."""
        return self._steer("pause", backfill_id, comment, {"paused": 1})

    def resume(self, backfill_id: int, comment: str = "") -> BackfillRecord:
        """Take back a pause or a stop."""
        return self._steer("resume", backfill_id, comment, {"paused": 0, "stopped": 0})

    def stop(self, backfill_id: int, comment: str = "") -> list[ItemResult]:
        """OPS-1: all running instances, and nothing further starts until resumed or rerun."""
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            record = self._active(tx, backfill_id, "stopped")
            running = [row.id for row, _ in tx.running() if row.backfill_id == backfill_id]
            total, successful, *_ = tx.progress(backfill_id)
            if not running and (record.stopped or (record.phase == "active" and successful == total)):
                raise WrongStateError(
                    f"backfill {backfill_id} has {'been stopped already' if record.stopped else 'succeeded'}"
                )
            tx.set_backfill(backfill_id, stopped=1)
            tx.record(now_ms, self._user, "stop", backfill_id, comment=comment)
            for instance_id in running:
                tx.mark_stopping(instance_id)
                tx.record(
                    now_ms,
                    self._user,
                    "stop",
                    backfill_id,
                    instance_id,
                    State.RUNNING,
                    State.RUNNING,
                    comment,
                )
            self._note_end(tx, backfill_id, now_ms)
        self._store.wake()
        return [ItemResult(instance_id, State.RUNNING) for instance_id in running]

    def rerun(self, backfill_id: int, only_failed: bool = False, comment: str = "") -> list[ItemResult]:
        """OPS-3: all its ended instances at once, ignoring dependencies and the order of bizdates."""
        return self._whole(
            backfill_id,
            "rerun",
            (State.FAILED,) if only_failed else (State.FAILED, State.SUCCESSFUL),
            lambda ids: self._operations().rerun(ids, comment, ignore_waits=True),
            {"stopped": 0},
        )

    def freeze(self, backfill_id: int, comment: str = "") -> list[ItemResult]:
        """BF-4: what has not started and does not wait for time or resources."""
        states: tuple[State, ...] = (State.NOT_RUN,)
        with self._store.read() as reader:
            record = self._active(reader, backfill_id, "frozen")
        if holds_of([record], instant_of(self._clock.now_ms())).starting:
            states += tuple(WAITING)  # OPS-0: what waits in a held backfill is Not run
        return self._whole(
            backfill_id, "frozen", states, lambda ids: self._operations().freeze(ids, comment), {}
        )

    def unfreeze(self, backfill_id: int, comment: str = "") -> list[ItemResult]:
        return self._whole(
            backfill_id,
            "unfrozen",
            (State.FROZEN,),
            lambda ids: self._operations().unfreeze(ids, comment),
            {},
        )

    # Inside

    def _operations(self) -> Operations:
        return Operations(self._store, self._contexts, self._clock, self._user)

    def _record(self, planned: Planned, version_id: int, now_ms: int) -> BackfillRecord:
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
            created_by=self._user,
            created_ms=now_ms,
            start_ms=None,
            started_ms=None,
            ended_ms=None,
        )

    def _store_alone(self, record: BackfillRecord, task_ids: list[int] | tuple[()]) -> int:
        with self._store.transaction() as tx:
            backfill_id = tx.add_backfill(record, task_ids)
            tx.record(record.created_ms, self._user, "create", backfill_id)
        self._store.wake()
        return backfill_id

    def _write(self, record: BackfillRecord, plan: Plan, task_ids: dict[str, int]) -> int:
        with ExitStack() as stack:
            with self._store.transaction() as tx:
                first_id = tx.reserve_instance_ids(plan.n * len(plan.dates))
                record = record._replace(first_instance_id=first_id)
                backfill_id = tx.add_backfill(record, [task_ids[task.name] for task in plan.tasks])
                tx.record(record.created_ms, self._user, "create", backfill_id)
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
        assert catalog is not None
        request = Request(
            selections.from_json(json.loads(record.selection)),
            Policy.from_json(json.loads(record.policy)),
            record.name,
        )
        try:
            planned = make_plan(catalog, request, self._limits, instant_of(now_ms))
        except RetrofillError as error:
            self._refuse(record, now_ms, json.loads(record.analysis) | {"findings": [_impossible(error)]})
            return
        then = Choice.from_json(json.loads(record.choice)).tasks
        planned = replace(planned, findings=(*changes(then, planned.plan), *planned.findings))
        if planned.is_refused:
            self._refuse(record, now_ms, planned.summary())
            return
        fresh = self._record(planned, version_id or 0, now_ms)
        with ExitStack() as stack:
            with self._store.transaction() as tx:
                now = tx.find_backfill(record.id)
                if now is None or now.phase != "planned" or now.paused or now.stopped:
                    return  # somebody was faster, or has taken it back
                first_id = tx.reserve_instance_ids(planned.plan.n * len(planned.plan.dates))
                stack.enter_context(self._store.creating(record.id))
                tx.set_tasks(record.id, [task_ids[task.name] for task in planned.plan.tasks])
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

    def _active(self, reader: Reader, backfill_id: int, done: str) -> BackfillRecord:
        record = reader.find_backfill(backfill_id)
        if record is None:
            raise UnknownNameError(f"there is no backfill {backfill_id}")
        if record.phase == "refused":
            raise WrongStateError(
                f"backfill {backfill_id} failed its verification and has no instances, so it cannot be {done}",
                f"Mend what `retrofill backfill analysis {backfill_id}` shows, "
                f"or accept it with `retrofill backfill create --reuse {backfill_id} --allow-risks` and dates and "
                "policy as before.",
            )
        return record

    def _steer(self, action: str, backfill_id: int, comment: str, columns: dict[str, Any]) -> BackfillRecord:
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            record = self._active(tx, backfill_id, f"{action}d" if action.endswith("e") else f"{action}ped")
            if all(getattr(record, name) == value for name, value in columns.items()):
                return record  # OPS-8: unchanged
            tx.set_backfill(backfill_id, **columns)
            tx.record(now_ms, self._user, action, backfill_id, comment=comment)
            self._note_end(tx, backfill_id, now_ms)
        self._store.wake()
        return record._replace(**columns)

    def _whole(
        self,
        backfill_id: int,
        done: str,
        states: tuple[State, ...],
        apply: Callable[[list[int]], list[ItemResult]],
        columns: dict[str, Any],
    ) -> list[ItemResult]:
        with self._store.read() as reader:
            record = self._active(reader, backfill_id, done)
            last = record.first_instance_id + record.stride * len(reader.dates(backfill_id)) - 1
            names = ", ".join(f"'{state.value}'" for state in states)
            ids = [
                row.id
                for row in reader.instance_range(record.first_instance_id, last, [f"state IN ({names})"])
            ]
        if not ids:
            words = " or ".join(state.words for state in states)
            raise WrongStateError(f"backfill {backfill_id} has no {words} instance, so nothing can be {done}")
        results: list[ItemResult] = apply(ids)
        if columns and any(item.ok for item in results):
            self._steer("resume", backfill_id, "", columns)
        return results

    def _note_end(self, tx: Ledger, backfill_id: int, now_ms: int) -> None:
        record = tx.find_backfill(backfill_id)
        assert record is not None
        note_end(tx, record, now_ms, holds_of(tx.open_backfills(), instant_of(now_ms)))


def check_name(name: str) -> None:
    """SEL-0.

    Raises:
        UsageError: empty, too long, or with characters that cannot be shown.
    """
    if not name.strip() or len(name) > _NAME_LENGTH or not name.isprintable():
        raise UsageError(
            f"a backfill's name has 1 to {_NAME_LENGTH} printable characters, this one has {len(name)}",
            "Choose another --name, or leave it out.",
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


def _startable(reader: Reader) -> list[BackfillRecord]:
    """Planned backfills that nobody holds back."""
    return [r for r in reader.in_phase("planned") if not (r.paused or r.stopped)]


def _impossible(error: RetrofillError) -> dict[str, object]:
    return Finding(Level.RISK, error.code, f"{error.message}.", hint=error.hint).to_json()
