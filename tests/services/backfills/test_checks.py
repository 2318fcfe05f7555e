"""Extension checks on the way of a backfill: seen while they think, kept, taken up after a crash."""

from __future__ import annotations

import _thread
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from domain.catalogs import make_catalog, make_task
from retrofill.domain.checks import Answer, Verdict
from retrofill.domain.people.roles import system_administrator
from retrofill.domain.running.filters import BackfillFilter
from retrofill.domain.selection.ways import AllDescendantsSelection
from retrofill.domain.time.windows import parse_time_range, parse_window
from retrofill.services.backfills.creation import BackfillCreation
from retrofill.services.backfills.later_starts import LaterStarts
from retrofill.services.backfills.requests import PlannedBackfill
from retrofill.services.catalogs.freezing import freeze_tasks
from services.crashing import dying_at
from services.worlds import MakeWorld, World

CHAIN = (make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
ALL_OF_A = AllDescendantsSelection("w.a")
TONIGHT = {"window": parse_window("20:00-22:00", "UTC")}


class Says:
    """A check that answers at once, after it has done something in the thread that asks."""

    def __init__(
        self, verdict: Verdict, name: str = "gate", meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        self.name = name
        self.verdict = verdict
        self.meanwhile = meanwhile
        self.questions: list[Mapping[str, Any]] = []

    def ask(self, question: Mapping[str, Any]) -> Answer:
        self.questions.append(question)
        self.meanwhile()
        return Answer(self.name, self.verdict, "so it is")


class Thinks(Says):
    """A check that answers when a test lets it."""

    def __init__(self, verdict: Verdict = Verdict.PASS, name: str = "gate") -> None:
        self._go = threading.Event()
        super().__init__(verdict, name, lambda: self._go.wait(30))

    def answer(self) -> None:
        self._go.set()


def create(w: World, planned: PlannedBackfill, *checks: Says) -> int:
    """A backfill about which these are asked."""
    return BackfillCreation(w.store, w.graphs, w.clock, lambda catalog: checks).create(
        planned, w.version_id, w.user
    )


def checked(w: World, *checks: Says) -> LaterStarts:
    """A scheduler that asks these."""
    return LaterStarts(w.store, w.graphs, w.clock, w.limits, lambda catalog: checks)


def stored(w: World, backfill: int) -> tuple[str, str, dict[str, Any]]:
    """Phase, check status and analysis."""
    with w.store.read() as reader:
        record = reader.find_backfill(backfill)
    assert record is not None
    return record.phase, record.check_status, json.loads(record.analysis)


def settle(backfills: LaterStarts) -> None:
    """Go on until all that is asked has been answered."""
    backfills.wait_for_answers()
    backfills.start_due()


def interrupted(w: World, **policy: Any) -> int:
    """A backfill whose process died while its checks were asked."""
    with dying_at("checks.noted"):
        create(w, w.plan(**policy), Says(Verdict.PASS))
    with w.store.read() as reader:
        (record,) = reader.in_phase("checking")
    return record.id


def test_all_pass_and_it_runs(world: MakeWorld) -> None:
    """VER-3: the answers are kept, warnings as findings; the question is the plan's summary."""
    w = world(*CHAIN)
    friendly, strict = Says(Verdict.WARN, "friendly"), Says(Verdict.PASS, "strict")
    planned = w.plan(dates="2026-01-05..2026-01-06")
    backfill = create(w, planned, strict, friendly)
    phase, status, analysis = stored(w, backfill)
    assert (phase, status) == ("active", "passed")
    assert analysis["checks"] == [
        {"check": "friendly", "result": "warn", "message": "so it is"},
        {"check": "strict", "result": "pass", "message": "so it is"},
    ]
    assert [finding["code"] for finding in analysis["findings"]] == ["check_warned"]
    (question,) = strict.questions
    assert question["backfill"]["id"] == backfill
    assert question["project"] == "test"
    assert question["plan"] == json.loads(json.dumps(planned.summary()))
    assert all(isinstance(finding["hint"], str) for finding in question["plan"]["findings"])
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}, {"a 6 01:00"}, {"b 6 02:00"}]
    assert w.status(backfill) == "succeeded"


@pytest.mark.parametrize("allow_risks", [False, True])
def test_one_fail_stops_it(world: MakeWorld, allow_risks: bool) -> None:
    """VER-3: check status failed, no instances, everything can be read; allowing risks changes nothing."""
    w = world(*CHAIN)
    checks = Says(Verdict.PASS, "easy"), Says(Verdict.FAIL, "strict")
    backfill = create(w, w.plan(allow_risks=allow_risks), *checks)
    phase, status, analysis = stored(w, backfill)
    assert (phase, status) == ("refused", "failed")
    assert [answer["result"] for answer in analysis["checks"]] == ["pass", "fail"]
    assert analysis["findings"][0]["code"] == "check_failed"
    assert w.rows() == {}
    row = w.row(backfill)
    assert (row["status"], row["bizdates"]) == ("stopped", ["2026-01-05"])
    assert row["ended_at"] is not None


def test_a_risk_is_not_asked_about(world: MakeWorld) -> None:
    """VER-2: verification says no first; where risks are allowed, checks see them."""
    w = world(*CHAIN)
    check = Says(Verdict.PASS)
    risky = parse_time_range("02:00-03:00")
    refused = create(w, w.plan(time_range=risky), check)
    assert stored(w, refused)[:2] == ("refused", "failed")
    assert check.questions == []
    allowed = create(w, w.plan(time_range=risky, allow_risks=True), check)
    assert stored(w, allowed)[:2] == ("active", "passed")
    assert check.questions[0]["plan"]["findings"][0]["code"] == "isolated"


def test_it_is_seen_while_checks_think(world: MakeWorld) -> None:
    """VER-3, BF-1: pending, check status checking, with its tasks and bizdates; nothing is taken up twice."""
    w = world(*CHAIN)
    seen = []

    def look() -> None:
        # As of another process: the same store through connections of its own.
        store = w.open_elsewhere()
        other = LaterStarts(store, w.graphs, w.clock, w.limits, lambda catalog: [check])
        with store.read() as reader:
            (record,) = reader.backfills(BackfillFilter(check_status="checking"))
            seen.append((record.phase, record.task_count, store.is_being_created(record.id)))
        seen.append(other.start_due())
        other.remove_leftovers()
        store.close()

    check = Says(Verdict.PASS, meanwhile=look)
    backfill = create(w, w.plan(), check)
    assert seen == [("checking", 2, True), []]
    assert len(check.questions) == 1
    assert stored(w, backfill)[0] == "active"


def test_an_interrupt_takes_it_back(world: MakeWorld) -> None:
    """VER-3: Ctrl-C while checks think leaves no backfill behind."""
    w = world(*CHAIN)
    check = Thinks()
    check.meanwhile = _thread.interrupt_main
    other = Thinks(name="other")
    with pytest.raises(KeyboardInterrupt):
        create(w, w.plan(), check, other)
    other.answer()
    with w.store.read() as reader:
        assert reader.backfills() == []


def test_what_a_crash_left_is_asked_about_again(world: MakeWorld) -> None:
    """VER-3: by the next scheduler, which does not wait for the answers."""
    w = world(*CHAIN)
    backfill = interrupted(w)
    assert w.status(backfill) == "pending"
    check = Thinks()
    scheduler = checked(w, check)
    scheduler.remove_leftovers()
    assert scheduler.start_due() == [backfill]
    assert stored(w, backfill)[0] == "checking"
    assert scheduler.start_due() == [], "it is being asked about"
    check.answer()
    settle(scheduler)
    assert stored(w, backfill)[:2] == ("active", "passed")
    assert len(w.finish()) == 2
    assert len(check.questions) == 1


def test_what_was_frozen_meanwhile_is_made_frozen(world: MakeWorld) -> None:
    """VER-3, AUTO-4: the instances are made when the checks have passed."""
    w = world(*CHAIN)
    interrupted(w)
    freeze_tasks(w.store, w.graphs.current, w.clock, system_administrator("admin"), ["w.b"], True)
    scheduler = checked(w, Says(Verdict.PASS))
    scheduler.start_due()
    settle(scheduler)
    assert w.states() == {"a 5 01:00": "waiting_resources", "b 5 02:00": "frozen"}


def test_a_scheduler_that_leaves_lets_go(world: MakeWorld) -> None:
    """VER-3: the next one asks again; late answers to the first change nothing."""
    w = world(*CHAIN)
    backfill = interrupted(w)
    first, second = Thinks(Verdict.FAIL), Says(Verdict.PASS)
    one, two = checked(w, first), checked(w, second)
    one.start_due()
    assert two.start_due() == []
    one.leave()
    assert two.start_due() == [backfill]
    settle(two)
    first.answer()
    assert stored(w, backfill)[:2] == ("active", "passed")


def test_without_checks_any_more_it_runs(world: MakeWorld) -> None:
    """VER-3: the settings that were deployed last decide who is asked."""
    w = world(*CHAIN)
    backfill = interrupted(w)
    scheduler = checked(w)
    scheduler.start_due()
    settle(scheduler)
    assert stored(w, backfill)[:2] == ("active", "passed")


def test_stopped_while_checks_think(world: MakeWorld) -> None:
    """OPS-1: it does not run; resumed, it is asked about again."""
    w = world(*CHAIN)
    backfill = interrupted(w)
    check = Thinks()
    scheduler = checked(w, check)
    scheduler.start_due()
    w.backfills.stop(backfill)
    check.answer()
    settle(scheduler)
    assert stored(w, backfill)[:2] == ("checking", "checking")
    assert w.status(backfill) == "stopped"
    assert scheduler.start_due() == []
    w.backfills.resume(backfill)
    assert w.status(backfill) == "pending"
    scheduler.start_due()
    settle(scheduler)
    assert stored(w, backfill)[0] == "active"
    assert len(check.questions) == 2


def test_it_is_asked_at_creation_and_again_at_its_start(world: MakeWorld) -> None:
    """SEL-4, VER-3: planned, verified and checked anew from the tasks of then."""
    w = world(*CHAIN)
    check = Says(Verdict.WARN)
    backfills = checked(w, check)
    backfill = create(w, w.plan(selection=ALL_OF_A, **TONIGHT), check)
    assert stored(w, backfill)[:2] == ("planned", "passed")
    assert stored(w, backfill)[2]["checks"][0]["result"] == "warn"
    w.deploy(make_catalog(*CHAIN, make_task("w.c", "0 3 * * *", "w.b")))
    w.clock.move_to("2026-03-02T20:00")
    check.verdict = Verdict.PASS
    backfills.start_due()
    settle(backfills)
    phase, status, analysis = stored(w, backfill)
    assert (phase, status) == ("active", "passed")
    assert [finding["code"] for finding in analysis["findings"]] == ["changed"], "the old warning is gone"
    assert [len(question["plan"]["tasks"]) for question in check.questions] == [2, 3]
    assert set(w.rows()) == {"a 5 01:00", "b 5 02:00", "c 5 03:00"}


def test_a_fail_at_its_start_stops_it(world: MakeWorld) -> None:
    """SEL-4, VER-3."""
    w = world(*CHAIN)
    check = Says(Verdict.PASS)
    backfills = checked(w, check)
    backfill = create(w, w.plan(selection=ALL_OF_A, **TONIGHT), check)
    w.clock.move_to("2026-03-02T20:00")
    check.verdict = Verdict.FAIL
    backfills.start_due()
    settle(backfills)
    assert stored(w, backfill)[:2] == ("refused", "failed")
    assert w.rows() == {}


def test_a_crash_while_it_is_filled_goes_back_to_checking(world: MakeWorld) -> None:
    """VER-3, POL-13: it stays visible, and is asked about again."""
    w = world(*CHAIN)
    planned = w.plan()
    with dying_at("backfill.stored"):
        create(w, planned, Says(Verdict.PASS))
    with w.store.read() as reader:
        (record,) = reader.backfills()
    assert record.phase == "creating"
    scheduler = checked(w, Says(Verdict.PASS))
    scheduler.remove_leftovers()
    assert stored(w, record.id)[:2] == ("checking", "checking")
    scheduler.start_due()
    settle(scheduler)
    assert stored(w, record.id)[0] == "active"
    assert len(w.finish()) == 2


def test_a_check_that_raises_is_a_fail(world: MakeWorld) -> None:
    """VER-3: an adapter's bug leaves nothing in `checking` for ever."""
    w = world(*CHAIN)

    def bug() -> None:
        raise RuntimeError("token=s3cret")

    backfill = create(w, w.plan(), Says(Verdict.PASS, meanwhile=bug))
    phase, _, analysis = stored(w, backfill)
    assert phase == "refused"
    assert analysis["checks"][0]["message"] == "it could not be asked: RuntimeError"


def test_without_checks_nothing_is_written_twice(world: MakeWorld) -> None:
    """VER-3: no transaction more than before there were checks."""
    w = world(*CHAIN)
    count = []
    original = w.store.transaction
    w.store.transaction = lambda: (count.append(1), original())[1]  # type: ignore[method-assign]
    w.create()
    without = len(count)
    create(w, w.plan())
    assert len(count) == 2 * without
