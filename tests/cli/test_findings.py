"""Findings on the command line: what `create` says, what a risk stops, what can be read later."""

from __future__ import annotations

from e2e.sandboxes import Sandbox

DAY = ("--bizdate", "2026-01-05")
RISKY = ("--task", "mid", "--task", "load", *DAY, "--time-range", "03:00-04:00")  # isolates ops.load
WARNED = ("--task", "hours", "--task", "load", *DAY)  # ops.mid is a dry run between them


def test_a_plan_says_what_to_do_about_a_finding(project: Sandbox) -> None:
    """VER-2: once for findings of one kind, in a line of its own."""
    lines = project.call("backfill", "plan", *RISKY).stdout.splitlines()
    risk = next(i for i, line in enumerate(lines) if line.startswith("risk isolated: ops.load"))
    assert lines[risk + 1].startswith("  Widen --time-range")
    assert "  scheduled on 2026-01-06, 1 a bizdate" in lines


def test_creating_without_a_preview_prints_warnings(project: Sandbox) -> None:
    """VER-2: on stderr, so that the row on stdout stays clean."""
    made = project.call("backfill", "create", *WARNED, "--yes")
    assert "warning dry_run: ops.mid is a dry run" in made.stderr
    assert "dry_run" not in made.stdout
    as_json = project.call("backfill", "create", *WARNED, "--yes", "--output", "json")
    assert "dry_run" not in as_json.stderr
    assert [finding["code"] for finding in as_json.json["findings"]] == ["dry_run", "same_partition"]


def test_a_risk_stops_the_backfill_and_loses_nothing(project: Sandbox) -> None:
    """VER-2: check status failed, no instances; the findings can be read later."""
    made = project.call("backfill", "create", *RISKY, "--yes", "--output", "json", status=3)
    row = made.json
    assert (row["check_status"], row["status"]) == ("failed", "stopped")
    assert project.json("instance", "list", "--backfill", row["id"]) == []
    kept = project.json("backfill", "analysis", row["id"])
    assert kept["findings"] == row["findings"]
    assert kept["findings"][0]["hint"].startswith("Widen --time-range")
    assert [found["id"] for found in project.json("backfill", "list", "--task", "load")] == [row["id"]]
    assert kept["findings"][0]["code"] == "isolated"
    assert "Widen --time-range" in project.call("backfill", "analysis", row["id"]).stdout
    for operation in ("resume", "rerun"):
        refused = project.call("backfill", operation, row["id"], status=6)
        assert f"create --reuse {row['id']} --allow-risks" in refused.stderr
    again = project.create("--reuse", row["id"], "--allow-risks", *DAY, "--time-range", "03:00-04:00")
    assert (again["check_status"], again["instance_count"]) == ("passed", 1)
    why = project.call("instance", "why", project.instances("--backfill", again["id"])["load 05 03:00"]["id"])
    assert "isolated" in why.stdout or "can never run" in why.stdout
