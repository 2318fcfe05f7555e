"""Home and the list of backfills as somebody uses them: live, opened in place, chosen, asked, mended."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.axe import findings
from browser.conftest import OpenWindow
from browser.places import Place
from browser.windows import Window


def test_at_night_home_says_what_failed_and_a_rerun_mends_it(any_place: Place, open_at: OpenWindow) -> None:
    """OPS-9, OPS-2: it comes by itself to an open page, and goes once it is mended."""
    place = any_place
    (day,) = place.days()
    window = open_at(place, "ada")
    page = window.page
    window.go("/")
    number = place.create(all_descendants="lab.load", bizdate=(day,), name=f"rates of {day}")
    expect(page.get_by_role("row").filter(has_text=f"rates of {day}")).to_be_visible()
    place.let_go(day)
    place.wait(number, "failed")
    need = page.locator(".needs > li").filter(has_text=f"rates of {day}")
    expect(need).to_be_visible()
    expect(need).to_contain_text("lab.check failed")
    expect(need).to_contain_text("lacks its rates")
    place.mend(day)
    need.get_by_role("link", name="Rerun…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Rerun 1 instance").click()
    expect(page.locator(".said")).to_be_visible()
    place.wait(number, "succeeded")
    expect(need).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text=f"rates of {day}")).to_contain_text("Succeeded")


def test_a_row_opens_in_place_by_the_keyboard_and_stays_open_while_things_change(
    place: Place, window: Window
) -> None:
    """BF-2: without a new page; focus, what is open and what is chosen stay over live updates."""
    days = place.days(3)
    number = place.create(all_descendants="lab.load", bizdate=(f"{days[0]}..{days[-1]}",), groups="3")
    place.wait_for(number, "lab.load", days[0], "running")
    page = window.page
    window.go(f"/backfills?text={number}")
    page.evaluate("() => { window.stays = true; }")
    row = page.locator(f"#row-{number}")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(row.get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("o")
    opened = page.locator(f"#in-{number}")
    expect(opened).to_be_visible()
    page.wait_for_url(f"**open={number}**")
    expect(row.locator("[data-expand]")).to_be_focused()
    opened.locator("svg a").nth(1).click()
    page.wait_for_url(f"**date-{number}={days[1]}**")
    expect(opened).to_contain_text("lab.load")
    assert findings(page) == []
    place.center("ada").backfills.pause(number, "dinner")
    expect(row.locator(".state").first).to_contain_text("Running")
    place.let_go(*days)
    expect(row).to_contain_text("Paused")
    expect(opened).to_be_visible()
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(page.locator(".selbar")).to_contain_text("1 selected")
    page.reload()
    expect(opened).to_be_visible()
    page.get_by_role("link", name=f"Close {number} in place").click()
    expect(opened).to_have_count(0)


def test_several_are_stopped_by_one_question(place: Place, window: Window) -> None:
    """OPS-1, BF-3: above the list, with what would come of it; Escape leaves all as it is."""
    days = place.days(2)
    numbers = [place.create(task=("lab.load",), bizdate=(day,), name="to be stopped") for day in days]
    for number, day in zip(numbers, days, strict=True):
        place.wait_for(number, "lab.load", day, "running")
    page = window.page
    window.go("/backfills?text=to+be+stopped&is_open=true")
    page.get_by_label("Select all on this page").check()
    expect(page.locator(".selbar")).to_contain_text("2 running")
    page.get_by_role("button", name="Stop…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Stop 2 backfills?")).to_be_visible()
    expect(dialog).to_contain_text("2 running instances are ended")
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator(".selbar")).to_contain_text("2 selected")
    page.get_by_role("button", name="Stop…").click()
    dialog.get_by_label("Comment").fill("wrong rates")
    dialog.get_by_role("button", name="Stop 2 backfills").click()
    expect(page.locator(".said")).to_contain_text("Stopped 2 backfills.")
    for number in numbers:
        place.wait(number, "stopped")
        assert place.center().backfills.history(number)[-1]["comment"] == "wrong rates"


def test_filters_answer_as_one_types_and_new_ones_wait(place: Place, window: Window) -> None:
    """BF-1: the address says what is searched for; rows do not move under the pointer."""
    first, second = place.days(2)
    old = place.create(task=("lab.count",), bizdate=(first,), name="bread")
    page = window.page
    window.go("/backfills")
    page.keyboard.press("/")
    page.keyboard.type("bread")
    page.wait_for_url("**text=bread**")
    expect(page.locator("tr[id^=row-]")).to_have_count(1)
    expect(page.get_by_label("Name, id or task")).to_be_focused()
    expect(page.locator(f"#row-{old}")).to_contain_text(
        "Succeeded"
    )  # looked at again, it asks for news all the same
    new = place.create(task=("lab.count",), bizdate=(second,), name="more bread")
    link = page.get_by_role("link", name="1 new backfill: show")
    expect(link).to_be_visible()
    expect(page.locator(f"#row-{new}")).to_have_count(0)
    page.locator(f"#row-{old} [data-expand]").click()
    expect(page.locator(f"#in-{old}")).to_be_visible()
    expect(page.locator(f"#row-{new}")).to_have_count(0)
    link.click()
    expect(page.locator(f"#row-{new}")).to_be_visible()
    expect(page.locator(f"#row-{old}")).to_be_visible()
    expect(page.get_by_label("Name, id or task")).to_have_value("bread")
