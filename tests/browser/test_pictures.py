"""Grid, timeline and graph of a backfill under hands: keys, pointer, what changes, and what stands in the address."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from browser.conftest import OpenWindow
from browser.filling import Filling
from browser.places import Place
from browser.windows import Window

# How many pixels of a canvas have the colour of a state.
_PIXELS = """(canvas, state) => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = `var(--${state})`;
    const [r, g, b] = getComputedStyle(probe).color.match(/[0-9.]+/g).map(Number);
    probe.remove();
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;
    let found = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i] === r && data[i + 1] === g && data[i + 2] === b) found++;
    return found;
}"""


def _is_drawn(page: Page, picture: str) -> None:
    expect(page.locator(picture)).not_to_have_attribute("aria-busy", "true")


def _pixels(page: Page, picture: str, state: str) -> int:
    found: int = page.locator(f"{picture} canvas").evaluate(_PIXELS, state)
    return found


def test_the_grid_is_walked_and_acted_on_with_the_keyboard(
    place: Place, filling: Filling, open_at: OpenWindow
) -> None:
    """Opens at what failed; Enter tells of it, Shift selects a block, whose acts name their counts; all comes back."""
    window = open_at(place, "admin")
    page = window.page
    window.go(f"/backfills/{filling.failed}")
    _is_drawn(page, "#matrix")
    said, bar, drawer = page.locator("#cellsay"), page.locator("#selbar"), page.locator("#drawer")
    expect(said).to_contain_text("ops.check_departures")
    expect(said).to_contain_text("Failed")
    assert _pixels(page, "#matrix", "fail") > 20
    assert _pixels(page, "#matrix", "ok") > 100
    page.locator("#matrix").focus()
    page.keyboard.press("Enter")
    expect(drawer).to_contain_text("held up by it")
    expect(drawer.get_by_role("link", name="Rerun…")).to_be_visible()
    page.locator("#matrix").focus()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    page.keyboard.press(".")
    expect(said).to_contain_text("Failed")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Shift+Home")
    expect(bar.locator("[data-count]")).to_have_text("2")
    expect(bar.get_by_role("button", name="Set successful 1…")).to_be_enabled()
    expect(bar.get_by_role("button", name="Stop…")).to_be_disabled()
    page.wait_for_url(re.compile("cell=.*&to="))
    page.reload()
    expect(bar.locator("[data-count]")).to_have_text("2")
    with page.expect_request("**/instances/rerun") as asked:
        bar.get_by_role("button", name="Rerun 2…").click()
    assert (asked.value.post_data or "").count("id=") == 2
    expect(page.get_by_role("dialog")).to_contain_text("Rerun")
    page.keyboard.press("Escape")
    page.locator("#rowfilter").fill("no such task")
    expect(page.locator("#nothing")).to_be_visible()


def test_a_cell_is_clicked_and_a_block_is_dragged(
    place: Place, filling: Filling, open_at: OpenWindow
) -> None:
    window = open_at(place, "admin")
    page = window.page
    window.go(f"/backfills/{filling.failed}?find=check_departures&zoom=4")
    _is_drawn(page, "#matrix")
    box = page.locator("#matrix canvas").bounding_box()
    assert box is not None
    y = box["y"] + 96 + 26 + 12  # below the head and the line of the workspace
    across = range(round(box["x"]) + 240, round(box["x"] + box["width"]), 9)
    cells = [x for x in across if "data of" in (_tip_at(page, x, y) or "")]
    assert "ops.check_departures" in (_tip_at(page, cells[0], y) or "")
    failed = next(x for x in cells if "Failed" in (_tip_at(page, x, y) or ""))
    page.mouse.move(failed, y)
    expect(page.locator("#tip .why")).to_contain_text("exit")  # who rests there is told why
    page.mouse.click(cells[0] + 9, y)
    expect(page.locator("#drawer")).to_contain_text("check_departures")
    page.mouse.move(cells[0] + 9, y)
    page.mouse.down()
    page.mouse.move(cells[-1], y, steps=4)
    page.mouse.up()
    expect(page.locator("#selbar [data-count]")).to_have_text("2")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#selbar")).to_be_hidden()
    expect(page.locator("#drawer")).to_be_hidden()
    page.locator("#matrix").focus()
    page.keyboard.press(".")
    page.keyboard.press("Enter")
    page.locator("#drawer").get_by_role("link", name="Open").click()
    page.wait_for_url("**/instances/*")


def _tip_at(page: Page, x: float, y: float) -> str | None:
    page.mouse.move(x, y)
    found: str | None = page.evaluate(
        "() => { const tip = document.getElementById('tip'); return tip.hidden ? null : tip.textContent; }"
    )
    return found


def test_a_cell_changes_while_one_looks_at_it(any_place: Place, open_at: OpenWindow) -> None:
    """On either store: only what an event names is fetched, and what is chosen stays."""
    (day,) = any_place.days()
    backfill = any_place.create(all_descendants="lab.load", bizdate=(day,))
    any_place.wait_for(backfill, "lab.load", day, "running")
    window = open_at(any_place, "ada")
    page = window.page
    window.go(f"/backfills/{backfill}?cell=lab.load@{day}")
    said = page.locator("#cellsay")
    expect(said).to_contain_text("Running")
    expect(page.locator("#live")).to_have_text("Live")
    with page.expect_response(re.compile(r"/grid\?position=0")):
        any_place.mend(day)
        any_place.let_go(day)
    expect(said).to_contain_text("lab.load")
    expect(said).to_contain_text("Successful")


def test_the_timeline_is_drawn_and_leads_on(place: Place, filling: Filling, open_at: OpenWindow) -> None:
    window = open_at(place, "admin")
    page = window.page
    window.go(f"/backfills/{filling.failed}?tab=timeline")
    _is_drawn(page, "#gantt")
    assert _pixels(page, "#gantt", "ok") > 20
    assert _pixels(page, "#gantt", "fail") > 20
    expect(page.get_by_role("heading", name="Where the time goes")).to_be_visible()
    expect(page.locator("[data-slow] tr").first).to_contain_text(".")
    page.get_by_role("link", name="By task").click()
    page.wait_for_url(re.compile("rows=task"))
    expect(page.get_by_role("link", name="By task")).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_url(re.compile("from=.*until="))
    page.reload()
    _is_drawn(page, "#gantt")
    assert "rows=task" in page.url
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_label("More operations").click()
    page.get_by_role("button", name="Copy the link to this view").click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == page.url
    page.locator("#gantt").focus()
    page.keyboard.press("0")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#cellsay")).to_contain_text("run")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"tab=instances&task="))


def test_the_graph_lights_paths_and_finds_tasks(place: Place, filling: Filling, open_at: OpenWindow) -> None:
    window = open_at(place, "admin")
    page = window.page
    window.go(f"/backfills/{filling.failed}?tab=dag")
    picture = page.locator("#dag svg.dag")
    node = page.get_by_role("link", name="ops.check_departures, Failed")
    node.hover()
    expect(picture).to_have_class(re.compile("lit"))
    assert page.locator("#dag .edge.on").count() > 0
    page.locator("#nodefilter").fill("check_dep")
    expect(page.locator("#nodesfound")).to_have_text("1 found")
    expect(node).to_have_class(re.compile(r"\bon\b"))
    before = float(picture.get_attribute("width") or 0)
    page.get_by_role("button", name="Zoom in").click()
    assert float(picture.get_attribute("width") or 0) > before
    page.get_by_label("Bizdate", exact=True).select_option("")
    page.wait_for_url(re.compile("bizdate=(&|$)"))
    expect(page.get_by_role("link", name="ops.check_departures, Failed on some bizdates")).to_be_attached()
    with page.expect_download() as saved:
        page.get_by_role("button", name="SVG").click()
    assert saved.value.suggested_filename == f"backfill-{filling.failed}.svg"


def test_pictures_have_their_tables_where_no_script_runs(
    place: Place, filling: Filling, window: Window
) -> None:
    """What a picture shows is a link away in HTML alone."""
    page = window.page
    window.go(f"/backfills/{filling.running}?tab=grid&as=table")
    expect(page.get_by_role("link", name="Failed").first).to_be_visible()
    assert page.locator("canvas").count() == 0
    page.get_by_role("link", name="As a picture").click()
    _is_drawn(page, "#matrix")
