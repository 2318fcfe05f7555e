"""The page of one backfill: what it says first, and its tabs."""

from __future__ import annotations

import re

import pytest

from retrofill.web.pages.backfill import TABS
from web.sites import Filled, Site, shown


def test_the_head_says_what_failed_and_what_it_holds_up(filled: Filled) -> None:
    """OPS-9: cause and consequence in one sentence, before any table."""
    page = shown(filled.site.alice.get(f"/backfills/{filled.failed}"))
    assert "rates are missing" in page.text
    assert "shop.shaky failed for 6 Jan 2026" in page.text
    assert "2 tasks" in page.text
    assert f"/instances/{filled.instance(filled.failed, 'shop.shaky')}" in page.links


@pytest.mark.parametrize("tab", [*TABS])
@pytest.mark.parametrize("which", ["succeeded", "failed", "paused"])
def test_every_tab_of_every_backfill_can_be_looked_at(filled: Filled, tab: str, which: str) -> None:
    page = shown(filled.site.alice.get(f"/backfills/{getattr(filled, which)}?tab={tab}"))
    assert "script" not in page.tags


def test_a_tab_that_there_is_not(filled: Filled) -> None:
    assert "no tab" in shown(filled.site.alice.get(f"/backfills/{filled.failed}?tab=x"), 404).text


def test_a_foreign_backfill_is_unknown(filled: Filled) -> None:
    """SEC-2: it is answered like one that there is not."""
    alice = filled.site.alice
    foreign, none = (shown(alice.get(f"/backfills/{n}"), 404).text for n in (filled.foreign, 9))
    assert (
        foreign.replace(f"backfill {filled.foreign}", "backfill 9").replace(
            f"/backfills/{filled.foreign}", "/backfills/9"
        )
        == none
    )


def test_the_head_comes_alone(filled: Filled) -> None:
    part = filled.site.alice.get(f"/backfills/{filled.failed}?part=head")
    assert part.text.lstrip().startswith('<div id="head"')
    assert "<table" not in part.text


@pytest.mark.parametrize(
    ("query", "tasks"),
    [
        ("state=failed", ["shop.shaky"]),
        ("state=held_up", ["shop.report", "shop.mail"]),
        ("state=trouble", ["shop.shaky", "shop.report", "shop.mail"]),
        ("state=successful&bizdate=2026-01-06&task=CLE", ["shop.clean"]),
        ("state=unfinished&group=1&bizdate=2026-01-05", []),
    ],
)
def test_instances_are_filtered_by_the_address(filled: Filled, query: str, tasks: list[str]) -> None:
    """BF-2: by state, date, group, part of a name, and by what is held up."""
    answer = filled.site.alice.get(f"/backfills/{filled.failed}?tab=instances&part=rows&{query}")
    shown_tasks = re.findall(r'aria-label="Choose (\S+\.\S+) of', answer.text)
    assert shown_tasks == tasks
    assert ("No instance of this backfill fits." in answer.text) == (not tasks)


def test_rows_say_why_they_stand_still(filled: Filled) -> None:
    """OPS-9: what they wait for, and what that waits for in the end; the cause is a link."""
    cause = filled.instance(filled.failed, "shop.shaky")
    page = shown(filled.site.alice.get(f"/backfills/{filled.failed}?state=trouble&tab=instances"))
    assert "waits for shop.shaky (Failed)" in page.text
    assert "waits for shop.report (Not run); in the end for shop.shaky" in page.text
    assert page.links.count(f"/instances/{cause}") >= 3


@pytest.mark.parametrize("query", ["state=x", "bizdate=yesterdayish", "group=x", "after=999", "after=x"])
def test_what_cannot_be_looked_for_is_told(filled: Filled, query: str) -> None:
    """Bad input of an address is a sentence, not a fault."""
    answer = filled.site.alice.get(f"/backfills/{filled.failed}?tab=instances&{query}")
    assert answer.status_code in (200, 404, 422)
    assert any(
        words in answer.text for words in ("is no state", "bizdate", "whole number", "There is no instance")
    )


def test_pages_of_instances_follow_each_other(site: Site) -> None:
    """No instance twice, none left out."""
    number = site.backfill(bizdate=("2026-01-01..2026-01-12",))
    seen: list[str] = []
    path: str | None = f"/backfills/{number}?tab=instances"
    while path is not None:
        text = site.alice.get(path).text
        seen += re.findall(r'name="id" value="(\d+)"', text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        path = None if following is None else following[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 60


def test_a_report_says_on_one_page_what_ran_what_failed_when_and_by_whom(filled: Filled) -> None:
    """OPS-8, BF-2: to be printed or sent."""
    page = shown(filled.site.alice.get(f"/backfills/{filled.failed}/report"))
    assert "created by alice" in page.text
    assert "shop.shaky" in page.text
    assert "exit status 3" in page.text
    assert "2 bizdates" in page.text
    assert "What people did" in page.text
    paused = shown(filled.site.alice.get(f"/backfills/{filled.paused}/report"))
    assert "not started yet" in paused.text
    assert "pause" in paused.text
    assert "script" not in paused.tags


def test_settings_say_everything_that_was_asked_for(site: Site) -> None:
    """BF-2: in words, with overrides as they were typed, inert."""
    number = site.backfill(
        groups="2", window="22:00-05:00", max_failures="3", set=("shop.fetch.day=<i>$bizdate</i>",)
    )
    page = shown(site.alice.get(f"/backfills/{number}?tab=settings"))
    for words in ("Max failures3", "22:00-05:00", "Groups2", "<i>$bizdate</i>", "shop.mail"):
        assert words in page.text
    assert "i" not in page.tags


def test_the_analysis_is_as_it_was_stored(filled: Filled) -> None:
    """VER-1: counts and findings."""
    page = shown(filled.site.alice.get(f"/backfills/{filled.succeeded}?tab=analysis"))
    assert "run: 10" in page.text
    assert "verification passed" in page.text


@pytest.fixture(scope="module")
def unmade(filled: Filled) -> int:
    """A backfill whose instances are made when it starts (SEL-4)."""
    backfills = filled.site.center("alice").backfills
    asked = {"all_descendants": "shop.fetch", "bizdate": ("2040-01-05..2040-01-06",), "name": "later"}
    return backfills.create(backfills.plan(asked))


@pytest.mark.parametrize(
    "path",
    [
        *(f"?tab={tab}" for tab in TABS),
        "/report",
        "/change?groups=2",
        "/stop",
        "/freeze",
        "/rerun",
        "/resume",
    ],
)
def test_what_has_no_instances_yet_can_be_looked_at(filled: Filled, unmade: int, path: str) -> None:
    """SEL-4: every tab, question and preview of a backfill that is only planned."""
    page = shown(filled.site.alice.get(f"/backfills/{unmade}{path}"))
    assert "later" in page.text
