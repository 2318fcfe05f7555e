"""From a plan to a backfill that runs: stored, its instances made, or refused.

A backfill by SEL-4 that starts later is stored without instances (phase `planned`); these are
made when it starts. Where extension checks are to be asked, it is stored first (phase
`checking`), so that everybody sees it while they think and a crash loses nothing: a
scheduler takes up what nobody is asking about any more, and asks again (VER-3).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retrofill.domain.alerts import Event
from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.checks import Answer, all_pass, findings_of, question
from retrofill.domain.errors import NotPermittedError, RetrofillError
from retrofill.domain.people.rights import Rights
from retrofill.domain.people.roles import Actor
from retrofill.domain.planning.plan import ONE_DAY, Plan
from retrofill.domain.selection import ways
from retrofill.domain.selection.ways import AllDescendantsSelection
from retrofill.domain.time.instants import day_start
from retrofill.domain.time.milliseconds import instant_of, ms_of
from retrofill.domain.verification.codes import Level
from retrofill.domain.verification.findings import Finding, by_level
from retrofill.domain.verification.summaries import task_count
from retrofill.domain.verification.verify import changes
from retrofill.failpoints import fail_point
from retrofill.services.backfills.checks import Asking
from retrofill.services.backfills.estimates import document, estimate_plan, gather_facts
from retrofill.services.backfills.expected import NOTHING_MOVED, Expected, checksum
from retrofill.services.backfills.instance_rows import create_instances, remove_half_created
from retrofill.services.backfills.knowing import with_ledger
from retrofill.services.backfills.requests import PlanLimits, PlannedBackfill, Request, check_name, make_plan
from retrofill.services.instances.alert_queue import tell
from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.stored import (
    alert_of,
    analysis_of,
    choice_of,
    policy_of,
    selection_of,
    text_of,
)
from retrofill.services.people.accounts import find_actor
from retrofill.services.ports import Check
from retrofill.services.ports.records import BackfillRecord

if TYPE_CHECKING:
    from retrofill.domain.estimating.estimate import Estimate
    from retrofill.services.ports import Clock, Ledger, Reader, Store

ChecksOf = Callable[[Catalog], Sequence[Check]]


def no_checks(catalog: Catalog) -> Sequence[Check]:
    """Backfills run without asking anybody."""
    return ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A backfill whose checks are being asked by this process, for as long as it holds `mark`."""

    plan: Plan
    asking: Asking
    mark: ExitStack


class BackfillCreation:
    """Stores and starts the backfills of one store.

    Args:
        checks: those that a deployed catalog's settings ask for; all must pass before a backfill runs.
    """

    def __init__(
        self,
        store: Store,
        graphs: GraphCache,
        clock: Clock,
        limits: PlanLimits,
        checks: ChecksOf = no_checks,
    ) -> None:
        self._store = store
        self._graphs = graphs
        self._clock = clock
        self.limits = limits
        self._checks_of = checks
        self._asked: dict[int, _Asked] = {}

    def create(self, planned: PlannedBackfill, version_id: int, user: str) -> int:
        """Store a backfill, all or nothing; its id. A refused one is stored without instances (VER-2)."""
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            task_ids = reader.task_ids()
            if planned.estimate is None:
                facts = gather_facts(reader, self._graphs, now_ms)
                planned = replace(planned, estimate=estimate_plan(planned.plan, facts, now_ms))
        record = record_of(planned, version_id, user, now_ms)
        ids = [task_ids[task.name] for task in planned.plan.tasks]
        if planned.is_refused:
            refused = record._replace(phase="refused", check_status="failed", ended_ms=now_ms)
            return self._store_alone(refused, ids)
        start_ms = first_start_ms(planned.plan, now_ms)
        is_later = start_ms > now_ms and isinstance(planned.request.selection, AllDescendantsSelection)
        checks = self._checks_of(planned.plan.catalog)
        if checks:
            checking = record._replace(phase="checking", start_ms=start_ms if is_later else now_ms)
            return self._create_checked(checking, planned, checks, ids)
        if is_later:
            record = record._replace(phase="planned", check_status="passed", start_ms=start_ms)
            return self._store_alone(record, ids, planned.estimate)
        return self._write(record, planned, task_ids)

    def start_planned(self) -> list[int]:
        """Go on with what waits for its start (SEL-4) or for checks; ids of what was started or refused.

        Asks checks without waiting for them: the store's wake-up tells when the answers are there.
        """
        settled = [backfill_id for backfill_id in list(self._asked) if self._settle_if_answered(backfill_id)]
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            due = [r for r in _startable(reader, "planned") if (r.start_ms or 0) <= now_ms]
            abandoned = [r for r in _startable(reader, "checking") if not self._is_asked(r.id)]
        for record in due:
            self._start_one(record, now_ms)
        for record in abandoned:
            self._take_up(record, now_ms)
        return [*settled, *(record.id for record in (*due, *abandoned))]

    def wait_for_answers(self) -> None:
        """Until all that this process asks has been answered; `start_planned` then goes on with it."""
        for asked in self._asked.values():
            asked.asking.wait()

    def leave(self) -> None:
        """Let go of the backfills whose checks are still being asked: the next scheduler asks again."""
        while self._asked:
            self._asked.popitem()[1].mark.close()

    def next_planned_ms(self) -> int | None:
        """When the next backfill starts whose instances are not made yet."""
        with self._store.read() as reader:
            moments = [record.start_ms for record in _startable(reader, "planned")]
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
            _keep_estimate(tx, backfill_id, record.policy, expected)
            tx.record(record.created_ms, record.created_by, "create", backfill_id)
        self._store.wake()
        return backfill_id

    def _write(self, record: BackfillRecord, planned: PlannedBackfill, task_ids: dict[str, int]) -> int:
        plan = planned.plan
        with ExitStack() as stack:
            with self._store.transaction() as tx:
                first_id = tx.reserve_instance_ids(plan.n * len(plan.dates))
                record = record._replace(first_instance_id=first_id)
                backfill_id = tx.add_backfill(record, [task_ids[task.name] for task in plan.tasks])
                _keep_estimate(tx, backfill_id, record.policy, planned.estimate)
                tx.record(record.created_ms, record.created_by, "create", backfill_id)
                stack.enter_context(self._store.creating(backfill_id))
            self._fill(record._replace(id=backfill_id), plan, task_ids, record.created_ms)
        return backfill_id

    def _fill(self, record: BackfillRecord, plan: Plan, task_ids: dict[str, int], now_ms: int) -> None:
        """Write the instances; the caller holds the mark of `creating`."""
        policy = text_of(plan.policy)
        context = BackfillGraph(
            record.id, record.first_instance_id, plan, task_ids, record.version_id, policy
        )
        create_instances(self._store, context, now_ms)
        self._graphs.put(context, record._replace(policy=policy))
        self._store.wake()

    # Checks

    def _create_checked(
        self, record: BackfillRecord, planned: PlannedBackfill, checks: Sequence[Check], task_ids: list[int]
    ) -> int:
        """Store, ask, and make the instances where all checks pass; an interrupt takes it all back."""
        with ExitStack() as mark:
            with self._store.transaction() as tx:
                backfill_id = tx.add_backfill(record, task_ids)
                _keep_estimate(tx, backfill_id, record.policy, planned.estimate)
                tx.record(record.created_ms, record.created_by, "create", backfill_id)
                mark.enter_context(self._store.creating(backfill_id))
            try:
                fail_point("checks.noted")
                asked = record._replace(id=backfill_id)
                answers = Asking(checks, _question(asked, planned.plan), lambda: None).wait()
            except KeyboardInterrupt:
                with self._store.transaction() as tx:
                    tx.delete_half_created(backfill_id)
                raise
            self._settle(backfill_id, planned.plan, answers)
        return backfill_id

    def _is_asked(self, backfill_id: int) -> bool:
        """Whether somebody asks about it now, here or in another process."""
        return backfill_id in self._asked or self._store.is_being_created(backfill_id)

    def _take_up(self, record: BackfillRecord, now_ms: int) -> None:
        """Ask again about a backfill that its process left in `checking`."""
        if isinstance(selection_of(record), AllDescendantsSelection) and (record.start_ms or 0) <= now_ms:
            self._start_one(record, now_ms)  # SEL-4: from the tasks of now
            return
        with self._store.read() as reader:
            plan = self._graphs.plan_of(reader, record, reader.frozen_tasks.names())
            current = self._graphs.current(reader)
        assert current is not None
        with ExitStack() as mark:
            mark.enter_context(self._store.creating(record.id))
            self._ask_aside(record, plan, self._checks_of(current), mark.pop_all())

    def _ask_aside(
        self, record: BackfillRecord, plan: Plan, checks: Sequence[Check], mark: ExitStack
    ) -> None:
        """Ask while the scheduler goes on; the mark is kept until the answers are settled."""
        asking = Asking(checks, _question(record, plan), self._store.wake)
        self._asked[record.id] = _Asked(plan, asking, mark)

    def _settle_if_answered(self, backfill_id: int) -> bool:
        asked = self._asked[backfill_id]
        answers = asked.asking.find_answers()
        if answers is None:
            return False
        del self._asked[backfill_id]
        with asked.mark:
            self._settle(backfill_id, asked.plan, answers)
        return True

    def _settle(self, backfill_id: int, plan: Plan, answers: Sequence[Answer]) -> None:
        """Keep the answers, then let the backfill run, wait for its start or be refused."""
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            record = tx.find_backfill(backfill_id)
            if record is None or record.phase != "checking":
                return
            passed = all_pass(answers)
            if passed and record.stopped:
                return  # resumed, it is asked about again
            runs_now = passed and (record.start_ms or 0) <= now_ms
            tx.set_backfill(backfill_id, analysis=text_of(_with_answers(record, answers)))
            if runs_now:
                tx.set_backfill(backfill_id, **self._reserved(tx, plan))
            elif passed:
                tx.set_backfill(backfill_id, phase="planned", check_status="passed")
            else:
                tx.set_backfill(backfill_id, phase="refused", check_status="failed", ended_ms=now_ms)
                tell(tx, backfill_id, alert_of(record), Event.FAILURE, now_ms)
            settled, task_ids = tx.find_backfill(backfill_id), tx.task_ids()
        assert settled is not None
        if runs_now:
            self._fill(settled, plan, task_ids, now_ms)
        self._store.wake()

    def _reserved(self, tx: Ledger, plan: Plan) -> dict[str, object]:
        """Columns: what a backfill's row says while its instances are made."""
        first_id = tx.reserve_instance_ids(plan.n * len(plan.dates))
        return {"phase": "creating", "first_instance_id": first_id, "stride": plan.n}

    # BackfillCreation later (SEL-4)

    def _start_one(self, record: BackfillRecord, now_ms: int) -> None:
        """Plan and verify anew, then make the instances, or ask the checks first."""
        with self._store.read() as reader:
            catalog = self._graphs.current(reader)
            version_id = reader.current_version_id()
            task_ids = reader.task_ids()
            facts = gather_facts(reader, self._graphs, now_ms, besides=record.id)
            creator = find_actor(reader.people, catalog, record.created_by)
        assert catalog is not None
        request = Request(selection_of(record), policy_of(record), record.name)
        try:
            rights = _rights_of(creator, record.created_by, catalog)
            planned = make_plan(catalog, request, self.limits, instant_of(now_ms), facts, rights)
        except RetrofillError as error:
            self._refuse(record, now_ms, {**analysis_of(record), "findings": [_impossible(error)]})
            return
        then = choice_of(record).tasks
        planned = replace(planned, findings=(*changes(then, planned.plan), *planned.findings))
        with self._store.read() as reader:
            planned = with_ledger(planned, reader, self._graphs, rights, besides=record.id)
        if planned.is_refused:
            self._refuse(record, now_ms, planned.summary())
            return
        fresh = record_of(planned, version_id or 0, record.created_by, now_ms)
        columns: dict[str, object] = {name: getattr(fresh, name) for name in _PLANNED_ANEW}
        checks = self._checks_of(catalog)
        with ExitStack() as mark:
            with self._store.transaction() as tx:
                now = tx.find_backfill(record.id)
                if now is None or now.phase != record.phase or now.paused or now.stopped:
                    return  # somebody was faster, or has taken it back
                if now.policy != record.policy:
                    return  # somebody has changed it: the next look plans it anew
                columns |= {"phase": "checking"} if checks else self._reserved(tx, planned.plan)
                tx.set_tasks(record.id, [task_ids[task.name] for task in planned.plan.tasks])
                _keep_estimate(tx, record.id, record.policy, planned.estimate)
                tx.set_backfill(record.id, **columns)
                started = tx.find_backfill(record.id)
                assert started is not None
                mark.enter_context(self._store.creating(record.id))
            if checks:
                self._ask_aside(started, planned.plan, checks, mark.pop_all())
            else:
                self._fill(started, planned.plan, task_ids, now_ms)

    def _refuse(self, record: BackfillRecord, now_ms: int, analysis: dict[str, object]) -> None:
        with self._store.transaction() as tx:
            tx.set_backfill(
                record.id,
                phase="refused",
                check_status="failed",
                ended_ms=now_ms,
                analysis=text_of(analysis),
            )
            tell(tx, record.id, alert_of(record), Event.FAILURE, now_ms)


# Columns of a backfill that are worked out again when it starts.
_PLANNED_ANEW = (
    "check_status", "version_id", "choice", "analysis", "task_count", "instance_count", "run_count", "stride",
)  # fmt: skip


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


def _keep_estimate(tx: Ledger, backfill_id: int, policy: str, expected: Estimate | None) -> None:
    """What is expected before it begins, to be told later how far off that was (BF-2)."""
    if expected is not None:
        tx.times.set_first_estimate(backfill_id, json.dumps(document(expected)))
        now = Expected(expected.end_ms, expected.at_ms, checksum(policy), NOTHING_MOVED)
        tx.times.set_expected(backfill_id, now.to_json())


def _rights_of(creator: Actor | None, name: str, catalog: Catalog) -> Rights:
    """What the creator of a planned backfill may do now (SEL-4)."""
    if creator is None:
        raise NotPermittedError(f"nobody is called {name} any more, who created this backfill")
    return creator.rights(catalog)


def _startable(reader: Reader, phase: str) -> list[BackfillRecord]:
    """Backfills in a phase before they have instances, which nobody holds back."""
    return [r for r in reader.in_phase(phase) if not (r.paused or r.stopped)]


def ask_of_plan(
    planned: PlannedBackfill, checks: Sequence[Check], user: str, now_ms: int
) -> tuple[Answer, ...]:
    """What checks answer to a plan that is not stored: its id is null; waits for them."""
    question_of_plan = _question(record_of(planned, 0, user, now_ms), planned.plan)
    return Asking(checks, question_of_plan, lambda: None).wait()


def _question(record: BackfillRecord, plan: Plan) -> dict[str, Any]:
    backfill = {"id": record.id or None, "name": record.name, "created_by": record.created_by}
    return question(plan.catalog.project, backfill, policy_of(record).to_json(), analysis_of(record))


def _with_answers(record: BackfillRecord, answers: Sequence[Answer]) -> dict[str, Any]:
    """The analysis with what the checks said: all answers, and findings for what is to be known."""
    analysis = analysis_of(record)
    known = [Finding.from_json(finding) for finding in analysis["findings"]]
    findings = by_level([*known, *findings_of(answers)])
    return {
        **analysis,
        "checks": [answer.to_json() for answer in answers],
        "findings": [finding.to_json() for finding in findings],
    }


def _impossible(error: RetrofillError) -> dict[str, object]:
    return Finding(Level.RISK, error.code, f"{error.message}.", hint=error.hint).to_json()
