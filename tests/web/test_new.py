"""A new backfill: the form by each way of choosing, without scripts; its plan, its drafts, and what is created."""

from __future__ import annotations

import re
from typing import Any

import pytest
from httpx import Response

from api.browsers import Browser
from retrofill.domain.running.searches import InstanceSearch
from retrofill.web.creating.strip import drawn
from retrofill.web.creating.typed import FIELDS, WAYS
from web.filling import Filling
from web.sites import Filled, Site, shown

NEW = "/backfills/new"
PART = {"X-Part": "form"}
DATES = {"first": "2026-01-05", "last": "2026-01-06"}


def opened(browser: Browser, address: str = NEW) -> Filling:
    return Filling(browser.get(address), "new")


def followed(browser: Browser, answer: Response) -> Filling:
    """Where a button leads to: the draft."""
    assert answer.status_code == 303, " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())[:1_500]
    return opened(browser, answer.headers["location"].partition("#")[0])


def planned(browser: Browser, form: Filling, **fields: Any) -> Filling:
    """With these fields, and the plan looked at."""
    return followed(browser, form.set(**fields).press(browser, "look"))


def created(site: Site, browser: Browser, form: Filling) -> dict[str, Any]:
    """The backfill that the button makes."""
    answer = form.press(browser, "create")
    assert answer.status_code == 303, shown(answer, answer.status_code).text
    number = int(answer.headers["location"].removeprefix("/backfills/"))
    return {**site.center("admin").backfills.show(number)}


def test_an_empty_form_says_what_it_needs(filled: Filled) -> None:
    page = shown(filled.site.alice.get(NEW))
    assert "Choose tasks and bizdates; what would run is shown here." in page.text
    assert "create" not in opened(filled.site.alice).buttons


@pytest.mark.parametrize("way", ["pick", "link", "workspace", "all"])
def test_an_address_names_the_way_of_choosing(filled: Filled, way: str) -> None:
    form = opened(filled.site.alice, f"{NEW}?way={way}&nothing=x")
    assert form.all("way") == [way]


# Ways of choosing


def test_tasks_are_picked_with_levels_below_them(site: Site) -> None:
    """SEL-1, VER-4: by part of a name, by level and one by one; the button says what runs, and that runs."""
    alice = site.alice
    form = followed(alice, opened(alice).set(add_task="fet").press(alice, "add:task"))
    form = planned(alice, form, level=["1"], **DATES)
    assert (form.all("task"), form.all("only")) == (["shop.fetch"], ["shop.clean", "shop.shaky"])
    assert form.buttons["create"] == "Create and run 6 instances"
    form = planned(alice, form, only=["shop.clean"])
    assert form.all("level_was") == []
    form = planned(alice, form, name="by hand", reason="loaded twice")
    assert form.buttons["create"] == "Create and run 4 instances"
    made = created(site, alice, form)
    assert (made["name"], made["instance_count"], made["created_by"]) == ("by hand", 4, "alice")
    assert made["request"]["selection"]["only"] == ["shop.clean"]
    assert "loaded twice" in [one["comment"] for one in site.center("alice").backfills.history(made["id"])]


def test_whole_levels_are_asked_for_as_levels(site: Site) -> None:
    """SEL-1: so that the request says what was meant; a task of a level that is taken out is left out alone."""
    alice = site.alice
    form = planned(alice, opened(alice, f"{NEW}?task=shop.fetch&descendants=2"), **DATES)
    assert form.all("level_was") == ["1", "2"]
    assert created(site, alice, form)["request"]["selection"]["descendants"] == 2
    form = followed(alice, opened(alice, f"{NEW}?task=shop.fetch").press(alice, "levels:all"))
    assert form.all("only") == ["shop.clean", "shop.shaky", "shop.report", "shop.mail"]
    form = planned(alice, form, level=["1", "2"], **DATES)  # the third is not ticked any more
    assert form.all("only") == ["shop.clean", "shop.shaky", "shop.report"]


def test_a_form_is_kept_under_a_name_and_begun_with_again(site: Site) -> None:
    """It stays as it was kept, whatever is made of it; nobody else is offered it."""
    alice = site.alice
    form = followed(alice, opened(alice).set(add_task="fet").press(alice, "add:task"))
    assert "Write the name" in shown(form.press(alice, "keep"), 422).text
    form = followed(alice, form.set(keep_as="rates", groups="3").press(alice, "keep"))
    assert form.all("keep_as") == [""]
    page = alice.get(NEW)
    assert "rates" in shown(page).text
    link = next(link for link in shown(page).links if "?form=" in link)
    begun = planned(alice, opened(alice, link), groups="2", **DATES)
    assert begun.all("task") == ["shop.fetch"]
    assert opened(alice, link).all("groups") == ["3"]
    assert "?form=" not in site.browser("carol").get(NEW).text
    assert shown(site.browser("carol").get(link), 404)
    fresh = opened(alice)
    forget = next(do for do in fresh.buttons if do == f"forget:{link.rpartition('=')[2]}")
    fresh.press(alice, forget)
    assert '"rates" is kept no longer.' in shown(alice.get(NEW)).text
    assert "?form=" not in alice.get(NEW).text


def test_a_root_may_only_be_passed_through(site: Site) -> None:
    """SEL-6: a dry run in the middle, which its finding tells of, with a button that mends it."""
    alice = site.alice
    form = opened(alice, f"{NEW}?task=shop.fetch&task=shop.clean&task=shop.report&bizdate=2026-01-05")
    form = followed(alice, form.press(alice, "norun:shop.clean"))
    page = shown(alice.get(form.address))
    assert "Some tasks pass without running" in page.text
    assert "shop.clean01 pass: left out" in page.text
    assert "shop.fetch1" in page.text
    assert form.buttons["create"] == "Create and run 2 instances"
    form = followed(alice, form.press(alice, "fix:run=shop.clean"))
    assert form.buttons["create"] == "Create and run 3 instances"


def test_many_tasks_come_at_once_by_condition_and_from_a_list(site: Site) -> None:
    """SEL-1: what is not known stays where it was pasted, and is named."""
    alice = site.alice
    form = followed(alice, opened(alice).set(where_owner="carol").press(alice, "where"))
    assert form.all("task") == ["shop.fetch"]
    answer = form.set(pasted="shop.clean, report\nnothing.here mail").press(alice, "paste")
    page = shown(answer, 422)
    assert "No single task is called nothing.here." in page.text
    form = Filling(answer, "new")
    assert form.all("task") == ["shop.fetch", "shop.clean", "shop.report", "shop.mail"]
    assert form.all("pasted") == ["nothing.here"]
    answer = form.set(where_tag="strange").press(alice, "where")
    assert 'there is no tag "strange"' in shown(answer, 422).text.lower()


def test_a_name_that_fits_several_is_chosen_from_a_list(site: Site) -> None:
    alice = site.alice
    answer = opened(alice).set(add_task="shop.").press(alice, "add:task")
    assert '5 tasks have "shop." in their names' in shown(answer, 422).text
    form = followed(alice, Filling(answer, "new").press(alice, "take:shop.mail"))
    assert (form.all("task"), form.all("add_task")) == (["shop.mail"], [""])
    form = followed(alice, form.press(alice, "drop:task:shop.mail"))
    assert form.all("task") == []


def test_a_link_is_drawn_and_its_middle_left_out(site: Site) -> None:
    """SEL-2."""
    alice = site.alice
    form = planned(alice, opened(alice), way="link")
    form = followed(alice, form.set(from_="shop.fetch", add_to="mail", **DATES).press(alice, "add:to"))
    answer = alice.get(form.address)
    assert "5 tasks lie on the way" in shown(answer).text
    assert answer.text.count('class="node') == 5
    form = planned(alice, form, skip=["shop.clean"])
    assert form.buttons["create"] == "Create and run 8 instances"
    made = created(site, alice, form)
    assert made["request"]["selection"] == {
        "way": "link", "start": "shop.fetch", "ends": ["shop.mail"], "exclude": ["shop.clean"],
    }  # fmt: skip


def test_a_link_that_leads_nowhere_says_so(site: Site) -> None:
    alice = site.alice
    page = shown(alice.get(f"{NEW}?from=shop.mail&to=shop.fetch&bizdate=2026-01-05"))
    assert (
        page.text.count("shop.fetch does not depend on shop.mail") == 2
    )  # where it is chosen, and as the plan


def test_workspaces_with_a_whitelist_and_a_blacklist(site: Site) -> None:
    """SEL-3."""
    alice = site.alice
    form = planned(alice, opened(alice), way="workspace")
    form = planned(alice, form, root="shop.clean", workspace=["shop"], no_root="on", **DATES)
    form = followed(alice, form.set(add_include="shaky").press(alice, "add:include"))
    form = followed(alice, form.set(add_exclude="mail").press(alice, "add:exclude"))
    assert form.buttons["create"] == "Create and run 4 instances"
    selection = created(site, alice, form)["request"]["selection"]
    assert (selection["root"], selection["include_root"], selection["include"], selection["exclude"]) == (
        "shop.clean", False, ["shop.shaky"], ["shop.mail"],
    )  # fmt: skip


def test_what_was_chosen_in_one_way_is_there_when_one_comes_back(site: Site) -> None:
    alice = site.alice
    form = opened(alice, f"{NEW}?task=shop.fetch&only=shop.mail&bizdate=2026-01-05")
    form = planned(alice, form, way="link")
    form = planned(alice, form, from_="shop.clean")
    form = planned(alice, form, way="workspace")
    form = planned(alice, form, way="pick")
    assert form.buttons["create"] == "Create and run 2 instances"
    assert (form.all("only"), form.all("from")) == (["shop.mail"], ["shop.clean"])


def test_all_descendants(site: Site) -> None:
    """SEL-4."""
    alice = site.alice
    form = planned(alice, planned(alice, opened(alice), way="all"), all_descendants="shop.shaky", **DATES)
    assert form.buttons["create"] == "Create and run 6 instances"
    assert created(site, alice, form)["request"]["selection"]["way"] == "all_descendants"


# When and how


def test_ranges_come_and_go_and_each_is_counted(site: Site) -> None:
    """POL-1."""
    alice = site.alice
    form = planned(alice, opened(alice, f"{NEW}?task=shop.fetch"), **DATES)
    form = followed(alice, form.press(alice, "range"))
    form = planned(alice, form, first=["2026-01-05", "2026-02-01"], last=["2026-01-06", ""])
    page = shown(alice.get(form.address))
    assert "2 bizdates" in page.text
    assert "1 bizdate" in page.text
    assert form.buttons["create"] == "Create and run 3 instances"
    form = followed(alice, form.press(alice, "unrange:0"))
    assert (form.all("first"), form.all("last")) == (["2026-02-01"], [""])


def test_a_mistake_stands_beside_its_field_and_nothing_typed_is_lost(site: Site) -> None:
    alice = site.alice
    wrong = {"first": "5 January", "last": "", "groups": "11", "time_from": "25:00", "max_failures": "few"}
    form = planned(alice, opened(alice, f"{NEW}?task=shop.fetch"), **wrong, name="n" * 128)
    text = shown(alice.get(form.address)).text
    for words in (
        '"5 January" is no',
        "is not a number of groups",
        "25:00",
        '"few" is no number of failures',
    ):
        assert words in text
    assert "create" not in form.buttons
    assert {name: form.all(name) for name in wrong} == {name: [value] for name, value in wrong.items()}


def test_everything_that_is_chosen_is_asked_for(site: Site) -> None:
    """POL-1..14: each control of the third section."""
    alice = site.alice
    form = followed(alice, opened(alice, f"{NEW}?task=shop.fetch&task=shop.shaky").press(alice, "set"))
    form = planned(
        alice, form, **DATES, groups="2", order="desc", barrier="task", across_groups="ignore", on_failure="stop",
        max_failures="3", run_future="on", window="weekends", window_from="21:00", window_to="05:30",
        time_from="01:00", time_to="02:30", resource_group="default", alert="either", alert_by="email",
        notify="https://example.org/hook", set_name="shop.fetch.day", set_value="=a b",
    )  # fmt: skip
    asked = created(site, alice, form)["request"]
    window = asked["window"]
    assert (window["period"], window["weekends"], asked["time_range"]) == ("21:00-05:30", True, "01:00-02:30")
    plain = (
        "groups",
        "order",
        "barrier",
        "across_groups",
        "on_failure",
        "max_failures",
        "run_future",
        "resource_group",
    )
    assert [asked[name] for name in plain] == [2, "desc", "task", "ignore", "stop", 3, True, "default"]
    assert asked["alert"] == {"trigger": "either", "method": "email"}
    assert asked["overrides"] == {"shop.fetch": {"day": "=a b"}}
    assert (asked["notify"] or "").startswith("https://example.org")
    assert not asked["allow_risks"]


def test_a_risk_lets_nothing_run_until_it_is_mended(site: Site) -> None:
    """VER-2: the button says so, and the finding has a button for each remedy."""
    alice = site.alice
    address = f"{NEW}?task=shop.fetch&task=shop.clean&bizdate=2026-01-05&time_range=01:30-23:00"
    form = opened(alice, address)
    assert form.buttons["create"] == "Save without running"
    loose = planned(alice, opened(alice, address).set(strict=[]))
    assert loose.buttons["create"].startswith("Create and run")
    mended = followed(alice, form.press(alice, "fix:whole-day"))
    assert mended.buttons["create"] == "Create and run 2 instances"
    made = created(site, alice, form)
    assert made["check_status"] == "failed"
    assert not [*site.center("alice").instances.each(InstanceSearch(backfills=(made["id"],)))]


def test_what_failed_or_is_missing_alone(filled: Filled) -> None:
    """The strip shows what there is, and a button cuts the ranges down to what there is not."""
    alice = filled.site.alice
    form = opened(alice, f"{NEW}?task=shop.shaky&bizdate=2026-01-05..2026-01-08")
    assert (
        "What there is now of shop.shaky"
        in shown(alice.get(f"{NEW}?task=shop.shaky&bizdate=2026-01-05")).text
    )
    form = followed(alice, form.press(alice, "missing:shop.shaky"))
    assert (form.all("first"), form.all("last")) == (["2026-01-06"], ["2026-01-08"])


def test_an_off_day_is_no_success() -> None:
    """The strip colours what succeeded, and nothing else: on an off day nothing was made."""
    calendar: Any = {"task": "shop.weekly", "first": "2026-01-05", "cells": "sooof."}
    strip = drawn(calendar, ())
    assert [cell.look for cell in strip.cells] == ["ok", "fail", "dotidle"]
    assert strip.words.startswith("1 successful, 3 an off day, 1 failed, 1 never made")


def test_the_contact_is_checked_before_the_alert_is_asked_for(site: Site) -> None:
    """POL-9."""
    alice = site.alice
    address = f"{NEW}?task=shop.fetch&bizdate=2026-01-05&alert=failure&alert_by=email"
    assert "You have neither an address nor a number here" in shown(alice.get(address)).text
    site.center("alice").people.set_contact("alice", "alice@example.org")
    page = shown(alice.get(address))
    assert "alice@example.org" in page.text
    answer = opened(alice, address).press(alice, "test-alert")
    assert "No test message could be sent by email" in shown(answer, 422).text


# The plan


def test_the_plan_tells_counts_groups_and_an_instance(site: Site) -> None:
    """VER-4, BF-2."""
    text = shown(site.alice.get(f"{NEW}?task=shop.fetch&bizdate=2026-01-05..2026-01-08&groups=2")).text
    assert "1 task" in text.replace("task1", "1 task")
    assert "5 Jan – 6 Jan · 2" in text
    assert "How long it takes is not known yet" in text
    assert "no successful run yet of shop.fetch" in text
    assert re.search(r"shop\.fetch 2026-01-05.*day ?20260105", text)
    assert "No findings in 4 instances." in text


def test_once_tasks_have_run_the_end_and_the_load_are_told(filled: Filled) -> None:
    """BF-2."""
    answer = filled.site.alice.get(f"{NEW}?task=shop.fetch&bizdate=2026-02-05..2026-02-08")
    assert re.search(r"About [\d.]+s, done by \d+ \w+ \d\d:\d\d", shown(answer).text)


def test_what_is_typed_can_be_taken_along(site: Site) -> None:
    """As a command and as a call of the API, with what needs quotes quoted."""
    text = shown(
        site.alice.get(f"{NEW}?task=shop.fetch&bizdate=-7d..yesterday&name=it%27s+mine&groups=1")
    ).text
    assert "retrofill backfill create" in text
    assert "--bizdate=-7d..yesterday" in text
    assert """--name 'it'"'"'s mine'""" in text
    assert '"task": [ "shop.fetch" ]' in text


def test_another_plan_than_that_which_was_shown_is_not_created(site: Site) -> None:
    """VER-4: what changed since is shown instead, and created by the next press."""
    alice = site.alice
    form = planned(alice, opened(alice, f"{NEW}?task=shop.fetch"), **DATES)
    answer = form.set(last="2026-01-07").press(alice, "create")
    assert "The plan is not what it was when it was shown." in shown(answer, 409).text
    again = Filling(answer, "new")
    assert again.buttons["create"] == "Create and run 3 instances"
    assert created(site, alice, again)["instance_count"] == 3
    assert len(site.center("alice").backfills.list()["items"]) == 1


def test_pressed_twice_it_is_created_once(site: Site) -> None:
    alice = site.alice
    form = planned(alice, opened(alice, f"{NEW}?task=shop.fetch"), **DATES)
    first, second = (form.press(alice, "create").headers["location"] for _ in range(2))
    assert first == second
    assert len(site.center("alice").backfills.list()["items"]) == 1


def test_a_task_that_a_deploy_has_removed_is_named_and_the_rest_stays(site: Site) -> None:
    """A deploy while somebody chooses."""
    alice = site.alice
    form = planned(alice, opened(alice, f"{NEW}?task=shop.mail&task=shop.fetch"), **DATES)
    site.deploy_without("mail")
    answer = form.press(alice, "create")
    assert "shop.mail is not there any more" in shown(answer, 404).text
    form = followed(alice, Filling(answer, "new").press(alice, "drop:task:shop.mail"))
    assert form.buttons["create"] == "Create and run 2 instances"


# What is kept


def test_a_draft_has_an_address_and_goes_when_it_is_created(site: Site) -> None:
    alice = site.alice
    form = planned(alice, opened(alice), name='"><script>alert(1)</script>', reason="ö ✓")
    answer = alice.get(form.address)
    assert "script" not in shown(answer).tags
    assert Filling(answer, "new").all("name") == ['"><script>alert(1)</script>']
    form = planned(alice, form, name="fine", task="shop.fetch", **DATES)
    number = int(form.all("draft")[0])
    assert [one["id"] for one in site.center("alice").saved.list("new")] == [number]
    created(site, alice, form)
    assert site.center("alice").saved.list("new") == []
    assert alice.get(form.address).status_code == 404


def test_a_draft_that_was_left_is_found_again(site: Site) -> None:
    """On the empty form, by its name or its first task; and it can be thrown away."""
    alice = site.alice
    planned(alice, opened(alice), name="half done")
    planned(alice, opened(alice, f"{NEW}?task=shop.mail"), reason="later")
    answer = alice.get(NEW)
    text = shown(answer).text
    assert re.search(r"Go on with a draft ?shop\.mail", text)
    form = Filling(answer, "new")
    number = next(do for do in form.buttons if do.startswith("forget:"))
    followed(alice, form.press(alice, number))
    assert "shop.mail" not in shown(alice.get(NEW)).text
    assert "half done" in shown(alice.get(NEW)).text


def test_who_comes_back_to_what_became_a_backfill_is_told_where_it_went(site: Site) -> None:
    """The address of its draft is what stands in the browser's history."""
    alice = site.alice
    form = planned(alice, opened(alice), name="mine")
    site.center("alice").saved.remove(int(form.address.partition("=")[2]))
    page = shown(alice.get(form.address), 404)
    assert "A draft goes when a backfill is made of it" in page.text
    assert "Reuse the choice of tasks" in page.text
    assert page.fields["name"] == ""


def test_whatever_is_typed_is_text(site: Site) -> None:
    """A script in every field, whether it is the value of a field or a word of an error."""
    strange = """'"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"""
    kept = site.center("alice").saved
    for way in WAYS:
        fields = {name: [strange] for name in FIELDS} | {"way": [way]}
        number = kept.save("new", fields)["id"]
        page = shown(site.alice.get(f"{NEW}?draft={number}"))
        assert not page.tags & {"script", "img"}
        assert not page.attributes & {"onerror"}
        assert page.fields["name"] == strange
        assert "49" not in page.text


def test_what_is_too_much_to_keep_stays_on_the_page(site: Site) -> None:
    alice = site.alice
    pasted = "\n".join(f"nothing.{number:060}" for number in range(9_000))
    answer = opened(alice).set(pasted=pasted, name="much").press(alice, "look")
    shown(answer)
    form = Filling(answer, "new")
    assert (form.all("name"), form.all("draft")) == (["much"], [])
    assert form.all("pasted")[0].split() == pasted.split()


def test_somebody_elses_draft_is_answered_like_none(site: Site) -> None:
    """SEC-2."""
    alice = site.alice
    form = planned(alice, opened(alice), name="mine")
    bob = site.browser("bob")
    foreign, absent = bob.get(form.address), bob.get(f"{NEW}?draft=777")
    assert (foreign.status_code, absent.status_code) == (404, 404)
    number = form.address.partition("=")[2]
    text = shown(foreign, 404).text.replace(f"the number {number}", "the number 777")
    assert text == shown(absent, 404).text


def test_what_was_typed_survives_the_end_of_the_session(site: Site) -> None:
    """Sent by a form whose session has ended, it comes back when one has signed in again."""
    browser = site.browser("alice")
    form = planned(browser, opened(browser, f"{NEW}?task=shop.fetch"), **DATES)
    browser.submit("/sign-out")
    answer = form.press(browser, "create")
    kept = shown(answer, 401)
    assert (kept.fields["first"], kept.fields["do"]) == ("2026-01-05", "create")
    again = site.browser("alice")
    made = form.press(again, "create")
    assert made.headers["location"] == "/backfills/1"


def test_the_form_of_an_earlier_backfill(site: Site) -> None:
    """SEL-9: tasks, dates and all that was asked for."""
    alice = site.alice
    number = site.backfill(
        task=("shop.fetch",), descendants="all", exclude=("shop.mail",), groups="2", order="desc", window="22:00-06:00",
        weekends=True, alert="failure", alert_by="email", set=("shop.fetch.day=x",), allow_risks=True,
    )  # fmt: skip
    form = opened(alice, f"{NEW}?reuse={number}")
    assert form.all("only") == ["shop.clean", "shop.shaky", "shop.report"]
    assert (form.all("first"), form.all("last")) == (["2026-01-05"], ["2026-01-06"])
    assert form.all("strict") == []
    again = created(site, alice, form)["request"]
    before = site.center("alice").backfills.show(number)["request"]
    assert {**again, "selection": None} == {**before, "selection": None}


@pytest.mark.parametrize(
    "given",
    [
        {"from": "shop.fetch", "to": ("shop.mail",), "exclude": ("shop.clean",), "task": None},
        {
            "root": "shop.fetch",
            "workspace": ("shop",),
            "no_root": True,
            "include": ("shop.fetch",),
            "task": None,
        },
        {"all_descendants": "shop.shaky", "exclude": ("shop.mail",), "task": None},
    ],
)
def test_each_way_of_choosing_is_filled_in_again(site: Site, given: dict[str, Any]) -> None:
    """SEL-9."""
    number = site.backfill(**given)
    form = opened(site.alice, f"{NEW}?reuse={number}")
    again = created(site, site.alice, form)["request"]["selection"]
    assert again == site.center("alice").backfills.show(number)["request"]["selection"]


def test_what_may_not_be_backfilled_is_shown_and_cannot_be_ticked(site: Site) -> None:
    """SEL-5: dave only visits."""
    dave = site.browser("dave")
    answer = dave.get(f"{NEW}?task=shop.fetch&bizdate=2026-01-05")
    text = shown(answer).text
    assert "you may not backfill it" in text
    assert "You may not backfill shop.fetch" in text
    assert "create" not in Filling(answer, "new").buttons


def test_scripts_get_the_form_alone_and_keep_a_draft(site: Site) -> None:
    """What a script puts in place: with the number of the draft, and no page around it."""
    alice = site.alice
    answer = opened(alice).set(task="shop.fetch", **DATES).press(alice, "look", PART)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<form class="newcols"')
    assert re.search(r'data-draft="\d+"', answer.text)
    form = Filling(answer, "new")
    assert form.buttons["create"] == "Create and run 2 instances"
    refused = form.set(add_task="nowhere").press(alice, "add:task", PART)
    assert (refused.status_code, 'There is no task with "nowhere"' in shown(refused).text) == (200, True)


def test_a_button_that_nobody_knows_changes_nothing(site: Site) -> None:
    alice = site.alice
    form = planned(alice, opened(alice, f"{NEW}?task=shop.fetch"), **DATES)
    for do in ("nothing", "fix:nothing", "drop:reason:x", "add:reason", "fix:order=up", "unrange:x"):
        form.buttons[do] = ""
        after = followed(alice, form.press(alice, do))
        assert after.pairs[:-3] == form.pairs[:-3] or dict(after.pairs)["order"] == "asc"
