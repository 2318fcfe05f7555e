"""Findings that the ledger knows: later dates that were computed from what a backfill rewrites."""

from __future__ import annotations

from datetime import date

import pytest

from domain.catalogs import SELF, make_task
from retrofill.domain.verification.findings import Finding
from retrofill.services.backfills import knowing
from services.worlds import MakeWorld, World

TASKS = (
    make_task("w.load", "0 1 * * *"),
    make_task("w.balance", "0 2 * * *", "w.load", SELF),
    make_task("w.week", "0 3 * * MON", "w.balance"),
    make_task("w.month", "0 4 1 * *", "w.load"),
)
JANUARY = "2026-01-01..2026-01-31"


def later(w: World, *roots: str, dates: str) -> Finding | None:
    found = [f for f in w.plan(*roots, dates=dates).findings if f.code == "later_dates"]
    assert len(found) < 2
    return found[0] if found else None


def ran(world: MakeWorld, dates: str = JANUARY) -> World:
    w = world(*TASKS, now="2026-03-01T12:00")
    assert later(w, "balance", dates="2026-01-05") is None, "nothing is known yet"
    w.create(dates=dates)
    w.finish()
    return w


def test_a_date_in_the_middle_of_a_chain(world: MakeWorld) -> None:
    """VER-1 `later_dates`: all later balances, the weeks upon them, and the month that holds the date."""
    w = ran(world)
    found = later(w, "load", "balance", dates="2026-01-10")
    assert found is not None
    assert found.tasks == ("w.balance", "w.month", "w.week")
    assert "w.balance on 21 bizdates from 2026-01-11 to 2026-01-31" in found.message
    assert "w.month on bizdate 2026-01-31" in found.message
    assert "w.week on 3 bizdates from 2026-01-11 to 2026-01-25" in found.message


def test_what_is_part_of_the_backfill_is_not_told(world: MakeWorld) -> None:
    """VER-1: up to the end, with what is below; or two ranges with a hole."""
    w = ran(world)
    assert later(w, "load", "balance", "week", "month", dates="2026-01-10..2026-01-31") is None
    found = later(
        w, "load", "balance", "week", "month", dates="2026-01-10..2026-01-12 2026-01-20..2026-01-31"
    )
    assert found is not None
    assert "w.balance on 7 bizdates from 2026-01-13 to 2026-01-19" in found.message
    assert "w.week on bizdate 2026-01-18" in found.message
    assert found.tasks == ("w.balance", "w.week")


def test_only_what_has_really_run_is_known(world: MakeWorld) -> None:
    """VER-1, TIME-2: the off days of a week are no data, nor is what failed or has not run."""
    w = world(*TASKS, now="2026-03-01T12:00")
    w.create(dates="2026-01-05..2026-01-07")
    w.finish(fails=lambda name: name.startswith("load 7"))
    found = later(w, "load", "balance", dates="2026-01-05")
    assert found is not None
    assert found.tasks == ("w.balance",)
    assert "w.balance on bizdate 2026-01-06" in found.message


def test_what_is_asked_is_bounded(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """VER-1: however much is there."""
    monkeypatch.setattr(knowing, "MOST_SEEKS", 5)
    found = later(ran(world), "load", "balance", dates="2026-01-10")
    assert found is not None
    assert "at least 5 bizdates from 2026-01-11 to 2026-01-15" in found.message


@pytest.mark.embedded
def test_the_ledger_looks_into_an_index_only(world: MakeWorld) -> None:
    """VER-1: one step in the index a date, whatever the number of its slots."""
    w = world(make_task("w.h", "0 * * * *", SELF), now="2026-03-01T12:00")
    w.create(dates="2026-01-01..2026-01-03")
    w.finish()
    with w.store.read() as reader:
        task_id = reader.task_ids()["w.h"]
        with w.connections.steps(w.connections.reader) as steps:
            found = reader.done_bizdates(task_id, "2026-01-01", None, 400)
        assert reader.done_bizdates(task_id, "2026-01-02", "2026-01-02", 400) == ["2026-01-02"]
        assert reader.done_bizdates(task_id, "2026-01-01", None, 2) == found[:2]
    assert [date.fromisoformat(day).day for day in found] == [1, 2, 3]
    assert len(steps) < 70 * len(found), "steps of SQLite's machine; 24 instances a date"
