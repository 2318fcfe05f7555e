"""Auto triggered instances: made at night, waiting for each other over nights, beside backfills."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier
from typing import Any

import pytest

from domain.catalogs import SELF, make_catalog, make_task, previous
from retrofill.domain.catalog.definitions import Catalog, ResourceGroup, RunMode, Task, Workspace
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.people.roles import system_administrator
from retrofill.services.catalogs.freezing import freeze_tasks
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.reading.instances import InstanceReader
from retrofill.services.reading.queues import counts
from retrofill.services.reading.schedule import nights
from retrofill.services.running.nights import NightMaker, ScheduleSettings
from services.crashing import dying_at, once_at
from services.worlds import MakeWorld, World

ADMIN = system_administrator("admin")

CHAIN = (make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))


def catalog(*tasks: Task, **zones: str) -> Catalog:
    made = make_catalog(*tasks)
    return replace(
        made, workspaces={name: Workspace(name, zones.get(name, "UTC")) for name in made.workspaces}
    )


def evening(world: MakeWorld, *tasks: Any, **more: Any) -> World:
    """Deployed at noon; the first night is half an hour before midnight."""
    w = world(*tasks, now="2026-03-02T12:00", **more)
    w.clock.move_to("2026-03-02T23:30")
    return w


def test_nothing_is_made_before_the_first_night(world: MakeWorld) -> None:
    """AUTO-1: a deploy at noon makes nothing; the night makes the next date's instances."""
    w = world(*CHAIN, now="2026-03-02T12:00")
    assert w.night() == []
    w.clock.move_to("2026-03-02T23:30")
    assert w.night() == ["2026-03-02"]
    assert w.auto_states() == {"a 2 01:00": "waiting_time", "b 2 02:00": "not_run"}
    assert w.night() == []


def test_they_run_at_their_time_and_in_order(world: MakeWorld) -> None:
    """AUTO-2: by DEP-1, and not before T."""
    w = evening(world, *CHAIN)
    w.night()
    w.clock.move_to("2026-03-03T00:59:59")
    w.tick()
    assert w.executor.running == {}
    w.clock.move_to("2026-03-03T03:00")
    w.tick()
    assert w.auto_states() == {"a 2 01:00": "running", "b 2 02:00": "not_run"}
    w.end("auto a 2 01:00")
    assert w.auto_states() == {"a 2 01:00": "successful", "b 2 02:00": "running"}
    spec = w.executor.started[0]
    assert spec.environment["RETROFILL_KIND"] == "auto"
    assert spec.environment["RETROFILL_BIZDATE"] == "2026-03-02"


def test_what_failed_yesterday_holds_today(world: MakeWorld) -> None:
    """AUTO-2, DEP-6, DEP-7: waits for the bizdate before lead to the night before."""
    tasks = (
        make_task("w.a", "0 1 * * *"),
        make_task("w.own", "0 1 * * *", SELF),
        make_task("w.late", "0 2 * * *", previous("w.a")),
    )
    w = evening(world, *tasks)
    w.night()
    w.clock.move_to("2026-03-03T05:00")
    w.finish(fails=lambda name: name.startswith("own"))
    w.clock.move_to("2026-03-03T23:30")
    assert w.night() == ["2026-03-03"]
    w.clock.move_to("2026-03-04T05:00")
    w.tick()
    states = w.auto_states()
    assert states["own 2 01:00"] == "failed exit_code"
    assert states["own 3 01:00"] == "not_run"
    assert states["late 3 02:00"] == "running"
    assert w.do("set_successful", "auto own 2 01:00") == [None]
    w.tick()
    assert w.auto_states()["own 3 01:00"] == "running"


def test_a_previous_cycle_that_was_never_made_is_not_waited_for(world: MakeWorld) -> None:
    """AUTO-2."""
    w = evening(world, make_task("w.own", "0 1 * * *", SELF))
    w.night()
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    assert w.auto_states() == {"own 2 01:00": "running"}


def test_an_upstream_outside_its_validity_is_not_waited_for(world: MakeWorld) -> None:
    """AUTO-2, DEP-11, TIME-4: w.a has ended, w.late has not begun; the night goes on without them."""
    tasks = (
        make_task("w.a", "0 1 * * *", valid_until=date(2026, 3, 2)),
        make_task("w.late", "0 1 * * *", valid_from=date(2026, 3, 9)),
        make_task("w.b", "0 2 * * *", "w.a", "w.late"),
        make_task("w.c", "0 3 * * *", "w.b"),
    )
    w = evening(world, *tasks)
    w.night()
    w.clock.move_to("2026-03-03T12:00")
    w.tick()
    assert w.auto_states() == {"b 2 02:00": "running", "c 2 03:00": "not_run"}
    w.end("auto b 2 02:00")
    assert w.auto_states()["c 2 03:00"] == "running"
    assert w.drift() == []


def test_missed_nights_are_made_oldest_first(world: MakeWorld) -> None:
    """AUTO-3: at most as many as the setting says."""
    w = world(*CHAIN, now="2026-03-02T12:00", nights=ScheduleSettings(23 * 60 + 30, 2))
    w.clock.move_to("2026-03-06T12:00")
    assert w.night(was_down=True) == ["2026-03-04", "2026-03-05"]
    with w.store.read() as reader:
        assert [g.bizdate for g in reader.generations.between("2026-01-01", "2027-01-01")] == [
            "2026-03-04",
            "2026-03-05",
        ]
    w.tick()
    assert w.auto_states()["a 4 01:00"] == "running"


def test_without_catching_up_a_missed_night_is_never_made(world: MakeWorld) -> None:
    """AUTO-3: `catch_up_nights: 0` makes none of them, and a running scheduler makes its own."""
    w = world(*CHAIN, now="2026-03-02T12:00", nights=ScheduleSettings(23 * 60 + 30, 0))
    w.clock.move_to("2026-03-02T23:40")
    assert w.night(was_down=True) == []
    assert w.night() == []
    w.clock.move_to("2026-03-03T23:30")
    assert w.night() == ["2026-03-03"]
    assert w.schedule.pause(ADMIN.name)
    w.clock.move_to("2026-03-05T12:00")
    assert w.night() == []
    assert w.schedule.resume(ADMIN.name)
    assert w.night() == []
    with w.store.read() as reader:
        assert reader.generations.missed() == ["2026-03-02", "2026-03-04"]


def test_nights_that_are_not_made_are_noted_and_told(world: MakeWorld) -> None:
    """AUTO-3: whoever comes later finds them; nothing is noted twice."""
    w = world(*CHAIN, now="2026-03-02T12:00", nights=ScheduleSettings(23 * 60 + 30, 2))
    w.clock.move_to("2026-03-06T12:00")
    told: list[date] = []
    assert [str(day) for day in w.schedule.make_due(True, told.extend)] == ["2026-03-04", "2026-03-05"]
    assert w.schedule.make_due(True, told.extend) == []
    assert [str(day) for day in told] == ["2026-03-02", "2026-03-03"]
    with w.store.read() as reader:
        assert reader.generations.missed() == ["2026-03-02", "2026-03-03"]


def test_a_crash_between_the_note_and_the_nights(world: MakeWorld) -> None:
    """AUTO-3: what was missed stays so, and what was to be made is made by the next scheduler."""
    w = world(*CHAIN, now="2026-03-02T12:00", nights=ScheduleSettings(23 * 60 + 30, 2))
    w.clock.move_to("2026-03-06T12:00")

    class Killed(BaseException):
        pass

    def die(_: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        w.schedule.make_due(True, die)
    w.restart()
    assert w.night(was_down=True) == ["2026-03-04", "2026-03-05"]


def test_a_zone_further_east_sets_the_hour_for_all(world: MakeWorld) -> None:
    """AUTO-1, TIME-5: one go for all workspaces; each is due by its own clock."""
    w = world(make_task("w.a", "0 0 * * *"), make_task("e.a", "0 0 * * *"), now="2026-03-02T12:00")
    w.deploy(catalog(*w.catalog.tasks.values(), e="Asia/Shanghai"))
    w.clock.move_to("2026-03-02T15:29")
    assert w.night() == []
    w.clock.move_to("2026-03-02T15:30")
    assert w.night() == ["2026-03-02"]
    w.clock.move_to("2026-03-02T16:00")
    w.tick()
    started = [spec.name for spec in w.executor.started]
    assert started == ["e.a"]
    w.clock.move_to("2026-03-03T00:00")
    w.tick()
    assert [spec.name for spec in w.executor.started] == ["e.a", "w.a"]


def test_frozen_tasks_modes_and_off_days(world: MakeWorld) -> None:
    """AUTO-4, CAT-8, TIME-2: kinds as in a backfill; a command freezes what is made from then on."""
    tasks = (
        make_task("w.cold", "0 1 * * *", mode=RunMode.PAUSED),
        make_task("w.dry", "0 1 * * *", mode=RunMode.DRY_RUN),
        make_task("w.sunday", "0 1 * * SUN"),
        make_task("w.gate", "0 1 * * *", type=TaskType.VIRTUAL),
        make_task("w.x", "0 1 * * *"),
    )
    w = evening(world, *tasks)
    w.night()
    admin = system_administrator("admin")
    for unchanged in (False, True):
        (result,) = freeze_tasks(w.store, w.graphs.current, w.clock, admin, ["w.x"], True)
        assert (result.error, result.unchanged) == (None, unchanged)
    (refused,) = freeze_tasks(w.store, w.graphs.current, w.clock, admin, ["w.cold"], False)
    assert "mode: paused" in str(refused.error)
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    assert w.auto_states() == {
        "cold 2 01:00": "frozen",
        "dry 2 01:00": "successful dry_run",
        "sunday 2 01:00": "successful off_day",
        "gate 2 01:00": "successful",
        "x 2 01:00": "running",
    }
    w.clock.move_to("2026-03-03T23:30")
    w.night()
    assert w.auto_states()["x 3 01:00"] == "frozen"
    assert w.do("unfreeze", "auto x 3 01:00") == [None]
    w.clock.move_to("2026-03-04T01:00")
    w.tick()
    assert w.auto_states()["x 3 01:00"] == "running"


def test_a_deploy_makes_todays_remaining_slots_of_a_task_that_asks_for_it(world: MakeWorld) -> None:
    """AUTO-1: slots later than ten minutes from now, once."""
    hours = make_task("w.h", "0 */6 * * *", generation="immediate")
    w = world(hours, make_task("w.next", "0 23 * * *"), now="2026-03-02T11:50")
    assert w.schedule.make_owed() == {date(2026, 3, 1): 1}
    assert w.schedule.make_owed() == {}
    assert set(w.auto_rows()) == {"h 1 18:00"}
    w.clock.move_to("2026-03-02T18:00")
    w.scheduler.look_again()
    w.tick()
    assert w.auto_states() == {"h 1 18:00": "running"}


def test_an_immediate_instance_waits_for_what_the_night_made(world: MakeWorld) -> None:
    """AUTO-1, AUTO-2: edges lead into the generation of the same bizdate, and to the one before."""
    a = make_task("w.a", "0 1 * * *")
    w = evening(world, a)
    w.night()
    w.clock.move_to("2026-03-03T00:30")
    new = make_task("w.new", "0 4 * * *", "w.a", SELF, generation="immediate")
    late = make_task("w.lost", "0 5 * * *", "w.other", generation="immediate")
    w.deploy(make_catalog(a, new, late, make_task("w.other", "0 0 * * *")))
    assert w.schedule.make_owed() == {date(2026, 3, 2): 2}
    assert w.auto_states() == {
        "a 2 01:00": "waiting_time",
        "new 2 04:00": "not_run",
        "lost 2 05:00": "not_run isolated",
    }
    w.clock.move_to("2026-03-03T06:00")
    w.scheduler.look_again()
    w.tick()
    w.end("auto a 2 01:00")
    assert w.auto_states()["new 2 04:00"] == "running"
    w.end("auto new 2 04:00")
    w.clock.move_to("2026-03-03T23:30")
    assert w.night() == ["2026-03-03"]
    w.clock.move_to("2026-03-04T06:00")
    w.finish()
    assert w.auto_states()["new 3 04:00"] == "successful"


def test_a_deploy_leaves_a_date_to_its_night_that_is_still_to_come(world: MakeWorld) -> None:
    """AUTO-1, AUTO-3: nobody made it yet; in it, the tasks find all that they wait for."""
    w = world(make_task("w.a", "0 3 * * *"), now="2026-03-02T23:00")
    w.clock.move_to("2026-03-03T01:00")
    hours = make_task("w.h", "0 */6 * * *", "w.a", generation="immediate")
    w.deploy(make_catalog(*w.catalog.tasks.values(), hours))
    assert w.schedule.make_owed() == {}
    assert w.night(was_down=True) == ["2026-03-02"]
    assert set(w.auto_rows()) == {"a 2 03:00", "h 2 00:00", "h 2 06:00", "h 2 12:00", "h 2 18:00"}
    assert not [state for state in w.auto_states().values() if "isolated" in state]


def test_two_that_make_the_same_date_at_once(world: MakeWorld) -> None:
    """AUTO-1: a deploy, and a scheduler that catches up: each slot is made once, by one of them."""
    tasks = [make_task(f"w.t{n}", "0 * * * *", generation="immediate") for n in range(60)]
    w = world(*tasks, now="2026-03-02T00:00")
    barrier = Barrier(2)

    def make(_: int) -> int:
        store = w.open_elsewhere()  # as if of another process
        try:
            schedule = NightMaker(store, GraphCache(), w.clock, w.night_settings)
            barrier.wait()
            return sum(schedule.make_owed().values())
        finally:
            store.close()

    with ThreadPoolExecutor(2) as pool:
        made = sorted(pool.map(make, range(2)))
    assert made == [0, 60 * 23]
    assert len(w.auto_rows()) == 60 * 23


def test_a_deploy_changes_nothing_that_is_made(world: MakeWorld) -> None:
    """CAT-2: what exists keeps its version; waits are by the version of the one that waits."""
    w = evening(world, *CHAIN)
    w.night()
    w.deploy(make_catalog(replace(CHAIN[0], code="new"), make_task("w.c", "0 2 * * *", previous("w.b"))))
    w.clock.move_to("2026-03-03T03:00")
    w.tick()
    assert w.executor.started[0].code == CHAIN[0].code
    w.clock.move_to("2026-03-03T23:30")
    w.night()
    assert w.auto_states()["b 2 02:00"] == "not_run"  # gone from the project, and it runs on
    w.end("auto a 2 01:00")
    w.end("auto b 2 02:00")
    w.clock.move_to("2026-03-04T03:00")
    w.tick()
    states = w.auto_states()
    assert (states["a 3 01:00"], states["c 3 02:00"]) == ("running", "running")


@pytest.mark.parametrize("phase", ["creating", "releasing"])
def test_a_night_that_a_crash_interrupted(world: MakeWorld, phase: str) -> None:
    """AUTO-1: made anew, or finished; never twice, never half."""
    w = evening(world, *CHAIN)
    with dying_at({"creating": "night.written", "releasing": "night.shown"}[phase]):
        w.schedule.make_due(was_down=False)
    w.tick()
    with w.store.read() as reader:
        assert [g.phase for g in reader.generations.unfinished()] == [phase]
        hidden = reader.find_instance(1) is None
    assert hidden == (phase == "creating")
    w.restart()
    w.night(was_down=True)
    assert w.auto_states() == {"a 2 01:00": "waiting_time", "b 2 02:00": "not_run"}
    w.clock.move_to("2026-03-03T03:00")
    w.finish()
    assert set(w.auto_states().values()) == {"successful"}


def test_what_happens_above_while_a_night_is_made_counts(world: MakeWorld) -> None:
    """AUTO-2: another process may set an instance successful in the middle of it."""
    w = evening(world, make_task("w.own", "0 1 * * *", SELF))
    w.night()
    w.clock.move_to("2026-03-03T05:00")
    w.finish(fails=lambda _: True)
    w.clock.move_to("2026-03-03T23:30")
    with once_at("night.written", lambda: w.do("set_successful", "auto own 2 01:00")) as done:
        w.night()
    assert done == [[None]]
    assert w.auto_states()["own 3 01:00"] == "waiting_time"


def test_a_held_schedule_makes_and_starts_nothing(world: MakeWorld) -> None:
    """AUTO-3: the nights that were missed meanwhile are made when it goes on."""
    w = evening(world, *CHAIN)
    w.night()
    assert w.schedule.pause(ADMIN.name)
    assert not w.schedule.pause(ADMIN.name)
    w.clock.move_to("2026-03-04T12:00")
    w.scheduler.look_again()
    assert w.night() == []
    assert w.executor.running == {}
    assert w.schedule.resume(ADMIN.name)
    assert w.night() == ["2026-03-03"]
    assert w.auto_states()["a 2 01:00"] == "running"


def test_jobid_is_an_id_that_no_other_run_has(world: MakeWorld) -> None:
    """PAR-1: of a backfill its id; of an auto triggered instance its run, which is no backfill's id."""
    job = (("job", "$jobid"),)
    w = evening(
        world, make_task("w.a", "0 1 * * *", parameters=job), make_task("w.b", "0 1 * * *", parameters=job)
    )
    w.create("a")
    w.tick()
    w.end("a 5 01:00")
    w.night()
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    w.end("auto a 2 01:00", exit_code=1)
    assert w.do("rerun", "auto a 2 01:00") == [None]
    w.tick()
    a, b = w.id("auto a 2 01:00"), w.id("auto b 2 01:00")
    jobs = [spec.environment["job"] for spec in w.executor.started]
    assert jobs == ["1", f"{a}.1", f"{b}.1", f"{a}.2"]


# Beside backfills


def test_what_waits_in_a_held_schedule_is_not_run(world: MakeWorld) -> None:
    """OPS-0, OPS-6, OPS-8: shown so, can be frozen, and an operation lets nothing of it pass."""
    tasks = [
        make_task("w.a", "0 1 * * *"),
        make_task("w.v", "0 2 * * *", "w.a", type=TaskType.VIRTUAL, code=""),
    ]
    w = evening(world, *tasks)
    w.night()
    w.clock.move_to("2026-03-03T12:00")
    w.tick()
    w.schedule.pause(ADMIN.name)
    w.end("auto a 2 01:00", exit_code=1)
    assert w.do("set_successful", "auto a 2 01:00") == [None]
    w.tick()
    assert w.auto_states()["v 2 02:00"] == "waiting_resources"
    row = w.find("auto v 2 02:00")
    with w.store.read() as reader:
        view = w.view(reader)
        assert InstanceReader(view).state(row) == "not_run"
        (night,) = nights(view, 10)["items"]
        assert night["counts"]["not_run"] == 1
        assert night["counts"]["waiting_resources"] == 0
        assert counts(view) == {}
    assert w.do("freeze", "auto v 2 02:00") == [None]
    assert w.do("unfreeze", "auto v 2 02:00") == [None]
    w.schedule.resume(ADMIN.name)
    w.scheduler.look_again()
    w.tick()
    assert w.auto_states()["v 2 02:00"] == "successful"


def test_auto_triggered_instances_go_first(world: MakeWorld) -> None:
    """RUN-1: at the same priority, whatever T is."""
    w = evening(world, make_task("w.a", "0 1 * * *"), make_task("w.b", "0 1 * * *"), slots=1)
    w.night()
    w.clock.move_to("2026-03-03T02:00")
    w.create("b", dates="2026-01-05")
    w.tick()
    assert [spec.environment["RETROFILL_KIND"] for spec in w.executor.started] == ["auto"]
    w.finish()
    kinds = [spec.environment["RETROFILL_KIND"] for spec in w.executor.started]
    assert kinds == ["auto", "auto", "backfill"]


def test_no_backfill_instance_of_a_task_starts_beside_an_auto_triggered_one(world: MakeWorld) -> None:
    """RUN-5: while one is ready or runs; other tasks go on."""
    w = evening(world, make_task("w.a", "0 1 * * *"), make_task("w.b", "0 1 * * *"))
    w.create("a", dates="2026-01-05..2026-01-06", groups=2)
    w.create("b", dates="2026-01-05")
    w.night()
    assert len(w.executor.running) == 3  # nothing is due yet
    w.clock.move_to("2026-03-03T01:00")
    for number in sorted(w.executor.running):
        w.executor.end(number)
    w.create("a", dates="2026-01-07")
    w.tick()
    running = [(s.name, s.environment["RETROFILL_KIND"]) for s in w.executor.running.values()]
    assert sorted(running) == [("w.a", "auto"), ("w.b", "auto")]
    assert "auto triggered" in w.why("a 7 01:00").text
    w.end("auto a 2 01:00")
    assert w.state("a 7 01:00") == "running"


def test_the_same_task_and_time_makes_way(world: MakeWorld) -> None:
    """RUN-5: stopped, not failed, no rerun counted; runs again once the auto triggered one has ended."""
    w = evening(world, make_task("w.a", "0 1 * * *"))
    w.night()
    w.clock.move_to("2026-03-03T00:30")
    w.create("a", dates="2026-03-02", run_future=True)
    w.tick()
    w.scheduler.look_again()
    w.tick()
    assert w.state("a 2 01:00") == "running"
    assert w.executor.told_to_stop == [], "the auto triggered one is not due yet"
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    assert [ref.instance_id for ref in w.executor.told_to_stop] == [w.id("a 2 01:00")]
    assert w.auto_states()["a 2 01:00"] == "waiting_resources"
    w.tick()
    row = w.rows()["a 2 01:00"]
    with w.store.read() as reader:
        (run,) = reader.runs(row.id)
    assert run.message == "stopped to make way for the auto triggered instance of the same task and time"
    assert (row.state, row.reason, row.run_number, row.reruns) == (
        "waiting_resources",
        "yielded_to_auto",
        2,
        0,
    )
    assert w.auto_states()["a 2 01:00"] == "running"
    w.end("auto a 2 01:00")
    assert w.state("a 2 01:00") == "running"
    w.end("a 2 01:00")
    assert w.state("a 2 01:00") == "successful"


def test_of_two_backfills_with_the_same_task_and_time_none_goes_before_the_schedule(world: MakeWorld) -> None:
    """RUN-5, RUN-7: one runs and makes way, the other one waits; the auto triggered one waits for neither."""
    w = evening(world, make_task("w.a", "0 1 * * *"))
    w.night()
    w.clock.move_to("2026-03-03T00:30")
    first, second = (w.create("a", dates="2026-03-02", run_future=True) for _ in range(2))
    w.tick()
    assert len(w.executor.running) == 1
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    assert len(w.executor.told_to_stop) == 1
    w.tick()
    reasons = [w.rows(number)["a 2 01:00"].reason for number in (first, second)]
    assert reasons == ["yielded_to_auto", None]
    assert w.auto_states()["a 2 01:00"] == "running"
    for states in (["running", "waiting_resources"], ["successful", "running"], ["successful", "successful"]):
        w.executor.end(next(iter(w.executor.running)))
        w.tick()
        assert [w.rows(number)["a 2 01:00"].state for number in (first, second)] == states


def test_one_that_is_made_later_is_made_way_for_too(world: MakeWorld) -> None:
    """RUN-5: the backfill's instance ran, and was looked at, before the night with the same time was made, late."""
    w = evening(world, make_task("w.a", "0 1 * * *"))
    w.night()
    w.clock.move_to("2026-03-04T00:30")
    w.finish()
    w.create("a", dates="2026-03-03", run_future=True)
    w.tick()
    w.tick()
    assert w.state("a 3 01:00") == "running"
    w.night(was_down=True)
    assert w.auto_states()["a 3 01:00"] == "waiting_time"
    w.clock.move_to("2026-03-04T01:00")
    w.tick()
    assert [ref.instance_id for ref in w.executor.told_to_stop] == [w.id("a 3 01:00")]


def test_other_times_of_the_task_run_on(world: MakeWorld) -> None:
    """RUN-5: only the same T is stopped."""
    w = evening(world, make_task("w.a", "0 1 * * *"))
    w.night()
    w.create("a", dates="2026-01-05")
    w.tick()
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    assert w.executor.told_to_stop == []
    assert len(w.executor.running) == 2


def test_where_the_auto_triggered_one_waits(world: MakeWorld) -> None:
    """RUN-5: setting auto_conflict: wait."""
    w = evening(world, make_task("w.a", "0 1 * * *"), stops_for_auto=False)
    w.night()
    w.clock.move_to("2026-03-03T00:30")
    w.create("a", dates="2026-03-02", run_future=True)
    w.tick()
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    assert w.executor.told_to_stop == []
    assert w.auto_states()["a 2 01:00"] == "waiting_resources"
    w.end("a 2 01:00")
    assert w.auto_states()["a 2 01:00"] == "running"


def test_an_exit_that_overtakes_the_stop_is_an_exit(world: MakeWorld) -> None:
    """RUN-5: what has succeeded before it was stopped has succeeded."""
    w = evening(world, make_task("w.a", "0 1 * * *"))
    w.executor.obeys = False
    w.night()
    w.clock.move_to("2026-03-03T00:30")
    w.create("a", dates="2026-03-02", run_future=True)
    w.tick()
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    w.end("a 2 01:00")
    assert w.state("a 2 01:00") == "successful"
    assert w.auto_states()["a 2 01:00"] == "running"


def test_reserved_slots_are_for_auto_triggered_instances(world: MakeWorld) -> None:
    """RUN-6."""
    group = ResourceGroup("default", slots=3, reserved_for_auto=1)
    w = evening(world, make_task("w.a", "0 1 * * *"), make_task("w.b", "0 1 * * *"))
    w.deploy(replace(w.catalog, resource_groups={"default": group}))
    w.night()
    w.create("b", dates="2026-01-05..2026-01-09", groups=5)
    w.tick()
    assert len(w.executor.running) == 2
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    kinds = sorted(spec.environment["RETROFILL_KIND"] for spec in w.executor.running.values())
    assert kinds == ["auto", "backfill", "backfill"]


def test_a_scheduler_for_backfills_only_leaves_the_schedule_alone(world: MakeWorld) -> None:
    """RUN-5: `wait` starts backfills only, and what nobody starts keeps no backfill waiting."""
    w = evening(world, make_task("w.a", "0 1 * * *"))
    w.night()
    w.auto = False
    w.restart()
    w.clock.move_to("2026-03-03T02:00")
    w.create("a", dates="2026-01-05")
    w.tick()
    assert w.auto_states()["a 2 01:00"] == "waiting_resources"
    assert w.state("a 5 01:00") == "running"


def test_a_limit_of_a_task_counts_both(world: MakeWorld) -> None:
    """RUN-1: max_parallel_instances, auto triggered and backfill together."""
    w = evening(world, make_task("w.a", "0 1,2 * * *", max_parallel_instances=2))
    w.create("a", dates="2026-01-05..2026-01-06", groups=2)
    w.tick()
    assert len(w.executor.running) == 2
    w.night()
    w.clock.move_to("2026-03-03T02:00")
    w.tick()
    assert len(w.executor.running) == 2
    w.executor.end(min(w.executor.running))
    w.tick()
    kinds = sorted(spec.environment["RETROFILL_KIND"] for spec in w.executor.running.values())
    assert kinds == ["auto", "backfill"]


def test_the_parts_of_a_failed_task_fail_alone(world: MakeWorld) -> None:
    """POL-7 is for backfills: other slots of an auto triggered task go on."""
    w = evening(world, make_task("w.h", "0 1,2,3 * * *"))
    w.night()
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    w.end("auto h 2 01:00", exit_code=1)
    w.clock.move_to("2026-03-03T05:00")
    w.tick()
    assert w.auto_states() == {
        "h 2 01:00": "failed exit_code",
        "h 2 02:00": "running",
        "h 2 03:00": "running",
    }
    assert w.do("rerun", "auto h 2 01:00") == [None]
    w.tick()
    assert w.auto_states()["h 2 01:00"] == "running"


def test_a_backfill_of_a_frozen_task_is_frozen_from_then_on(world: MakeWorld) -> None:
    """AUTO-4, SEL-8, VER-1: by command as by mode, and verification says so."""
    w = world(*CHAIN)
    w.create("a", dates="2026-01-04")
    admin = system_administrator("admin")
    freeze_tasks(w.store, w.graphs.current, w.clock, admin, ["w.a"], True)
    planned = w.plan("a", "b")
    assert "frozen" in {finding.code for finding in planned.findings}
    number = w.creation.create(planned, w.version_id, w.user)
    w.tick()
    assert w.states() == {"a 5 01:00": "frozen", "b 5 02:00": "not_run"}
    assert w.rows(1)["a 4 01:00"].state == "running"
    freeze_tasks(w.store, w.graphs.current, w.clock, admin, ["w.a"], False)
    assert w.rows(number)["a 5 01:00"].state == "frozen"


def test_verification_names_tasks_whose_auto_triggered_instances_go_first(world: MakeWorld) -> None:
    """VER-1, RUN-5."""
    w = evening(world, *CHAIN)
    w.night()
    w.clock.move_to("2026-03-03T01:00")
    w.tick()
    planned = w.plan("a", "b")
    (finding,) = [f for f in planned.findings if f.code == "auto_conflict"]
    assert finding.tasks == ("w.a",)


def test_the_order_holds_over_resource_groups(world: MakeWorld) -> None:
    """RUN-1: where a task's limit joins two groups, the earlier T goes first, whichever group it is in."""
    night = ResourceGroup("night", slots=2)
    w = world(make_task("w.a", "0 1 * * *", max_parallel_instances=1), groups=(night,))
    w.create("a", dates="2026-01-06")
    w.create("a", dates="2026-01-05", resource_group="night")
    w.tick()
    assert w.running() == {"a 5 01:00"}


def test_what_is_unfrozen_is_what_its_mode_says(world: MakeWorld) -> None:
    """SEL-8, CAT-8: a task in mode dry_run runs no code, though it was frozen by command meanwhile."""
    w = evening(world, make_task("w.dry", "0 1 * * *", mode=RunMode.DRY_RUN))
    admin = system_administrator("admin")
    freeze_tasks(w.store, w.graphs.current, w.clock, admin, ["w.dry"], True)
    w.night()
    assert w.auto_states() == {"dry 2 01:00": "frozen"}
    assert w.do("unfreeze", "auto dry 2 01:00") == [None]
    w.clock.move_to("2026-03-03T02:00")
    w.tick()
    assert w.auto_states() == {"dry 2 01:00": "successful dry_run"}
    assert w.executor.started == []
