"""Validity periods that leave a task without its upstream."""

from __future__ import annotations

from datetime import date
from random import Random

from domain.catalogs import make_catalog, make_task, previous
from retrofill.domain.catalog.validity import gaps

DAILY = "0 2 * * *"
JANUARY = [date(2026, 1, day) for day in range(1, 32)]


def told(*tasks: object) -> list[tuple[str, str, str]]:
    return [
        (gap.task, gap.upstream, "never meet" if gap.never_meet else gap.dates)
        for gap in gaps(make_catalog(*tasks))  # type: ignore[arg-type]
    ]


def test_an_upstream_task_that_begins_later_or_ends_earlier() -> None:
    """DEP-11, TIME-4: on both sides, with the dates of T."""
    above = make_task("w.a", DAILY, valid_from=date(2026, 1, 5), valid_until=date(2026, 1, 9))
    assert told(above, make_task("w.b", DAILY, "w.a")) == [
        ("w.b", "w.a", "up to 2026-01-04"),
        ("w.b", "w.a", "from 2026-01-10 on"),
    ]
    within = make_task("w.b", DAILY, "w.a", valid_from=date(2026, 1, 4), valid_until=date(2026, 1, 9))
    assert told(above, within) == [("w.b", "w.a", "on 2026-01-04")]
    assert told(above, make_task("w.b", DAILY, previous("w.a"))) == []


def test_periods_that_never_meet() -> None:
    """DEP-11: told once."""
    above = make_task("w.a", DAILY, valid_until=date(2026, 1, 3))
    below = make_task("w.b", DAILY, "w.a", valid_from=date(2026, 1, 4))
    assert told(above, below) == [("w.b", "w.a", "never meet")]


def test_a_task_that_takes_over_from_another_leaves_no_gap() -> None:
    """DEP-11: the old one up to the third, the new one from the fourth or the sixth on."""
    old = make_task("w.old", DAILY, valid_until=date(2026, 1, 3))
    below = make_task("w.b", DAILY, "w.old", "w.new")
    assert told(old, make_task("w.new", DAILY, valid_from=date(2026, 1, 4)), below) == []
    late = told(old, make_task("w.new", DAILY, valid_from=date(2026, 1, 6)), below)
    assert late == [
        ("w.b", "w.old", "from 2026-01-04 to 2026-01-05"),
        ("w.b", "w.new", "from 2026-01-04 to 2026-01-05"),
    ]


def test_gaps_agree_with_looking_at_every_date() -> None:
    """DEP-11: a date is in a gap when the task is valid, and no upstream task that has a period is."""
    for seed in range(200):
        chance = Random(seed)
        tasks = [make_task(f"w.a{i}", DAILY, **_period(chance)) for i in range(chance.randint(1, 3))]
        below = make_task("w.b", DAILY, *(task.name for task in tasks), **_period(chance))
        catalog = make_catalog(*tasks, below)
        limited = [task for task in tasks if task.valid_from or task.valid_until]
        expected = {d for d in JANUARY if below.is_valid_on(d) and limited}
        expected -= {d for d in JANUARY for task in limited if task.is_valid_on(d)}
        found = {
            d
            for gap in gaps(catalog)
            if not gap.never_meet
            for d in JANUARY
            if (gap.first or date.min) <= d <= (gap.last or date.max)
        }
        if not any(gap.never_meet for gap in gaps(catalog)):
            assert found == expected, seed


def _period(chance: Random) -> dict[str, date]:
    first, last = sorted(chance.sample(JANUARY, 2))
    return chance.choice(
        [{}, {"valid_from": first}, {"valid_until": last}, {"valid_from": first, "valid_until": last}]
    )
