"""A new backfill with scripts: the plan follows what is typed, tasks are found as one writes, nothing typed is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from browser.axe import findings
from browser.conftest import OpenWindow
from browser.places import Place
from browser.windows import PHONE, Window

NEW = "/backfills/new"


def write_dates(page: Page, first: str, last: str, row: int = 1) -> None:
    page.get_by_label(f"First bizdate of range {row}").fill(first)
    page.get_by_label(f"Last bizdate of range {row}").fill(last)


def test_with_the_keyboard_alone(any_place: Place, open_at: OpenWindow) -> None:
    """Search, choose, levels, dates, and Ctrl Enter: what the button says is created (VER-4)."""
    window = open_at(any_place, "ada")
    page = window.page
    page.keyboard.press("n")
    page.wait_for_url(f"**{NEW}")
    field = page.get_by_role("combobox", name="Add a task")
    field.focus()
    page.keyboard.type("lab")
    expect(page.locator("[role=option]")).to_have_count(6)
    page.keyboard.type(".loa")
    expect(page.locator("[role=option][aria-selected=true]")).to_have_text(re.compile("lab.load"))
    page.keyboard.press("Enter")
    level = page.get_by_label(re.compile("Level 1"))
    expect(level).to_be_visible()
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    level.focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    expect(page.get_by_label(re.compile("Level 1"))).to_be_focused()
    first, last = any_place.days(2)
    page.get_by_label("First bizdate of range 1").focus()
    page.keyboard.type(first)
    page.keyboard.press("Tab")
    page.keyboard.type(last)
    button = page.locator("#create")
    expect(button).to_have_text("Create and run 4 instances")
    expect(page.get_by_label("Last bizdate of range 1")).to_be_focused()
    page.wait_for_url(re.compile(r"\?draft=\d+$"))
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/backfills/\d+$"))
    number = int(page.url.rpartition("/")[2])
    assert any_place.center().backfills.row(number)["instance_count"] == 4
    any_place.let_go(first, last)
    any_place.mend(first, last)


def test_with_the_mouse_alone_and_each_way_of_choosing(place: Place, open_at: OpenWindow) -> None:
    """SEL-1..4: the plan is of what is chosen now, and what was chosen in another way is still there."""
    window = open_at(place, "ada")
    page = window.page
    window.go(f"{NEW}?bizdate={place.days()[0]}")
    button = page.locator("#create")
    page.get_by_role("combobox", name="Add a task").fill("lab.load")
    page.locator("[role=option]:visible").first.click()
    expect(button).to_have_text("Create and run 1 instance")
    page.get_by_text("Between two tasks").click()
    page.locator("#f-from").fill("lab.lo")
    page.locator("[role=option]:visible").first.click()
    page.get_by_role("combobox", name="To: add a task").fill("mail")
    page.locator("[role=option]:visible").first.click()
    expect(page.get_by_text("4 tasks lie on the way")).to_be_visible()
    expect(button).to_have_text("Create and run 4 instances")
    page.locator(".node", has_text="report").click()
    expect(page.locator(".node.dry")).to_have_count(1)
    expect(button).to_have_text("Create and run 3 instances")
    page.get_by_role("button", name="Run lab.report too").or_(
        page.get_by_role("button", name="Run it too")
    ).click()
    expect(button).to_have_text("Create and run 4 instances")
    page.get_by_text("By workspace").click()
    page.locator("#f-root").fill("lab.check")
    page.locator("[role=option]:visible").first.click()
    page.get_by_label("lab", exact=True).check()
    expect(button).to_have_text("Create and run 3 instances")
    page.get_by_text("All descendants").click()
    page.locator("#f-all_descendants").fill("lab.report")
    page.locator("[role=option]:visible").first.click()
    expect(button).to_have_text("Create and run 2 instances")
    page.get_by_text("Pick tasks").click()
    expect(button).to_have_text("Create and run 1 instance")


def test_what_is_typed_survives_reloads_and_answers_that_come_late(window: Window) -> None:
    """A draft has an address; an answer never writes over what was typed after it was asked for."""
    page = window.page
    window.go(f"{NEW}?task=lab.load")
    write_dates(page, "2014-01-01", "2014-01-03")
    page.get_by_label("Name optional").fill("<i>mine</i>")
    page.wait_for_url(re.compile(r"\?draft=\d+$"))
    expect(page.locator("#create")).to_have_text("Create and run 3 instances")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_label("Reason optional").fill("late")
    page.reload()
    expect(page.get_by_label("Name optional")).to_have_value("<i>mine</i>")
    expect(page.get_by_label("Reason optional")).to_have_value("late")
    expect(page.get_by_label("First bizdate of range 1")).to_have_value("2014-01-01")
    page.get_by_role("button", name="Another range").click()
    expect(page.get_by_label("First bizdate of range 2")).to_be_visible()
    write_dates(page, "2014-02-01", "2014-02-02", 2)
    expect(page.locator("#create")).to_have_text("Create and run 5 instances")
    page.get_by_label("Last bizdate of range 1").fill("2013-12-01")
    expect(page.locator("#fault-range-0")).to_contain_text("2013-12-01")
    expect(page.get_by_label("Last bizdate of range 1")).to_be_focused()
    assert findings(page) == []


def test_a_finding_is_mended_by_its_button_and_the_field_follows(window: Window) -> None:
    page = window.page
    window.go(f"{NEW}?task=lab.load&task=lab.check&bizdate=2014-03-01..2014-03-02&time_range=01:05-23:00")
    expect(page.locator("#create")).to_have_text("Save without running")
    assert findings(page) == []
    page.get_by_role("button", name="Use 00:00 to 23:59").first.click()
    expect(page.locator("#create")).to_have_text("Create and run 4 instances")
    expect(page.get_by_label("First slot")).to_have_value("00:00")


def test_a_session_that_ends_takes_nothing_away(place: Place, open_at: OpenWindow) -> None:
    window = open_at(place)
    window.expects("401")
    window.sign_in("ada")
    page = window.page
    window.go(f"{NEW}?task=lab.load")
    window.context.clear_cookies()
    write_dates(page, "2014-01-01", "2014-01-03")
    expect(page.get_by_role("alert")).to_contain_text("You have been signed out. What you have typed stays")
    expect(page.get_by_label("First bizdate of range 1")).to_have_value("2014-01-01")
    other = window.context.new_page()
    other.goto(place.link("ada"))
    other.get_by_role("button", name="Sign in as ada").click()
    other.wait_for_url(lambda url: "/sign-in" not in url)
    page.get_by_label("Name optional").fill("again")
    expect(page.locator("#create")).to_have_text("Create and run 3 instances")


@pytest.mark.parametrize("width", [PHONE, 320])
def test_on_a_phone_nothing_is_wider_than_the_screen(place: Place, open_at: OpenWindow, width: int) -> None:
    window = open_at(place, "ada", width=width)
    page = window.page
    for address in (
        f"{NEW}?task=lab.load&descendants=all&bizdate=2014-01-01..2014-03-03&bizdate=2014-05-01",
        f"{NEW}?from=lab.load&to=lab.mail&bizdate=2014-01-01",
        f"{NEW}?root=lab.load&workspace=lab&include=lab.count",
    ):
        window.go(address)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0, address
    page.get_by_role("link", name="See the plan").click()
    expect(page.get_by_role("heading", name="Plan")).to_be_in_viewport()
