"""A change by one process takes effect in the scheduler of another (BF-3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from e2e.sandboxes import Sandbox, until

pytestmark = pytest.mark.slow

HELD = """
hold:
  type: shell
  schedule: "0 1 * * *"
  run: echo "$RETROFILL_BIZDATE" >> ../../out; while test ! -e ../../go; do sleep 0.02; done
"""


def closed_now() -> str:
    """A window that is closed for the next hours."""
    now = datetime.now(UTC)
    return f"{now + timedelta(hours=10):%H:%M}-{now + timedelta(hours=12):%H:%M}"


def started(sandbox: Sandbox) -> list[str]:
    return sorted(sandbox.text("out").split())


def test_groups_and_window_of_a_backfill_that_runs(sandbox: Sandbox) -> None:
    """BF-3, POL-6, POL-11: more groups begin at once, a closed window begins nothing, an opened one does."""
    sandbox.write(HELD, "resource_groups: {default: {slots: 9}, other: {slots: 1}}")
    sandbox.create("--task", "hold", "--bizdate", "2026-01-05..2026-01-10")
    sandbox.spawn("scheduler")
    until(lambda: started(sandbox) == ["2026-01-05"], "the first date runs")
    sandbox.run("backfill", "change", 1, "--groups", 3)
    until(lambda: started(sandbox) == ["2026-01-05", "2026-01-08", "2026-01-10"], "three dates run")
    sandbox.run("backfill", "change", 1, "--window", closed_now())
    sandbox.touch("go")
    until(lambda: sandbox.json("backfill", "show", 1)["status"] == "pending", "what ran has ended")
    counts = sandbox.json("backfill", "show", 1)["counts"]
    assert (counts["successful"], counts["not_run"]) == (3, 3)
    sandbox.run("backfill", "change", 1, "--no-window", "--resource-group", "other", "--priority", 7)
    row = sandbox.run("backfill", "wait", 1, "--output", "json").json
    assert row["status"] == "succeeded"
    rows = sandbox.instances("--backfill", 1)
    assert [rows[f"hold {day} 01:00"]["resource_group"] for day in ("05", "08", "10")] == ["default"] * 3
    late = [rows[f"hold {day} 01:00"] for day in ("06", "07", "09")]
    assert {(row["resource_group"], row["priority"]) for row in late} == {("other", 7)}
