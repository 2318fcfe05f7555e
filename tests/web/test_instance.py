"""The page of one instance (OPS-8 to OPS-10), without scripts."""

from __future__ import annotations

import pytest

from web.sites import Filled, shown


def page_of(filled: Filled, task: str, query: str = "", backfill: int | None = None) -> tuple[int, str]:
    """Its id, and the text of its page."""
    number = filled.instance(backfill or filled.failed, task)
    return number, shown(filled.site.alice.get(f"/instances/{number}{query}")).text


def test_what_failed_says_so_and_offers_what_helps(filled: Filled) -> None:
    """OPS-9: the sentence, the run, what the log ends with, what waits for it."""
    number, text = page_of(filled, "shop.shaky")
    assert "Why it failed, and what waits for it" in text
    assert "exit status 3" in text
    assert "ERROR: no rates" in text
    assert "Rerun…" in text
    page = shown(filled.site.alice.get(f"/instances/{number}"))
    assert f"/instances/rerun?id={number}" in page.links
    assert f"/instances/set-successful?id={number}" in page.links
    assert "its state is" not in text


def test_what_waits_is_led_to_the_cause(filled: Filled) -> None:
    """OPS-9: with the acts of the cause, and how many wait for it."""
    cause = filled.instance(filled.failed, "shop.shaky")
    number = filled.instance(filled.failed, "shop.mail")
    page = shown(filled.site.alice.get(f"/instances/{number}"))
    assert "Why it is not running" in page.text
    assert "It waits for shop.report, and in the end for shop.shaky, which failed." in page.text
    assert "waits for 1 of 2 instances" in page.text
    assert "2 instances wait for it" in page.text
    assert {f"/instances/{cause}#log", f"/instances/rerun?id={cause}"} <= set(page.links)
    assert "Upstream not yet" in page.text.replace("Upstreamnot", "Upstream not")


def test_code_parameters_facts_and_record(filled: Filled) -> None:
    """OPS-8, CAT-9, PAR-4."""
    _, text = page_of(filled, "shop.shaky")
    assert 'echo "looking at $day20260106"' in text
    assert "$bizdate" in text
    assert "alice created backfill" in text
    assert "first run" in text


@pytest.mark.parametrize("part", ["head", "why", "around"])
def test_what_changes_is_fetched_alone(filled: Filled, part: str) -> None:
    number = filled.instance(filled.failed, "shop.shaky")
    answer = filled.site.alice.get(f"/instances/{number}?part={part}")
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert f'data-part="?part={part}"' in answer.text


def test_a_log_without_scripts(filled: Filled) -> None:
    """OPS-10: lines have addresses, a search lists what it finds, the first error is marked."""
    number, _ = page_of(filled, "shop.shaky")
    first = shown(filled.site.alice.get(f"/instances/{number}?run=1&error"))
    assert "here" in filled.site.alice.get(f"/instances/{number}?error").text
    found = filled.site.alice.get(f"/instances/{number}?find=RATES").text
    assert 'class="finds"' in found
    assert "Nothing was found" in filled.site.alice.get(f"/instances/{number}?find=nothing").text
    assert f"/api/v1/instances/{number}/log?run=1" in first.links
    assert filled.site.alice.get(f"/instances/{number}?run=9").status_code == 404
    assert filled.site.alice.get(f"/instances/{number}?at=x").status_code == 422


def test_what_has_not_run_has_no_log(filled: Filled) -> None:
    _, text = page_of(filled, "shop.mail")
    assert "has not run yet, so it has no log" in text
    assert "It has not run yet." in text


def test_what_is_foreign_is_not_there(filled: Filled) -> None:
    """SEC-2."""
    foreign = filled.instance(filled.foreign, "vault.goldmine", "2026-01-05")
    there, nowhere = (
        shown(filled.site.alice.get(f"/instances/{number}"), 404).text.replace(str(number), "N")
        for number in (foreign, 999_999)
    )
    assert there == nowhere


def test_a_visitor_sees_why_he_may_not(filled: Filled) -> None:
    """SEC-4."""
    number = filled.instance(filled.failed, "shop.shaky")
    answer = filled.site.browser("dave").get(f"/instances/{number}")
    assert "You may not operate it." in shown(answer).text
    assert 'aria-keyshortcuts="Shift+R"' not in answer.text
    assert 'aria-keyshortcuts="Shift+R"' in filled.site.alice.get(f"/instances/{number}").text


def test_strange_texts_are_texts(filled: Filled) -> None:
    """Reliability 3.4: what a task prints or is called is shown, never obeyed."""
    number = filled.instance(filled.paused, "shop.mail")
    page = shown(filled.site.alice.get(f"/instances/{number}"))
    assert '<script>alert("x")</script>' in page.text
    assert "<b>Mails</b> the report" in page.text
    assert "script" not in page.tags
