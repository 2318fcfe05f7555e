"""One backfill, as somebody goes who is called at night: why it stands, what it holds up, mended, rerun, changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from browser.conftest import OpenWindow
    from browser.places import Place


def test_what_failed_is_found_mended_and_rerun(any_place: Place, open_at: OpenWindow) -> None:
    """OPS-3, OPS-9: all of it on one page that is never loaded anew but by what is done."""
    (day,) = any_place.days()
    number = any_place.create(all_descendants="lab.load", bizdate=(day,), name="the night")
    window = open_at(any_place, "ada")
    page = window.page
    window.go(f"/backfills/{number}?tab=instances")
    head = page.locator("#head")
    expect(head.get_by_text("Running", exact=True)).to_be_visible()
    more = head.get_by_label("More operations")
    more.click()
    any_place.let_go(day)
    expect(head.get_by_text("lab.check failed for")).to_be_visible()
    expect(
        head.get_by_role("link", name="Report to print or send")
    ).to_be_visible()  # the open menu has stayed
    page.keyboard.press("Escape")
    rows = page.locator("#rows tbody tr")
    expect(rows.nth(2)).to_contain_text("waits for lab.check (Failed)")
    any_place.mend(day)
    head.get_by_role("link", name="Rerun 1 failed…").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("1 instance runs again")
    expect(question).to_contain_text("2 instances go on by themselves")
    question.get_by_label("Comment").fill("the rates have come")
    question.get_by_role("button", name="Rerun 1 instance").click()
    expect(page.get_by_text("1 instance runs again.")).to_be_visible()
    expect(page.locator("#head").get_by_text("Succeeded", exact=True)).to_be_visible()
    page.keyboard.press("6")
    expect(page.get_by_role("cell", name="the rates have come")).to_be_visible()


def test_a_change_shows_what_comes_of_it_in_the_dialog(place: Place, open_at: OpenWindow) -> None:
    """BF-3: what was typed stays while it is asked again and again; then the page says what has changed."""
    days = place.days(4)
    number = place.create(all_descendants="lab.load", bizdate=(f"{days[0]}..{days[-1]}",), name="in a row")
    window = open_at(place, "ada")
    page = window.page
    window.go(f"/backfills/{number}?tab=settings")
    page.locator("#head").get_by_role("link", name="Change…").first.click()
    question = page.get_by_role("dialog")
    question.get_by_label("Groups of bizdates").fill("3")
    question.get_by_label("Comment").fill("the night is short")
    question.get_by_role("button", name="Show what would come of it").click()
    expect(question).to_contain_text("bizdates begin at once")
    expect(question.get_by_label("Comment")).to_have_value("the night is short")
    question.get_by_role("button", name="Change 1 setting").click()
    expect(page.get_by_text("groups 1 → 3")).to_be_visible()
    place.center("ada").backfills.stop(number)
