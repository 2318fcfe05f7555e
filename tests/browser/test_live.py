"""What happens elsewhere reaches an open page, and nothing of what somebody is doing there is lost by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from browser.conftest import OpenWindow
from browser.places import Place, opened
from browser.windows import Window

_LONGEST_PAUSE_MS = 60_000  # until a page tries again, and some more


@pytest.fixture
def own_place(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One that may be ended and started."""
    with opened(tmp_path_factory.mktemp("place") / "flights") as found:
        yield found


def _running(place: Place) -> tuple[int, str]:
    """A backfill of one date of which `lab.load` runs, and the date."""
    (day,) = place.days()
    backfill = place.create(all_descendants="lab.load", bizdate=(day,))
    place.wait_for(backfill, "lab.load", day, "running")
    return backfill, day


def _row(page: Page, task: str) -> Locator:
    return page.locator("#rows tr").filter(has=page.locator("th a.cut", has_text=task))


def test_a_change_comes_to_an_open_page_on_either_store(any_place: Place, open_at: OpenWindow) -> None:
    backfill, day = _running(any_place)
    window = open_at(any_place, "ada")
    window.go(f"/backfills/{backfill}?tab=instances")
    page = window.page
    expect(page.locator("#live")).to_have_text("Live")
    expect(_row(page, "lab.load")).to_contain_text("Running")
    page.evaluate("() => { window.isTheSame = true }")
    any_place.mend(day)
    any_place.let_go(day)
    expect(_row(page, "lab.mail")).to_contain_text("Successful")
    expect(page.locator("#head")).to_contain_text("Succeeded")
    assert page.evaluate("() => window.isTheSame"), "the page was not loaded anew"


def test_focus_open_menus_and_what_is_chosen_stay_over_an_update(place: Place, window: Window) -> None:
    backfill, day = _running(place)
    window.go(f"/backfills/{backfill}?tab=instances")
    page = window.page
    expect(page.locator("#live")).to_have_text("Live")
    page.locator("#more-acts summary").click()
    report = page.get_by_role("link", name="Report to print or send")
    report.focus()
    place.center("ada").backfills.pause(backfill)
    expect(page.locator("#head")).to_contain_text("It is paused")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.locator("#more-acts")).to_have_attribute("open", "")
    expect(report).to_be_focused()
    page.keyboard.press("Escape")
    link = _row(page, "lab.check").locator("a.cut")
    link.focus()
    place.let_go(day)
    expect(_row(page, "lab.load")).to_contain_text("Successful")
    expect(link).to_be_focused()


def test_a_server_that_has_gone_is_said_and_what_was_missed_comes_with_it(
    own_place: Place, open_at: OpenWindow
) -> None:
    backfill, _ = _running(own_place)
    window = open_at(own_place, "ada")
    window.expects("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET")
    window.go(f"/backfills/{backfill}")
    page = window.page
    expect(page.locator("#live")).to_have_text("Live")
    own_place.leave()
    banner = page.locator("#not-live")
    expect(banner).to_contain_text("Not live since")
    expect(banner).to_contain_text("Trying again in")
    expect(page.locator("#live")).to_have_text("Not live")
    own_place.center("ada").backfills.pause(backfill)
    banner.get_by_role("button", name="Try now").click()
    expect(banner).to_contain_text("Not live since")
    own_place.serve()
    expect(banner).to_be_hidden(timeout=_LONGEST_PAUSE_MS)
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("#head")).to_contain_text("It is paused")


def test_who_is_signed_out_elsewhere_is_told_and_goes_on_once_signed_in(
    place: Place, open_at: OpenWindow
) -> None:
    backfill, _ = _running(place)
    window = open_at(place)
    window.expects("401")
    window.sign_in("otto")
    window.go(f"/backfills/{backfill}?tab=operations")
    page = window.page
    expect(page.locator("#live")).to_have_text("Live")
    other = window.context.new_page()
    other.goto(f"{place.url}/account")
    other.get_by_role("button", name="Sign out").first.click()
    other.wait_for_url("**/sign-in*")
    banner = page.locator("#not-live")
    expect(banner).to_contain_text("You were signed out")
    other.goto(place.link("otto"))
    other.get_by_role("button", name="Sign in as otto").click()
    other.wait_for_url(lambda url: "/sign-in" not in url)
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")  # its tab is looked at again
    expect(page.locator("#live")).to_have_text("Live")
    expect(banner).to_be_hidden()
    window.context.clear_cookies()
    page.reload()
    expect(page.locator("input[name=goes_to]")).to_have_value(f"/backfills/{backfill}?tab=operations")


def test_a_hidden_page_listens_to_nothing_and_is_right_when_it_is_seen(place: Place, window: Window) -> None:
    """A browser has six connections to one server: more open tabs than that would wait for each other."""
    backfill, day = _running(place)
    window.page.clock.install()
    window.go(f"/backfills/{backfill}?tab=instances")
    page = window.page
    expect(page.locator("#live")).to_have_text("Live")
    _set_hidden(page, True)
    with page.expect_event(
        "requestfailed", lambda request: request.url.partition("?")[0].endswith("/events")
    ):
        page.clock.run_for(60_000)
    place.mend(day)
    place.let_go(day)
    place.wait(backfill, "succeeded")
    expect(_row(page, "lab.load")).to_contain_text("Running")
    _set_hidden(page, False)
    page.clock.resume()
    expect(_row(page, "lab.mail")).to_contain_text("Successful")


def _set_hidden(page: Page, is_hidden: bool) -> None:
    """As if somebody looked at another tab: a browser without a screen knows none."""
    page.evaluate(
        """(isHidden) => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )
