"""The page of one backfill: what it says first, and its tabs."""

from __future__ import annotations

import pytest

from retrofill.web.pages.backfill import TABS
from web.sites import Filled, shown


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
