"""Creating and steering whole backfills."""

from __future__ import annotations

import json

import pytest

from domain.catalogs import make_catalog, make_task
from retrofill.domain.catalog.definitions import ResourceGroup
from retrofill.domain.errors import LimitError, UnknownNameError, UsageError, WrongStateError
from retrofill.domain.selection.choice import Limits
from retrofill.domain.selection.ways import AllDescendantsSelection
from retrofill.domain.texts import Step
from retrofill.domain.time.windows import parse_time_range, parse_window
from retrofill.services.backfills.backfill_rows import record_of
from retrofill.services.backfills.instance_rows import remove_half_created
from retrofill.services.backfills.requests import PlanLimits
from services.worlds import MakeWorld, World

CHAIN = (make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
ALL_OF_A = AllDescendantsSelection("w.a")
RISKY = {"time_range": parse_time_range("02:00-03:00")}


def phase(w: World, backfill: int) -> str:
    with w.store.read() as reader:
        record = reader.find_backfill(backfill)
        assert record is not None
        return record.phase


def test_a_preview_and_what_is_created_are_the_same_plan(world: MakeWorld) -> None:
    """VER-4: instances are those of the plan, and the analysis is the plan's summary."""
    w = world(*CHAIN)
    planned = w.plan(dates="2026-01-05..2026-01-07", groups=2)
    backfill = w.creation.create(planned, w.version_id, w.user)
    assert len(w.rows()) == planned.plan.instance_count == 6
    with w.store.read() as reader:
        record = reader.find_backfill(backfill)
    assert record is not None
    assert json.loads(record.analysis) == json.loads(json.dumps(planned.summary()))


@pytest.mark.parametrize("name", ["", " ", "x" * 129, "a\nb", "a\x1b[2Jb"])
def test_bad_names_are_refused(world: MakeWorld, name: str) -> None:
    """SEL-0: at most 128 characters that can be shown; nothing is stored."""
    from dataclasses import replace

    w = world(*CHAIN)
    planned = w.plan()
    bad = replace(planned, request=replace(planned.request, name=name))
    with pytest.raises(UsageError, match=r"1 to 128 printable characters|characters that cannot be shown"):
        w.creation.create(bad, w.version_id, w.user)
    with w.store.read() as reader:
        assert reader.backfills() == []


def test_names_need_not_be_unique(world: MakeWorld) -> None:
    """SEL-0."""
    w = world(*CHAIN)
    first, second = w.create(), w.create()
    assert first != second
    assert w.row(first)["name"] == w.row(second)["name"]


def test_limits_are_settings_and_name_the_count(world: MakeWorld) -> None:
    """SEL-1, POL-1, POL-13."""
    w = world(*CHAIN, limits=PlanLimits(Limits(max_roots=1, max_tasks=1), max_bizdates=2, max_instances=3))
    with pytest.raises(LimitError, match="2 root tasks"):
        w.plan("a", "b")
    with pytest.raises(LimitError, match="3 bizdates"):
        w.plan("a", dates="2026-01-05..2026-01-07")
    w.limits = PlanLimits(Limits(), max_bizdates=2, max_instances=3)
    with pytest.raises(LimitError, match="4 instances"):
        w.plan(dates="2026-01-05..2026-01-06")


# All descendants (SEL-4)


def test_all_descendants_are_made_at_once_where_they_may_start(world: MakeWorld) -> None:
    """SEL-4: the first moment an instance may start is usually now."""
    w = world(*CHAIN)
    backfill = w.create(selection=ALL_OF_A)
    assert phase(w, backfill) == "active"
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}]


def test_all_descendants_of_the_future_are_looked_up_when_they_start(world: MakeWorld) -> None:
    """SEL-4, CAT-2: from the version of then."""
    w = world(*CHAIN)
    backfill = w.create(selection=ALL_OF_A, window=parse_window("20:00-22:00", "UTC"))
    assert phase(w, backfill) == "planned"
    assert w.status(backfill) == "pending"
    assert w.row(backfill)["bizdates"] == ["2026-01-05"]
    w.deploy(make_catalog(*CHAIN, make_task("w.c", "0 3 * * *", "w.b"), groups=(ResourceGroup("default"),)))
    assert w.later_starts.start_due() == []
    assert w.later_starts.next_ms() is not None
    w.clock.move_to("2026-03-02T20:00")
    assert w.later_starts.start_due() == [backfill]
    assert phase(w, backfill) == "active"
    assert w.row(backfill)["task_count"] == 3
    assert w.finish() == [{"a 5 01:00"}, {"b 5 02:00"}, {"c 5 03:00"}]
    assert w.status(backfill) == "succeeded"


def test_what_differs_from_the_plan_is_a_finding(world: MakeWorld) -> None:
    """SEL-4."""
    w = world(*CHAIN)
    backfill = w.create(selection=ALL_OF_A, window=parse_window("20:00-22:00", "UTC"))
    w.deploy(make_catalog(*CHAIN, make_task("w.c", "0 3 * * *", "w.b"), groups=(ResourceGroup("default"),)))
    w.clock.move_to("2026-03-02T20:00")
    w.later_starts.start_due()
    with w.store.read() as reader:
        record = reader.find_backfill(backfill)
    assert record is not None
    findings = json.loads(record.analysis)["findings"]
    assert any("w.c" in finding["tasks"] for finding in findings)


def test_a_planned_backfill_whose_root_is_gone_fails_its_check(world: MakeWorld) -> None:
    """SEL-4, VER-2: verified again when it starts; the finding says why."""
    w = world(*CHAIN)
    backfill = w.create(selection=ALL_OF_A, window=parse_window("20:00-22:00", "UTC"))
    w.deploy(make_catalog(make_task("w.z", "0 3 * * *"), groups=(ResourceGroup("default"),)))
    w.clock.move_to("2026-03-02T20:00")
    w.later_starts.start_due()
    row = w.row(backfill)
    assert (row["check_status"], row["status"]) == ("failed", "stopped")
    with w.store.read() as reader:
        record = reader.find_backfill(backfill)
    assert record is not None
    assert "w.a" in json.loads(record.analysis)["findings"][0]["message"]


def test_a_planned_backfill_does_not_start_by_a_doubted_clock(world: MakeWorld) -> None:
    """SEL-4, TIME-8: a day ahead by mistake it is not begun; when to look again is told as the clock will show it."""
    w = world(*CHAIN)
    backfill = w.create(selection=ALL_OF_A, window=parse_window("20:00-22:00", "UTC"))
    w.tick()
    w.clock.jump(32.5 * 3_600)  # to 20:30 of the next day
    assert w.later_starts.start_due() == []
    assert w.later_starts.next_ms() == w.clock.now_ms() + 8 * 3_600_000, "20:00 of the true day"
    w.clock.forward(8 * 3_600)
    assert w.later_starts.start_due() == [backfill]


def test_a_backfill_that_is_created_by_a_doubted_clock_waits_for_its_time(world: MakeWorld) -> None:
    """SEL-4, TIME-8: in the window as the clock shows it, and hours before it as it is."""
    w = world(*CHAIN)
    w.tick()
    w.clock.jump(32.5 * 3_600)  # to 20:30 of the next day
    backfill = w.create(selection=ALL_OF_A, window=parse_window("20:00-22:00", "UTC"))
    assert phase(w, backfill) == "planned"
    assert w.later_starts.next_ms() == w.clock.now_ms() + 8 * 3_600_000


def test_what_a_start_would_fail_for_is_looked_for_again_when_it_starts(world: MakeWorld) -> None:
    """VER-1, SEL-4: a secret that the task of then needs is not set where the scheduler runs."""
    w = world(*CHAIN, secrets={"KNOWN": "x"})
    backfill = w.create(selection=ALL_OF_A, window=parse_window("20:00-22:00", "UTC"))
    changed = make_task(
        "w.b", "0 2 * * *", "w.a", parameters=(("key", "${secret:LATE}"), ("k", "${secret:KNOWN}"))
    )
    w.deploy(make_catalog(CHAIN[0], changed, groups=(ResourceGroup("default"),)))
    w.clock.move_to("2026-03-02T20:00")
    assert w.later_starts.start_due() == [backfill]
    with w.store.read() as reader:
        record = reader.find_backfill(backfill)
    assert record is not None
    findings = {finding["code"]: finding["tasks"] for finding in json.loads(record.analysis)["findings"]}
    assert findings["unset_secret"] == ["w.b"]
    assert record.phase == "active", "it is a warning"


def test_a_paused_or_stopped_planned_backfill_does_not_start(world: MakeWorld) -> None:
    """BF-3, SEL-4: nothing starts before it is resumed."""
    w = world(*CHAIN)
    backfill = w.create(selection=ALL_OF_A, window=parse_window("20:00-22:00", "UTC"))
    w.backfills.pause(backfill)
    w.clock.move_to("2026-03-02T20:00")
    assert w.later_starts.start_due() == []
    assert w.later_starts.next_ms() is None, "or the loop would not sleep"
    assert phase(w, backfill) == "planned"
    assert w.status(backfill) == "paused"
    w.backfills.resume(backfill)
    w.backfills.stop(backfill)
    assert w.status(backfill) == "stopped"
    assert w.later_starts.start_due() == []
    w.backfills.resume(backfill)
    assert w.later_starts.start_due() == [backfill]
    assert w.finish() != []


def test_a_window_that_opens_later_in_future_dates(world: MakeWorld) -> None:
    """SEL-4, POL-2: the first moment that time and window allow."""
    w = world(*CHAIN, now="2026-01-05T12:00")
    backfill = w.create(selection=ALL_OF_A, run_future=True, window=parse_window("03:00-04:00", "UTC"))
    assert w.later_starts.next_ms() is not None
    w.clock.move_to("2026-01-06T02:59")
    assert w.later_starts.start_due() == []
    w.clock.move_to("2026-01-06T03:00")
    assert w.later_starts.start_due() == [backfill]
    w.tick()
    assert w.running() == {"a 5 01:00"}


# Steering


def test_pause_lets_what_runs_end_and_starts_nothing(world: MakeWorld) -> None:
    """BF-3, OPS-8: pausing again is unchanged."""
    w = world(*CHAIN)
    backfill = w.create()
    w.tick()
    w.backfills.pause(backfill)
    w.backfills.pause(backfill)
    w.end("a 5 01:00")
    assert w.running() == set()
    assert w.status(backfill) == "paused"
    w.backfills.resume(backfill)
    assert w.finish() == [{"b 5 02:00"}]


def test_stop_ends_what_runs_and_holds_the_rest(world: MakeWorld) -> None:
    """OPS-1: nothing further starts until resumed or rerun."""
    w = world(*CHAIN, make_task("w.x", "0 1 * * *"))
    backfill = w.create(dates="2026-01-05..2026-01-06")
    w.tick()
    results = w.backfills.stop(backfill)
    assert [result.ok for result in results] == [True, True]
    w.tick()
    w.tick()
    assert w.state("a 5 01:00") == w.state("x 5 01:00") == "failed stopped"
    assert w.status(backfill) == "stopped"
    assert w.row(backfill)["ended_at"] is not None
    assert w.finish() == []
    w.backfills.resume(backfill)
    assert w.row(backfill)["status"] == "failed"
    assert w.do("rerun", "a 5 01:00", "x 5 01:00") == [None, None]
    w.finish()
    assert w.status(backfill) == "succeeded"


def test_a_stopped_backfill_goes_on_by_a_rerun(world: MakeWorld) -> None:
    """OPS-1, OPS-3: rerun of the failed ones takes the stop back."""
    w = world(*CHAIN)
    backfill = w.create()
    w.tick()
    w.backfills.stop(backfill)
    w.tick()
    w.tick()
    w.backfills.rerun(backfill, only_failed=True)
    w.finish()
    assert w.status(backfill) == "succeeded"


def test_stopping_twice_and_stopping_what_succeeded_are_refused(world: MakeWorld) -> None:
    """OPS-8: stop is judged by the state."""
    w = world(*CHAIN)
    backfill = w.create()
    w.backfills.stop(backfill)
    with pytest.raises(WrongStateError, match="stopped already"):
        w.backfills.stop(backfill)
    w.backfills.resume(backfill)
    w.finish()
    with pytest.raises(WrongStateError, match="succeeded"):
        w.backfills.stop(backfill)


def test_rerun_of_the_failed_ones_only(world: MakeWorld) -> None:
    """OPS-3."""
    w = world(*CHAIN, make_task("w.x", "0 1 * * *"))
    backfill = w.create()
    w.finish(fails=lambda name: name.startswith("x"))
    w.backfills.rerun(backfill, only_failed=True)
    assert w.finish() == [{"x 5 01:00"}]
    with pytest.raises(WrongStateError, match="no Failed instance"):
        w.backfills.rerun(backfill, only_failed=True)


def test_freeze_and_unfreeze_a_whole_backfill(world: MakeWorld) -> None:
    """BF-4: unwanted ones can be frozen whole; where it is paused, what waited too."""
    w = world(*CHAIN)
    backfill = w.create(dates="2026-01-05..2026-01-06")
    w.backfills.pause(backfill)
    assert len(w.backfills.freeze(backfill)) == 4
    assert set(w.states().values()) == {"frozen"}
    w.backfills.resume(backfill)
    assert w.finish() == []
    assert w.status(backfill) == "failed"
    w.backfills.unfreeze(backfill)
    w.finish()
    assert w.status(backfill) == "succeeded"


@pytest.mark.parametrize("how", ["resume", "pause", "stop", "rerun", "freeze", "unfreeze"])
def test_a_refused_backfill_can_only_be_made_anew(world: MakeWorld, how: str) -> None:
    """VER-2: resume and rerun name `create --reuse ID --allow-risks`."""
    w = world(*CHAIN)
    backfill = w.create(**RISKY)
    with pytest.raises(WrongStateError, match="failed its check") as caught:
        getattr(w.backfills, how)(backfill)
    assert Step("backfill.create", reuse=backfill, allow_risks=True) in caught.value.hint.steps


@pytest.mark.parametrize("how", ["resume", "pause", "stop", "rerun", "freeze", "unfreeze"])
def test_an_unknown_backfill(world: MakeWorld, how: str) -> None:
    """CAT-3."""
    w = world(*CHAIN)
    with pytest.raises(UnknownNameError, match="no backfill 7"):
        getattr(w.backfills, how)(7)


# Crashes while creating


def test_what_a_crash_left_half_created_is_invisible_and_goes_away(world: MakeWorld) -> None:
    """POL-13, VER-4: creating is all or nothing."""
    w = world(make_task("w.m", "* * * * *"))
    planned = w.plan(dates="2026-01-05..2026-01-12")
    transactions = []
    original = w.store.transaction

    def crash_in_the_third(*args: object) -> object:
        transactions.append(1)
        if len(transactions) == 3:
            raise KeyboardInterrupt
        return original()

    w.store.transaction = crash_in_the_third  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        w.creation.create(planned, w.version_id, w.user)
    w.store.transaction = original  # type: ignore[method-assign]
    with w.store.read() as reader:
        assert reader.backfills() == []
        assert reader.find_backfill(1) is None
        assert reader.find_instance(1) is None
        assert [record.id for record in reader.in_phase("creating")] == [1]
    w.tick()
    assert w.executor.started == []
    w.later_starts.remove_leftovers()
    with w.store.read() as reader:
        assert reader.in_phase("creating") == []
        assert list(reader.instance_range(1, 1 << 40)) == []
    w.create(dates="2026-01-05")
    assert len(w.rows()) == 1440


def test_what_was_finished_since_it_was_looked_for_stays(world: MakeWorld) -> None:
    """POL-13: who removes leftovers asks again in the transaction that removes."""
    w = world(*CHAIN)
    backfill = w.create()
    rows = w.rows()
    with w.store.read() as reader:
        record = reader.find_backfill(backfill)
    assert record is not None
    remove_half_created(w.store, record._replace(phase="creating"))
    assert w.rows() == rows
    assert w.status(backfill) != "stopped"


def test_what_another_process_is_creating_is_left_alone(world: MakeWorld) -> None:
    """POL-13: the creator's lock says that it lives."""
    w = world(*CHAIN)
    planned = w.plan()
    with w.store.transaction() as tx:
        backfill = tx.add_backfill(record_of(planned, w.version_id, "admin", w.clock.now_ms()), [])
    with w.store.creating(backfill):
        w.later_starts.remove_leftovers()
        with w.store.read() as reader:
            assert len(reader.in_phase("creating")) == 1
    w.later_starts.remove_leftovers()
    with w.store.read() as reader:
        assert reader.in_phase("creating") == []
