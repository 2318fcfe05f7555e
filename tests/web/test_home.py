"""The first page: what needs somebody, in sentences with their acts; how to begin where nothing has run."""

from __future__ import annotations

import pytest

from web.sites import Filled, Site, shown


def test_where_nothing_has_run_the_first_steps_are_shown(site: Site) -> None:
    page = shown(site.alice.get("/"))
    assert "Nothing has run yet." in page.text
    assert "5 tasks in 1 workspace" in page.text, "of those that she sees"
    assert 'href="/backfills/new?way=' in page.html


def test_what_failed_is_named_with_its_last_words_and_its_acts(filled: Filled) -> None:
    """OPS-9: the first failure, how much waits for it, and what can be done."""
    number = filled.instance(filled.failed, "shop.shaky")
    page = shown(filled.site.alice.get("/"))
    assert "shop.shaky failed for 6 January" in page.text
    assert "ERROR: no rates" in page.text
    assert "2 instances held up" in page.text
    for path in (f"/instances/{number}?tab=log", f"/instances/rerun?id={number}&amp;back=/"):
        assert f'href="{path}"' in page.html


def test_where_nobody_schedules_what_starts_one_is_told(filled: Filled) -> None:
    """To whom something waits for it: what alice sees is paused or over."""
    assert "No scheduler runs" not in shown(filled.site.alice.get("/")).text
    page = shown(filled.site.browser("greta").get("/"))
    assert "No scheduler runs" in page.text
    assert "retrofill scheduler" in page.text


def test_the_rail_counts_the_same(filled: Filled) -> None:
    found = filled.site.center("alice").home.count()["needs"]
    assert found == 1
    for path in ("/", "/backfills", "/account"):
        page = shown(filled.site.alice.get(path))
        assert f'<span class="n count">{found}</span>' in page.html
    assert "One thing needs you." in shown(filled.site.alice.get("/")).text


def test_a_new_backfill_is_one_step_away(filled: Filled) -> None:
    assert "/backfills/new" in shown(filled.site.alice.get("/")).links


def test_what_is_under_way_and_what_has_ended(filled: Filled) -> None:
    """BF-2."""
    page = shown(filled.site.alice.get("/"))
    assert "1 backfill is under way" in page.text
    assert page.text.index("Ended during the last day") < page.text.index("1 all went well")
    assert "Succeeded10" in page.text
    assert "Run failed10" in page.text


def test_nobody_sees_what_is_not_his(filled: Filled) -> None:
    """SEC-2."""
    assert "goldmine" not in filled.site.alice.get("/").text
    assert "aurum" not in filled.site.alice.get("/").text
    other = shown(filled.site.browser("greta").get("/"))
    assert "shaky" not in other.text
    assert "4 aurum" in other.text


@pytest.mark.parametrize("path", ["/", "/backfills"])
def test_text_is_text(filled: Filled, path: str) -> None:
    """What somebody has called a backfill is no part of the page."""
    page = shown(filled.site.alice.get(path))
    assert '<script>alert("x")</script>' in page.text
    assert '<script>alert("x")' not in page.html


def test_a_part_comes_alone(filled: Filled) -> None:
    """What a script fetches is the part, without what stands around it."""
    text = filled.site.alice.get("/?part=all").text
    assert text.lstrip().startswith('<div id="home"')
    assert "<nav" not in text
