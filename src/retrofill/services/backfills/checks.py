"""Extension checks of backfills: asked all at once, and what becomes of a backfill with the answers (VER-3).

Where checks are to be asked, the backfill is stored first (phase `checking`), so that everybody
sees it while they think and a crash loses nothing: a scheduler takes up what nobody is asking
about any more, and asks again. Who asks holds the backfill's mark.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrofill.domain.alerts import Event
from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.checks import Answer, Verdict, all_pass, findings_of, question
from retrofill.domain.planning import options
from retrofill.domain.planning.plan import Plan
from retrofill.domain.verification.findings import Finding, by_level
from retrofill.failpoints import fail_point
from retrofill.services.backfills.backfill_rows import BackfillRows, record_of, reserved
from retrofill.services.backfills.requests import PlannedBackfill
from retrofill.services.instances.alert_queue import tell
from retrofill.services.instances.stored import analysis_of, policy_of, text_of, told_of
from retrofill.services.ports import Check
from retrofill.services.ports.records import BackfillRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Store

ChecksOf = Callable[[Catalog], Sequence[Check]]


def no_checks(catalog: Catalog) -> Sequence[Check]:
    """Backfills run without asking anybody."""
    return ()


class Asking:
    """Checks that are being asked, each in a thread of its own.

    The threads hold nobody up: a process that leaves ends them. Nothing here touches the
    ledger, so a scheduler goes on ticking while checks think.

    Args:
        on_done: called once, when the last answer is there; from one of the threads, if there are any.
    """

    def __init__(
        self, checks: Sequence[Check], question: Mapping[str, Any], on_done: Callable[[], None]
    ) -> None:
        self._open = {check.name for check in checks}
        self._answers: dict[str, Answer] = {}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._on_done = on_done
        for check in checks:
            threading.Thread(target=self._ask, args=(check, question), daemon=True).start()
        if not checks:
            self._done.set()
            on_done()

    def find_answers(self) -> tuple[Answer, ...] | None:
        """All answers by name of the check, None while one is missing."""
        if not self._done.is_set():
            return None
        return tuple(answer for _, answer in sorted(self._answers.items()))

    def wait(self) -> tuple[Answer, ...]:
        """All answers by name of the check; blocks for as long as the slowest check may take."""
        self._done.wait()
        return self.find_answers() or ()

    def _ask(self, check: Check, question: Mapping[str, Any]) -> None:
        try:
            answer = check.ask(question)
        except Exception as error:  # an adapter's bug must not leave the backfill in `checking` for ever
            answer = Answer(check.name, Verdict.FAIL, f"it could not be asked: {type(error).__name__}")
        with self._lock:
            self._answers[check.name] = answer
            self._open.discard(check.name)
            is_last = not self._open
        if is_last:
            self._done.set()
            self._on_done()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A backfill whose checks are being asked by this process, for as long as it holds `mark`."""

    plan: Plan
    asking: Asking
    mark: ExitStack


class CheckRounds:
    """The backfills about which this process asks."""

    def __init__(self, store: Store, rows: BackfillRows, clock: Clock) -> None:
        self._store = store
        self._rows = rows
        self._clock = clock
        self._asked: dict[int, _Asked] = {}

    def ask(self, record: BackfillRecord, plan: Plan, checks: Sequence[Check]) -> None:
        """Ask about a backfill, and go on with it when all have answered; an interrupt takes it back.

        The caller holds its mark.
        """
        try:
            fail_point("checks.noted")
            answers = Asking(checks, _question(record, plan), lambda: None).wait()
        except KeyboardInterrupt:
            with self._store.transaction() as tx:
                tx.delete_half_created(record.id)
            raise
        self._settle(record.id, plan, answers)

    def ask_aside(self, record: BackfillRecord, plan: Plan, checks: Sequence[Check], mark: ExitStack) -> None:
        """Ask while the scheduler goes on; the mark is kept until the answers are settled."""
        asking = Asking(checks, _question(record, plan), self._store.wake)
        self._asked[record.id] = _Asked(plan, asking, mark)

    def is_asked(self, backfill_id: int) -> bool:
        """Whether somebody asks about it now, here or in another process."""
        return backfill_id in self._asked or self._store.is_being_created(backfill_id)

    def settle_answered(self) -> list[int]:
        """Go on with the backfills about which all have answered; their ids."""
        return [backfill_id for backfill_id in list(self._asked) if self._settle_if_answered(backfill_id)]

    def wait(self) -> None:
        """Until all that this process asks has been answered."""
        for asked in self._asked.values():
            asked.asking.wait()

    def leave(self) -> None:
        """Let go of the backfills whose checks are still being asked: the next scheduler asks again."""
        while self._asked:
            self._asked.popitem()[1].mark.close()

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
            runs_now = passed and (record.start_ms or 0) <= tx.clock.check(now_ms).sure_ms
            tx.set_backfill(backfill_id, analysis=text_of(_with_answers(record, answers)))
            if runs_now:
                tx.set_backfill(backfill_id, **reserved(tx, plan))
            elif passed:
                tx.set_backfill(backfill_id, phase="planned", check_status="passed")
            else:
                tx.set_backfill(backfill_id, phase="refused", check_status="failed", ended_ms=now_ms)
                tell(tx, backfill_id, told_of(record), Event.FAILURE, now_ms)
            settled, task_ids = tx.find_backfill(backfill_id), tx.task_ids()
        assert settled is not None
        if runs_now:
            self._rows.fill(settled, plan, task_ids, now_ms)
        self._store.wake()


def ask_of_plan(
    planned: PlannedBackfill, checks: Sequence[Check], user: str, now_ms: int
) -> tuple[Answer, ...]:
    """What checks answer to a plan that is not stored: its id is null; waits for them."""
    question_of_plan = _question(record_of(planned, 0, user, now_ms), planned.plan)
    return Asking(checks, question_of_plan, lambda: None).wait()


def _question(record: BackfillRecord, plan: Plan) -> dict[str, Any]:
    backfill = {"id": record.id or None, "name": record.name, "created_by": record.created_by}
    return question(plan.catalog.project, backfill, options.to_json(policy_of(record)), analysis_of(record))


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
