"""The catalog in the browser: tasks found and filtered, one task, its versions, freezing."""

from __future__ import annotations

import re

import pytest

from web.sites import SHOP, Filled, Site, shown


def deploy(site: Site, shop: str) -> None:
    """Another version of `shop`."""
    folder = site.trouble.parent
    (folder / "workspace.yaml").write_text(shop)
    site.center("admin").versions.deploy()


def test_tasks_stand_by_workspace(filled: Filled) -> None:
    """CAT-3, SEC-2: all that one sees, with how their nights went; nothing of a foreign workspace."""
    page = shown(filled.site.alice.get("/tasks"))
    assert "5 in 1 workspace · version 1, deployed" in page.text
    assert "every day at 01:00" in page.text
    assert "vault" not in page.text
    assert "/tasks/shop.fetch" in page.links
    assert "vault" in shown(filled.site.browser("admin").get("/tasks")).text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("search=CLEAN", ["shop.clean"]),
        ("owner=carol", ["shop.fetch"]),
        ("cycle=day&type=shell&search=mail", ["shop.mail"]),
        ("workspace=shop&resource_group=default&search=re", ["shop.report"]),
    ],
)
def test_filters_are_in_the_address(filled: Filled, query: str, names: list[str]) -> None:
    """BF-1: what is asked for, and no more."""
    page = shown(filled.site.alice.get(f"/tasks?{query}"))
    assert [link.removeprefix("/tasks/") for link in page.links if link.startswith("/tasks/")] == names
    assert f"{len(names)} of 5 in 1 workspace" in page.text


def test_a_filter_that_finds_nothing_offers_to_drop_the_one_that_costs_most(filled: Filled) -> None:
    page = shown(filled.site.alice.get("/tasks?search=mail&owner=carol&cycle=day"))
    assert "No task of these fits." in page.text
    assert "Without the search there is 1." in page.text or "Without owner carol there is 1." in page.text
    assert "/tasks?search=mail&cycle=day" in page.links
    weekly = shown(filled.site.alice.get("/tasks?cycle=week"))
    assert "Without cycle week there are 5." in weekly.text


def test_a_filter_that_cannot_be_is_said(filled: Filled) -> None:
    page = shown(filled.site.alice.get("/tasks?workspace=vault"), 404)
    assert "There is no workspace" in page.text
    assert "There is no cycle" in shown(filled.site.alice.get("/tasks?cycle=fortnight"), 422).text


def test_a_task_tells_all_of_itself(filled: Filled) -> None:
    """CAT-9, OPS-10: schedule in words, what is around it, code with its parameters marked, facts."""
    answer = filled.site.alice.get("/tasks/shop.shaky")
    page = shown(answer)
    assert "Every day at 02:00, UTC" in page.text
    assert "1 task up, 1 down" in page.text
    assert {"/tasks/shop.fetch", "/tasks/shop.report", "/tasks/shop.mail"} <= set(page.links)
    assert 'echo "looking at $day"' in page.text
    assert '<span class="kw">if</span>' in answer.text
    assert "/backfills/new?task=shop.shaky" in page.links
    assert "/resource-groups/default" in page.links


def test_a_task_is_found_by_its_number_and_short_name(filled: Filled) -> None:
    assert "shop." in shown(filled.site.alice.get("/tasks/fetch")).text
    number = filled.site.center("alice").tasks.show("shop.fetch")["id"]
    assert "/tasks/shop.clean" in shown(filled.site.alice.get(f"/tasks/{number}")).links


def test_foreign_tasks_look_like_unknown_ones(filled: Filled) -> None:
    """SEC-2."""
    pages = [
        shown(filled.site.alice.get(f"/tasks/{name}{tail}"), 404).text.replace(name, "it")
        for tail in ("", "/versions")
        for name in ("vault.goldmine", "vault.nothing")
    ]
    assert pages[0] == pages[1]
    assert pages[2] == pages[3]
    assert "aurum" not in "".join(pages)


def test_a_year_of_bizdates_shows_what_failed(filled: Filled) -> None:
    """RUN-7: every box leads to the instance that ran last; the same stands as a table."""
    answer = filled.site.alice.get("/tasks/shop.shaky?until=2026-01-07")
    page = shown(answer)
    failed = filled.instance(filled.failed, "shop.shaky")
    box = re.search(
        rf'<a href="/instances/{failed}"[^>]*><title>([^<]*)</title><rect[^>]*f-fail', answer.text
    )
    assert box is not None
    assert box[1] == f"Tuesday 6 January 2026: Failed, backfill {filled.failed}"
    assert "5 Jan 2026" in page.text, "in the table"
    missing = next(link for link in page.links if link.startswith("/backfills/new?task=shop.shaky&bizdate="))
    assert "bizdate=2026-01-06..2026-01-07" in missing
    assert "The year before" in page.text
    for wrong in ("soon", "0001-01-01", "9999-12-31"):
        assert shown(filled.site.alice.get(f"/tasks/shop.shaky?until={wrong}"), 422)
    assert "The year before" not in shown(filled.site.alice.get("/tasks/shop.shaky?until=1970-01-03")).text


def test_code_is_filled_in_for_a_bizdate(filled: Filled) -> None:
    """PAR-4: with the values that its run is given."""
    page = shown(filled.site.alice.get("/tasks/shop.fetch?bizdate=2026-01-05"))
    assert "Data of Monday 5 January 2026, scheduled 2026-01-06 01:00 UTC." in page.text
    assert "day20260105" in page.text
    wrong = shown(filled.site.alice.get("/tasks/shop.fetch?bizdate=<u>"))
    assert "is no bizdate" in wrong.text
    assert "u" not in wrong.tags


def test_texts_of_users_are_data(filled: Filled) -> None:
    page = shown(filled.site.alice.get("/tasks/shop.mail"))
    assert "<b>Mails</b> the report" in page.text
    assert {"b", "script"} & page.tags <= {"b"}
    listed = filled.site.alice.get("/tasks").text
    assert "<b>Mails</b>" not in listed


def test_versions_of_a_task_and_what_they_changed(site: Site) -> None:
    """CAT-9: with the lines of its code that went and came."""
    deploy(site, SHOP.replace('run: "echo fetched $day"', 'run: "echo got $day"'))
    deploy(
        site,
        SHOP.replace('run: "echo fetched $day"', 'run: "echo got $day"').replace("0 1 * * *", "5 1 * * *"),
    )
    answer = site.alice.get("/tasks/shop.fetch/versions")
    page = shown(answer)
    assert "Version 2 to 3" in page.text
    assert "5 1 * * * (every day at 01:05)" in page.text
    assert "changed: schedule" in page.text
    assert "changed: code" in page.text
    before = shown(site.alice.get("/tasks/shop.fetch/versions?older=1&newer=2"))
    assert "removedecho fetched $day" in before.text
    assert "addedecho got $day" in before.text
    assert shown(site.alice.get("/tasks/shop.fetch/versions?older=1&newer=99"), 404)
    assert shown(site.alice.get("/tasks/shop.fetch/versions?older=x&newer=1"), 422)


def test_a_removed_task_keeps_its_versions(site: Site) -> None:
    """CAT-3: its page is gone, and how it came to that is told."""
    deploy(site, SHOP.replace("  mail:", "  post:"))
    assert shown(site.alice.get("/tasks/shop.mail"), 404)
    assert "removed" in shown(site.alice.get("/tasks/shop.mail/versions")).text


def test_freezing_asks_first(site: Site) -> None:
    """AUTO-4: with what follows, and says who did it."""
    asked = shown(site.alice.get("/tasks/freeze?task=shop.fetch&back=/tasks/shop.fetch"))
    assert "Freeze shop.fetch?" in asked.text
    assert "4tasks depend on it" in asked.text
    assert asked.fields["task"] == "shop.fetch"
    part = site.alice.get("/tasks/freeze?task=shop.fetch", headers={"X-Part": "dialog"})
    assert part.text.lstrip().startswith("<form")
    done = site.alice.submit("/tasks/freeze", **{**asked.fields, "comment": "the source is gone"})
    assert (done.status_code, done.headers["location"]) == (303, "/tasks/shop.fetch")
    page = shown(site.alice.get("/tasks/shop.fetch"))
    assert "Froze shop.fetch" in page.text
    assert "the source is gone" in page.text
    assert "/tasks/unfreeze?task=shop.fetch&back=%2Ftasks%2Fshop.fetch" in page.links
    assert "Frozen 1" in shown(site.alice.get("/tasks")).text
    assert "1 of 5" in shown(site.alice.get("/tasks?frozen=1")).text
    assert "It is so already." in shown(site.alice.get("/tasks/freeze?task=shop.fetch")).text
    site.alice.submit("/tasks/unfreeze", task="shop.fetch", back="//evil.example")
    assert "Frozen" not in shown(site.alice.get("/tasks?search=fetch")).text


def test_who_may_not_freeze_is_told(site: Site) -> None:
    """SEC-4: the button says who may; the form is refused, and keeps the comment."""
    bob = site.browser("bob")
    assert "/tasks/freeze" not in "".join(shown(bob.get("/tasks/shop.fetch")).links)
    refused = shown(bob.submit("/tasks/freeze", task="shop.fetch", comment="please"), 403)
    assert "You may not freeze shop.fetch." in refused.text
    assert refused.fields["comment"] == "please"
    assert shown(bob.submit("/tasks/freeze", task="vault.goldmine"), 404)


def test_several_are_chosen_by_their_boxes(filled: Filled) -> None:
    alice = filled.site.alice
    chosen = alice.get("/tasks/chosen?to=backfill&id=shop.fetch&id=shop.mail")
    assert chosen.headers["location"] == "/backfills/new?task=shop.fetch&task=shop.mail"
    asked = shown(alice.get("/tasks/freeze?id=shop.fetch&id=shop.mail"))
    assert "Freeze 2 tasks?" in asked.text
    assert "No task is chosen." in shown(alice.get("/tasks/freeze")).text
    assert alice.get("/tasks/chosen").headers["location"] == "/tasks"


def test_who_may_not_freeze_is_asked_nothing(site: Site) -> None:
    """SEC-4: a button that does nothing is none."""
    page = shown(site.browser("bob").get("/tasks/freeze?task=shop.mail"))
    assert "1 is left out: an administrator of the workspace may freeze it" in page.text
    assert "task" not in page.fields


def test_more_tasks_than_one_act_takes_are_refused(site: Site) -> None:
    path = "/tasks/freeze?" + "&".join(f"task=shop.t{number}" for number in range(501))
    assert "501 tasks are more than the 500 of one act" in shown(site.alice.get(path), 422).text
