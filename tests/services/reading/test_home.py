"""What somebody sees first: what needs a person and why, what is under way, what comes, how the nights went."""

from __future__ import annotations

import pytest

from domain.catalogs import SELF, make_task
from retrofill.domain.running.searches import BackfillSearch
from retrofill.domain.selection.ways import ManualSelection
from retrofill.domain.time.windows import parse_time_range, parse_window
from retrofill.services.operation_center import OperationCenter
from retrofill.services.reading.documents import Need
from services.centers import WorldParts
from services.worlds import MakeWorld, World

CHAIN = (
    make_task("w.a", "0 1 * * *"),
    make_task("w.b", "0 2 * * *", "w.a"),
    make_task("w.c", "0 3 * * *", "w.b"),
    make_task("v.d", "0 4 * * *"),
)
MEMBERS = {"w": {"carol": "operator"}, "v": {"dave": "operator"}}
W = ManualSelection(("w.a", "w.b", "w.c"))


@pytest.fixture
def w(world: MakeWorld) -> World:
    return world(*CHAIN, members=MEMBERS)


def needs(w: World, user: str = "admin") -> list[Need]:
    w.user = user
    found = w.center.home.show()
    assert w.center.home.count() == found["counts"]
    assert found["counts"]["needs"] == len(found["needs"])
    listed = w.center.backfills.list(BackfillSearch(needs=True))["items"]
    assert {row["id"] for row in listed} == {one["backfill"] for one in found["needs"]} - {None}
    return found["needs"]


def kinds(found: list[Need]) -> list[tuple[str, int | None]]:
    return [(one["kind"], one["backfill"]) for one in found]


def test_where_all_goes_on_nobody_is_needed(w: World) -> None:
    w.create(selection=W)
    w.tick()
    assert needs(w) == []
    w.finish()
    assert needs(w) == []


def test_what_holds_up_most_comes_first_with_its_cause(w: World) -> None:
    """OPS-9: the first failure, how it ended, how much waits for it, and what can be done."""
    w.create(selection=W)
    w.tick()
    w.end("a 5 01:00")
    w.end("b 5 02:00", exit_code=1)
    w.create(selection=W, dates="2026-01-07..2026-01-09")
    w.tick()
    w.end("a 7 01:00", exit_code=1)
    first, second = needs(w)
    assert kinds([first, second]) == [("failed", 2), ("failed", 1)]
    assert (first["held_up"], first["held_up_tasks"], first["failed"]) == (8, 3, 1)
    assert (second["held_up"], second["held_up_tasks"]) == (1, 1)
    cause = second["cause"]
    assert cause is not None
    assert (cause["task"], cause["bizdate"], cause["state"], cause["run_number"]) == (
        "w.b", "2026-01-05", "failed", 1
    )  # fmt: skip
    assert cause["message"] is not None
    assert cause["at"] == second["since"]
    assert [step.name for step in second["steps"]] == [
        "instance.log", "instance.rerun", "instance.set_successful"
    ]  # fmt: skip
    w.do("rerun", "a 7 01:00")
    assert kinds(needs(w)) == [("failed", 1)], "who mends it needs it no longer"


def test_a_failed_one_beside_which_others_go_on_is_told_at_once(w: World) -> None:
    """POL-7: independent branches go on, and a person is needed all the same."""
    w.create(selection=ManualSelection(("w.a", "w.b", "v.d")))
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    (need,) = needs(w)
    assert (need["status"], need["held_up"]) == ("running", 1)


@pytest.mark.parametrize("held", ["pause", "stop"])
def test_what_somebody_has_halted_needs_nobody(w: World, held: str) -> None:
    """OPS-1, BF-3: who did it knows."""
    w.create(selection=W)
    w.tick()
    w.create(selection=ManualSelection(("w.a", "v.d")), dates="2026-01-08..2026-01-09")
    w.tick()
    w.end("a 8 01:00", exit_code=1)
    assert kinds(needs(w)) == [("failed", 2)]
    getattr(w.backfills, held)(2)
    assert needs(w) == []


def test_one_that_has_paused_by_itself_says_so(w: World) -> None:
    """POL-14."""
    w.create(selection=W, dates="2026-01-05..2026-01-06", groups=2, max_failures=1)
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    (need,) = needs(w)
    assert need["paused"]
    assert need["held_up"] == 2
    assert need["steps"][-1].name == "backfill.resume"


def test_frozen_on_purpose_is_no_need_until_others_wait(w: World) -> None:
    """BF-4, OPS-6: a backfill that nobody needs is frozen whole; and who froze what others wait for is named."""
    w.create(selection=W)
    with w.store.read() as reader:
        ids = [row.id for row in reader.instance_range(1, 3)]
    w.backfills.pause(1)
    w.operations.freeze(ids, "not needed")
    w.backfills.resume(1)
    assert needs(w) == []
    w.do("unfreeze", "b 5 02:00", "c 5 03:00")
    (need,) = needs(w)
    assert (need["kind"], need["held_up"]) == ("frozen", 2)
    cause = need["cause"]
    assert cause is not None
    assert (cause["by"], cause["comment"], cause["state"]) == ("admin", "not needed", "frozen")
    assert [step.name for step in need["steps"]] == ["instance.unfreeze"]


def test_an_old_failure_needs_nobody_any_more(w: World) -> None:
    """What nobody has cared for during two weeks is in the list, not here."""
    w.create(selection=W)
    w.finish(fails=lambda name: name.startswith("a"))
    assert kinds(needs(w)) == [("failed", 1)]
    w.clock.forward(15 * 86_400)
    assert needs(w) == []


def test_everybody_sees_what_he_may_see(w: World) -> None:
    """SEC-2: others' backfills need one not, and a cause that may not be known is not told."""
    w.create(selection=W)
    w.create(selection=ManualSelection(("w.a", "v.d")), dates="2026-01-06")
    w.finish(fails=lambda name: name.startswith(("a", "d")))
    assert sorted(kinds(needs(w))) == [("failed", 1), ("failed", 2)]
    assert kinds(needs(w, "dave")) == [("failed", 2)]
    (need,) = needs(w, "dave")
    assert need["cause"] is not None
    assert need["cause"]["task"] == "v.d"
    found = w.center.home.show()
    assert [row["id"] for row in found["ended"]] == [2]


def test_a_night_that_fails_again_and_again_is_one_thing_to_mend(world: MakeWorld) -> None:
    """AUTO-1: by task, with what waits for it on all of these nights."""
    w = world(
        make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"), make_task("w.c", "0 2 * * *")
    )
    w.night()
    for _ in range(2):
        w.clock.forward(86_400)
        w.night()
        w.clock.forward(12 * 3_600)
        w.finish(fails=lambda name: name.startswith("a"))
    (need,) = needs(w)
    assert need["kind"] == "failed"
    assert need["backfill"] is None
    assert len(need["bizdates"]) == 3
    assert need["bizdates"] == sorted(need["bizdates"], reverse=True)
    assert (need["failed"], need["held_up"], need["held_up_tasks"]) == (3, 3, 1)
    nights = w.center.home.show()["nights"]
    assert [night["counts"]["failed"] for night in nights][:3] == [1, 1, 1]
    assert all(night["ended_at"] for night in nights if night["counts"]["successful"])


def test_a_task_that_stands_frozen_is_named_with_who_froze_it(world: MakeWorld) -> None:
    """AUTO-4: once nothing else of the night goes on, what waits for it is told."""
    from retrofill.services.catalogs.freezing import freeze_tasks

    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    freeze_tasks(w.store, w.graphs.current, w.clock, w.actor, ["w.a"], True, "until Monday")
    w.night()
    w.clock.forward(86_400)
    w.night()
    w.finish()
    (need,) = needs(w)
    assert (need["kind"], need["held_up"]) == ("frozen", 1)
    assert need["cause"] is not None
    assert (need["cause"]["by"], need["cause"]["comment"]) == ("admin", "until Monday")


def test_a_night_that_waits_for_the_one_before_is_no_second_need(world: MakeWorld) -> None:
    """DEP-6, AUTO-2: it goes on by itself once that has."""
    w = world(make_task("w.a", "0 1 * * *", SELF))
    for _ in range(3):
        w.clock.forward(86_400)
        w.night()
        w.finish(fails=lambda name: name.startswith("a"))
    (need,) = needs(w)
    assert len(need["bizdates"]) == 1
    assert need["held_up"] >= 1


def test_what_was_not_started_is_told_to_who_made_it(w: World) -> None:
    """VER-2: of verification, or of a check that said no."""
    w.user = "carol"
    w.create(selection=W, time_range=parse_time_range("02:00-03:00"))
    (need,) = needs(w, "carol")
    assert (need["kind"], need["backfill"], need["held_up"]) == ("refused", 1, 0)
    assert "1 risk" in str(need["text"])
    assert [step.name for step in need["steps"]] == ["backfill.analysis", "backfill.create"]
    assert needs(w, "admin") == [], "it is another one's"
    w.clock.forward(4 * 86_400)
    assert needs(w, "carol") == []


def test_nothing_starts_where_nobody_schedules(w: World) -> None:
    """What hinders everything comes before all else."""
    parts = WorldParts(w)
    parts.watch.is_running = False
    center = OperationCenter(parts, w.actor)
    assert center.home.show()["needs"] == [], "nothing is there to be started"
    w.create(selection=W)
    (need,) = center.home.show()["needs"]
    assert need["kind"] == "no_scheduler"
    assert center.home.count() == {"needs": 1, "under_way": 1}


def test_what_comes(w: World) -> None:
    """POL-11, BF-2, AUTO-1: windows, expected ends and the next night, the earliest first."""
    w.create(selection=W, window=parse_window("03:00-04:00", "UTC"))
    w.tick()
    found = w.center.home.show()["coming"]
    assert [one["at"] for one in found] == sorted(one["at"] for one in found)
    by_kind = {one["kind"]: one for one in found}
    assert by_kind["window"]["left"] == 3
    assert by_kind["window"]["until"] is not None
    assert by_kind["window"]["at"][11:16] == "03:00"
    assert by_kind["night"]["bizdate"] is not None


@pytest.mark.embedded
def test_counting_costs_what_failed_and_not_what_there_is(world: MakeWorld) -> None:
    """Every page counts: a day of 288 instances asks no more of the store than one of a single one."""

    def steps(schedule: str) -> int:
        w = world(make_task("w.a", schedule))
        w.create()
        w.night()
        w.center.home.count()
        with w.connections.steps(w.connections.reader) as found:
            assert w.center.home.count() == {"needs": 0, "under_way": 1}
        return len(found)

    assert steps("*/5 * * * *") == steps("0 1 * * *")
