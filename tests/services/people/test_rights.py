"""Who may see and do what with backfills and instances, judged on what is loaded.

ops: alice administrator, bob operator, carol developer (owns raw), dave visitor; bi: erin operator.
raw -> mid -> report, of which report belongs to bi.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.catalogs import make_catalog, make_task
from retrofill.domain.errors import Kind, NotPermittedError, RetrofillError, UnknownNameError
from retrofill.domain.planning.changes import Changes
from retrofill.domain.running.results import ItemResult
from retrofill.domain.selection.choice import DryRunReason
from retrofill.domain.selection.ways import AllDescendantsSelection, ManualSelection
from retrofill.services.backfills.requests import PlannedBackfill
from services.worlds import MakeWorld, World

MEMBERS = {
    "ops": {"alice": "administrator", "bob": "operator", "carol": "developer", "dave": "visitor"},
    "bi": {"erin": "operator"},
}
TASKS = (
    make_task("ops.raw", "0 1 * * *", owner="carol", parameters=(("day", "$bizdate"),)),
    make_task("ops.mid", "0 2 * * *", "ops.raw"),
    make_task("bi.report", "0 3 * * *", "ops.mid"),
    make_task("ops.last", "0 4 * * *", "bi.report"),
    make_task("bi.alone", "0 5 * * *"),
)


@pytest.fixture
def w(world: MakeWorld) -> World:
    return world(*TASKS, members=MEMBERS, slots=9)


def everything(w: World, user: str = "admin") -> int:
    """A backfill of raw and all below it."""
    w.user = user
    return w.create(selection=ManualSelection(("ops.raw",), "all"))


def ids(w: World) -> dict[str, int]:
    return {name.split()[0]: row.id for name, row in w.rows().items()}


def act(w: World, user: str, *numbers: int, operation: str = "freeze") -> list[ItemResult]:
    w.user = user
    results: list[ItemResult] = getattr(w.operations, operation)(list(numbers))
    return results


Outcome = Kind | None

DONE, REFUSED, UNKNOWN = None, Kind.NOT_PERMITTED, Kind.UNKNOWN


def outcome(result: ItemResult) -> Outcome:
    """The kind of the refusal, None where it was done."""
    return None if result.error is None else result.error.kind


OPERATIONS = ["stop", "rerun", "set_successful", "freeze", "unfreeze", "rerun_descendants"]


@pytest.mark.parametrize(
    ("user", "raw", "mid", "report"),
    [
        ("admin", DONE, DONE, DONE),
        ("alice", DONE, DONE, UNKNOWN),
        ("bob", DONE, DONE, UNKNOWN),
        ("carol", DONE, REFUSED, UNKNOWN),
        ("dave", REFUSED, REFUSED, UNKNOWN),
        ("erin", UNKNOWN, UNKNOWN, DONE),
    ],
)
def test_who_may_operate_what(w: World, user: str, raw: Outcome, mid: Outcome, report: Outcome) -> None:
    """SEC-2, SEC-4, OPS-8: per item; a foreign one is unknown, one seen but out of reach is refused."""
    everything(w)
    for name in ("raw", "mid", "report"):
        act(w, "admin", ids(w)[name], operation="unfreeze")
    w.backfills.pause(1)  # so that raw can be frozen
    numbers = [ids(w)[name] for name in ("raw", "mid", "report")]
    assert [outcome(result) for result in act(w, user, *numbers)] == [raw, mid, report]
    frozen = {name.split()[0] for name, row in w.rows().items() if row.state == "frozen"}
    allowed = zip(("raw", "mid", "report"), (raw, mid, report), strict=True)
    assert frozen == {name for name, status in allowed if status is DONE}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_foreign_id_is_answered_like_an_unknown_one(w: World, operation: str) -> None:
    """SEC-2: the same words, whatever the operation."""
    everything(w)
    foreign, unknown = ids(w)["report"], 999
    results = act(w, "bob", foreign, unknown, operation=operation)
    texts = {str(r.error).replace(str(r.id), "N"): r.error.hint if r.error else "" for r in results}
    assert len(texts) == 1, texts
    assert all(isinstance(r.error, UnknownNameError) and r.state is None for r in results)


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "rerun_descendants"])
def test_what_is_seen_and_out_of_reach_is_refused(w: World, operation: str) -> None:
    """SEC-4: before its state is judged, and nothing is written."""
    everything(w)
    number = ids(w)["mid"]
    result = act(w, "dave", number, operation=operation)[0]
    assert isinstance(result.error, NotPermittedError)
    assert "ops.mid" in result.error.message
    with w.store.read() as reader:
        assert reader.operations("instance_id", number) == []


def test_descendants_that_may_be_rerun(w: World) -> None:
    """OPS-4, SEC-2, SEC-4: those in reach are, those seen are refused, those not seen are left out."""
    everything(w)
    w.finish()
    numbers = ids(w)
    results = {r.id: outcome(r) for r in act(w, "bob", numbers["raw"], operation="rerun_descendants")}
    assert results == {numbers["mid"]: DONE, numbers["last"]: DONE}
    w.user = "admin"
    w.finish()
    results = {r.id: outcome(r) for r in act(w, "carol", numbers["raw"], operation="rerun_descendants")}
    assert results == {numbers["mid"]: REFUSED, numbers["last"]: REFUSED}


def test_a_new_owner_may_operate_what_ran_before(w: World) -> None:
    """SEC-4: roles and owners are those of now, whatever version an instance was made from."""
    everything(w)
    w.backfills.pause(1)
    number = ids(w)["mid"]
    assert outcome(act(w, "carol", number)[0]) is REFUSED
    w.user = "admin"
    tasks = [
        make_task("ops.mid", "0 2 * * *", "ops.raw", owner="carol") if t.name == "ops.mid" else t
        for t in TASKS
    ]
    w.deploy(make_catalog(*tasks, members=MEMBERS))
    assert outcome(act(w, "carol", number)[0]) is DONE


# Backfills as wholes

STEERING: list[tuple[str, Callable[[World, int], object]]] = [
    ("pause", lambda w, number: w.backfills.pause(number)),
    ("change", lambda w, number: w.backfills.change(number, Changes({"priority": 8}))),
    ("resume", lambda w, number: w.backfills.resume(number)),
]


@pytest.mark.parametrize(("name", "do"), STEERING, ids=[name for name, _ in STEERING])
def test_who_may_steer(w: World, name: str, do: Callable[[World, int], object]) -> None:
    """SEC-4: its creator, or who may operate all of it; a foreign one is unknown."""
    number = w.create(selection=ManualSelection(("ops.raw", "ops.mid")))
    for user in ("admin", "alice", "bob"):
        w.user = user
        do(w, number)
    for user in ("carol", "dave"):
        w.user = user
        with pytest.raises(NotPermittedError, match=f"may not {name} backfill {number}"):
            do(w, number)
    w.user = "erin"
    with pytest.raises(UnknownNameError, match=f"there is no backfill {number}"):
        do(w, number)


def test_a_creator_may_steer_what_he_made(w: World) -> None:
    """SEC-4: also a developer."""
    w.user = "carol"
    number = w.create(selection=ManualSelection(("ops.raw",)))
    w.backfills.pause(number)
    assert w.status(number) == "paused"


def test_a_creator_who_may_not_backfill_it_any_more_only_holds_it_back(w: World) -> None:
    """SEC-4: whoever was removed from a workspace, or owns a task no more, makes nothing of it run."""
    w.user = "carol"
    number = w.create(selection=ManualSelection(("ops.raw",)))
    w.deploy(make_catalog(*TASKS, members={"ops": {}, "bi": {"carol": "visitor"}}))
    w.backfills.pause(number)
    for name, do in STEERING[1:]:
        with pytest.raises(NotPermittedError, match=f"you may not {name} backfill {number}"):
            do(w, number)
    assert w.status(number) == "paused"
    w.backfills.stop(number)
    with pytest.raises(NotPermittedError, match=f"you may not resume backfill {number}"):
        w.backfills.resume(number)
    assert w.status(number) == "stopped"


def test_stopping_a_part(w: World) -> None:
    """SEC-4, SEC-5, OPS-1: who may not steer it ends what he may operate and is told the rest; nothing is held back."""
    number = w.create(selection=ManualSelection(("ops.raw", "bi.alone")))
    w.executor.obeys = False
    w.tick()
    assert w.running() == {"raw 5 01:00", "alone 5 05:00"}
    w.user = "erin"
    results = w.backfills.stop(number)
    assert [(r.id, outcome(r)) for r in results] == [(ids(w)["alone"], DONE)]
    assert w.rows()["raw 5 01:00"].reason is None
    with w.store.read() as reader:
        record = reader.find_backfill(number)
        assert record is not None
        assert not record.stopped


def test_stopping_what_is_only_seen(w: World) -> None:
    """SEC-4: exit 4, and everything runs on."""
    number = w.create(selection=ManualSelection(("ops.mid",)))
    w.executor.obeys = False
    w.tick()
    w.user = "carol"
    with pytest.raises(NotPermittedError):
        w.backfills.stop(number)
    assert w.status(number) == "running"


@pytest.mark.parametrize(
    ("user", "expected"), [("bob", {"raw": DONE, "mid": DONE}), ("carol", {"raw": DONE, "mid": REFUSED})]
)
def test_rerunning_a_part(w: World, user: str, expected: dict[str, Outcome]) -> None:
    """SEC-4, OPS-3: what one may operate is rerun, what one only sees is listed, the rest is not named."""
    number = w.create(selection=ManualSelection(("ops.raw", "ops.mid", "bi.report")))
    w.finish()
    w.user = user
    names = {number: name for name, number in ids(w).items()}
    assert {names[r.id]: outcome(r) for r in w.backfills.rerun(number)} == expected


def test_a_rerun_of_a_part_resumes_nothing(w: World) -> None:
    """SEC-4: a stop by its creator stays."""
    number = w.create(selection=ManualSelection(("ops.raw", "bi.alone")))
    w.tick()
    w.end("raw 5 01:00")
    w.backfills.stop(number)
    w.user = "bob"
    w.backfills.rerun(number)
    assert w.status(number) in ("stopped", "running")
    with w.store.read() as reader:
        record = reader.find_backfill(number)
        assert record is not None
        assert record.stopped


@pytest.mark.parametrize(
    ("user", "found"),
    [("admin", [3, 2, 1]), ("alice", [3, 1]), ("dave", [3, 1]), ("erin", [2, 1])],
)
def test_which_backfills_are_seen(w: World, user: str, found: list[int]) -> None:
    """SEC-2, SEC-5: one's own, and those in which a task of one's workspace really runs."""
    everything(w)
    w.create(selection=ManualSelection(("bi.report",)))
    w.create(selection=ManualSelection(("ops.raw", "ops.last")))  # mid and report are dry runs
    w.user = user
    with w.store.read() as reader:
        access = w.access(reader)
        assert [record.id for record in reader.backfills() if access.sees_backfill(record)] == found


def test_dry_runs_are_the_only_foreign_names(w: World) -> None:
    """SEC-2: of tasks that run in other workspaces nothing is named, neither in sentences nor in lists."""
    everything(w)
    assert "bi.report" in w.why("last 5 04:00").text
    w.user = "bob"
    running = w.why("last 5 04:00")
    assert "a task of another workspace" in running.text
    assert "bi.report" not in str(running)
    w.user = "admin"
    number = w.create(selection=ManualSelection(("ops.raw", "ops.last")))
    w.user = "bob"
    with w.store.read() as reader:
        access = w.access(reader)
        first, second = reader.find_backfill(1), reader.find_backfill(number)
        assert first is not None
        assert second is not None
        assert access.listed_tasks(first) == {"ops.raw", "ops.mid", "ops.last"}
        assert access.listed_tasks(second) == {"ops.raw", "ops.mid", "ops.last", "bi.report"}
    assert "bi.report" in w.why("last 5 04:00").text  # the newest backfill, where it is a dry run


# Plans


def plan(w: World, user: str, *roots: str, **more: object) -> PlannedBackfill:
    w.user = user
    return w.plan(selection=ManualSelection(roots, **more))  # type: ignore[arg-type]


def refusal(do: Callable[[], object]) -> RetrofillError:
    with pytest.raises(RetrofillError) as caught:
        do()
    return caught.value


@pytest.mark.parametrize(
    ("user", "root", "status"),
    [
        ("admin", "bi.report", DONE),
        ("alice", "ops.mid", DONE),
        ("bob", "ops.mid", DONE),
        ("carol", "ops.raw", DONE),
        ("carol", "ops.mid", REFUSED),
        ("dave", "ops.raw", REFUSED),
        ("bob", "bi.report", UNKNOWN),
        ("erin", "bi.report", DONE),
    ],
)
def test_who_may_backfill_what(w: World, user: str, root: str, status: Outcome) -> None:
    """SEL-5, SEL-7: administrators and operators all tasks, developers their own, others none."""
    if status is not DONE:
        error = refusal(lambda: plan(w, user, root))
        assert error.kind is status
        assert root in error.message
    else:
        assert [task.name for task in plan(w, user, root).plan.tasks] == [root]


def test_what_came_in_without_permission(w: World) -> None:
    """SEL-6, SEL-7, VER-1: a dry run between running tasks, otherwise left out; with a warning."""
    planned = plan(w, "bob", "ops.raw", descendants="all")
    assert planned.choice.dry_runs == {"bi.report": DryRunReason.NO_PERMISSION}
    planned = plan(w, "carol", "ops.raw", descendants="all")
    assert [task.name for task in planned.plan.tasks] == ["ops.raw"]
    assert planned.choice.left_out == ("ops.last", "ops.mid")
    assert planned.choice.left_out_unseen == 1
    [finding] = [f for f in planned.findings if f.code == "no_permission"]
    assert "bi.report" not in finding.message


@pytest.mark.parametrize(
    ("user", "status"), [("admin", DONE), ("alice", DONE), ("bob", REFUSED), ("carol", DONE)]
)
def test_who_may_override(w: World, user: str, status: Outcome) -> None:
    """PAR-5: administrators, and developers for their own tasks; operators may backfill, not override."""
    w.user = user

    def do() -> PlannedBackfill:
        return w.plan(selection=ManualSelection(("ops.raw",)), overrides={"ops.raw": {"day": "20260101"}})

    if status is not DONE:
        error = refusal(do)
        assert (error.kind, "ops.raw" in error.message) == (status, True)
    else:
        assert do().plan.policy.overrides


# SEL-4


def planned_for_later(w: World, user: str) -> int:
    w.user = user
    return w.create(selection=AllDescendantsSelection("ops.raw"), dates="2026-03-02")


def test_the_creators_rights_of_then(w: World) -> None:
    """SEL-4: whoever runs the scheduler, what the creator may not run is a dry run."""
    number = planned_for_later(w, "bob")
    assert w.status(number) == "pending"
    w.user = "admin"
    w.clock.forward(86_400)
    assert w.later_starts.start_due() == [number]
    assert {name.split()[0]: row.kind for name, row in w.rows(number).items()} == {
        "raw": "run",
        "mid": "run",
        "report": "dry_run",
        "last": "run",
    }


@pytest.mark.parametrize(
    ("role", "code"), [("visitor", "not_permitted"), (None, "not_permitted")], ids=["demoted", "gone"]
)
def test_a_creator_who_lost_his_rights(w: World, role: str | None, code: str) -> None:
    """SEL-4, VER-2: then it is refused, and says so; nothing runs."""
    number = planned_for_later(w, "bob")
    ops = {name: r for name, r in MEMBERS["ops"].items() if name != "bob"} | ({"bob": role} if role else {})
    w.user = "admin"
    w.deploy(make_catalog(*TASKS, members={**MEMBERS, "ops": ops}))
    w.clock.forward(86_400)
    w.later_starts.start_due()
    assert w.row(number)["check_status"] == "failed"
    with w.store.read() as reader:
        record = reader.find_backfill(number)
        assert record is not None
        assert f'"code": "{code}"' in record.analysis
