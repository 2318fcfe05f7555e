"""What scripts make easier on every page: keys, dialogs, the palette, the theme. All of it is there without them, too."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.axe import findings
from browser.conftest import OpenWindow
from browser.filling import Filling
from browser.places import Place
from browser.windows import Window


def test_the_palette_goes_to_tasks_backfills_instances_and_pages(window: Window, filling: Filling) -> None:
    page = window.page
    window.go("/more")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Go to")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", name="Schedule")).to_be_visible()
    assert findings(page) == []
    field.fill("lab che")
    expect(page.get_by_role("option", selected=True)).to_contain_text("lab.check")
    field.fill("rates")
    expect(page.get_by_role("option", selected=True)).to_contain_text("rates")
    field.fill("lab che")
    expect(page.get_by_role("option", selected=True)).to_contain_text("lab.check")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Tasks with")
    field.fill("17")
    expect(page.get_by_role("option").first).to_contain_text("Instance 17")
    field.fill("home")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Home")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{window.place.url}/")
    window.settle()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox", name="Go to")).to_be_hidden()


def test_keys_go_and_help_and_none_acts_while_one_types(window: Window) -> None:
    page = window.page
    window.go("/account")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("g")  # not while a dialog is open
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    page.keyboard.press("/")
    find = page.locator("#find")
    expect(find).to_be_focused()
    page.keyboard.type("gb?n")
    expect(find).to_have_value("gb?n")
    find.evaluate("(field) => field.blur()")
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.wait_for_url(f"{window.place.url}/")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_right_from_the_first_paint_on_and_stays(
    place: Place, open_at: OpenWindow, theme: str
) -> None:
    window = open_at(place, "ada", theme=theme)
    page, other = window.page, "dark" if theme == "light" else "light"
    scheme = "() => getComputedStyle(document.documentElement).colorScheme"
    window.go("/account")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(scheme) == other
    page.route("**/static/*.js*", lambda route: route.abort())  # nothing but what the server has sent
    window.expects("ERR_FAILED")
    page.reload()
    assert page.evaluate(scheme) == other


def test_the_zone_of_moments_is_chosen_once_for_all_pages(window: Window) -> None:
    page = window.page
    window.go("/account")
    chip = page.locator("summary.zone")
    expect(chip).to_contain_text("America/New_York")
    chip.click()
    page.get_by_role("button", name="UTC", exact=True).click()
    expect(chip).to_contain_text("UTC")
    window.go("/more")
    expect(chip).to_contain_text("UTC")


def test_menus_close_by_escape_and_give_the_focus_back(window: Window) -> None:
    page = window.page
    window.go("/account")
    chip = page.locator("summary.zone")
    chip.click()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator("details.zone-drop")).not_to_have_attribute("open", "")
    expect(chip).to_be_focused()


def test_rows_are_gone_through_with_j_and_k(window: Window, filling: Filling) -> None:
    page = window.page
    window.go(f"/backfills/{filling.running}?tab=instances")
    rows = page.locator("main tbody > tr")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1).get_by_role("link").first).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0).get_by_role("link").first).to_be_focused()
    page.keyboard.press("k")  # there is none before
    expect(rows.nth(0).get_by_role("link").first).to_be_focused()
    page.keyboard.press("2")
    expect(page.locator("main .tabs a").nth(1)).to_have_attribute("aria-current", "page")
