"""What the form of a new backfill is worked out from, without a server: expectations, pictures, commands."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, date, datetime
from typing import Any, cast
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest

from retrofill.domain.inputs import Given
from retrofill.services.reading.documents import Estimate, Load, PlanSummary, TaskCalendar
from retrofill.web.creating import planned, strip
from retrofill.web.creating.asking import given_of, typed_of_query
from retrofill.web.creating.commands import as_address, as_command, as_request
from retrofill.web.creating.remedies import TITLES, mended
from retrofill.web.creating.typed import FIELDS, Typed

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 28, 13, 30, tzinfo=UTC)
KNOWN: dict[str, Any] = {
    "seconds": 2_520.0, "low_seconds": 2_100.0, "high_seconds": 3_480.0, "end_at": "2026-11-28T14:15:00Z",
    "at_least_seconds": None, "unknown_tasks": [], "longest_task": "w.a", "longest_share": 0.2, "rivals": 0,
    "is_extrapolated": False,
}  # fmt: skip


def expected(**more: Any) -> planned.Expectation:
    return planned.expectation(cast("Estimate", {**KNOWN, **more}), BERLIN, NOW)


def test_an_expectation_says_its_range_and_what_it_leaves_out() -> None:
    """BF-2: in the zone of who looks."""
    found = expected()
    assert found.text == "About 42m 00s, done by 28 Nov 15:15 CET"
    assert found.more == "35m 00s to 58m 00s; from earlier runs, if nothing fails and nothing else starts"
    more = expected(
        rivals=2, longest_share=0.81, is_extrapolated=True, low_seconds=2_520.0, high_seconds=2_520.0
    ).more
    assert more == (
        "from earlier runs, if nothing fails and nothing else starts; counted in: 2 instances of others that hold or "
        "want its slots now; w.a has 81% of the run time; extrapolated from the first bizdates"
    )


def test_what_is_not_known_is_not_estimated() -> None:
    unknown = expected(seconds=None, end_at=None, unknown_tasks=["w.b"], at_least_seconds=240.0)
    assert unknown == (
        "How long it takes is not known yet",
        "no successful run yet of w.b; the others take at least 4m 00s",
    )
    assert expected(seconds=None, end_at=None).text == "It would never be done"
    assert planned.expectation(None, BERLIN, NOW).text == "How long it takes is not known"


def plan_of(*dates: str, runs: int = 2, total: int = 3) -> PlanSummary:
    counts: Any = {"by_bizdate": dict.fromkeys(dates, total), "runs_by_bizdate": dict.fromkeys(dates, runs)}
    return cast("PlanSummary", counts)


def test_bars_stand_side_by_side_with_a_gap_where_dates_are_left_out() -> None:
    dates = ["2026-01-05", "2026-01-06", "2026-03-01"]
    bars = planned.bars(plan_of(*dates), dates)
    assert [bar.x for bar in bars] == [0, 104, 216]
    assert {(bar.run, bar.rest) for bar in bars} == {(32, 16)}
    assert bars[2].title == "1 March 2026: 2 run, 1 pass"


def test_many_dates_share_a_bar() -> None:
    dates = [date.fromordinal(date(2020, 1, 1).toordinal() + n).isoformat() for n in range(3_650)]
    bars = planned.bars(plan_of(*dates), dates)
    assert len(bars) <= 80
    assert bars[0].title.startswith("1 January to 15 February 2020")
    assert bars[-1].x + bars[-1].width <= 320


def test_lanes_lie_where_their_dates_are_whatever_the_order() -> None:
    """POL-4, POL-5."""
    dates = ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"]
    first, second = planned.lanes([dates[:1:-1], dates[1::-1]], dates)
    assert (first.x, first.width, first.text) == (50, 50, "8 Jan – 7 Jan · 2")
    assert (second.x, second.width, second.text) == (0, 50, "6 Jan – 5 Jan · 2")


def test_a_load_fits_its_box() -> None:
    load: Load = {
        "resource_group": "big", "slots": 4, "peak": 4, "from_at": "2026-11-28T13:30:00Z", "step_seconds": 30.0,
        "used": [4.0, 2.0],
    }  # fmt: skip
    found = planned.load_view(load, BERLIN, NOW)
    assert found is not None
    assert [(step.x, step.width, step.height) for step in found.steps] == [(0, 160, 36), (160, 160, 18)]
    assert (found.begins, found.ends, found.words) == (
        "28 Nov 14:30",
        "28 Nov 14:31",
        "slots of big, at most 4 of 4",
    )


GIVEN: Given = {
    "name": "it's $mine; rm -rf /",
    "task": ("w.a", "w.ö"),
    "bizdate": ("-7d..yesterday", "2026-01-05"),
    "set": ("w.a.x=a b", "w.a.y=--"),
    "run_future": True,
}


def test_a_command_says_to_a_shell_what_is_asked_for() -> None:
    words = shlex.split(as_command(GIVEN, 'why "so"').replace("\\\n", ""))
    assert words[:3] == ["retrofill", "backfill", "create"]
    assert words[3:] == [
        "--name", "it's $mine; rm -rf /", "--task", "w.a", "--task", "w.ö", "--bizdate=-7d..yesterday", "--bizdate",
        "2026-01-05", "--set", "w.a.x=a b", "--set", "w.a.y=--", "--run-future", "--comment", 'why "so"',
    ]  # fmt: skip


def test_a_call_of_the_api_says_the_same() -> None:
    words = shlex.split(as_request(GIVEN, "https://example.org", "why").replace("\\\n", ""))
    assert words[:3] == ["curl", "--fail-with-body", "https://example.org/api/v1/backfills"]
    sent = json.loads(words[-1])
    assert sent == {
        name: [*value] if isinstance(value, tuple) else value for name, value in GIVEN.items()
    } | {"comment": "why"}


def test_an_address_asks_everybody_for_the_same() -> None:
    address = as_address(GIVEN, "https://example.org", "why & so")
    path, _, query = address.partition("?")
    assert path == "https://example.org/backfills/new"
    typed = typed_of_query(parse_qs(query))
    assert given_of(typed) == {**GIVEN, "bizdate": ("-7d..yesterday", "2026-01-05")}
    assert typed.one("reason") == "why & so"
    assert as_address({"task": ("w.a" * 2_000,)}, "https://example.org") == ""


def test_an_address_and_what_it_asks_for_are_the_same() -> None:
    """Whatever way and options: what a form asks for fills a form that asks for the same."""
    queries: list[dict[str, Any]] = [
        {"task": ("w.a", "w.b"), "exclude": ("w.b",)},
        {"from": ("w.a",), "to": ("w.c", "w.d"), "exclude": ("w.b",)},
        {"root": ("w.a",), "workspace": ("w",), "no_root": ("on",), "include": ("w.x",), "exclude": ("w.y",)},
        {"all_descendants": ("w.a",), "exclude": ("w.y",)},
    ]
    policy: dict[str, Any] = {
        "bizdate": ("2026-01-05..2026-01-07", "2026-02-01"), "groups": ("3",), "order": ("desc",), "time_range": ("01:00-02:00",),
        "window": ("22:00-06:00",), "weekends": ("on",), "alert": ("failure",), "alert_by": ("sms",), "run_future": ("on",),
        "set": ("w.a.x==y",), "max_failures": ("3",), "allow_risks": ("on",), "name": ("n",), "barrier": ("task",),
    }  # fmt: skip
    for query in queries:
        given = given_of(typed_of_query({**query, **policy}))
        again = {
            name: (value if isinstance(value, tuple) else ("on",) if value is True else (value,))
            for name, value in given.items()
        }
        assert given_of(typed_of_query(again)) == given
        assert given.keys() == query.keys() | policy.keys()


CALENDAR = {"task": "w.a", "first": "2026-01-01", "last": "2026-01-10", "cells": "ssfs.?snro"}


def test_the_strip_shows_what_there_is_and_boxes_what_is_chosen() -> None:
    ranges = strip.ranges_of([("2026-01-03", "2026-01-05"), ("nonsense", "")], date(2026, 1, 10))
    found = strip.drawn(cast("TaskCalendar", CALENDAR), ranges)
    looks = [cell.look for cell in found.cells]
    assert looks == ["ok", "ok", "fail", "ok", "dotidle", "soft", "ok", "idle", "run"], (
        "an off day draws none"
    )
    assert [(box.x, box.width) for box in found.boxes] == [(144, 216)]
    assert found.words.endswith("1 not run, 1 running, 1 an off day; 3 bizdates chosen")
    assert found.missing == 2


@pytest.mark.parametrize("code", TITLES)
def test_titles_are_of_findings_that_there_are(code: str) -> None:
    """VER-2."""
    from retrofill.domain.verification.codes import CODES

    assert code in CODES
    assert CODES.keys() == TITLES.keys()


def test_remedies_leave_nothing_chosen_twice() -> None:
    """SEL-6: what is left out is no longer chosen, and the other way round, in every way of choosing."""
    for way in ("pick", "link", "workspace", "all"):
        typed = Typed.fresh(way=(way,), task=("w.a", "w.b"), only=("w.c",), include=("w.b",))
        out = mended(typed, "fix:leave=w.b")
        assert out != typed
        back = mended(out, "fix:run=w.b")
        assert "w.b" not in (*back.all("norun"), *back.all("skip"), *back.all("exclude"))
    last = mended(Typed.fresh(task=("w.a",)), "leave=w.a")
    assert (last.all("task"), last.all("norun")) == (("w.a",), ("w.a",))


def test_every_field_of_a_fresh_form_is_a_field() -> None:
    assert Typed.fresh().fields.keys() <= FIELDS.keys()
    assert Typed({"nothing": ("x",), "name": ("y",)}).fields == {"name": ("y",)}
