"""One instance in a browser: its log of any size, while it grows; its acts from the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from browser.axe import findings
from browser.conftest import OpenWindow
from browser.filling import Filling
from browser.places import Place
from browser.windows import Window

LINES = 400_000
PAINTED = """async (cases) => {
    const { painted } = await import("/static/terminal.js");
    return cases.map(({ text }) => {
        const box = document.createElement("div");
        box.append(painted(text));
        return box.innerHTML;
    });
}"""


def log_file(place: Place, instance_id: int) -> Path:
    """Where a run of the place has written."""
    (found,) = place.home.glob(f".retrofill/**/logs/{instance_id}.1.*.log")
    return found


def test_a_large_log_is_seen_through_a_window(window: Window, place: Place) -> None:
    """OPS-10: its end at once; a search, the first error and links lead to a line; the page holds some of it."""
    (day,) = place.days()
    place.let_go(day)
    backfill = place.create(task=["lab.load"], bizdate=[day])
    place.wait(backfill, "succeeded")
    row = place.instance(backfill, "lab.load", day)
    with log_file(place, row["id"]).open("w") as file:
        for n in range(1, LINES + 1):
            error = "ERROR: the first of them" if n == 123_456 else "all is well"
            file.write(f"{n:06} \x1b[32m{error}\x1b[0m {'.' * 60}\n")
    page = window.page
    window.go(f"/instances/{row['id']}#log")
    log, lines = page.locator("#log .log"), page.locator("#log li[data-at]")
    expect(lines.last).to_contain_text(f"{LINES:06} all is well")
    expect(page.locator("[data-note]")).to_contain_text("400,000 lines")
    expect(lines.last).to_have_attribute("data-no", str(LINES))
    expect(lines.last.locator(".t-green")).to_have_text("all is well")
    page.get_by_role("link", name="First error").click()
    expect(page.locator("#log li.here")).to_contain_text("ERROR: the first of them")
    assert re.search(r"run=1&at=\d+#log$", page.url)
    page.reload()
    expect(page.locator("#log li.here")).to_contain_text("123456 ERROR")
    page.get_by_placeholder("Line").fill("250000")
    page.get_by_placeholder("Line").press("Enter")
    expect(page.locator("#log li.here")).to_contain_text("250000 all is well")
    search = page.get_by_role("searchbox", name="Search the log")
    search.fill("0077 ALL")
    search.press("Enter")
    expect(page.locator("[data-found]")).to_contain_text("of 40")
    here = page.locator("#log li.here")
    expect(here).to_contain_text("250077 all")
    search.press("Enter")
    expect(here).to_contain_text("260077 all")
    page.get_by_role("button", name="The one before").click()
    expect(here).to_contain_text("250077 all")
    page.get_by_role("link", name="Begin").click()
    expect(lines.first).to_contain_text("000001")
    for _ in range(8):
        last = lines.last.get_attribute("data-no")
        log.evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
        expect(lines.last).not_to_have_attribute("data-no", last or "")
    assert lines.count() <= 2_000
    first = lines.first.get_attribute("data-no")
    assert int(first or 0) > 1
    log.evaluate("(box) => { box.scrollTop = 0; }")
    expect(lines.first).not_to_have_attribute("data-no", first or "")
    assert lines.count() <= 2_000
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Full screen")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Full screen")).to_have_attribute("aria-pressed", "false")
    assert findings(page) == []


def test_a_log_is_followed_while_it_grows_and_the_page_hears_of_the_end(window: Window, place: Place) -> None:
    """OPS-10: what is printed, and the state that follows, without a reload."""
    (day,) = place.days()
    backfill = place.create(task=["lab.load"], bizdate=[day])
    row = place.wait_for(backfill, "lab.load", day, "running")
    page = window.page
    window.go(f"/instances/{row['id']}")
    lines = page.locator("#log li[data-at]")
    expect(lines).to_have_count(1)
    expect(page.locator("#ihead")).to_contain_text("Running")
    place.let_go(day)
    expect(lines.nth(1)).to_contain_text(f"loaded {day}")
    expect(lines.nth(1)).to_have_attribute("data-no", "2")
    expect(lines.nth(1).locator(".t-green")).to_have_text("loaded")
    expect(page.locator("#ihead")).to_contain_text("Successful")
    expect(page.locator("[data-note]")).not_to_contain_text("growing")
    expect(page.locator("#runs")).to_contain_text("Successful")


def test_terminals_look_the_same_with_and_without_scripts(
    place: Place, open_at: OpenWindow, filling: Filling
) -> None:
    """OPS-10: `terminal.py` and `terminal.js`."""
    cases = json.loads((Path(__file__).parents[1] / "web" / "terminal.json").read_text())
    window = open_at(place, "admin")
    window.go(f"/instances/{filling.failed_instance}")
    shown = window.page.evaluate(PAINTED, cases)
    assert shown == [case["html"].replace("&#34;", '"') for case in cases]


def test_an_instance_is_rerun_from_its_page(window: Window, place: Place) -> None:
    """OPS-2: asked above the page, done, said, and seen without a reload of what was looked at."""
    (day,) = place.days()
    place.let_go(day)
    backfill = place.create(task=["lab.load", "lab.check"], bizdate=[day])
    place.wait(backfill, "failed")
    row = place.instance(backfill, "lab.check", day)
    page = window.page
    window.go(f"/instances/{row['id']}")
    page.keyboard.press("Shift+R")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Rerun lab.check for")
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    place.mend(day)
    page.locator("#ihead").get_by_role("link", name="Rerun…", exact=True).click()
    question.get_by_role("textbox", name="Comment").fill("mended")
    question.get_by_role("button", name="Rerun 1 instance").click()
    expect(page.get_by_text("1 instance runs again.")).to_be_visible()
    assert page.url.endswith(f"/instances/{row['id']}")
    expect(page.locator("#ihead")).to_contain_text("Successful")
    expect(page.locator("#runs tbody tr")).to_have_count(2)
    expect(page.locator("#runs")).to_contain_text("rerun by")
    expect(page.locator("#record")).to_contain_text("mended")


def test_acts_and_logs_work_without_scripts(place: Place, open_at: OpenWindow) -> None:
    """Everything that the page does, it does without them."""
    (day,) = place.days()
    place.let_go(day)
    backfill = place.create(task=["lab.load", "lab.check"], bizdate=[day])
    place.wait(backfill, "failed")
    row = place.instance(backfill, "lab.check", day)
    window = open_at(place, "ada", scripts=False)
    page = window.page
    window.go(f"/instances/{row['id']}")
    page.get_by_role("link", name="First error").click()
    expect(page.locator("#log li.here")).to_contain_text("lacks its rates")
    page.get_by_role("searchbox", name="Search the log").fill("CHECKING")
    page.get_by_role("searchbox", name="Search the log").press("Enter")
    expect(page.locator("#log .finds")).to_contain_text(f"checking {day}")
    page.locator("#ihead").get_by_role("link", name="Set successful…", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("^Set lab.check for .* successful"))).to_be_visible()
    page.get_by_role("button", name="Set 1 instance successful").click()
    expect(page.get_by_text("1 instance counts as successful now.")).to_be_visible()
    expect(page.locator("#ihead")).to_contain_text("Successful")
