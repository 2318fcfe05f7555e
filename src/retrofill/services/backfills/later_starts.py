"""Backfills that start later than they were created: by SEL-4 from the tasks of then, or when checks have answered.

One by SEL-4 that starts later is stored without instances (phase `planned`); these are made
when it starts, from the version and the creator's rights of then, planned and verified anew.
What the clock shows is believed only as far as it is sure (TIME-8).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retrofill.domain.alerts import Event
from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.errors import NotPermittedError, RetrofillError
from retrofill.domain.people.rights import Rights
from retrofill.domain.people.roles import Actor
from retrofill.domain.time.milliseconds import instant_of
from retrofill.domain.verification.codes import Level
from retrofill.domain.verification.findings import Finding
from retrofill.domain.verification.verify import changes
from retrofill.services.backfills.backfill_rows import BackfillRows, keep_estimate, record_of, reserved
from retrofill.services.backfills.changes import finish_changes
from retrofill.services.backfills.checks import CheckRounds, ChecksOf, no_checks
from retrofill.services.backfills.estimates import gather_facts
from retrofill.services.backfills.instance_rows import remove_half_created
from retrofill.services.backfills.knowing import with_ledger, with_obstacles
from retrofill.services.backfills.requests import PlanLimits, PlannedBackfill, Request, make_plan
from retrofill.services.instances.alert_queue import tell
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.stored import (
    analysis_of,
    choice_of,
    policy_of,
    selection_of,
    text_of,
    told_of,
)
from retrofill.services.people.clerks import find_actor
from retrofill.services.ports.records import BackfillRecord

if TYPE_CHECKING:
    from retrofill.domain.running.startable import Known
    from retrofill.services.ports import Clock, Reader, Store

KnownOf = Callable[[Catalog], "Known"]


class LaterStarts:
    """Goes on with the backfills of one store that wait for their start or for answers.

    Args:
        limits: of the deployed version; a scheduler changes them when a deploy does.
        checks_of: those that a deployed catalog's settings ask for; all must pass before a backfill runs.
        known_of: what runs of a catalog's tasks would find here; None where nobody can tell.
    """

    def __init__(
        self,
        store: Store,
        graphs: GraphCache,
        clock: Clock,
        limits: PlanLimits,
        checks_of: ChecksOf = no_checks,
        known_of: KnownOf | None = None,
    ) -> None:
        self._store = store
        self._graphs = graphs
        self._clock = clock
        self.limits = limits
        self._checks_of = checks_of
        self._known_of = known_of
        self._rows = BackfillRows(store, graphs)
        self._rounds = CheckRounds(store, self._rows, clock)

    def start_due(self) -> list[int]:
        """Go on with what waits for its start (SEL-4) or for checks; ids of what was started or refused.

        Asks checks without waiting for them: the store's wake-up tells when the answers are there.
        """
        settled = self._rounds.settle_answered()
        with self._store.read() as reader:
            sure_ms = reader.clock.check(self._clock.now_ms()).sure_ms
            due = [r for r in _startable(reader, "planned") if (r.start_ms or 0) <= sure_ms]
            abandoned = [r for r in _startable(reader, "checking") if not self._rounds.is_asked(r.id)]
        for record in due:
            self._start(record)
        for record in abandoned:
            self._take_up(record, sure_ms)
        return [*settled, *(record.id for record in (*due, *abandoned))]

    def next_ms(self) -> int | None:
        """What the clock shows when the next backfill starts whose instances are not made yet."""
        with self._store.read() as reader:
            moments = [record.start_ms for record in _startable(reader, "planned")]
            first = min((moment for moment in moments if moment is not None), default=None)
            if first is None:
                return None
            check = reader.clock.check(self._clock.now_ms())
        return first + check.wall_ms - check.sure_ms

    def wait_for_answers(self) -> None:
        """Until all that this process asks has been answered; `start_due` then goes on with it."""
        self._rounds.wait()

    def leave(self) -> None:
        """Let go of the backfills whose checks are still being asked: the next scheduler asks again."""
        self._rounds.leave()

    def remove_leftovers(self) -> None:
        """Remove backfills that a crash left half created, and finish changes that it left half made."""
        with self._store.read() as reader:
            left = reader.in_phase("creating")
        for record in left:
            if not self._store.is_being_created(record.id):
                remove_half_created(self._store, record)
        finish_changes(self._store, self._graphs, self._clock)

    # Inside

    def _take_up(self, record: BackfillRecord, sure_ms: int) -> None:
        """Ask again about a backfill that its process left in `checking`."""
        if selection_of(record).is_chosen_at_start and (record.start_ms or 0) <= sure_ms:
            self._start(record)  # SEL-4: from the tasks of now
            return
        with self._store.read() as reader:
            plan = self._graphs.plan_of(reader, record, reader.frozen_tasks.names())
            current = self._graphs.current(reader)
        assert current is not None
        with ExitStack() as mark:
            mark.enter_context(self._store.creating(record.id))
            self._rounds.ask_aside(record, plan, self._checks_of(current), mark.pop_all())

    def _start(self, record: BackfillRecord) -> None:
        """Plan and verify anew, then make the instances, or ask the checks first."""
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            catalog, version_id = self._graphs.current(reader), reader.current_version_id()
            assert catalog is not None
            assert version_id is not None
            refusal: dict[str, Any] | None
            try:
                planned = self._plan_anew(reader, record, catalog, now_ms)
                refusal = planned.summary() if planned.is_refused else None
            except RetrofillError as error:
                refusal = {**analysis_of(record), "findings": [_impossible(error)]}
        if refusal is None:
            self._make(record, planned, version_id, catalog, now_ms)
        else:
            self._refuse(record, now_ms, refusal)

    def _plan_anew(
        self, reader: Reader, record: BackfillRecord, catalog: Catalog, now_ms: int
    ) -> PlannedBackfill:
        """As its creator would ask for it now, with a finding for what differs from the plan of then."""
        facts = gather_facts(reader, self._graphs, now_ms, besides=record.id)
        creator = find_actor(reader.people, catalog, record.created_by)
        rights = _rights_of(creator, record.created_by, catalog)
        request = Request(selection_of(record), policy_of(record), record.name)
        planned = make_plan(catalog, request, self.limits, instant_of(now_ms), facts, rights)
        found = changes(choice_of(record).tasks, planned.plan)
        planned = replace(planned, findings=(*found, *planned.findings))
        if self._known_of is not None:
            planned = with_obstacles(planned, self._known_of(catalog))
        return with_ledger(planned, reader, self._graphs, rights, besides=record.id)

    def _make(
        self, record: BackfillRecord, planned: PlannedBackfill, version_id: int, catalog: Catalog, now_ms: int
    ) -> None:
        plan = planned.plan
        fresh = record_of(planned, version_id, record.created_by, now_ms)
        columns: dict[str, object] = {name: getattr(fresh, name) for name in _PLANNED_ANEW}
        checks = self._checks_of(catalog)
        with ExitStack() as mark:
            with self._store.transaction() as tx:
                now = tx.find_backfill(record.id)
                if now is None or now.phase != record.phase or now.paused or now.stopped:
                    return  # somebody was faster, or has taken it back
                if now.policy != record.policy:
                    return  # somebody has changed it: the next look plans it anew
                task_ids = tx.task_ids()
                columns |= {"phase": "checking"} if checks else reserved(tx, plan)
                tx.set_tasks(record.id, [task_ids[task.name] for task in plan.tasks])
                keep_estimate(tx, record.id, record.policy, planned.estimate)
                tx.set_backfill(record.id, **columns)
                started = tx.find_backfill(record.id)
                assert started is not None
                mark.enter_context(self._store.creating(record.id))
            if checks:
                self._rounds.ask_aside(started, plan, checks, mark.pop_all())
            else:
                self._rows.fill(started, plan, task_ids, now_ms)

    def _refuse(self, record: BackfillRecord, now_ms: int, analysis: dict[str, object]) -> None:
        with self._store.transaction() as tx:
            tx.set_backfill(
                record.id,
                phase="refused",
                check_status="failed",
                ended_ms=now_ms,
                analysis=text_of(analysis),
            )
            tell(tx, record.id, told_of(record), Event.FAILURE, now_ms)


# Columns of a backfill that are worked out again when it starts.
_PLANNED_ANEW = (
    "check_status", "version_id", "choice", "analysis", "task_count", "instance_count", "run_count", "stride",
)  # fmt: skip


def _rights_of(creator: Actor | None, name: str, catalog: Catalog) -> Rights:
    """What the creator of a planned backfill may do now (SEL-4)."""
    if creator is None:
        raise NotPermittedError(f"nobody is called {name} any more, who created this backfill")
    return creator.rights(catalog)


def _startable(reader: Reader, phase: str) -> list[BackfillRecord]:
    """Backfills in a phase before they have instances, which nobody holds back."""
    return [r for r in reader.in_phase(phase) if not (r.paused or r.stopped)]


def _impossible(error: RetrofillError) -> dict[str, object]:
    return Finding(Level.RISK, error.code, f"{error.message}.", hint=error.hint).to_json()
