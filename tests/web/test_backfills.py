"""The list of backfills: searched, opened in place, chosen for acts; views that are kept."""

from __future__ import annotations

import re

import pytest

from retrofill.web.pages.several_backfills import WORDS
from web.sites import Filled, Site, shown


def ids(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr id="row-(\d+)"', html)]


def test_where_there_are_none_the_ways_are_taught(site: Site) -> None:
    page = shown(site.alice.get("/backfills"))
    assert "There are no backfills yet" in page.text
    assert "By workspace" in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [3, 2, 1]),
        ("?text=rates", [2]),
        ("?text=2", [2]),
        ("?text=shaky", [3, 2, 1]),
        ("?name=ALL+WENT", [1]),
        ("?status=failed", [2]),
        ("?check_status=passed", [3, 2, 1]),
        ("?creator=alice", [3, 2, 1]),
        ("?workspace=shop&bizdate=2026-01-05", [3, 2, 1]),
        ("?bizdate=2026-02-05", []),
        ("?task=shop.mail&task_type=shell", [3, 2, 1]),
        ("?created=2020-01-01", []),
        ("?is_open=true", [3]),
        ("?is_open=false", [2, 1]),
        ("?needs=true", [2]),
        ("?before=3", [2, 1]),
    ],
)
def test_searches(filled: Filled, query: str, found: list[int]) -> None:
    """BF-1: as they stand in the address."""
    page = shown(filled.site.alice.get(f"/backfills{query}"))
    assert ids(page.html) == found


def test_a_row(filled: Filled) -> None:
    """BF-2."""
    page = shown(filled.site.alice.get("/backfills?text=rates"))
    assert "2 rates are missing" in page.text
    assert "Run failed" in page.text
    assert "70 % 1✗" in page.text.replace("\u2009", " ")
    assert "5 – 6 Jan" in page.text
    assert "10 instances: 7 successful, 1 failed, 2 not run" in page.html


def test_what_cannot_be_searched_for_is_said(filled: Filled) -> None:
    """BF-1: not as if there were none; what was typed stays."""
    page = shown(filled.site.alice.get("/backfills?bizdate=someday&text=rates"), 422)
    assert "someday" in page.text
    assert page.fields["text"] == "rates"
    assert "No backfill of these fits" not in page.text


def test_where_nothing_fits_the_costliest_filter_is_offered(filled: Filled) -> None:
    page = shown(filled.site.alice.get("/backfills?status=failed&text=nowhere"))
    assert 'No backfill of these fits. Without "nowhere" there is 1.' in page.text
    assert 'href="/backfills?status=failed"' in page.html


def test_a_row_opens_in_place(filled: Filled) -> None:
    """BF-2: into groups, bizdates and instances, without scripts; the address says which."""
    page = shown(filled.site.alice.get(f"/backfills?open={filled.failed}"))
    assert "Group 1" in page.text
    assert "group 1 · 5 instances: 2 successful, 1 failed, 2 held up" in page.text
    number = filled.instance(filled.failed, "shop.shaky")
    assert f"/instances/rerun?id={number}&amp;back=" in page.html
    part = filled.site.alice.get(f"/backfills?open={filled.failed}&part=rows&newest=9").text
    assert f"back=%2Fbackfills%3Fopen%3D{filled.failed}&" in part.replace(
        '"', "&"
    )  # to the page, not to a part of it
    other = shown(filled.site.alice.get(f"/backfills?open={filled.failed}&date-{filled.failed}=2026-01-05"))
    assert "All of this date have succeeded." in other.text
    assert f'aria-label="Close {filled.failed} in place"' in page.html
    part = filled.site.alice.get(f"/backfills?open={filled.failed}", headers={"X-Part": "rows"}).text
    assert part.lstrip().startswith('<div id="rows"')
    assert "in-2" in part


@pytest.mark.parametrize("query", ["?open=999", "?open=x", "?open=1&date-1=someday", "?before=x"])
def test_what_is_not_there_is_not_opened(filled: Filled, query: str) -> None:
    assert ids(shown(filled.site.alice.get(f"/backfills{query}")).html) == [3, 2, 1]


def test_a_foreign_one_is_not_opened(filled: Filled) -> None:
    """SEC-2."""
    page = shown(filled.site.alice.get(f"/backfills?open={filled.foreign}"))
    assert "goldmine" not in page.text
    assert f"in-{filled.foreign}" not in page.html


def test_new_ones_wait_until_they_are_wanted(filled: Filled) -> None:
    """Rows never move under the pointer: how many have come is told, and they are shown at a click."""
    browser = filled.site.alice
    page = shown(browser.get("/backfills?part=rows&newest=2"))
    assert ids(page.html) == [2, 1]
    assert "1 new backfill: show" in page.text
    assert 'data-part="?part=rows&amp;newest=2"' in page.html  # asked for again, it stays so
    page = shown(browser.get("/backfills?part=rows&newest=0"))
    assert ids(page.html) == []
    assert "3 new backfills: show" in page.text
    for query in ("part=rows&newest=3", "part=rows&newest=1&status=succeeded", "", "before=3", "newest=x"):
        assert ": show" not in shown(browser.get(f"/backfills?{query}")).text, query


@pytest.mark.parametrize("word", list(WORDS))
def test_acts_on_several_are_asked_about_first(filled: Filled, word: str) -> None:
    """BF-3, OPS-1, OPS-3: with what would come of them, counted now; what is not there is left out."""
    page = shown(filled.site.alice.get(f"/backfills/{word}?id=1&id=2&id=3&id=999"))
    assert "?" in page.text
    assert "There is no backfill 999" in page.text
    part = filled.site.alice.get(f"/backfills/{word}?id=2", headers={"X-Part": "dialog"})
    assert part.text.lstrip().startswith("<form")
    assert filled.site.center("alice").backfills.row(2)["status"] == "failed"


def test_several_are_paused_and_resumed_together(site: Site) -> None:
    """BF-3: each by itself; one refusal hinders no other."""
    first, second = site.backfill(), site.backfill()
    done = site.alice.submit(
        "/backfills/pause", id=[str(first), str(second), "999"], comment="dinner", back="/backfills"
    )
    assert done.status_code == 303
    assert {site.center("alice").backfills.row(n)["status"] for n in (first, second)} == {"paused"}
    page = shown(site.alice.get("/backfills"))
    assert "Paused 2 backfills. Left out: 999: there is no backfill 999." in page.text
    assert site.center("alice").backfills.history(first)[-1]["comment"] == "dinner"
    site.alice.submit("/backfills/resume", id=[str(first), str(second)])
    assert site.center("alice").backfills.row(first)["held"] is None


def test_the_failed_of_several_run_again(site: Site) -> None:
    """OPS-3."""
    site.trouble.touch()
    number = site.backfill()
    site.run_to(number, "failed")
    page = shown(site.alice.get(f"/backfills/rerun?id={number}"))
    assert "1 failed instance runs again, in order" in page.text
    assert "retrofill backfill rerun --failed 1" in page.text
    site.alice.submit("/backfills/rerun", id=str(number))
    assert site.center("alice").backfills.row(number)["counts"]["failed"] == 0


def test_who_may_not_is_told_before_and_refused(filled: Filled) -> None:
    """SEC-4."""
    dave = filled.site.browser("dave")
    page = shown(dave.get("/backfills/resume?id=3"))
    assert "It cannot be done" in page.text
    dave.submit("/backfills/resume", id="3")
    assert filled.site.center("alice").backfills.row(3)["held"] == "paused"


@pytest.mark.parametrize("query", ["", "?id=x", "?id=" + "&id=".join(map(str, range(1, 102)))])
def test_nonsense_is_refused(filled: Filled, query: str) -> None:
    assert filled.site.alice.get(f"/backfills/stop{query}").status_code == 422


def test_views_are_kept_under_a_name(site: Site) -> None:
    """BF-1: what is searched for, found again by its name, by who has kept it alone."""
    site.backfill(name="rates")
    site.alice.submit("/backfills/views", view="my rates", text="rates", status="pending")
    page = shown(site.alice.get("/backfills"))
    assert 'href="/backfills?text=rates&amp;status=pending"' in page.html
    assert "my rates" in page.text
    assert "my rates" not in shown(site.browser("bob").get("/backfills")).text
    (view,) = site.center("alice").saved.list("backfills")
    site.alice.submit(f"/backfills/views/{view['id']}/remove")
    assert "my rates" not in shown(site.alice.get("/backfills")).text.replace('"my rates" is gone', "")
