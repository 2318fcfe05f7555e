"""Backfills over HTTP: what is previewed is what is created, and what is done to one is what the center does."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.servers import Server, problem

ASKED: dict[str, Any] = {"task": ["open.first"], "bizdate": ["2026-01-05..2026-01-07"], "groups": 2}


def post(server: Server, path: str, body: object, user: str = "alice", status: int = 200) -> Any:
    answer = server.by(user).post(f"/api/v1/backfills{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_what_is_created_is_what_was_previewed(server: Server) -> None:
    """VER-4: the digest of a preview is agreed to; the row is that of the center."""
    preview = post(server, "/plan", ASKED)
    assert (preview["instance_count"], preview["refused"]) == (3, False)
    assert preview["groups"] == [["2026-01-05", "2026-01-06"], ["2026-01-07"]]
    answer = server.by("alice").post("/api/v1/backfills", json={**ASKED, "expected": preview["digest"]})
    assert answer.status_code == 201
    row = answer.json()
    assert row == server.center("alice").backfills.row(row["id"])
    assert server.by("alice").get(answer.headers["location"]).json()["id"] == row["id"]
    assert row["bizdates"] == [date for group in preview["groups"] for date in group]


def test_a_plan_that_is_another_by_now_is_refused(server: Server) -> None:
    """VER-4: nothing is created that nobody has seen."""
    digest = post(server, "/plan", ASKED)["digest"]
    body = {**ASKED, "groups": 3, "expected": digest}
    found = problem(server.by("alice").post("/api/v1/backfills", json=body), 409)
    assert found["code"] == "plan_changed"
    assert server.by("alice").get("/api/v1/backfills").json()["items"] == []


def test_all_planned_instances_are_listed_line_by_line(server: Server) -> None:
    """VER-4: as `backfill plan --instances` lists them."""
    answer = server.by("alice").post("/api/v1/backfills/plan/instances", json=ASKED)
    assert answer.headers["content-type"] == "application/jsonl"
    center = server.center("alice")
    asked = {"task": ("open.first",), "bizdate": ("2026-01-05..2026-01-07",), "groups": "2"}
    assert list(map(json.loads, answer.text.splitlines())) == list(center.backfills.plan(asked).instances())


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "usage"),
        ({"task": ["open.first"]}, 422, "usage"),
        ({"task": ["open.fist"], "bizdate": ["2026-01-05"]}, 404, "unknown"),
        ({"task": ["vault.goldmine"], "bizdate": ["2026-01-05"]}, 404, "unknown"),
        ({"task": ["open.first"], "bizdate": ["tomorow"]}, 422, "bad_bizdate"),
        ({**ASKED, "groups": 11}, 422, "bad_groups"),
        ({**ASKED, "groups": {"a": 1}}, 422, "bad_request"),
        ({**ASKED, "bizdates": ["2026-01-05"]}, 422, "bad_request"),
        ({**ASKED, "bizdate": "2026-01-05"}, 422, "bad_request"),
        ({**ASKED, "name": "\0"}, 422, "bad_request"),
        ([ASKED], 422, "bad_request"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    shared_server: Server, body: Any, status: int, code: str
) -> None:
    for path in ("/plan", ""):
        answer = shared_server.by("alice").post(f"/api/v1/backfills{path}", json=body)
        assert problem(answer, status)["code"] == code


def test_every_input_of_the_core_is_a_field(shared_server: Server) -> None:
    """0016: an input is one row of a table; a row that is added can be asked for over HTTP."""
    from retrofill.domain.planning.options import ASKED as options
    from retrofill.domain.selection.asking import INPUTS

    schemas = shared_server.anybody.get("/api/v1/openapi.json").json()["components"]["schemas"]
    inputs = [*INPUTS, *(one for option in options for one in option.inputs)]
    assert {one.name for one in inputs} | {"name", "expected", "comment"} == schemas["CreateBody"][
        "properties"
    ].keys()


def test_steering_says_whether_anything_changed(server: Server) -> None:
    """BF-3."""
    number = server.create()
    for act, status in (("pause", "paused"), ("resume", "waiting_resources")):
        for unchanged in (False, True):
            assert post(server, f"/{number}/{act}", {}) == {"id": number, "unchanged": unchanged}
        assert server.center("alice").backfills.row(number)["status"] == status


def test_a_change_says_what_differs_since(server: Server) -> None:
    """BF-3: fields are the inputs of `backfill change`; null and absent ones stay."""
    number = server.create()
    asked = server.by("alice")
    body = {"priority": 8, "window": "10:00-11:00", "comment": "for lunch"}
    found = asked.patch(f"/api/v1/backfills/{number}", json=body).json()
    assert [one["what"] for one in found["changed"]] == ["window", "priority"]
    assert asked.patch(f"/api/v1/backfills/{number}", json=body).json()["changed"] == []
    (noted,) = (one for one in server.center("alice").backfills.history(number) if one["action"] == "change")
    assert "for lunch" in noted["comment"]
    assert problem(asked.patch(f"/api/v1/backfills/{number}", json={}), 422)["code"] == "usage"


def test_a_stop_ends_what_may_be_operated(server: Server) -> None:
    """OPS-1."""
    number = server.create()
    assert post(server, f"/{number}/stop", {"comment": "enough"}) == {"items": [], "whole": True}
    assert server.center("alice").backfills.row(number)["status"] == "stopped"


def test_a_batch_tells_what_became_of_each(server: Server) -> None:
    """BF-4, OPS-6: per item, with the state that it has now."""
    number = server.create()
    post(server, f"/{number}/pause", {})
    frozen = post(server, f"/{number}/freeze", {"comment": "wait"})["items"]
    assert [(one["ok"], one["state"]) for one in frozen] == [(True, "frozen")] * 2
    thawed = post(server, f"/{number}/unfreeze", {})["items"]
    assert [one["id"] for one in thawed] == [one["id"] for one in frozen]
    assert problem(server.by("alice").post(f"/api/v1/backfills/{number}/rerun", json={}), 409)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("", "show"),
        ("/row", "row"),
        ("/progress", "progress"),
        ("/time-left", "time_left"),
        ("/trouble", "trouble"),
        ("/analysis", "analysis"),
        ("/grid", "grid"),
        ("/timeline", "timeline"),
        ("/dag", "dag"),
    ],
)
def test_questions_answer_what_the_center_answers(server: Server, path: str, method: str) -> None:
    """BF-2: documents are the same everywhere."""
    number = server.create()
    answer = server.by("alice").get(f"/api/v1/backfills/{number}{path}")
    assert answer.json() == getattr(server.center("alice").backfills, method)(number)


def test_what_the_end_hangs_on_is_what_the_center_finds(server: Server) -> None:
    """BF-2: null as long as nothing has run and the forecast plays nothing."""
    number = server.create()
    path = f"/api/v1/backfills/{number}/critical-path"
    server.run(number)
    answer = server.by("alice").get(path).json()
    assert answer == server.center("alice").backfills.critical_path(number)
    assert answer["links"]


def test_a_forecast_is_what_the_center_plays(server: Server) -> None:
    """BF-2: from the moment at which it is asked for."""
    number = server.create()
    answer = server.by("alice").get(f"/api/v1/backfills/{number}/forecast").json()
    assert answer | {"at": ""} == (server.center("alice").backfills.forecast(number) or {}) | {"at": ""}
    assert answer["unknown_tasks"]
    post(server, f"/{number}/pause", {})
    assert server.by("alice").get(f"/api/v1/backfills/{number}/forecast").json() is None


@pytest.mark.parametrize(
    ("path", "method"), [("operations", "history"), ("alerts", "alerts"), ("failures", "first_failures")]
)
def test_lists_about_one_are_pages(server: Server, path: str, method: str) -> None:
    number = server.create(alert="either")
    found = server.by("alice").get(f"/api/v1/backfills/{number}/{path}").json()
    assert found == {"items": list(getattr(server.center("alice").backfills, method)(number)), "next": None}


@pytest.mark.parametrize(
    "filters", [{"name": "first"}, {"creator": "alice"}, {"task": "open.last"}, {"status": "paused"}]
)
def test_filters_are_those_of_the_center(server: Server, filters: dict[str, str]) -> None:
    """BF-1."""
    from retrofill.domain.running.searches import BackfillSearch

    server.create()
    server.center("alice").backfills.pause(server.create(task=("open.last",)))
    found = server.by("alice").get("/api/v1/backfills", params=filters).json()
    assert found == server.center("alice").backfills.list(BackfillSearch(**filters))
    assert len(found["items"]) < 2 or "creator" in filters


KEY = {"Idempotency-Key": "0b7e-1"}


def test_a_request_that_is_sent_again_makes_nothing_new(server: Server) -> None:
    """Who heard no answer asks again with the same key: also where its plan would be another one by now."""
    asked = server.by("alice")
    body = {**ASKED, "expected": post(server, "/plan", ASKED)["digest"]}
    first = asked.post("/api/v1/backfills", json=body, headers=KEY)
    again = asked.post("/api/v1/backfills", json=body, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["location"] == first.headers["location"]
    other = asked.post("/api/v1/backfills", json={**body, "groups": 1}, headers=KEY)
    assert problem(other, 422)["code"] == "key_reused"
    assert asked.post("/api/v1/backfills", json=ASKED, headers={"Idempotency-Key": "2"}).json()["id"] == 2
    assert len(asked.get("/api/v1/backfills").json()["items"]) == 2


def test_a_key_is_of_who_sends_it(server: Server) -> None:
    """SEC-2: another one's key says nothing, and hinders nothing."""
    made = [
        server.by(user).post("/api/v1/backfills", json=ASKED, headers=KEY).json()["id"]
        for user in ("alice", "bob")
    ]
    assert len({*made}) == 2


def test_many_at_once_with_one_key_make_one(server: Server) -> None:
    """Whoever comes second gets what the first one makes, or is told to ask again."""

    def send(_: int) -> tuple[int, Any]:
        answer = server.by("alice").post("/api/v1/backfills", json=ASKED, headers=KEY)
        return answer.status_code, answer.json()

    server.by("alice")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(12)))
    assert {found["id"] for status, found in answers if status == 201} == {1}
    assert {(status, found["code"]) for status, found in answers if status != 201} <= {
        (503, "still_creating")
    }
    assert len(server.center("alice").backfills.list()["items"]) == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a b", "\xe9"])
def test_a_key_is_a_word(shared_server: Server, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    problem(shared_server.by("alice").post("/api/v1/backfills", json=ASKED, headers=headers), 422)


def test_a_key_whose_backfill_is_gone_is_free_again(server: Server) -> None:
    """What a crash has left half made stands for nothing, also before a scheduler removes it."""
    first = server.by("alice").post("/api/v1/backfills", json=ASKED, headers=KEY).json()["id"]
    with server.deployment.store.transaction(checks_references=False) as tx:
        tx.set_backfill(first, phase="creating", start_ms=None)
    with server.deployment.store.creating(first):
        asked = server.by("alice").post("/api/v1/backfills", json=ASKED, headers=KEY)
    assert problem(asked, 503)["code"] == "still_creating"
    assert asked.headers["retry-after"] == "1"
    second, again = (server.by("alice").post("/api/v1/backfills", json=ASKED, headers=KEY) for _ in range(2))
    assert (second.status_code, second.json()["id"] != first) == (201, True), "whoever made it is dead"
    assert again.json()["id"] == second.json()["id"]


@pytest.mark.parametrize(
    ("act", "body"),
    [("PATCH ", {"priority": 8}), ("POST /pause", {}), ("POST /resume", {}), ("POST /stop", {})],
)
def test_nobody_acts_on_what_somebody_else_has_changed(
    server: Server, act: str, body: dict[str, Any]
) -> None:
    """Two people look at the same backfill: the second one is told, and undoes nothing of the first one's."""
    number = server.create()
    alice, bob, path = server.by("alice"), server.by("bob"), f"/api/v1/backfills/{number}"
    seen = {"If-Match": alice.get(path).headers["etag"]}
    assert bob.patch(path, json={"max_failures": 3}).status_code == 200
    method, _, rest = act.partition(" ")
    refused = problem(alice.request(method, path + rest, json=body, headers=seen), 412)
    assert (refused["code"], refused["kind"]) == ("changed_meanwhile", "wrong_state")
    (last, *_) = (
        one for one in server.center("alice").backfills.history(number) if one["action"] != "create"
    )
    assert last["user"] == "bob"
    now = {"If-Match": f'"other", {alice.get(path).headers["etag"]}'}
    assert alice.request(method, path + rest, json=body, headers=now).status_code == 200
    assert alice.request(method, path + rest, json=body, headers={"If-Match": "*"}).status_code in (200, 409)


def test_who_may_stop_a_part_stops_nothing_of_what_somebody_has_changed(server: Server) -> None:
    """SEC-4: also bob, who operates one of its two workspaces."""
    number = server.create("admin", task=("open.first", "vault.goldmine"))
    bob, path = server.by("bob"), f"/api/v1/backfills/{number}"
    seen = {"If-Match": bob.get(path).headers["etag"]}
    assert bob.post(f"{path}/stop", json={}, headers=seen).status_code == 403, "nothing of his is running"
    assert server.by("admin").patch(path, json={"max_failures": 3}).status_code == 200
    refused = problem(bob.post(f"{path}/stop", json={}, headers=seen), 412)
    assert refused["code"] == "changed_meanwhile"


def test_a_tag_stands_for_what_people_decide(server: Server) -> None:
    """How far it has come changes all the time, and hinders nobody."""
    number = server.create()
    asked, path = server.by("alice"), f"/api/v1/backfills/{number}"
    tag = asked.get(path).headers["etag"]
    server.run(number)
    assert asked.get(path).headers["etag"] == tag


def test_what_was_done_and_taken_back_is_a_change(server: Server) -> None:
    """Paused and resumed by somebody else it looks as before, and was seen by them since."""
    number = server.create()
    alice, bob, path = server.by("alice"), server.by("bob"), f"/api/v1/backfills/{number}"
    seen = {"If-Match": alice.get(path).headers["etag"]}
    for act in ("pause", "resume"):
        assert bob.post(f"{path}/{act}", json={}).status_code == 200
    refused = problem(alice.patch(path, json={"priority": 8}, headers=seen), 412)
    assert refused["code"] == "changed_meanwhile"
