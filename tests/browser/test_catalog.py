"""The catalog as somebody goes through it: with the keyboard, with boxes and questions, while something runs."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from browser.axe import findings
from browser.conftest import OpenWindow
from browser.filling import Filling
from browser.flights import LONG
from browser.places import Place
from browser.windows import PHONE, Window


def test_a_task_is_found_and_frozen_with_the_keyboard_alone(window: Window) -> None:
    """AUTO-4: and unfrozen again; the question says what follows."""
    page = window.page
    window.go("/tasks")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Name, id, table or tag")).to_be_focused()
    page.keyboard.type("goes_on_and_on")
    page.keyboard.press("Enter")
    expect(page).to_have_url(
        f"{window.place.url}/tasks?search=goes_on_and_on&workspace=&cycle=&type=&owner=&resource_group="
    )
    page.keyboard.press("j")
    page.keyboard.press("x")
    bar = page.locator("[data-picked-bar]")
    expect(bar).to_contain_text("1 selected")
    page.get_by_role("button", name="Freeze…", exact=True).press("Enter")
    question = page.get_by_role("dialog")
    expect(question.get_by_role("heading", name=f"Freeze lab.{LONG}?")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(bar).to_contain_text("1 selected")
    page.get_by_role("button", name="Freeze…", exact=True).press("Enter")
    question.get_by_role("textbox", name="Comment").fill("until the source is back")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text=f"Froze lab.{LONG}")).to_be_visible()
    expect(page.get_by_role("link", name="Frozen 1")).to_be_visible()
    page.get_by_role("link", name="Frozen 1").click()
    expect(page).to_have_url(re.compile("frozen="))
    window.settle()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_text("until the source is back").first).to_be_visible()
    page.get_by_role("link", name="Unfreeze…").click()
    question.get_by_role("button", name="Unfreeze 1 task").click()
    expect(page.get_by_role("link", name="Freeze…")).to_be_visible()


def test_nothing_is_selected_in_the_bar_before_a_box_is_ticked(window: Window) -> None:
    page = window.page
    window.go("/tasks?workspace=lab")
    bar = page.locator("[data-picked-bar]")
    expect(bar).to_be_hidden()
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(bar).to_contain_text("6 selected")
    page.get_by_role("checkbox", name="Select lab.load").uncheck()
    expect(bar).to_contain_text("5 selected")


def test_a_failed_bizdate_leads_to_its_instance(place: Place, open_at: OpenWindow, filling: Filling) -> None:
    """RUN-7: one box a bizdate, and the same as a table."""
    window = open_at(place, "admin")
    page = window.page
    window.go("/tasks/ops.check_departures?until=2013-01-31")
    page.get_by_text("As a table").click()
    page.get_by_role("row", name="3 Jan 2013 1 Failed").get_by_role("link").click()
    expect(page).to_have_url(f"{window.place.url}/instances/{filling.failed_instance}")


def test_slots_change_while_one_looks(place: Place, window: Window) -> None:
    """OPS-0: what runs stands in its place within a second, and leaves it."""
    page, (day,) = window.page, place.days()
    window.go("/resource-groups/bench")
    expect(page.locator("#live")).to_contain_text("Live")
    made = place.create(task=("lab.load",), bizdate=(day,), name="seen while it runs")
    row = place.wait_for(made, "lab.load", day, "running")
    held = page.locator(f'.slotrow a[href="/instances/{row["id"]}"]')
    expect(held).to_be_visible()
    place.let_go(day)
    expect(held).to_have_count(0)


def test_a_token_is_made_copied_and_gone(place: Place, open_at: OpenWindow) -> None:
    """SEC-1: on a phone, and without scripts."""
    for scripts in (True, False):
        window = open_at(place, "otto", width=PHONE, scripts=scripts)
        page, label = window.page, f"scripts {scripts}"
        window.go("/account")
        page.locator("#token-label").fill(label)
        page.locator("#token-scope").select_option("operate")
        page.get_by_role("button", name="Make a token").click()
        secret = page.locator("#secret")
        expect(secret).to_contain_text("retrofill_")
        told = secret.inner_text()
        page.get_by_role("link", name="I have kept it").click()
        expect(page.get_by_role("row", name=label)).to_contain_text("operate")
        assert told not in page.content()
        page.get_by_role("link", name=f"Revoke {label}…").click()
        page.get_by_role("button", name="Revoke it").click()
        expect(page.get_by_text("The token opens nothing any more.")).to_be_visible()
        expect(page.get_by_role("row", name=label)).to_have_count(0)


def test_lineage_is_walked_from_table_to_table(place: Place, open_at: OpenWindow) -> None:
    """OPS-10: without scripts as well: boxes of the picture are links."""
    for scripts in (True, False):
        window = open_at(place, "admin", scripts=scripts)
        page = window.page
        window.go("/lineage?search=daily_delays")
        page.get_by_role("link", name="mart.daily_delays").click()
        expect(page.get_by_role("heading", name="mart.daily_delays")).to_be_visible()
        page.get_by_role("link", name="raw.flights in warehouse, by flights").click()
        expect(page.get_by_role("heading", name="raw.flights")).to_be_visible()
        page.get_by_role("link", name="One level less below").click()
        expect(page.get_by_text("1 below", exact=True)).to_be_visible()
