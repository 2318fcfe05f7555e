"""Longer cycles whose dates come later, and later dates that stay as they were."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.catalogs import SELF, make_catalog, make_task
from domain.plans import plan_of
from retrofill.domain.catalog.definitions import Catalog, RunMode
from retrofill.domain.people.rights import Rights
from retrofill.domain.planning.plan import build
from retrofill.domain.planning.policy import AcrossGroups, Order, Policy
from retrofill.domain.selection.choice import Choice
from retrofill.domain.time.bizdates import parse_range
from retrofill.domain.verification.codes import Level
from retrofill.domain.verification.staleness import (
    Later,
    Question,
    later_dates,
    later_questions,
    longer_cycles,
)

DAILY, MONDAYS, FIRST = "@daily", "0 1 * * MON", "0 2 1 * *"
WEEK = "2024-01-22..2024-01-28"  # the last one's T is a Monday


def weekly(**of_load: Any) -> Catalog:
    return make_catalog(
        make_task("w.load", DAILY, *of_load.pop("waits", ()), **of_load),
        make_task("w.week", MONDAYS, "w.load"),
        make_task("w.own", MONDAYS, "w.week"),
    )


def longer(catalog: Catalog, dates: str, **policy: Any) -> tuple[str, ...]:
    found = list(longer_cycles(plan_of(catalog, *dates.split(), **policy)))
    assert all(f.level is Level.WARNING for f in found)
    return found[0].tasks if found else ()


def test_a_week_whose_days_come_later_is_told() -> None:
    """VER-1 `longer_cycle`: descending, or in groups; a task below the week has it from there."""
    told = ("w.own", "w.week", "w.load")
    assert longer(weekly(), WEEK, order=Order.DESCENDING) == told
    assert longer(weekly(), WEEK, groups=3) == told
    assert longer(weekly(), WEEK) == ()
    month = make_catalog(make_task("w.hours", "@hourly"), make_task("w.month", FIRST, "w.hours"))
    assert longer(month, "2024-01-01..2024-03-31", groups=2) == ("w.month", "w.hours")


def test_a_week_whose_days_come_before_it_is_not_told() -> None:
    """VER-1: each group holds whole weeks; two Sundays alone; dates without the week's day."""
    assert longer(weekly(), "2024-01-22..2024-02-18", groups=4) == ()
    assert longer(weekly(), "2024-01-22..2024-02-18", groups=3) != ()
    assert longer(weekly(), "2024-01-21 2024-01-28", order=Order.DESCENDING) == ()
    assert longer(weekly(), "2024-01-22..2024-01-27", order=Order.DESCENDING) == ()
    assert longer(weekly(), "2024-01-28", order=Order.DESCENDING) == ()


def test_waits_that_keep_the_order_are_enough() -> None:
    """DEP-13: days upon their own previous cycle come in order, unless such waits are dropped."""
    chained = weekly(waits=(SELF,))
    assert longer(chained, WEEK, groups=3) == ()
    assert longer(chained, WEEK, groups=3, across_groups=AcrossGroups.IGNORE) != ()


def test_days_that_do_not_run_matter_to_nobody() -> None:
    """VER-1: in mode dry_run nothing is computed anew."""
    assert longer(weekly(mode=RunMode.DRY_RUN), WEEK, groups=3) == ()


def questions(catalog: Catalog, *dates: str, tasks: tuple[str, ...] = ()) -> dict[str, Question]:
    policy = Policy(tuple(parse_range(text) for text in dates))
    plan = build(catalog, Choice(tasks or tuple(catalog.tasks)), policy)
    return {question.task: question for question in later_questions(plan)}


def test_what_is_asked_about_later_dates() -> None:
    """VER-1 `later_dates`: the chain from the day after on; weeks and months that hold the dates."""
    catalog = make_catalog(
        make_task("w.load", DAILY),
        make_task("w.balance", DAILY, SELF, "w.load"),
        make_task("w.week", MONDAYS, "w.load"),
        make_task("w.month", FIRST, "w.balance"),
    )
    asked = questions(catalog, "2024-01-24", "2024-02-02", tasks=("w.load",))
    assert set(asked) == {"w.month", "w.week"}
    assert asked["w.week"].among == {date(2024, 1, 28), date(2024, 2, 4)}
    assert asked["w.month"].among == {date(2024, 1, 31), date(2024, 2, 29)}
    asked = questions(catalog, "2024-01-24", tasks=("w.load", "w.balance"))
    assert (asked["w.balance"].first, asked["w.balance"].last) == (date(2024, 1, 25), None)
    assert (asked["w.month"].first, asked["w.month"].last) == (date(2024, 1, 24), None)
    assert not asked["w.balance"].is_meant(date(2024, 1, 24))
    asked = questions(catalog, "2024-01-24..2024-01-28")
    assert not asked["w.week"].is_meant(date(2024, 1, 28)), "it is part of the backfill"
    assert questions(make_catalog(make_task("w.load", DAILY)), "2024-01-24") == {}


def test_what_is_told_of_later_dates() -> None:
    """VER-1, SEC-2: how many, from when to when; foreign tasks are counted only."""

    def answer(task: str, *days: int, is_cut: bool = False) -> Later:
        question = Question(task, date(2024, 1, 1), None, None, frozenset())
        return Later(question, tuple(date(2024, 1, day) for day in days), is_cut)

    answers = [
        answer("w.balance", *range(6, 16)),
        answer("w.week", 7),
        answer("v.secret", 31),
        answer("w.none"),
    ]
    (found,) = later_dates(answers, Rights(workspaces={"w"}))
    assert (found.level, found.tasks) == (Level.WARNING, ("w.balance", "w.week"))
    assert (
        "w.balance on 10 bizdates from 2024-01-06 to 2024-01-15; w.week on bizdate 2024-01-07"
        in found.message
    )
    assert "1 task of workspaces that you are no member of" in found.message
    assert "secret" not in found.message
    (cut,) = later_dates([answer("w.balance", 6, 7, is_cut=True)])
    assert "at least 2 bizdates" in cut.message
    assert list(later_dates([answer("w.none")])) == []


@pytest.mark.parametrize(("dates", "ends"), [("2024-01-28", {28}), ("2024-01-22..2024-01-28", {28})])
def test_a_period_holds_its_own_last_date(dates: str, ends: set[int]) -> None:
    """VER-1: T of bizdate 28 January is a Monday."""
    catalog = make_catalog(make_task("w.load", DAILY), make_task("w.week", MONDAYS, "w.load"))
    among = questions(catalog, dates, tasks=("w.load",))["w.week"].among
    assert among is not None
    assert {day.day for day in among} == ends
