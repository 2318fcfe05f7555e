"""What users come for, as they go it: on a real server with a real scheduler, on either store."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.conftest import OpenWindow
from browser.places import Place
from browser.windows import PHONE


def test_at_three_in_the_morning_on_a_phone(any_place: Place, open_at: OpenWindow) -> None:
    """Why does it stand? Home, the cause, its log; then mended, and rerun."""
    place = any_place
    (day,) = place.days()
    place.let_go(day)
    backfill = place.create("otto", all_descendants="lab.load", bizdate=(day,), name=f"rates of {day}")
    cause = place.wait_for(backfill, "lab.check", day, "failed")
    place.wait(backfill, "failed")
    waiting = place.instance(backfill, "lab.mail", day)
    window = open_at(place, "otto", width=PHONE)
    page = window.page
    need = page.get_by_role("listitem").filter(has_text=f"rates of {day}")
    expect(need).to_contain_text(f"{day} lacks its rates")
    need.get_by_role("heading").get_by_role("link").click()
    page.wait_for_url(f"**/instances/{cause['id']}*")
    window.go(f"/instances/{waiting['id']}")  # what somebody may have been sent instead
    expect(page.locator("main")).to_contain_text("lab.check")
    page.locator("main").get_by_role("link", name="lab.check").first.click()
    page.wait_for_url(f"**/instances/{cause['id']}*")
    log = page.get_by_role("region", name="Log", exact=True)
    expect(log).to_contain_text(f"error: {day} lacks its rates")
    place.mend(day)
    page.get_by_role("link", name="Rerun…").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("lab.check")
    dialog.get_by_role("textbox").fill("the rates have come")
    dialog.get_by_role("button", name="Rerun").click()
    expect(page.locator("main")).to_contain_text("Successful")
    place.wait(backfill, "succeeded")
    window.go("/")
    expect(page.get_by_role("listitem").filter(has_text=f"rates of {day}")).to_have_count(0)
    window.go("/operations")
    expect(page.locator("main")).to_contain_text("the rates have come")


def test_many_instances_are_chosen_and_rerun_at_once(place: Place, open_at: OpenWindow) -> None:
    days = place.days(3)
    place.let_go(*days)
    backfill = place.create(
        all_descendants="lab.load", bizdate=tuple(days), groups="3", on_failure="continue"
    )
    for day in days:
        place.wait_for(backfill, "lab.check", day, "failed")
    place.mend(*days)
    window = open_at(place, "ada")
    page = window.page
    window.go(f"/backfills/{backfill}?tab=instances&state=failed")
    boxes = page.locator("main tbody input[name=id]")
    expect(boxes).to_have_count(3)
    boxes.first.check()
    boxes.last.click(modifiers=["Shift"])
    page.keyboard.press("Shift+R")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Rerun 3 instances")).to_be_visible()
    dialog.get_by_role("button", name="Rerun 3 instances").click()
    place.wait(backfill, "succeeded")


def test_a_backfill_is_found_opened_in_place_and_stopped_from_the_list(
    place: Place, open_at: OpenWindow
) -> None:
    (day,) = place.days()
    backfill = place.create(all_descendants="lab.load", bizdate=(day,), name="one that is looked for")
    place.wait_for(backfill, "lab.load", day, "running")
    window = open_at(place, "ada")
    page = window.page
    window.go("/backfills")
    page.keyboard.press("/")
    page.keyboard.type("looked for")
    page.keyboard.press("Enter")
    page.wait_for_url("**/backfills?*")
    row = page.get_by_role("row").filter(has_text="one that is looked for")
    expect(row).to_have_count(1)
    row.locator("input[name=id]").check()
    page.get_by_role("button", name="Stop").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("row").filter(has_text="one that is looked for")).to_contain_text("Stopped")
    place.wait_for(backfill, "lab.load", day, "failed")
