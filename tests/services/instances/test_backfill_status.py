"""A backfill's status, the first that fits (BF-5), and its row."""

from __future__ import annotations

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import RunMode
from retrofill.domain.time.windows import parse_time_range
from retrofill.services.reading.documents import BackfillRow
from services.worlds import MakeWorld, World

ZERO = dict.fromkeys(
    ["not_run", "waiting_time", "waiting_resources", "running", "successful", "failed", "frozen"], 0
)


def status(w: World, backfill: int) -> tuple[str, list[str], bool]:
    row = w.row(backfill)
    return row["status"], row["blocked_by"], row["ended_at"] is not None


def test_through_a_life(world: MakeWorld) -> None:
    """BF-5: waiting for resources, running, paused, stopped, pending, failed, succeeded."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    backfill = w.create()
    assert status(w, backfill) == ("waiting_resources", [], False)
    w.backfills.pause(backfill)
    assert status(w, backfill) == ("paused", [], False)
    w.backfills.resume(backfill)
    w.tick()
    assert status(w, backfill) == ("running", [], False)
    w.backfills.pause(backfill)
    assert status(w, backfill) == ("running", [], False), "what runs counts first"
    w.end("a 5 01:00")
    assert status(w, backfill) == ("paused", [], False)
    w.backfills.stop(backfill)
    assert status(w, backfill) == ("stopped", [], True)
    w.backfills.resume(backfill)
    assert status(w, backfill) == ("waiting_resources", [], False), "a resume takes back both"
    w.tick()
    w.end("b 5 02:00", exit_code=1)
    assert status(w, backfill) == ("failed", ["failed"], True)
    w.do("set_successful", "b 5 02:00")
    assert status(w, backfill) == ("succeeded", [], True)


def test_a_frozen_task_blocks(world: MakeWorld) -> None:
    """CAT-8, BF-5: blocked by frozen, not ended by itself."""
    w = world(make_task("w.a", "0 1 * * *", mode=RunMode.PAUSED), make_task("w.b", "0 2 * * *", "w.a"))
    backfill = w.create()
    w.finish()
    assert status(w, backfill) == ("failed", ["frozen"], True)
    assert w.row(backfill)["counts"] == ZERO | {"not_run": 1, "frozen": 1}
    w.do("unfreeze", "a 5 01:00")
    assert status(w, backfill) == ("waiting_resources", [], False)
    w.finish()
    assert status(w, backfill) == ("succeeded", [], True)


def test_a_risk_is_stored_without_instances(world: MakeWorld) -> None:
    """VER-2: check status Failed, status Stopped, nothing runs, the findings stay readable."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a"))
    backfill = w.create(time_range=parse_time_range("02:00-03:00"))
    row = w.row(backfill)
    assert (row["check_status"], row["status"]) == ("failed", "stopped")
    assert row["ended_at"] is not None
    assert w.rows() == {}
    assert row["counts"] == ZERO
    assert row["bizdates"] == ["2026-01-05"]
    w.tick()
    assert w.executor.started == []


def test_the_row_has_the_promised_fields(world: MakeWorld) -> None:
    """BF-2: names are promises."""
    w = world(make_task("w.a", "0 1 * * *"))
    row: BackfillRow = w.row(w.create(dates="2026-01-05..2026-01-06"))
    assert list(row) == [
        "id", "name", "check_status", "status", "blocked_by", "held", "paused_by", "failures", "task_count",
        "instance_count", "run_count", "counts", "bizdates", "version", "created_by", "created_at", "started_at", "ended_at",
        "took_seconds",
        "estimated_end_at", "first_estimate", "alerts",
    ]  # fmt: skip
    assert row["counts"] == ZERO | {"not_run": 1, "waiting_resources": 1}
    assert row["name"] == "w.a_20260302_120000"
