"""A backfill is created by each way of choosing, with the mouse and with the keyboard alone; nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.axe import findings
from browser.conftest import OpenWindow
from browser.places import Place
from browser.windows import Window


def _choose(page: Page, field: Locator, text: str, task: str) -> None:
    """Find a task by a part of its name, and take it."""
    field.click()
    page.keyboard.type(text)
    page.get_by_role("option", name=task).first.click()


def _pick(page: Page) -> None:
    _choose(page, page.get_by_label("Add a task"), "lab.lo", "lab.load")
    page.get_by_label("Level 1").check()


def _link(page: Page) -> None:
    page.get_by_label("Between two tasks").check()
    _choose(page, page.get_by_label("From", exact=True), "load", "lab.load")
    _choose(page, page.get_by_label("To: add a task"), "report", "lab.report")
    expect(page.locator(".linkbox")).to_contain_text("lie on the way")


def _workspace(page: Page) -> None:
    page.get_by_label("By workspace").check()
    _choose(page, page.get_by_label("Root task"), "load", "lab.load")
    page.get_by_role("group", name="Workspaces whose tasks run").get_by_label("lab").check()
    _choose(page, page.get_by_label("Leave these out: add a task"), "mail", "lab.mail")


def _all(page: Page) -> None:
    page.get_by_label("All descendants").check()
    _choose(page, page.get_by_label("Root task"), "load", "lab.load")


WAYS: dict[str, tuple[Callable[[Page], None], set[str]]] = {
    "pick": (_pick, {"lab.load", "lab.check"}),
    "link": (_link, {"lab.load", "lab.check", "lab.report"}),
    "workspace": (_workspace, {"lab.load", "lab.check", "lab.report"}),
    "all": (_all, {"lab.load", "lab.check", "lab.report", "lab.mail"}),
}


def _dates(page: Page, first: str, last: str) -> None:
    page.get_by_label("First bizdate of range 1").fill(first)
    page.get_by_label("Last bizdate of range 1").fill(last)


def _created(page: Page) -> int:
    page.wait_for_url(re.compile(r"/backfills/\d+"))
    found = re.search(r"/backfills/(\d+)", page.url)
    assert found is not None
    return int(found[1])


def _tasks(place: Place, backfill: int) -> set[str]:
    from retrofill.domain.running.searches import InstanceSearch

    rows = place.center().instances.list(InstanceSearch(backfills=[backfill]))["items"]
    return {row["task"] for row in rows if row["reason"] != "dry_run"}


@pytest.mark.parametrize("way", WAYS)
def test_a_backfill_is_created_as_the_plan_beside_it_says(window: Window, way: str) -> None:
    place, page = window.place, window.page
    choose, tasks = WAYS[way]
    first, last = place.days(2)
    place.let_go(first, last)
    place.mend(first, last)
    window.go("/backfills")
    page.get_by_role("link", name="New backfill").first.click()
    _dates(page, first, last)
    choose(page)
    number = len(tasks) * 2
    button = page.locator("#create")
    expect(button).to_contain_text(f"run {number} instances")
    window.settle()
    assert findings(page) == []
    button.dblclick()
    backfill = _created(page)
    place.wait(backfill, "succeeded")
    assert _tasks(place, backfill) == tasks
    assert place.center().backfills.row(backfill)["instance_count"] == number
    assert backfill == max(row["id"] for row in place.center().names.backfills(1)), "two clicks made one"


def _type_task(window: Window, field: Locator, text: str, task: str) -> None:
    """Find a task by a part of its name, and take it, without a mouse; once the form holds still."""
    page = window.page
    _tab_to(page, field)
    page.keyboard.type(text)
    window.settle()
    expect(page.get_by_role("option", name=task).first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def _link_by_keys(window: Window) -> None:
    page = window.page
    _type_task(window, page.get_by_label("From", exact=True), "load", "lab.load")
    _type_task(window, page.get_by_label("To: add a task"), "report", "lab.report")
    expect(page.locator(".linkbox")).to_contain_text("lie on the way")


def _workspace_by_keys(window: Window) -> None:
    page = window.page
    _type_task(window, page.get_by_label("Root task"), "load", "lab.load")
    _tab_to(page, page.get_by_role("group", name="Workspaces whose tasks run").get_by_label("lab"))
    page.keyboard.press("Space")
    _type_task(window, page.get_by_label("Leave these out: add a task"), "mail", "lab.mail")


def _all_by_keys(window: Window) -> None:
    page = window.page
    _type_task(window, page.get_by_label("Root task"), "lab.lo", "lab.load")
    expect(page.get_by_label("Root task")).to_have_value("lab.load")


BY_KEYS: dict[str, Callable[[Window], None]] = {
    "link": _link_by_keys,
    "workspace": _workspace_by_keys,
    "all": _all_by_keys,
}


@pytest.mark.parametrize("way", BY_KEYS)
def test_a_backfill_is_created_with_the_keyboard_alone(window: Window, way: str) -> None:
    """By each way; picking is in `test_new`."""
    place, page = window.place, window.page
    (day,) = place.days()
    place.let_go(day)
    place.mend(day)
    window.go("/account")
    page.locator("main").focus()
    page.keyboard.press("n")
    page.wait_for_url("**/backfills/new*")
    _tab_to(page, page.locator("#way-pick"))
    for _ in range(list(WAYS).index(way)):
        page.keyboard.press("ArrowDown")
    expect(page.locator(f"#way-{way}")).to_be_checked()
    BY_KEYS[way](window)
    _tab_to(page, page.get_by_label("First bizdate of range 1"))
    page.keyboard.type(day)
    page.keyboard.press("Tab")
    page.keyboard.type(day)
    expect(page.locator("#create")).to_contain_text(f"run {len(WAYS[way][1])} instances")
    page.keyboard.press("Control+Enter")
    backfill = _created(page)
    place.wait(backfill, "succeeded")
    assert _tasks(place, backfill) == WAYS[way][1]


def _tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError("it cannot be reached with the keyboard")


def test_what_was_typed_outlives_a_reload_and_a_session_that_ends(place: Place, open_at: OpenWindow) -> None:
    (day,) = place.days()
    window = open_at(place)
    window.expects("401")
    window.sign_in("ada")
    page = window.page
    window.go("/backfills/new")
    _all(page)
    _dates(page, day, day)
    page.locator("#nm").fill("kept over everything")
    expect(page.locator("#create")).to_contain_text("run 4 instances")
    page.wait_for_url("**/backfills/new?draft=*")
    page.reload()
    expect(page.locator("#nm")).to_have_value("kept over everything")
    expect(page.get_by_label("Root task")).to_have_value("lab.load")
    window.context.clear_cookies()
    page.locator("#create").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("signed out")
    other = window.context.new_page()
    other.goto(place.link("ada"))
    other.get_by_role("button", name="Sign in as ada").click()
    other.wait_for_url(lambda url: "/sign-in" not in url)
    page.get_by_role("button", name="Send").click()
    backfill = _created(page)
    assert place.center().backfills.row(backfill)["name"] == "kept over everything"


def test_a_task_that_a_deploy_has_removed_meanwhile_is_named(place: Place, open_at: OpenWindow) -> None:
    """What is created is what was shown: else it is shown again first."""
    (day,) = place.days()
    window = open_at(place, "ada")
    window.expects("40[049]", "422")
    page = window.page
    window.go("/backfills/new")
    _pick(page)
    _dates(page, day, day)
    expect(page.locator("#create")).to_contain_text("run 2 instances")
    file = place.home / "workspaces" / "lab" / "workspace.yaml"
    before = file.read_text()
    try:
        file.write_text(before.replace("\n  load:", "\n  loading:").replace("[load]", "[loading]"))
        place.deploy()
        page.locator("#create").click()
        expect(page.locator("main")).to_contain_text("lab.load")
        expect(page.get_by_role("alert").first).to_be_visible()
        assert "/backfills/new" in page.url
    finally:
        file.write_text(before)
        place.deploy()
