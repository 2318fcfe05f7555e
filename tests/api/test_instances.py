"""Instances over HTTP: lists that go on, batches judged one by one, logs with what is missing."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from api.servers import Server, problem


def test_a_list_goes_on_where_it_ended(server: Server) -> None:
    """Keyset paging: page by page the same as all at once, in the same order."""
    server.create(bizdate=("2026-01-01..2026-01-07",))
    server.create(task=("open.last",))
    asked, found, cursor = server.by("alice"), [], None
    while True:
        params = {"limit": 4} | ({} if cursor is None else {"cursor": cursor})
        page = asked.get("/api/v1/instances", params=params).json()
        found += page["items"]
        assert len(page["items"]) <= 4
        if (cursor := page["next"]) is None:
            break
    assert found == list(server.center("alice").instances.each())
    assert len(found) == 9


def test_filters_of_a_kind_mean_either(server: Server) -> None:
    """Of each kind one of the values."""
    one, other = server.create(), server.create(task=("open.last",))
    server.create(bizdate=("2026-02-01",))
    params = {"backfill": [one, other], "bizdate": ["2026-01-05", "2026-01-06..2026-01-09"]}
    rows = server.by("alice").get("/api/v1/instances", params=params).json()["items"]
    assert [row["backfill"] for row in rows] == [other, other, one, one]
    assert problem(server.by("alice").get("/api/v1/instances?state=gone"), 422)["code"] == "invalid_value"
    assert server.by("alice").get("/api/v1/instances?auto=true").json()["items"] == []


@pytest.mark.parametrize("path", ["", "/why", "/history", "/lineage", "/dag?up=1&down=2"])
def test_questions_answer_what_the_center_answers(server: Server, path: str) -> None:
    """OPS-8 to OPS-10."""
    server.create(task=("open.first", "open.last"))
    number = server.center("alice").instances.list()["items"][0]["id"]
    parts = {"Retrofill-Texts": "parts"}
    found = server.by("alice").get(f"/api/v1/instances/{number}{path}", headers=parts).json()
    method = path.strip("/").partition("?")[0] or "show"
    arguments = (1, 2) if method == "dag" else ()
    expected = getattr(server.center("alice").instances, method)(number, *arguments)
    assert found == in_parts(expected)


def in_parts(value: Any) -> Any:
    """As our own client is answered."""
    from retrofill.api.answers import encode

    return json.loads(encode(value, in_parts=True))


def test_each_of_a_batch_is_judged_by_itself(server: Server) -> None:
    """OPS-8, SEC-2: what is foreign is answered like what is not there, and hinders nothing."""
    number = server.create()
    foreign = server.create("greta", task=("vault.goldmine",))
    server.center("alice").backfills.pause(number)
    hidden = server.center("greta").instances.list()["items"][0]
    assert hidden["backfill"] == foreign
    own = [row["id"] for row in server.center("alice").instances.list()["items"]]
    body = {"ids": [*own, hidden["id"], 777], "comment": "later"}
    items = server.by("alice").post("/api/v1/instances/freeze", json=body).json()["items"]
    assert [one["ok"] for one in items] == [True, True, False, False]
    assert [one["state"] for one in items] == ["frozen", "frozen", None, None]
    secret, absent = ({**one, "id": 0, "error": one["error"].split()[:-1]} for one in items[2:])
    assert secret == absent
    assert (absent["code"], absent["kind"]) == ("unknown", "unknown")


@pytest.mark.parametrize(
    "act", ["stop", "rerun", "rerun-descendants", "set-successful", "unfreeze", "remove-waits"]
)
def test_acts_answer_per_item(server: Server, act: str) -> None:
    """OPS-1 to OPS-7."""
    server.create()
    ids = [row["id"] for row in server.center("alice").instances.list()["items"]]
    answer = server.by("alice").post(f"/api/v1/instances/{act}", json={"ids": ids})
    assert answer.status_code == 200
    assert [(one["id"], one["ok"] or one["code"]) for one in answer.json()["items"]] == [
        (number, True if act in ("unfreeze", "remove-waits") else "wrong_state") for number in ids
    ]


def test_a_place_in_the_queue_is_set(server: Server) -> None:
    """OPS-7: by an administrator of the workspace."""
    server.create()
    number = server.center("alice").instances.list()["items"][0]["id"]
    body = {"ids": [number], "priority": 8}
    refused = server.by("bob").post("/api/v1/instances/priority", json=body).json()["items"][0]
    assert (refused["ok"], refused["kind"]) == (False, "not_permitted")
    assert server.by("alice").post("/api/v1/instances/priority", json=body).json()["items"][0]["ok"]
    assert server.center("alice").instances.show(number)["priority"] == 8
    other = {"ids": [number], "group": "none"}
    assert problem(server.by("alice").post("/api/v1/instances/resource-group", json=other), 404)


@pytest.mark.parametrize("ids", [[], [-1], ["x"], [2**63], [1.5], [True], None])
def test_ids_are_whole_numbers(shared_server: Server, ids: Any) -> None:
    for path in ("stop", "states", "running-below"):
        if path == "states" and ids == []:
            continue
        answer = shared_server.by("alice").post(f"/api/v1/instances/{path}", json={"ids": ids})
        assert problem(answer, 422)["code"] == "bad_request"


def test_an_id_that_nobody_can_have_is_unknown(shared_server: Server) -> None:
    """As one that nobody has, and item by item."""
    answer = shared_server.by("alice").post("/api/v1/instances/stop", json={"ids": [0]})
    assert [(one["id"], one["ok"], one["code"]) for one in answer.json()["items"]] == [(0, False, "unknown")]


def test_states_are_told_of_what_is_seen(server: Server) -> None:
    """OPS-0, SEC-2."""
    server.create("greta", task=("vault.goldmine",))
    server.create()
    ids = [row["id"] for row in server.center("admin").instances.list()["items"]]
    found = server.by("alice").post("/api/v1/instances/states", json={"ids": ids}).json()["items"]
    assert {one["id"]: one["state"] for one in found} == server.center("alice").instances.states(ids)
    assert len(found) == 2 < len(ids)


def test_who_has_not_run_has_no_log(server: Server) -> None:
    server.create()
    number = server.center("alice").instances.list()["items"][0]["id"]
    found = problem(server.by("alice").get(f"/api/v1/instances/{number}/log"), 409)
    assert found["steps"][0]["href"] == f"/api/v1/instances/{number}/why"


LOG = b"one \xff\n" + b"x" * 600_000


def test_a_log_is_what_the_command_wrote(server: Server) -> None:
    """OPS-10: as text, and in pieces that lose no byte."""
    server.create(task=("open.last",), bizdate=("2026-01-05",))
    server.run()
    row = server.center("alice").instances.list()["items"][0]
    asked, path = server.by("alice"), f"/api/v1/instances/{row['id']}/log"
    answer = asked.get(path)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.content == LOG
    lines = asked.get(path, params={"run": 1}, headers={"Accept": "application/jsonl"}).text.splitlines()
    pieces = [json.loads(line) for line in lines]
    assert len(pieces) > 1
    assert b"".join(base64.b64decode(piece["base64"]) for piece in pieces) == LOG
    assert [piece["missing"] for piece in pieces] == [0] * len(pieces)
    assert problem(asked.get(path, params={"run": 2}), 404)["code"] == "unknown"


def test_lines_of_a_log_and_the_search_in_it(server: Server) -> None:
    """OPS-10: what the center answers; a run that there is not, and a byte that is none, are refused."""
    server.create(task=("open.last",), bizdate=("2026-01-05",))
    server.run()
    row = server.center("alice").instances.list()["items"][0]
    asked, path = server.by("alice"), f"/api/v1/instances/{row['id']}/log"
    window = asked.get(f"{path}/lines?count=3").json()
    assert window == server.center("alice").instances.log_lines(row["id"], count=3)
    assert (window["run_number"], window["ended"], window["size"]) == (1, True, len(LOG))
    around = asked.get(f"{path}/lines?run=1&at=2").json()["lines"]
    assert [line["number"] for line in around[:3]] == [1, 2, 2]
    found = asked.get(f"{path}/finds", params={"text": "999"}).json()
    assert found == server.center("alice").instances.find_in_log(row["id"], "999")
    assert problem(asked.get(f"{path}/lines?run=9"), 404)["code"] == "unknown"
    assert asked.get(f"{path}/lines?since=-1").status_code == 422
    assert asked.get(f"{path}/finds", params={"text": "x" * 1_001}).status_code == 422


def test_an_act_is_asked_about_before_it_is_done(server: Server) -> None:
    """OPS-2: by whom it may be done, and what it would do."""
    number = server.create(task=("open.first",))
    server.run(number)
    row = server.center("alice").instances.list()["items"][0]
    body = {"act": "rerun", "ids": [row["id"], 777]}
    found = server.by("alice").post("/api/v1/instances/foresee", json=body).json()
    assert (found["fits"], found["refused"][0]["ids"]) == ([row["id"]], [777])
    seen = server.by("dave").post("/api/v1/instances/foresee", json=body).json()
    assert (seen["fits"], {one["code"] for one in seen["refused"]}) == ([], {"not_permitted", "unknown"})
    refused = server.by("alice").post("/api/v1/instances/foresee", json={**body, "act": "explode"})
    assert refused.status_code == 422
