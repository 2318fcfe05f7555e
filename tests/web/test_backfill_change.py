"""Changing how a backfill runs, by forms alone: asked what would come of it, and done."""

from __future__ import annotations

from api.browsers import Page
from web.sites import Filled, Site, shown


def values(page: Page) -> dict[str, str]:
    """What the form holds besides its selects."""
    return {name: page.fields[name] for name in ("groups", "window", "max_failures", "as_of")}


def test_the_form_holds_what_is_so_and_changes_nothing_when_sent_as_it_is(site: Site) -> None:
    """BF-3."""
    number = site.backfill(groups="2", max_failures="4")
    page = shown(site.alice.get(f"/backfills/{number}/change"))
    assert values(page) | {"as_of": ""} == {"groups": "2", "window": "", "max_failures": "4", "as_of": ""}
    answer = site.alice.submit(f"/backfills/{number}/change", **values(page), on_failure="stop")
    assert answer.status_code == 303
    assert "Nothing differed" in shown(site.alice.get(f"/backfills/{number}")).text


def test_a_change_tells_first_what_comes_of_it(site: Site) -> None:
    """BF-3, POL-11: asking changes nothing; then it is done, and said once."""
    number = site.backfill(bizdate=("2026-01-05..2026-01-08",))
    path = f"/backfills/{number}/change"
    before = site.center("alice").backfills.tag(number)
    fields = values(shown(site.alice.get(path))) | {
        "groups": "3", "priority": "8", "on_failure": "stop", "comment": "<i>soon</i>"
    }  # fmt: skip
    page = shown(site.alice.submit(path, **fields, ask="1"))
    assert "1 → 3" in page.text
    assert "2 bizdates begin at once" in page.text
    assert page.fields["comment"] == "<i>soon</i>"
    assert site.center("alice").backfills.tag(number) == before
    site.alice.submit(path, **fields)
    after = shown(site.alice.get(f"/backfills/{number}"))
    assert "groups 1 → 3" in after.text
    assert site.center("alice").backfills.show(number)["request"]["priority"] == 8
    assert "<i>soon</i>" in shown(site.alice.get(f"/backfills/{number}?tab=operations")).text
    stale = site.alice.submit(path, **{**fields, "groups": "2"})
    assert f"Somebody has changed backfill {number}" in shown(stale, 409).text


def test_what_was_set_is_taken_away_by_emptying_its_field(site: Site) -> None:
    """BF-3: window, priority, resource group, failures."""
    number = site.backfill(window="22:00-05:00", max_failures="4")
    path = f"/backfills/{number}/change"
    fields = values(shown(site.alice.get(path)))
    assert fields["window"] == "22:00-05:00"
    site.alice.submit(path, **{**fields, "window": "", "max_failures": "", "on_failure": "stop"})
    request = site.center("alice").backfills.show(number)["request"]
    assert (request["window"], request["max_failures"]) == (None, None)


def test_a_wrong_value_is_told_and_stays_typed(site: Site) -> None:
    """Nothing typed is lost to an error."""
    number = site.backfill()
    path = f"/backfills/{number}/change"
    fields = {**values(shown(site.alice.get(path))), "on_failure": "stop"}
    for name, value in (("groups", "99"), ("window", "25:00-26:00"), ("max_failures", "<b>many</b>")):
        page = shown(site.alice.submit(path, **{**fields, name: value}), 422)
        assert page.fields[name] == value
        assert "alert" in str(site.alice.submit(path, **{**fields, name: value}).text)
    page = shown(site.alice.submit(path, **fields, resource_group="nowhere", ask="1"))
    assert 'There is no resource group "nowhere"' in page.text


def test_who_may_not_change_it_is_told_why(filled: Filled) -> None:
    """SEC-4, SEC-2."""
    dave = filled.site.browser("dave")
    path = f"/backfills/{filled.paused}/change"
    assert "You may not change backfill" in shown(dave.get(path)).text
    assert "You may not change backfill" in shown(dave.submit(path, groups="2", on_failure="stop"), 403).text
    assert "There is no backfill" in shown(dave.get(f"/backfills/{filled.foreign}/change"), 404).text
