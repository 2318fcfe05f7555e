"""The tabs grid, timeline and graph of a backfill as they are without scripts, and what scripts fetch besides."""

from __future__ import annotations

import re
from html import unescape

import pytest

from retrofill.web.pages.backfill_pictures import DATES, look_of, words_of
from web.sites import TASKS, Filled, Site, shown


def tab(filled: Filled, backfill: int, query: str) -> str:
    return unescape(filled.site.alice.get(f"/backfills/{backfill}?tab={query}").text)


def cells(text: str) -> dict[int, tuple[str, str]]:
    """By id of the instance: class and words."""
    found = re.findall(r'class="cell (\w+)" href="/instances/(\d+)" title="([^"]*)"', text)
    return {int(number): (look, words) for look, number, words in found}


def test_the_grid_is_where_a_backfill_opens(filled: Filled) -> None:
    """BF-2: the picture is fetched by a script; its table is a link away, and says the same of every instance."""
    page = shown(filled.site.alice.get(f"/backfills/{filled.failed}"))
    text = filled.site.alice.get(f"/backfills/{filled.failed}").text
    assert f'data-grid="/api/v1/backfills/{filled.failed}/grid"' in text
    assert "?tab=grid&as=table" in page.links
    found = cells(tab(filled, filled.failed, "grid&as=table"))
    assert len(found) == len(TASKS) * 2
    assert found[filled.instance(filled.failed, "shop.shaky")] == ("fail", "Failed")
    assert found[filled.instance(filled.failed, "shop.report")] == ("blocked", "Not run, held up")
    assert found[filled.instance(filled.failed, "shop.clean")] == ("ok", "Successful")


def test_a_table_of_the_grid_can_be_filtered(filled: Filled) -> None:
    """By parts of the name; to what failed and what that holds up; a filter that finds nothing offers all."""
    named = cells(tab(filled, filled.failed, "grid&as=table&find=SHOP+shak"))
    assert {*named} == {
        filled.instance(filled.failed, "shop.shaky", day) for day in ("2026-01-05", "2026-01-06")
    }
    trouble = tab(filled, filled.failed, "grid&as=table&only=trouble")
    assert 'title="shop.clean"' not in trouble
    assert all(f'title="shop.{name}"' in trouble for name in ("shaky", "report", "mail"))
    nothing = shown(filled.site.alice.get(f"/backfills/{filled.failed}?tab=grid&as=table&find=nowhere"))
    assert "No task fits" in nothing.text
    assert "?tab=grid&as=table" in nothing.links


def test_a_long_grid_is_turned_page_by_page(site: Site) -> None:
    """Each date stands on one page, and rows keep their place while dates are turned."""
    number = site.backfill(bizdate=("2026-01-01..2026-02-09",), groups="2")
    first = site.alice.get(f"/backfills/{number}?tab=grid&as=table").text
    second = site.alice.get(f"/backfills/{number}?tab=grid&as=table&date={DATES}").text
    assert f'href="?tab=grid&amp;as=table&amp;date={DATES}"' in first
    assert len(cells(first)) == DATES * len(TASKS)
    assert len(cells(second)) == (40 - DATES) * len(TASKS)
    assert not cells(first).keys() & cells(second).keys()
    beyond = site.alice.get(f"/backfills/{number}?tab=grid&as=table&date=99999&row=99").text
    assert "No task fits" in unescape(beyond) or "0 to" in beyond


def test_looks_of_cells_tell_what_passed_what_is_held_up_and_who_let_it() -> None:
    """Shape and word, never colour alone."""
    assert [look_of("s", mark) for mark in "-dovmh"] == ["ok", "dry", "dry", "dry", "hand", "ok"]
    assert [look_of("n", mark) for mark in "-hd"] == ["idle", "blocked", "idle"]
    assert words_of("s", "d") == "Successful, dry run"
    assert words_of("n", "h") == "Not run, held up"
    assert words_of("r", "-") == "Running"


def test_the_timeline_has_a_table_of_bizdates(filled: Filled) -> None:
    text = tab(filled, filled.failed, "timeline&as=table")
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', text, re.DOTALL)
    assert ["5 Jan 2026" in rows[0], "6 Jan 2026" in rows[1]] == [True, True]
    assert "5 of 5" in rows[0]
    assert "2 of 5" in rows[1]
    assert "<time datetime=" in rows[0]
    picture = tab(filled, filled.failed, "timeline")
    assert f'data-at="/api/v1/backfills/{filled.failed}"' in picture
    assert "the plan played through" in tab(filled, filled.paused, "timeline")
    assert "the plan played through" not in tab(filled, filled.succeeded, "timeline")
    page = filled.site.alice.get(f"/backfills/{filled.succeeded}?tab=timeline&part=path")
    assert "What the end hangs on" in page.text
    links = re.findall(r'<tr data-link="\d+".*?href="/instances/(\d+)"', page.text)
    assert len(links) == 8  # four tasks long on each of two dates
    last = filled.site.center("alice").instances.show(int(links[0]))
    assert (last["task"], last["bizdate"]) == ("shop.mail", "2026-01-06")


def test_the_graph_shows_what_failed_and_what_it_holds_up(filled: Filled) -> None:
    """OPS-9, OPS-10: on the bizdate of the cause; each box leads to its instance."""
    page = filled.site.alice.get(f"/backfills/{filled.failed}?tab=dag")
    text = unescape(page.text)
    assert [*re.findall(r"<title>(shop[^<]*)</title>", text)] == [
        "shop.mail, Not run, held up",
        "shop.report, Not run, held up",
        "shop.shaky, Failed",
    ]
    assert f'href="/instances/{filled.instance(filled.failed, "shop.shaky")}"' in text
    assert len(re.findall(r'class="edge hot"', text)) == 2
    assert ">+1</text>" in text, "report waits for clean as well, which is not shown"
    assert "All 5 tasks, 4 levels" in text
    assert " style=" not in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("show=all", ["clean", "fetch", "mail", "report", "shaky"]),
        ("show=around&task=shop.fetch", ["clean", "fetch", "report", "shaky"]),
        ("task=mai", ["clean", "mail", "report", "shaky"]),
        ("bizdate=2026-01-05", ["clean", "fetch", "mail", "report", "shaky"]),
    ],
)
def test_which_part_of_the_graph_is_shown_stands_in_the_address(
    filled: Filled, query: str, names: list[str]
) -> None:
    text = tab(filled, filled.failed, f"dag&{query}")
    assert re.findall(r"<title>shop\.(\w+), ", text) == names


def test_over_all_bizdates_a_task_shows_what_most_needs_a_person(filled: Filled) -> None:
    text = tab(filled, filled.failed, "dag&show=all&bizdate=")
    assert "<title>shop.shaky, Failed on some bizdates</title>" in text
    assert "<title>shop.report, Not run, held up on some bizdates</title>" in text
    assert "<title>shop.fetch, Successful</title>" in text
    assert f"/backfills/{filled.failed}?tab=instances&task=shop.fetch" in text


@pytest.mark.parametrize("query", ["task=nowhere", "bizdate=2026-01-07", "bizdate=x"])
def test_a_graph_of_what_there_is_not(filled: Filled, query: str) -> None:
    shown(filled.site.alice.get(f"/backfills/{filled.failed}?tab=dag&{query}"), 404)


def test_a_part_of_the_graph_comes_alone(filled: Filled) -> None:
    part = filled.site.alice.get(f"/backfills/{filled.failed}?tab=dag&part=graph").text
    assert part.lstrip().startswith('<div id="graph"')
    assert "<html" not in part


def test_a_peek_says_why_with_the_end_of_the_log(filled: Filled) -> None:
    """OPS-9: beside the grid, with the acts that fit."""
    number = filled.instance(filled.failed, "shop.shaky")
    peeked = filled.site.alice.get(f"/backfills/{filled.failed}?tab=grid&part=peek&instance={number}")
    assert "ERROR: no rates" in peeked.text
    assert "2 instances" in peeked.text
    assert f"/instances/rerun?id={number}" in peeked.text
    assert f"/instances/stop?id={number}" not in peeked.text
    assert "<html" not in peeked.text


def test_nothing_of_foreign_backfills_is_shown(filled: Filled) -> None:
    """SEC-2: no tab, no peek."""
    alice = filled.site.alice
    number = filled.instance(filled.foreign, "vault.goldmine", "2026-01-05")
    for query in ("tab=grid&as=table", "tab=timeline&as=table", "tab=dag"):
        shown(alice.get(f"/backfills/{filled.foreign}?{query}"), 404)
    for backfill in (filled.foreign, filled.failed):
        answer = alice.get(f"/backfills/{backfill}?part=peek&instance={number}")
        assert answer.status_code == 404
        assert "goldmine" not in answer.text
