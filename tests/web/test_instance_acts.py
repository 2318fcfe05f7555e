"""Questions about instances, and acts on them, as pages (OPS-1..8)."""

from __future__ import annotations

import re

import pytest

from retrofill.domain.errors import WrongStateError
from retrofill.domain.running.acts import Act
from retrofill.domain.running.results import ItemResult
from retrofill.web.pages import act_words
from web.sites import Filled, Site, shown

DIALOG = {"X-Part": "dialog"}


@pytest.mark.parametrize("act", list(Act))
def test_every_act_is_asked_about_first(filled: Filled, act: Act) -> None:
    """OPS-1..7: as a page and as a part above another page; asking changes nothing."""
    number = filled.instance(filled.failed, "shop.shaky")
    before = filled.site.center("alice").instances.show(number)
    page = shown(filled.site.alice.get(f"/instances/{act}?id={number}"))
    assert page.fields["id"] == str(number)
    part = filled.site.alice.get(f"/instances/{act}?id={number}", headers=DIALOG)
    assert part.text.lstrip().startswith("<form")
    assert filled.site.center("alice").instances.show(number) == before


def test_a_question_names_what_it_is_about_and_what_follows(filled: Filled) -> None:
    """OPS-5: with counts that are counted now; the button repeats verb and number."""
    number = filled.instance(filled.failed, "shop.shaky")
    page = shown(filled.site.alice.get(f"/instances/set-successful?id={number}"))
    assert "Set shop.shaky for 6 January 2026 successful?" in page.text
    assert "Set 1 instance successful" in page.text
    assert "2 instances wait for this, and read what the tables hold" in page.text
    assert page.fields["back"] == f"/instances/{number}"


def test_many_are_asked_about_together(filled: Filled) -> None:
    """OPS-8: those that do not fit are left out, each reason once."""
    ids = [filled.instance(filled.failed, task) for task in ("shop.shaky", "shop.clean", "shop.report")]
    query = "&".join(f"id={one}" for one in [*ids, 999])
    page = shown(filled.site.alice.get(f"/instances/rerun?{query}"))
    assert "Rerun 2 instances?" in page.text
    assert "Of 2 tasks, on 1 bizdate." in page.text
    assert "It is Not run; only Successful or Failed instances can be rerun." in page.text
    assert "There is no such instance" in page.text


def test_what_is_foreign_is_not_there(filled: Filled) -> None:
    """SEC-2: word by word."""
    foreign = filled.instance(filled.foreign, "vault.goldmine", "2026-01-05")
    texts = [
        shown(filled.site.alice.get(f"/instances/stop?id={number}")).text.replace(str(number), "N")
        for number in (foreign, 999_999)
    ]
    assert texts[0] == texts[1]
    assert "goldmine" not in texts[0]


def test_who_may_not_is_told_before(filled: Filled) -> None:
    """SEC-4: a visitor sees the question, and why it is none for him."""
    number = filled.instance(filled.failed, "shop.shaky")
    page = shown(filled.site.browser("dave").get(f"/instances/rerun?id={number}"))
    assert "You may not operate it." in page.text
    assert "Rerun 1 instance" not in page.text


def test_an_act_is_done_and_said(site: Site) -> None:
    """OPS-2, OPS-8: once; a second click finds that it has been done."""
    site.trouble.touch()
    backfill = site.backfill()
    site.run_to(backfill, "failed")
    failed = site.center("alice").instances.list(limit=100)["items"]
    number = next(row["id"] for row in failed if row["state"] == "failed")
    fields = {"id": str(number), "comment": "the rates are there", "back": f"/instances/{number}?x=1"}
    answer = site.alice.submit("/instances/rerun", **fields)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/instances/{number}?x=1")
    assert "1 instance runs again." in shown(site.alice.get("/account")).text
    history = site.center("alice").instances.history(number)["operations"]
    assert [(one["action"], one["comment"]) for one in history] == [("rerun", "the rates are there")]
    again = shown(site.alice.submit("/instances/rerun", **fields), 409)
    assert re.search(r"is (Not run|Waiting \(for resources\)); only Successful or Failed", again.text)


def test_a_question_that_stood_open_does_not_rerun_what_has_run_since(site: Site) -> None:
    """OPS-2: two tabs ask the same; what failed again in between is not rerun once more by the older one."""
    site.trouble.touch()
    site.run_to(site.backfill(), "failed")
    rows = site.center("alice").instances.list(limit=100)["items"]
    number = next(row["id"] for row in rows if row["state"] == "failed")
    older, newer = (shown(site.alice.get(f"/instances/rerun?id={number}")).fields for _ in range(2))
    site.alice.submit("/instances/rerun", **newer)
    site.run_to(rows[0]["backfill"] or 0, "failed")
    refused = shown(site.alice.submit("/instances/rerun", **older), 409)
    assert "has begun to run again since you looked at it" in refused.text
    again = refused.fields
    assert int(again["as_of"]) > int(older["as_of"])
    assert site.alice.submit("/instances/rerun", **again).status_code == 303
    assert len(site.center("alice").instances.show(number)["runs"]) == 2


def test_what_was_so_already_and_what_was_left_out_is_said() -> None:
    """OPS-8: each with its count."""
    refused = WrongStateError("it is Running")
    results = [ItemResult(1, "frozen"), ItemResult(2, "frozen", unchanged=True), ItemResult(3, None, refused)]
    said = act_words.done(Act.FREEZE, results)
    assert said == "1 instance is frozen. 1 instance was so already. 1 left out: it is Running."
    assert act_words.done(Act.STOP, results[:1] * 2) == "2 instances are being stopped."
    assert act_words.done(Act.FREEZE, results[1:2] * 2) == "2 instances were so already."


def test_descendants_are_chosen_by_task(site: Site) -> None:
    """OPS-4."""
    backfill = site.backfill()
    site.run(backfill)
    rows = site.center("alice").instances.list(limit=100)["items"]
    top = next(row["id"] for row in rows if row["task"] == "shop.fetch")
    page = shown(site.alice.get(f"/instances/rerun-descendants?id={top}"))
    assert "Rerun what depends on shop.fetch for 5 January 2026?" in page.text
    assert "Rerun 4 instances" in page.text
    nothing = site.alice.submit("/instances/rerun-descendants", id=str(top), of_tasks="1")
    assert "No task is chosen." in shown(nothing, 422).text
    site.alice.submit(
        "/instances/rerun-descendants", id=str(top), of_tasks="1", task="shop.mail", back="//evil.example"
    )
    states = {row["task"]: row["state"] for row in site.center("alice").instances.list(limit=5)["items"]}
    assert {task for task, state in states.items() if state != "successful"} == {"shop.mail"}


def test_a_wait_is_removed_by_name(site: Site) -> None:
    """OPS-7."""
    backfill = site.backfill()
    rows = site.center("alice").instances.list(limit=100)["items"]
    number = {row["task"]: row["id"] for row in reversed(rows) if row["backfill"] == backfill}
    page = shown(site.alice.get(f"/instances/remove-waits?id={number['shop.report']}"))
    assert "shop.clean" in page.text.replace(" ", "")
    refused = site.alice.submit("/instances/remove-waits", id=str(number["shop.report"]))
    assert "No wait is chosen." in shown(refused, 422).text
    waits = {"id": str(number["shop.report"]), "upstream": str(number["shop.clean"])}
    assert site.alice.submit("/instances/remove-waits", **waits).status_code == 303
    edges = site.center("alice").instances.dag(number["shop.report"], 1, 0)["edges"]
    assert [edge["upstream"] for edge in edges if edge["removed"]] == [number["shop.clean"]]


def test_places_in_queues_are_set(site: Site) -> None:
    """OPS-7."""
    site.backfill()
    row = site.center("alice").instances.list(limit=1)["items"][0]
    assert "Resource group" in shown(site.alice.get(f"/instances/resource-group?id={row['id']}")).text
    assert site.alice.submit("/instances/priority", id=str(row["id"]), priority="8").status_code == 303
    assert site.center("alice").instances.show(row["id"])["priority"] == 8
    refused = site.alice.submit("/instances/priority", id=str(row["id"]), priority="4")
    assert "4 is no priority" in shown(refused, 422).text


@pytest.mark.parametrize("query", ["", "?id=", "?id=x", "?id=-1", "?id=" + "9" * 30])
def test_a_question_about_nothing_is_refused(filled: Filled, query: str) -> None:
    assert filled.site.alice.get(f"/instances/stop{query}").status_code == 422


def test_many_are_asked_about_by_a_form(filled: Filled) -> None:
    """As more ids than an address holds are sent."""
    number = filled.instance(filled.failed, "shop.shaky")
    page = shown(filled.site.alice.submit("/instances/freeze", ask="1", id=str(number), back="/backfills"))
    assert "Freeze shop.shaky for 6 January 2026?" in page.text
    assert page.fields["back"] == "/backfills"
