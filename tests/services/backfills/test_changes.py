"""Changing how a backfill runs while it runs: groups, window, priority, resource group (BF-3)."""

from __future__ import annotations

import pytest

from domain.catalogs import SELF, make_task
from retrofill.domain.catalog.definitions import ResourceGroup, Task
from retrofill.domain.errors import Kind, RetrofillError, UnknownNameError, UsageError, WrongStateError
from retrofill.domain.planning.changes import Changes
from retrofill.domain.planning.policy import AcrossGroups, Barrier
from retrofill.domain.running.steering import STEERING, BackfillSituation, Steer, Verdict
from retrofill.domain.selection.ways import AllDescendantsSelection
from retrofill.services.reading.instances import InstanceReader
from services.backfills.test_steering import REACH
from services.worlds import MakeWorld, World, changes_of

NIGHT = ResourceGroup("night", slots=2)


def change(w: World, backfill: int = 1, **changes: object) -> list[str]:
    return [str(d) for d in w.backfills.change(backfill, changes_of(**changes)).differences]


def chain(**more: object) -> tuple[Task, Task]:
    return make_task("w.a", "0 1 * * *", **more), make_task("w.b", "0 2 * * *", "w.a")


def groups(w: World) -> list[tuple[int, bool]]:
    """Group number and whether it has begun, by bizdate."""
    with w.store.read() as reader:
        return [(date.group_number, bool(date.reached)) for date in reader.dates(1)]


# -- groups


def test_more_groups_begin_at_once_and_the_old_one_goes_on(world: MakeWorld) -> None:
    """BF-3, POL-4, POL-6."""
    w = world(*chain(), slots=9)
    w.create(dates="2026-01-05..2026-01-10")
    w.tick()
    assert w.running() == {"a 5 01:00"}
    assert change(w, groups=3) == ["groups 1 -> 3"]
    assert groups(w) == [(1, True), (1, False), (1, False), (2, True), (2, False), (3, True)]
    w.tick()
    assert w.running() == {"a 5 01:00", "a 8 01:00", "a 10 01:00"}, "another process's change is noticed"
    assert w.finish()[1:] == [{"b 5 02:00", "b 8 02:00", "b 10 02:00"}, {"a 6 01:00", "a 9 01:00"},
                              {"b 6 02:00", "b 9 02:00"}, {"a 7 01:00"}, {"b 7 02:00"}]  # fmt: skip
    assert w.status(1) == "succeeded"


def test_an_end_is_foretold_where_groups_are_not_in_a_row(world: MakeWorld) -> None:
    """BF-2, BF-3: two dates under way, and those between them in groups of their own."""
    w = world(make_task("w.a", "0 1 * * *"))
    number = w.create(dates="2026-01-05..2026-01-08", groups=2)
    w.tick()
    w.end("a 5 01:00")
    assert w.row(number)["estimated_end_at"] is not None
    w.restart()
    number = w.create(dates="2026-01-05..2026-01-08", groups=2)
    w.tick()
    w.backfills.change(number, Changes({"groups": 4}))
    assert w.row(number)["estimated_end_at"] is not None  # groups that were dealt anew are played, too
    assert len(w.finish()) >= 1
    assert w.status(number) == "succeeded"


def test_fewer_groups_begin_less_once_the_old_dates_are_done(world: MakeWorld) -> None:
    """BF-3: what has begun goes on."""
    w = world(make_task("w.a", "0 1 * * *"), slots=9)
    w.create(dates="2026-01-05..2026-01-10", groups=3)
    w.tick()
    assert w.running() == {"a 5 01:00", "a 7 01:00", "a 9 01:00"}
    change(w, groups=1)
    w.end("a 7 01:00", "a 9 01:00")
    assert w.running() == {"a 5 01:00"}
    assert w.finish() == [{"a 5 01:00"}, {"a 6 01:00"}, {"a 8 01:00"}, {"a 10 01:00"}]


def test_a_group_that_failed_holds_up_only_its_own_dates(world: MakeWorld) -> None:
    """BF-3, POL-7, BF-5: more groups set a failed backfill going again, around what failed."""
    w = world(make_task("w.a", "0 1 * * *"))
    w.create(dates="2026-01-05..2026-01-08")
    w.finish(fails=lambda name: name == "a 5 01:00")
    assert w.status(1) == "failed"
    change(w, groups=2)
    assert (w.status(1), w.row(1)["ended_at"]) == ("waiting_resources", None)
    assert w.finish() == [{"a 8 01:00"}]
    w.do("set_successful", "a 5 01:00")
    w.finish()
    assert w.status(1) == "succeeded"


def test_previous_cycles_of_other_groups_are_waited_for(world: MakeWorld) -> None:
    """BF-3, DEP-13: new groups are serialised by waits as those that were there first."""
    w = world(make_task("w.a", "0 1 * * *", SELF), slots=9)
    w.create(dates="2026-01-05..2026-01-08")
    w.tick()
    change(w, groups=2)
    assert [len(wave) for wave in w.finish()] == [1, 1, 1, 1]


@pytest.mark.parametrize(("first", "then"), [(1, 2), (2, 1), (2, 3)])
def test_which_waits_between_groups_count_was_decided_when_it_was_created(
    world: MakeWorld, first: int, then: int
) -> None:
    """BF-3, DEP-13: with `across_groups: ignore` too, so that counters stay right."""
    w = world(make_task("w.a", "0 1 * * *", SELF), slots=9)
    w.create(dates="2026-01-05..2026-01-08", groups=first, across_groups=AcrossGroups.IGNORE)
    w.tick()
    change(w, groups=then)
    assert w.drift() == []
    w.restart()
    w.finish()
    assert w.status(1) == "succeeded"


def test_groups_that_cannot_change_say_why(world: MakeWorld) -> None:
    """BF-3: nothing is touched."""
    w = world(make_task("w.a", "0 1 * * *"))
    by_task = w.create(dates="2026-01-05..2026-01-08", barrier=Barrier.TASK)
    with pytest.raises(WrongStateError, match="with barrier task every date has begun"):
        change(w, by_task, groups=2, priority=8)
    all_begun = w.create(dates="2026-01-05")
    with pytest.raises(WrongStateError, match="every bizdate of backfill 2 has begun"):
        change(w, all_begun, groups=2)
    assert change(w, by_task, priority=8) == ["priority own -> 8"], "the refused change left it as it was"


def test_groups_change_again_and_a_new_scheduler_knows(world: MakeWorld) -> None:
    """BF-3: the groups are kept with the backfill."""
    w = world(make_task("w.a", "0 1 * * *"), slots=9)
    w.create(dates="2026-01-05..2026-01-12")
    w.tick()
    assert change(w, groups=2) == ["groups 1 -> 2"]
    assert change(w, groups=2) == []
    w.tick()
    assert change(w, groups=3) == ["groups 2 -> 3"]
    w.restart()
    w.tick()
    assert len(w.running()) == 3
    assert sum(len(wave) for wave in w.finish()) == 8


# -- window


def test_a_window_closes_and_opens_by_a_change(world: MakeWorld) -> None:
    """BF-3, POL-11, OPS-0: what runs goes on, what is ready is Not run until it opens."""
    w = world(*chain())
    w.create(dates="2026-01-05..2026-01-06", groups=2)
    w.executor.obeys = False
    w.tick()
    assert change(w, window="22:00-06:00") == ["window none -> 22:00-06:00 (UTC)"]
    w.end("a 5 01:00")
    assert w.running() == {"a 6 01:00"}
    assert w.row(1)["counts"]["waiting_resources"] == 0
    assert w.tick().next_ms is not None
    w.clock.move_to("2026-03-02T22:00")
    w.tick()
    assert w.running() == {"a 6 01:00", "b 5 02:00"}, "it starts work at that minute"
    assert change(w, no_window=True) == ["window 22:00-06:00 (UTC) -> none"]
    w.finish()
    assert w.status(1) == "succeeded"


def test_a_planned_backfill_starts_when_its_new_window_opens(world: MakeWorld) -> None:
    """SEL-4, BF-3: all of it can change, since nothing is made yet."""
    w = world(*chain(), groups=(NIGHT,))
    w.create(selection=AllDescendantsSelection("w.a"), window=None, dates="2026-01-05..2026-03-10")
    backfill = w.create(selection=AllDescendantsSelection("w.a"), dates="2026-03-05..2026-03-07")
    assert w.row(backfill)["status"] == "pending"
    before = w.later_starts.next_ms()
    found = change(w, backfill, window="05:00-06:00", groups=3, priority=5, resource_group="night")
    assert found == [
        "groups 1 -> 3", "window none -> 05:00-06:00 (UTC)", "priority own -> 5", "resource group own -> night",
    ]  # fmt: skip
    assert before is not None
    assert w.later_starts.next_ms() == before + 4 * 3_600_000
    w.clock.move_to("2026-03-06T05:00")
    assert w.later_starts.start_due() == [backfill]
    w.scheduler.look_again()
    w.tick()
    rows = [row for row in w.rows(backfill).values() if row.state == "running"]
    assert [(row.priority, row.resource_group) for row in rows] == [(5, "night")]
    with w.store.read() as reader:
        assert [date.group_number for date in reader.dates(backfill)] == [1, 2, 3]


# -- priority and resource group


def test_a_priority_goes_for_what_is_ready_and_for_what_gets_ready(world: MakeWorld) -> None:
    """BF-3, POL-12, RUN-1: somebody said so, so age does not lower it."""
    w = world(*chain(priority=8), slots=1)
    first, second = w.create(), w.create()
    assert change(w, second, priority=8) == ["priority own -> 8"]
    w.tick()
    assert {row.backfill_id for row in w.rows(second).values() if row.state == "running"} == {second}
    w.executor.end(next(iter(w.executor.running)))
    w.tick()
    assert [row.priority for row in w.rows(second).values()] == [8, 8], (
        "the second task, of priority 1, goes first"
    )
    assert w.rows(second)["b 5 02:00"].state == "running"
    assert w.rows(first)["a 5 01:00"].priority == 3
    change(w, first, priority=1)
    assert w.rows(first)["a 5 01:00"].priority == 1
    assert change(w, first, own_priority=True) == ["priority 1 -> own"]
    assert w.rows(first)["a 5 01:00"].priority == 3


def test_a_resource_group_goes_for_what_has_not_started(world: MakeWorld) -> None:
    """BF-3, POL-10: running ones stay, also when they are rerun they go to the new one."""
    w = world(*chain(), slots=1, groups=(NIGHT,))
    w.create(dates="2026-01-05..2026-01-06", groups=2)
    w.tick()
    (running,) = w.running()
    (ready,) = {"a 5 01:00", "a 6 01:00"} - {running}
    assert change(w, resource_group="night") == ["resource group own -> night"]
    assert w.rows()[running].resource_group == "default"
    assert w.rows()[ready].resource_group == "night"
    w.tick()
    assert w.running() == {running, ready}
    w.end(running, exit_code=1)
    w.do("rerun", running)
    assert w.rows()[running].resource_group == "night"
    change(w, own_resource_group=True)
    w.finish()
    assert w.rows()["b 6 02:00"].resource_group == "default"


def test_a_task_whose_workspace_is_not_bound_keeps_its_group(world: MakeWorld) -> None:
    """POL-10, BF-3: and it is said."""
    w = world(
        make_task("w.a", "0 1 * * *"),
        make_task("x.b", "0 1 * * *"),
        groups=(ResourceGroup("mine", slots=1, workspaces=frozenset({"w"})),),
    )
    w.create()
    changed = w.backfills.change(1, Changes({"resource_group": "mine"}))
    assert changed.notes == (
        "1 task keeps its own resource group, because its workspace is not bound to mine: x.b.",
    )
    assert {row.resource_group for row in w.rows().values()} == {"mine", "default"}
    with pytest.raises(UnknownNameError, match='no resource group "mien"; did you mean "mine"'):
        change(w, resource_group="mien")


def test_asking_again_completes_what_a_crash_cut_short(world: MakeWorld) -> None:
    """BF-3: the policy is stored first; ready instances follow in steps."""
    w = world(make_task("w.a", "0 1 * * *"), groups=(NIGHT,))
    w.create()
    change(w, priority=8, resource_group="night")
    row = w.rows()["a 5 01:00"]
    with w.store.transaction() as tx:
        tx.place([(row.id, 1, "default")])  # as if the step had not come about
    assert change(w, priority=8, resource_group="night") == []
    assert w.rows()["a 5 01:00"] == row


class Killed(BaseException):
    """The process that changes was killed."""


def test_a_scheduler_completes_what_a_killed_change_owes(world: MakeWorld) -> None:
    """BF-3: the commit that changes the policy says that ready instances have still to move."""
    w = world(make_task("w.a", "0 1 * * *"), groups=(NIGHT,))
    w.create()

    backfills, real = w.backfills, w.store.transaction
    begun: list[int] = []

    def transaction(**more: object) -> object:
        begun.append(1)
        if len(begun) > 1:
            raise Killed
        return real(**more)

    w.store.transaction = transaction  # type: ignore[method-assign]
    with pytest.raises(Killed):
        backfills.change(1, Changes({"resource_group": "night"}))
    w.store.transaction = real  # type: ignore[method-assign]
    assert w.rows()["a 5 01:00"].resource_group == "default"
    w.later_starts.remove_leftovers()
    assert w.rows()["a 5 01:00"].resource_group == "night"
    with w.store.read() as reader:
        assert reader.owed_places() == []


def test_dry_runs_need_no_group(world: MakeWorld) -> None:
    """RUN-2, BF-3."""
    from retrofill.domain.catalog.task_types import TaskType

    gate = make_task("w.a", "0 1 * * *", type=TaskType.VIRTUAL)
    w = world(gate, make_task("w.b", "0 2 * * *", "w.a"), groups=(NIGHT,))
    w.create()
    change(w, resource_group="night")
    assert w.rows()["a 5 01:00"].resource_group == ""
    w.finish()
    assert w.status(1) == "succeeded"


def test_what_an_administrator_has_set_for_an_instance_stays(world: MakeWorld) -> None:
    """OPS-7, BF-3: ready or not."""
    w = world(*chain(), groups=(NIGHT, ResourceGroup("other", slots=1)))
    w.create()
    ids = [row.id for row in w.rows().values()]
    with w.store.transaction() as tx:
        for number in ids:
            tx.interventions.set_priority(number, 5)
            tx.interventions.set_resource_group(number, "other")
    change(w, priority=8, resource_group="night")
    with w.store.read() as reader:
        shows = InstanceReader(w.view(reader))
        rows = [shows.row(row) for row in reader.instances(ids)]
    assert {(row["priority"], row["resource_group"]) for row in rows} == {(5, "other")}
    w.finish()
    assert {(row.priority, row.resource_group) for row in w.rows().values()} == {(5, "other")}


# -- when


@pytest.mark.parametrize("at", list(BackfillSituation))
def test_a_change_in_every_standing(world: MakeWorld, at: BackfillSituation) -> None:
    """BF-3: what has succeeded, was refused or is being made cannot change; the rest can, and is recorded."""
    w = REACH[at](world)
    if STEERING[Steer.CHANGE, at] is Verdict.REFUSED:
        with pytest.raises(RetrofillError) as caught:
            change(w, priority=8)
        assert caught.value.kind is Kind.WRONG_STATE
        with w.store.transaction() as tx:
            if at in (BackfillSituation.CHECKING, BackfillSituation.STARTING):
                tx.set_backfill(1, phase="planned")
        return
    ended_at = w.row(1)["ended_at"]
    w.clock.forward(60)
    result = w.backfills.change(1, changes_of(priority=8, window="10:00-11:00"), "for lunch")
    assert len(result.differences) == 2
    with w.store.read() as reader:
        last = reader.operations("backfill_id", 1)[-1]
    assert (last.action, last.user, last.at_ms) == ("change", "admin", w.clock.now_ms())
    assert last.comment == "window none -> 10:00-11:00 (UTC); priority own -> 8. for lunch"
    assert w.row(1)["ended_at"] == ended_at, "the end of what has ended stays where it was"


def test_nothing_and_twice_are_refused() -> None:
    """BF-3: wrong use."""
    for wrong in (
        {}, {"weekends": True}, {"window": "01:00-02:00", "no_window": True}, {"priority": 1, "own_priority": True},
        {"resource_group": "x", "own_resource_group": True}, {"groups": 0}, {"groups": 11},
    ):  # fmt: skip
        with pytest.raises(UsageError):
            changes_of(**wrong)
