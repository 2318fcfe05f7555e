"""Finding backfills and instances (BF-1), and their rows."""

from __future__ import annotations

from typing import Any

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.errors import RetrofillError, UnknownNameError
from retrofill.domain.running.searches import BackfillSearch, InstanceSearch
from retrofill.domain.selection.ways import ManualSelection
from retrofill.services.reading.documents import InstanceRow
from retrofill.services.reading.searching import search_backfills, search_instances
from services.worlds import MakeWorld, World


@pytest.fixture
def w(world: MakeWorld) -> World:
    one = world(
        make_task("w.a", "0 */12 * * *"),
        make_task("w.b", "0 2 * * *", "w.a"),
        make_task("v.py", "0 3 * * *", type=TaskType.PYTHON),
        slots=2,
        members={"v": {"carol": "operator"}},
    )
    one.create("a", "b", dates="2026-01-05..2026-01-06")
    one.finish(fails=lambda name: name == "b 6 02:00")
    one.clock.forward(86_400)
    one.user = "carol"
    one.create(selection=ManualSelection(("v.py",)), dates="2026-02-01")
    one.user = "admin"
    return one


def backfills(w: World, limit: int = 50, **filters: Any) -> list[int]:
    with w.store.read() as reader:
        view = w.view(reader)
        return [row["id"] for row in search_backfills(view, BackfillSearch(**filters), limit)]


def instances(w: World, limit: int = -1, **filters: Any) -> list[InstanceRow]:
    names = ("backfill", "task", "state", "bizdate")
    several = {f"{name}s": [filters[name]] for name in names if filters.get(name)}
    search = InstanceSearch(**several, auto=filters.get("auto", False))
    with w.store.read() as reader:
        return list(search_instances(w.view(reader), search, limit))


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [2, 1]),
        ({"name": "W.A_"}, [1]),
        ({"name": "%"}, []),
        ({"creator": "carol"}, [2]),
        ({"status": "failed"}, [1]),
        ({"status": "waiting_resources"}, [2]),
        ({"check_status": "passed"}, [2, 1]),
        ({"bizdate": "2026-01-06"}, [1]),
        ({"task": "b"}, [1]),
        ({"task": "v.py"}, [2]),
        ({"task_type": "python"}, [2]),
        ({"workspace": "w"}, [1]),
        ({"created": "2026-03-02"}, [1]),
        ({"created": "2026-03-02..2026-03-03"}, [2, 1]),
        ({"workspace": "w", "creator": "carol"}, []),
        ({"text": "W.A_"}, [1]),
        ({"text": "2"}, [2, 1]),  # an id, and in a name
        ({"text": "v.p"}, [2]),
        ({"text": "nothing"}, []),
        ({"is_open": True}, [2]),
        ({"is_open": False}, [1]),
        ({"is_open": True, "status": "failed"}, []),
    ],
)
def test_filters_of_backfills(w: World, filters: dict[str, Any], found: list[int]) -> None:
    """BF-1: newest first; all filters must hold."""
    assert backfills(w, **filters) == found


def test_what_is_searched_for_in_names_is_only_what_one_sees(w: World) -> None:
    """BF-1, SEC-2: nobody finds a backfill by the name of a task that he may not know."""
    w.create(selection=ManualSelection(("v.py", "w.b")), dates="2026-03-01")
    w.user = "carol"
    assert backfills(w) == [3, 2]
    assert backfills(w, text="w.b") == []
    assert backfills(w, text="v.py") == [3, 2]
    assert backfills(w, text="W.B") == [], "in whatever case"


@pytest.mark.embedded
def test_many_rows_are_read_in_as_many_questions_as_one(w: World) -> None:
    """BF-2."""
    for _ in range(5):
        w.create("a", dates="2026-01-05..2026-01-08")

    def questions(limit: int) -> int:
        with w.store.read() as reader:
            asked: list[str] = []
            w.connections.reader.set_trace_callback(asked.append)
            search_backfills(w.view(reader), BackfillSearch(), limit)
            w.connections.reader.set_trace_callback(None)
            return len(asked)

    assert questions(1) == questions(6)


def test_filters_by_task_id(w: World) -> None:
    """BF-1: by task id."""
    with w.store.read() as reader:
        ids = reader.task_ids()
    assert backfills(w, task=str(ids["w.b"])) == [1]
    assert {row["task"] for row in instances(w, task=str(ids["w.b"]))} == {"w.b"}


def test_a_limit(w: World) -> None:
    """BF-1: paged."""
    assert backfills(w, limit=1) == [2]
    assert len(instances(w, limit=3)) == 3


@pytest.mark.parametrize(
    "filters",
    [
        {"status": "done"}, {"check_status": "ok"}, {"task_type": "perl"}, {"bizdate": "someday"},
        {"created": "2026-03-03..2026-03-02"}, {"task": "nope"}, {"workspace": "x"},
    ],
)  # fmt: skip
def test_wrong_filters_of_backfills(w: World, filters: dict[str, str]) -> None:
    """BF-1: a value that cannot be is an error, not an empty list."""
    with pytest.raises(RetrofillError):
        backfills(w, **filters)


def test_instances_by_bizdate_in_running_order_then_time_then_task(w: World) -> None:
    """BF-2."""
    found = [
        (row["backfill"], row["bizdate"][-2:], row["task"], row["scheduled_at"][11:16])
        for row in instances(w)
    ]
    assert found == [
        (2, "01", "v.py", "03:00"),
        (1, "05", "w.a", "00:00"), (1, "05", "w.b", "02:00"), (1, "05", "w.a", "12:00"),
        (1, "06", "w.a", "00:00"), (1, "06", "w.b", "02:00"), (1, "06", "w.a", "12:00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"backfill": 1}, 6), ({"task": "a"}, 4), ({"bizdate": "2026-01-06"}, 3), ({"state": "failed"}, 1),
        ({"backfill": 2, "state": "successful"}, 0), ({"state": "waiting_resources"}, 1),
    ],
)  # fmt: skip
def test_filters_of_instances(w: World, filters: dict[str, Any], count: int) -> None:
    """BF-2."""
    assert len(instances(w, **filters)) == count


def test_a_held_backfills_instances_are_found_as_not_run(w: World) -> None:
    """OPS-0."""
    w.backfills.pause(2)
    assert len(instances(w, state="waiting_resources")) == 0
    assert [row["state"] for row in instances(w, state="not_run")] == ["not_run"]


def test_unknown_backfill_and_state(w: World) -> None:
    """BF-1."""
    with pytest.raises(UnknownNameError):
        instances(w, backfill=9)
    with pytest.raises(RetrofillError, match="state"):
        instances(w, state="done")


def test_an_instances_row_has_the_promised_fields(w: World) -> None:
    """BF-2: names are promises."""
    (row,) = instances(w, state="failed")
    row["id"] = 0
    assert row == {
        "id": 0,
        "backfill": 1,
        "task": "w.b",
        "bizdate": "2026-01-06",
        "scheduled_at": "2026-01-07T02:00:00",
        "kind": "run",
        "state": "failed",
        "reason": "exit_code",
        "group": 1,
        "priority": 1,
        "resource_group": "default",
        "version": 1,
        "run_number": 1,
        "started_at": "2026-03-02T12:00:00Z",
        "ended_at": "2026-03-02T12:00:00Z",
        "run_seconds": 0.0,
    }
