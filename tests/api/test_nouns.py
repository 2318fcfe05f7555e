"""Tasks, groups, the schedule, the record, names, upkeep over HTTP: what the center answers, and who may do what."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from api.servers import Server, problem, serving
from retrofill.api.answers import encode
from retrofill.api.links import PREFIX
from retrofill.domain.errors import RetrofillError
from retrofill.domain.running.searches import OperationSearch
from retrofill.services.operation_center import OperationCenter

Asked = Callable[[OperationCenter], Any]
QUESTIONS: dict[str, Asked] = {
    "/tasks": lambda c: c.tasks.list(),
    "/tasks?workspace=open&type=shell&limit=1": lambda c: c.tasks.list({"workspace": "open"}, None, 1),
    "/tasks?name=LAST": lambda c: c.tasks.list(None, "last"),
    "/tasks?cursor=open.first": lambda c: c.tasks.list(None, None, None, "open.first"),
    "/tasks?search=first&cycle=day&owner=carol&frozen=false": lambda c: c.tasks.list(
        {"cycle": "day", "owner": "carol"}, search="first", frozen=False
    ),
    "/tasks/first/calendar?until=2026-01-06&days=7": lambda c: c.tasks.calendar("first", date(2026, 1, 6), 7),
    "/tasks/first/versions?limit=1": lambda c: c.versions.of_task("first", 1),
    "/tasks/first/difference?older=1&newer=1": lambda c: c.versions.compare("first", 1, 1),
    "/tables?name=raw&limit=1": lambda c: c.tables.list("raw", 1),
    "/tables/picture?table=RAW.flights&up=2&down=2": lambda c: c.tables.show("raw.flights", None, 2, 2),
    "/tasks/graph": lambda c: c.tasks.graph(),
    "/tasks/graph?task=last": lambda c: c.tasks.graph("last"),
    "/tasks/open.first": lambda c: c.tasks.show("open.first"),
    "/tasks/1": lambda c: c.tasks.show("1"),
    "/tasks/last/upstream?levels=5": lambda c: c.tasks.upstream("last", 5),
    "/tasks/first/downstream": lambda c: c.tasks.downstream("first"),
    "/tasks/first/lineage": lambda c: c.tasks.lineage("first"),
    "/tasks/first/operations": lambda c: c.operations.of_task("first"),
    "/tasks/first/render?bizdate=2026-01-05": lambda c: c.tasks.render("first", date(2026, 1, 5)),
    "/tasks/first/render?bizdate=2026-01-05&time=01:00": lambda c: c.tasks.render(
        "first", date(2026, 1, 5), 60
    ),
    "/workspaces": lambda c: c.tasks.workspaces(),
    "/resource-groups": lambda c: c.groups.list(),
    "/resource-groups/default?limit=1": lambda c: c.groups.show("default", 1),
    "/operations": lambda c: c.operations.list(OperationSearch()),
    "/operations?action=freeze-task": lambda c: c.operations.list(OperationSearch(action="freeze-task")),
    "/operations?user=alice&backfill=1": lambda c: c.operations.list(OperationSearch("alice", backfill_id=1)),
    "/home": lambda c: c.home.show(),
    "/home/counts": lambda c: c.home.count(),
    "/schedule": lambda c: c.schedule.show(),
    "/schedule/nights?limit=1": lambda c: c.schedule.nights(1),
    "/versions": lambda c: c.versions.list(50),
    "/versions/1": lambda c: c.versions.show(1),
    "/versions/1/tasks/open.first": lambda c: c.versions.task(1, "open.first"),
    "/names/backfills?limit=1": lambda c: c.names.backfills(1),
    "/names/tasks": lambda c: c.names.tasks(),
    "/names/users": lambda c: c.names.users(),
    "/names/workspaces": lambda c: c.names.workspaces(),
    "/names/resource-groups": lambda c: c.names.resource_groups(),
    "/scheduler": lambda c: c.work.scheduler(),
    "/scheduler/standstills": lambda c: c.work.standstills(),
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which somebody has done something."""
    with serving(tmp_path_factory.mktemp("asked")) as server:
        server.create()
        server.create("greta", task=("vault.goldmine",))
        server.center("alice").tasks.freeze(["first"], "for the test")
        server.center("greta").tasks.freeze(["goldmine"], "aurum")
        yield server


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize("user", ["alice", "greta", "dave", "admin"])
def test_the_answer_is_that_of_the_center(asked: Server, path: str, user: str) -> None:
    """The same document, also where it is refused; lists are the items of a page."""
    found = asked.by(user).get(PREFIX + path, headers={"Retrofill-Texts": "parts"})
    try:
        wanted = QUESTIONS[path](asked.center(user))
    except RetrofillError as error:
        code = error.code
        wanted = None
    if wanted is None:
        assert problem(found, 404)["code"] == code
        return
    page = {"items": wanted, "next": None} if isinstance(wanted, (list, tuple)) else wanted
    assert found.status_code == 200, found.text
    assert found.json() == json.loads(encode(page, in_parts=True))


def test_something_is_answered(asked: Server) -> None:
    """So that the test above does not compare empty pages alone."""
    for path in ("/tasks", "/operations", "/names/backfills", "/resource-groups", "/versions", "/workspaces"):
        assert asked.by("alice").get(PREFIX + path).json()["items"], path
    assert len(asked.by("alice").get(f"{PREFIX}/tasks/graph").json()["items"]) == 2
    assert asked.by("alice").get(f"{PREFIX}/tasks/last/upstream").json()["items"][0]["task"] == "open.first"


@pytest.mark.parametrize(
    ("path", "user"), [("/operations", "admin"), ("/versions", "admin"), ("/tasks", "admin")]
)
def test_lists_go_on_where_they_ended(asked: Server, path: str, user: str) -> None:
    """Page by page the same as all at once."""
    if path == "/versions":
        asked.center("admin").versions.deploy_again(1)
    whole = asked.by(user).get(PREFIX + path, params={"limit": 1000}).json()["items"]
    found, cursor = [], None
    while True:
        params = {"limit": 1} | ({} if cursor is None else {"cursor": cursor})
        page = asked.by(user).get(PREFIX + path, params=params).json()
        found += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert found == whole
    assert whole


@pytest.mark.parametrize(
    "path",
    [
        "/tasks/open.first/render",
        "/tasks/open.first/render?bizdate=yesterday",
        "/tasks/open.first/render?bizdate=2026-01-05&time=25:00",
        "/tasks?nmae=x",
        "/tasks/first/upstream?levels=0",
        "/schedule/nights?cursor=x",
        "/operations?backfill=0",
        "/versions/x",
        "/versions/1/file",
    ],
)
def test_what_is_misread_is_refused(asked: Server, path: str) -> None:
    assert problem(asked.by("alice").get(PREFIX + path), 422)["errors"]


@pytest.mark.parametrize(
    "path",
    [
        "/tasks/vault.goldmine",
        "/tasks/vault.goldmine/upstream",
        "/tasks/goldmine/render?bizdate=2026-01-05",
        "/tasks/3/operations",
        "/versions/1/tasks/vault.goldmine",
        "/versions/99",
        "/resource-groups/none",
        "/operations?backfill=2",
        "/tasks/graph?task=goldmine",
    ],
)
def test_what_is_foreign_is_not_there(asked: Server, path: str) -> None:
    """SEC-2."""
    answer = asked.by("alice").get(PREFIX + path)
    assert problem(answer, 404)["code"] == "unknown"
    assert "aurum" not in answer.text


def test_each_task_is_frozen_by_itself(server: Server) -> None:
    """AUTO-4, OPS-8: what one may not freeze hinders nothing."""
    body = {"tasks": ["open.first"], "comment": "for now"}
    (frozen,) = server.by("alice").post(f"{PREFIX}/tasks/freeze", json=body).json()["items"]
    assert (frozen["task"], frozen["ok"], frozen["frozen"], frozen["error"]) == (
        "open.first",
        True,
        True,
        None,
    )
    (refused,) = server.by("bob").post(f"{PREFIX}/tasks/unfreeze", json=body).json()["items"]
    assert (refused["ok"], refused["frozen"], refused["code"]) == (False, True, "not_permitted")
    (again,) = server.by("alice").post(f"{PREFIX}/tasks/freeze", json=body).json()["items"]
    assert again["unchanged"]
    (thawed,) = server.by("alice").post(f"{PREFIX}/tasks/unfreeze", json=body).json()["items"]
    assert not thawed["frozen"]
    problem(server.by("alice").post(f"{PREFIX}/tasks/freeze", json={"tasks": ["goldmine"]}), 404)
    problem(server.by("alice").post(f"{PREFIX}/tasks/freeze", json={"tasks": []}), 422)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/schedule/pause", {}),
        ("/schedule/resume", {}),
        ("/schedule/accept-clock", {}),
        ("/retention/run", {"dry_run": True}),
    ],
)
def test_what_concerns_everybody_is_the_system_administrators(
    server: Server, path: str, body: dict[str, Any]
) -> None:
    """SEC-4."""
    problem(server.by("alice").post(PREFIX + path, json=body), 403)
    assert server.by("admin").post(PREFIX + path, json=body).status_code == 200
    problem(server.by("alice").get(f"{PREFIX}/store/check"), 403)
    assert server.by("admin").get(f"{PREFIX}/store/check").json() == {"items": [], "next": None}


def test_the_schedule_is_held_and_goes_on(server: Server) -> None:
    """AUTO-1."""
    admin = server.by("admin")
    paused = [admin.post(f"{PREFIX}/schedule/pause", json={"comment": "x"}).json() for _ in range(2)]
    assert [one["unchanged"] for one in paused] == [False, True]
    assert server.by("dave").get(f"{PREFIX}/schedule").json()["held"]
    assert not admin.post(f"{PREFIX}/schedule/resume", json={}).json()["held"]
    comments = [row["comment"] for row in admin.get(f"{PREFIX}/operations").json()["items"]]
    assert "x" in comments


def test_a_doctor_tells_members_nothing_of_the_machine(asked: Server) -> None:
    """SEC-2: rows are told as far as one may know."""
    rows = {
        user: {row["check"]: row for row in asked.by(user).get(f"{PREFIX}/doctor").json()["items"]}
        for user in ("alice", "admin")
    }
    assert "logs" in rows["admin"]
    assert "logs" not in rows["alice"]
    assert not rows["admin"]["work"]["ok"]
    assert "1 and 2" in rows["admin"]["work"]["detail"] or "1, 2" in rows["admin"]["work"]["detail"]
    assert "2" not in rows["alice"]["work"]["detail"]
    assert "backfill wait 1" in rows["alice"]["work"]["detail"]


def test_who_starts_what(asked: Server) -> None:
    """What goes on, and is started by nobody, as far as it is seen."""
    alice = asked.by("alice")
    found = alice.post(f"{PREFIX}/scheduler/unstarted", json={"backfills": [2, 1]}).json()
    assert found == {"backfill": 1, "auto": False}
    ids = [row["id"] for row in asked.center("admin").instances.list()["items"]]
    homes = alice.post(f"{PREFIX}/scheduler/backfills-of", json={"instances": ids}).json()["items"]
    assert {home["backfill"] for home in homes} == {1}
    assert len(homes) < len(ids)
    found = alice.post(f"{PREFIX}/scheduler/unstarted", json={"instances": ids}).json()
    assert found == {"backfill": 1, "auto": False}
    running = alice.post(f"{PREFIX}/scheduler/still-running", json={"instances": ids})
    assert running.json()["items"] == []
