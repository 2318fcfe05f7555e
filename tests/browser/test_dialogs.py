"""Questions above the page that asks them: the same as the page of their address, and nothing is done twice or by accident."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.axe import findings
from browser.conftest import OpenWindow
from browser.places import Place
from browser.windows import PHONE, Window


def _running(place: Place, dates: int = 1) -> tuple[int, list[str]]:
    days = place.days(dates)
    backfill = place.create(all_descendants="lab.load", bizdate=tuple(days), groups=str(dates))
    for day in days:
        place.wait_for(backfill, "lab.load", day, "running")
    return backfill, days


def test_a_backfill_is_stopped_with_the_keyboard_alone(window: Window) -> None:
    place, page = window.place, window.page
    backfill, (day,) = _running(place)
    window.go(f"/backfills/{backfill}")
    stop = page.get_by_role("link", name="Stop…")
    stop.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_contain_text("Stop")
    window.settle()
    assert findings(page) == []
    for _ in range(12):  # the focus stays inside
        page.keyboard.press("Tab")
        assert page.evaluate(
            "() => document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(stop).to_be_focused()
    assert place.instance(backfill, "lab.load", day)["state"] == "running"
    page.keyboard.press("Enter")
    dialog.get_by_role("textbox").fill("wrong rates")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("It was stopped")
    place.wait_for(backfill, "lab.load", day, "failed")
    assert any("wrong rates" in str(row) for row in place.center("ada").backfills.history(backfill))


def test_a_double_click_acts_once(window: Window) -> None:
    place, page = window.place, window.page
    backfill, _ = _running(place)
    window.go(f"/backfills/{backfill}")
    page.get_by_role("link", name="Stop…").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").dblclick()
    expect(page.locator("main")).to_contain_text("It was stopped")
    stops = [
        row
        for row in place.center("ada").backfills.history(backfill)
        if row["action"] == "stop" and row["instance"] is None
    ]
    assert len(stops) == 1


def test_a_session_that_ends_over_a_question_loses_nothing_that_was_typed(
    place: Place, open_at: OpenWindow
) -> None:
    backfill, _ = _running(place)
    window = open_at(place)
    window.expects("401")
    window.sign_in("dora")
    window.context.clear_cookies()
    window.sign_in("ada")
    window.go(f"/backfills/{backfill}")
    page = window.page
    page.get_by_role("link", name="Stop…").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("typed for a long time")
    window.context.clear_cookies()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("signed out")
    assert "typed for a long time" in page.content()
    other = window.context.new_page()
    other.goto(place.link("ada"))
    other.get_by_role("button", name="Sign in as ada").click()
    other.wait_for_url(lambda url: "/sign-in" not in url)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("main")).to_contain_text("It was stopped")


def test_the_same_question_is_a_page_without_scripts_and_on_a_phone(
    place: Place, open_at: OpenWindow
) -> None:
    backfill, (day,) = _running(place)
    window = open_at(place, "ada", width=PHONE, scripts=False)
    page = window.page
    window.go(f"/backfills/{backfill}")
    page.get_by_role("link", name="Stop…").click()
    page.wait_for_url(f"**/backfills/{backfill}/stop")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("main")).to_contain_text("It was stopped")
    place.wait_for(backfill, "lab.load", day, "failed")
