"""Acts on a whole backfill, asked for and done by forms alone."""

from __future__ import annotations

import pytest

from web.sites import Filled, Site, shown

ACTS = ("stop", "pause", "resume", "rerun", "freeze", "unfreeze")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("which", ["succeeded", "failed", "paused"])
def test_every_question_can_be_looked_at(filled: Filled, act: str, which: str) -> None:
    number = getattr(filled, which)
    page = shown(filled.site.alice.get(f"/backfills/{number}/{act}"))
    assert "script" not in page.tags
    assert f"/backfills/{number}" in page.links, "the safe answer leads back"
    part = filled.site.alice.get(f"/backfills/{number}/{act}", headers={"X-Part": "dialog"})
    assert part.text.lstrip().startswith("<form")


def test_a_stop_tells_its_numbers_and_is_done(site: Site) -> None:
    """OPS-1, OPS-8: counted at the moment of asking; the comment is kept; a second one is told what is so now."""
    number = site.backfill()
    page = shown(site.alice.get(f"/backfills/{number}/stop"))
    assert "10 instances do not start until it is resumed" in page.text
    answer = site.alice.submit(
        f"/backfills/{number}/stop", as_of=page.fields["as_of"], comment="<b>wrong dates</b>"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/backfills/{number}")
    after = shown(site.alice.get(f"/backfills/{number}"))
    assert f"Backfill {number} is stopped." in after.text
    assert f"Backfill {number} is stopped." not in shown(site.alice.get(f"/backfills/{number}")).text
    record = shown(site.alice.get(f"/backfills/{number}?tab=operations"))
    assert "<b>wrong dates</b>" in record.text
    again = site.alice.submit(f"/backfills/{number}/stop", as_of=page.fields["as_of"])
    assert f"Somebody has changed backfill {number}" in shown(again, 409).text


def test_who_may_not_is_told_before_and_refused_after(site: Site) -> None:
    """SEC-4: the button is there with its reason; the form of one who may not changes nothing."""
    number = site.backfill()
    dave = site.browser("dave")
    assert "You may not pause backfill" in shown(dave.get(f"/backfills/{number}/pause")).text
    assert "may not pause" in shown(dave.submit(f"/backfills/{number}/pause"), 403).text
    assert site.center("alice").backfills.row(number)["held"] is None


def test_a_pause_and_a_resume_are_one_click(site: Site) -> None:
    """BF-3: no confirmation; a second click changes nothing and says so."""
    number = site.backfill()
    assert site.alice.submit(f"/backfills/{number}/pause").status_code == 303
    assert "is paused" in shown(site.alice.get(f"/backfills/{number}")).text
    site.alice.submit(f"/backfills/{number}/pause")
    assert "nothing has changed" in shown(site.alice.get(f"/backfills/{number}")).text
    site.alice.submit(f"/backfills/{number}/resume")
    assert site.center("alice").backfills.row(number)["held"] is None


def test_a_rerun_of_what_failed_lets_the_rest_go_on(site: Site) -> None:
    """OPS-3: the question names what runs again and what follows by itself; then all succeeds."""
    site.trouble.touch()
    number = site.backfill()
    site.run_to(number, "failed")
    page = shown(site.alice.get(f"/backfills/{number}/rerun?only_failed=1"))
    assert "1 instance runs again" in page.text
    assert "2 instances go on by themselves" in page.text
    site.trouble.unlink()
    site.alice.submit(f"/backfills/{number}/rerun", only_failed="1", comment="rates are there")
    assert "1 instance runs again." in shown(site.alice.get(f"/backfills/{number}")).text
    site.run_to(number, "succeeded")


def test_what_is_frozen_can_be_unfrozen(site: Site) -> None:
    """BF-4, OPS-6."""
    number = site.backfill()
    site.alice.submit(f"/backfills/{number}/pause")
    assert "Freeze 10 instances" in shown(site.alice.get(f"/backfills/{number}/freeze")).text
    site.alice.submit(f"/backfills/{number}/freeze")
    assert "10 instances are frozen." in shown(site.alice.get(f"/backfills/{number}")).text
    site.alice.submit(f"/backfills/{number}/unfreeze")
    assert "10 instances are unfrozen." in shown(site.alice.get(f"/backfills/{number}")).text


@pytest.mark.parametrize("act", ACTS)
def test_a_foreign_backfill_is_unknown(filled: Filled, act: str) -> None:
    """SEC-2: asked for and acted on."""
    path = f"/backfills/{filled.foreign}/{act}"
    assert "There is no backfill" in shown(filled.site.alice.get(path), 404).text
    assert "There is no backfill" in shown(filled.site.alice.submit(path), 404).text


@pytest.mark.parametrize("act", ["rerun", "freeze"])
def test_what_can_be_done_to_no_instance_is_not_offered(filled: Filled, act: str) -> None:
    """SEC-4: dave visits; a button that does nothing is none."""
    page = shown(
        filled.site.browser("dave").get(f"/backfills/{filled.failed}/{act}", headers={"X-Part": "dialog"})
    )
    assert "ou may not operate instance" in page.text
    assert "button" not in page.tags
