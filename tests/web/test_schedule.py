"""The schedule: its nights, the instances of one, pausing it; and the record of what people did."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from retrofill.bootstrap.centers import Call
from retrofill.domain.running.searches import InstanceSearch
from web.sites import Filled, Site, shown

# Made at the deploy for the rest of the day; where one of them has none left, the other has.
NIGHTLY = """
workspace: {name}
timezone: {zone}
members: {{alice: administrator, bob: operator}}
tasks:
  often: {{type: shell, schedule: "*/15 * * * *", run: "true", generation: immediate}}
"""


@pytest.fixture
def nightly(site: Site) -> Site:
    """With auto triggered instances of a bizdate at least."""
    for name, zone in (("early", "UTC"), ("late", "Pacific/Auckland")):
        folder = Path(site.deployment.folder.directory) / "workspaces" / name
        folder.mkdir()
        (folder / "workspace.yaml").write_text(NIGHTLY.format(name=name, zone=zone))
    Call(site.deployment).center.versions.deploy()
    return site


def boxes(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'name="id" value="(\d+)"', html)]


def test_where_there_is_no_night_yet_that_is_said(site: Site) -> None:
    page = shown(site.alice.get("/schedule"))
    assert "No night has been made yet" in page.text
    assert "The next night is made" in page.text
    assert "No scheduler runs that makes nights." in page.text


def test_nights_and_their_instances(nightly: Site) -> None:
    """AUTO-1, BF-2: the newest night, and what it is made of; others by their address."""
    page = shown(nightly.alice.get("/schedule"))
    (night, *_) = nightly.center("alice").schedule.nights()["items"]
    assert f'href="/schedule?night={night["bizdate"]}"' in page.html
    assert f"{night['instance_count']} instances" in page.html
    found = boxes(page.html)
    assert len(found) == min(night["instance_count"], 100)
    assert (
        shown(nightly.alice.get("/schedule?night=2020-01-01")).text.count(
            "There is no auto triggered instance"
        )
        == 1
    )
    some = shown(nightly.alice.get(f"/schedule?night={night['bizdate']}&state=failed"))
    assert "No instance of this night fits." in some.text
    part = nightly.alice.get("/schedule?part=instances").text
    assert part.lstrip().startswith('<div id="night-rows"')
    assert boxes(part) == found


def test_a_page_of_instances_goes_on_where_it_ended(nightly: Site) -> None:
    day = nightly.center("alice").schedule.nights()["items"][0]["bizdate"]
    first = boxes(nightly.alice.get(f"/schedule?night={day}").text)
    rest = boxes(nightly.alice.get(f"/schedule?night={day}&after={first[0]}").text)
    assert rest[: len(first) - 1] == first[1:]


def test_nobody_sees_instances_of_others(nightly: Site) -> None:
    """SEC-2."""
    page = shown(nightly.browser("greta").get("/schedule"))
    assert boxes(page.html) == []
    assert "often" not in page.text


@pytest.mark.parametrize("query", ["state=done", "task=nope", "night=someday", "before=x", "after=x"])
def test_what_cannot_be_is_said_or_counts_as_not_given(nightly: Site, query: str) -> None:
    answer = nightly.alice.get(f"/schedule?{query}")
    assert answer.status_code == (
        422 if query.startswith("state") else 404 if query.startswith("task") else 200
    )
    assert "Nights" in answer.text


def test_instances_that_are_chosen_are_asked_about(nightly: Site) -> None:
    """OPS-6: by their boxes, as a page and as a part of this one."""
    found = boxes(nightly.alice.get("/schedule").text)[:2]
    page = shown(
        nightly.alice.submit("/instances/freeze", ask="1", id=list(map(str, found)), back="/schedule")
    )
    assert "Waiting (for scheduled time); only Not run" in page.text, "why not now"


def test_the_schedule_is_paused_and_goes_on(nightly: Site) -> None:
    """AUTO-1, OPS-8: asked about first, with what would come of it; recorded with its comment."""
    admin = nightly.browser("admin")
    asked = admin.get("/schedule/pause", headers={"X-Part": "dialog"})
    assert asked.text.lstrip().startswith("<form")
    assert "No night is made until it is resumed" in asked.text
    assert not nightly.center("admin").schedule.show()["held"], "asking changes nothing"
    admin.submit("/schedule/pause", comment="moving house")
    page = shown(admin.get("/schedule"))
    assert "The schedule is paused." in page.text
    assert "Resume…" in page.text
    assert "was paused already" in shown(_after(admin, "/schedule/pause")).text
    admin.submit("/schedule/resume")
    assert not nightly.center("admin").schedule.show()["held"]
    record = shown(admin.get("/operations?action=pause-schedule"))
    assert "moving house" in record.text
    assert "Pause schedule" in record.text


def _after(browser: object, path: str) -> object:
    browser.submit(path)  # type: ignore[attr-defined]
    return browser.get("/schedule")  # type: ignore[attr-defined]


@pytest.mark.parametrize("word", ["pause", "resume", "accept-clock"])
def test_only_system_administrators_may(site: Site, word: str) -> None:
    """SEC-4: it concerns every workspace; who may not is told before, and refused all the same."""
    page = shown(site.alice.get(f"/schedule/{word}"))
    assert "Only a system administrator may" in page.text
    assert site.alice.submit(f"/schedule/{word}").status_code == 403
    assert not site.center("admin").schedule.show()["held"]


# The record


def test_the_record_says_who_did_what(filled: Filled) -> None:
    """OPS-8."""
    page = shown(filled.site.alice.get("/operations"))
    assert "Pause" in page.text
    assert f'href="/backfills/{filled.paused}"' in page.html
    only = shown(filled.site.alice.get(f"/operations?backfill={filled.paused}&action=pause"))
    assert only.text.count("backfill 3") == 1
    assert "alice" in only.text


def test_the_record_tells_nothing_of_others(filled: Filled) -> None:
    """SEC-2: a foreign backfill is answered as one that there is not."""
    said = []
    for number in (filled.foreign, 999):
        page = shown(filled.site.alice.get(f"/operations?backfill={number}"), 404)
        said.append(page.text.partition("Search")[2].replace(f"backfill {number}", "N"))
    assert "here is no N" in said[0]
    assert said[0].partition("Scheduler")[0] == said[1].partition("Scheduler")[0]
    assert "greta" not in shown(filled.site.alice.get("/operations")).text


@pytest.mark.parametrize("query", ["backfill=x", "instance=1e9", "before=x", "task=nope"])
def test_what_cannot_be_asked_of_the_record_is_said(filled: Filled, query: str) -> None:
    answer = filled.site.alice.get(f"/operations?{query}")
    assert answer.status_code in (404, 422)
    assert 'role="alert"' in answer.text


def test_the_record_goes_on_page_by_page(filled: Filled) -> None:
    everything = filled.site.center("admin").operations.list
    from retrofill.domain.running.searches import OperationSearch

    newest = everything(OperationSearch())["items"][0]
    page = shown(filled.site.browser("admin").get(f"/operations?before={newest['id']}"))
    assert page.html.count("<tr>") == len(everything(OperationSearch(), 100, newest["id"])["items"]) + 1
    assert "Newest" in page.text


def test_the_page_of_an_auto_triggered_instance(nightly: Site) -> None:
    """OPS-9, AUTO-2: with the nights around it, and back to its own; live by the stream of the schedule."""
    row = nightly.center("alice").instances.list(InstanceSearch(auto=True))["items"][0]
    answer = nightly.alice.get(f"/instances/{row['id']}")
    page = shown(answer)
    assert f"/schedule?night={row['bizdate']}" in page.links
    assert "Made by the schedule" in page.text.replace("Made bythe", "Made by the")
    assert "The schedule made it" in page.text
    assert 'data-events="/api/v1/backfills/events"' in answer.text
    for part in ("head", "why", "around"):
        assert nightly.alice.get(f"/instances/{row['id']}?part={part}").status_code == 200
