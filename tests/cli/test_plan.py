"""`backfill plan`: what is chosen, how it is dealt, what is found; the promised JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox

DAY = ("--bizdate", "2026-01-05")
CHAIN = ["ops.hours", "ops.load", "ops.mid", "ops.raw"]


def plan(project: Sandbox, *args: str, **env: str) -> dict:
    return project.json("backfill", "plan", *args, **env)


def tasks(project: Sandbox, *args: str) -> list[str]:
    """Names of what takes part; dry runs with their reason."""
    return [
        t["task"] + (f" {t['dry_run']}" if t["dry_run"] else "") for t in plan(project, *args, *DAY)["tasks"]
    ]


def lines(project: Sandbox, *args: str, **env: str) -> list[dict]:
    return project.call("backfill", "plan", *args, "--instances", "--output", "jsonl", **env).jsonl


def test_the_document(project: Sandbox) -> None:
    """VER-1, POL-4: names are promises; counts include dry runs, groups are in running order."""
    found = plan(
        project, "--task", "ops.raw", "--task", "load", "--bizdate", "2026-01-05..2026-01-07", "--groups", "2"
    )
    assert [(t["task"], t["instances"], t["dry_run"], t["runs"], t["dry_runs"]) for t in found["tasks"]] == [
        ("ops.hours", 12, "intermediate", 0, 12),
        ("ops.load", 3, None, 3, 0),
        ("ops.mid", 3, "intermediate", 0, 3),
        ("ops.raw", 3, None, 3, 0),
    ]
    assert found["kinds"] == {"runs": 6, "dry_runs": 15, "off_days": 0, "virtual": 0, "frozen": 0}
    assert found["runs_by_bizdate"] == dict.fromkeys(found["by_bizdate"], 2)
    assert (found["task_count"], found["instance_count"]) == (4, 21)
    assert found["by_bizdate"] == {"2026-01-05": 7, "2026-01-06": 7, "2026-01-07": 7}
    assert found["groups"] == [["2026-01-05", "2026-01-06"], ["2026-01-07"]]
    assert found["dry_runs"] == {"intermediate": ["ops.hours", "ops.mid"]}
    codes = [(finding["level"], finding["code"], finding["tasks"]) for finding in found["findings"]]
    assert codes == [
        ("warning", "across_groups", ["ops.load"]),
        ("warning", "dry_run", ["ops.hours", "ops.load"]),
        ("warning", "dry_run", ["ops.mid", "ops.load"]),
    ]
    keys = {"level", "code", "message", "tasks", "hint", "steps"}
    assert all(set(finding) == keys for finding in found["findings"])


def test_one_line_an_instance(project: Sandbox) -> None:
    """VER-4: exactly the promised fields, in an order in which they may run."""
    args = ("--task", "mid", "--task", "load", "--bizdate", "2026-01-05..2026-01-06")
    found = lines(project, *args, RETROFILL_NOW="2026-01-07T12:00:00-05:00")
    assert [(line["task"], line["bizdate"]) for line in found] == [
        ("ops.mid", "2026-01-05"), ("ops.load", "2026-01-05"), ("ops.mid", "2026-01-06"), ("ops.load", "2026-01-06"),
    ]  # fmt: skip
    assert found[3] == {
        "task": "ops.load",
        "bizdate": "2026-01-06",
        "scheduled_at": "2026-01-07T03:00:00",
        "kind": "run",
        "reason": None,
        "group": 1,
        "priority": 7,
        "resource_group": "default",
        "parameters": {"day": "20260106", "at": "202601070300"},
        "waits_for": [["ops.load", "2026-01-06T03:00:00"], ["ops.mid", "2026-01-07T02:00:00"]],
        "isolated_from": [],
    }
    assert found[1]["priority"] == 3, "POL-12: older than yesterday"


def test_the_clock_can_be_given(project: Sandbox) -> None:
    """POL-12: RETROFILL_NOW replaces the clock; judged in the workspace's time zone."""
    args = ("--task", "load", "--bizdate", "2026-01-06")
    assert lines(project, *args, RETROFILL_NOW="2026-01-08T04:59:59Z")[0]["priority"] == 7
    assert lines(project, *args, RETROFILL_NOW="2026-01-08T05:00:00Z")[0]["priority"] == 3
    ahead = plan(project, *args, RETROFILL_NOW="2026-01-01T00:00:00Z")["findings"]
    assert [finding["code"] for finding in ahead] == ["future"]


def test_text_and_a_json_array(project: Sandbox) -> None:
    """CAT-1: people get tables, programs get JSON."""
    text = project.call("backfill", "plan", "--task", "ops.raw", "--descendants", "all", *DAY).stdout
    assert text.splitlines()[0] == "6 tasks, 1 bizdate in 1 group, 9 instances: 8 really run, 1 off day"
    assert "ops.hours" in text
    assert "w" not in project.call("backfill", "plan", "--task", "bi.raw", *DAY).stderr
    array = project.json("backfill", "plan", "--task", "bi.raw", *DAY, "--instances")
    assert [line["task"] for line in array] == ["bi.raw"]
    printed = project.call("backfill", "plan", "--task", "mid", "--task", "load", *DAY, "--instances").stdout
    assert "ops.load  run  group 1  waits for ops.mid 2026-01-06T02:00:00" in printed


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (["--task", "mid"], ["ops.mid"]),
        (["--task", "ops.raw", "--descendants", "1"], ["ops.hours", "ops.raw"]),
        (["--task", "ops.raw", "--descendants", "3"], CHAIN),
        (["--task", "ops.raw", "--descendants", "all"], ["bi.report", *CHAIN, "ops.weekly"]),
        (["--task", "ops.raw", "--only", "mid"], ["ops.hours intermediate", "ops.mid", "ops.raw"]),
        (["--task", "ops.raw", "--descendants", "3", "--exclude", "mid"],
         ["ops.hours", "ops.load", "ops.mid intermediate", "ops.raw"]),
        (["--task", "ops.raw", "--task", "load", "--task", "mid", "--exclude", "mid"],
         ["ops.hours intermediate", "ops.load", "ops.mid blacklisted", "ops.raw"]),
        (["--task", "ops.raw", "--task", "mid", "--exclude", "mid"], ["ops.raw"]),
        (["--where", "cycle=hour"], ["ops.hours"]),
        (["--where", "owner=carol", "--where", "owner=alice"], ["ops.hours", "ops.raw"]),
        (["--where", "owner=carol", "--where", "cycle=hour"], None),
        (["--where", "type=sql"], ["ops.load"]),
        (["--where", "tag=nightly"], ["ops.raw"]),
        (["--where", "baseline=morning", "--task", "bi.raw"], ["bi.raw", "ops.load"]),
        (["--from", "ops.raw", "--to", "load"], CHAIN),
        (["--from", "ops.raw", "--to", "weekly", "--to", "report"], ["bi.report", *CHAIN, "ops.weekly"]),
        (["--from", "ops.raw", "--to", "load", "--exclude", "mid"], ["ops.hours", "ops.load", "ops.mid blacklisted", "ops.raw"]),
        (["--root", "mid", "--workspace", "bi"], ["bi.report", "ops.load intermediate", "ops.mid"]),
        (["--root", "mid", "--workspace", "bi", "--no-root"], ["bi.report"]),
        (["--root", "mid", "--workspace", "bi", "--workspace", "ops", "--exclude", "weekly"],
         ["bi.report", "ops.load", "ops.mid"]),
        (["--root", "mid", "--workspace", "bi", "--include", "weekly", "--no-root"], ["bi.report", "ops.weekly"]),
        (["--all-descendants", "load"], ["bi.report", "ops.load", "ops.weekly"]),
        (["--all-descendants", "bi.raw"], ["bi.raw"]),
        (["--all-descendants", "mid", "--exclude", "load"], ["bi.report", "ops.load blacklisted", "ops.mid", "ops.weekly"]),
    ],
)  # fmt: skip
def test_ways_to_choose(project: Sandbox, args: list[str], found: list[str] | None) -> None:
    """SEL-1, SEL-2, SEL-3, SEL-4, SEL-6: roots, levels, conditions, links, workspaces, all descendants."""
    if found is None:
        assert "no task fits" in project.call("backfill", "plan", *args, *DAY, status=2).stderr
    else:
        assert tasks(project, *args) == found


def test_a_workspace_without_descendants_is_told(project: Sandbox) -> None:
    """SEL-3."""
    sunday = ("--bizdate", "2026-01-03")
    found = plan(project, "--root", "weekly", "--workspace", "bi", *sunday)["findings"]
    assert [finding["code"] for finding in found] == ["empty_workspace"]


def test_tasks_by_id(project: Sandbox) -> None:
    """CAT-3, SEL-5: ids of the deployed version."""
    project.call("deploy")
    ids = {row["task"]: str(row["id"]) for row in project.json("task", "list")}
    assert tasks(project, "--from", ids["ops.raw"], "--to", ids["ops.load"]) == CHAIN


@pytest.mark.parametrize(
    ("args", "groups"),
    [
        (["--bizdate", "2026-01-07", "--bizdate", "2026-01-05..2026-01-06"], [["05", "06", "07"]]),
        (
            ["--bizdate", "2026-01-05..2026-01-07", "--bizdate", "2026-01-06..2026-01-08"],
            [["05", "06", "07", "08"]],
        ),
        (["--bizdate", "2026-01-11..2026-01-13", "--groups", "2"], [["11", "12"], ["13"]]),
        (["--bizdate", "2026-01-11..2026-01-13", "--groups", "2", "--order", "desc"], [["13", "12"], ["11"]]),
        (["--bizdate", "2026-01-11..2026-01-13", "--groups", "10"], [["11"], ["12"], ["13"]]),
        (["--bizdate", "2026-01-05", "--bizdate", "2026-01-09", "--groups", "2"], [["05"], ["09"]]),
    ],
)
def test_dates_and_groups(project: Sandbox, args: list[str], groups: list[list[str]]) -> None:
    """POL-1, POL-4, POL-5: merged ranges, contiguous blocks, larger ones first."""
    found = plan(project, "--task", "mid", *args)["groups"]
    assert [[day[-2:] for day in group] for group in found] == groups


def test_time_range(project: Sandbox) -> None:
    """POL-3: closed at both ends."""
    found = lines(project, "--task", "hours", *DAY, "--time-range", "06:00-12:00")
    assert [line["scheduled_at"][11:16] for line in found] == ["06:00", "12:00"]


def test_nothing_that_runs_is_an_error(project: Sandbox) -> None:
    """SEL-6: off days and virtual tasks alone; with the bizdate that is meant."""
    refused = project.call("backfill", "create", "--task", "weekly", *DAY, "--yes", status=2)
    assert "nothing is left to run" in refused.stderr
    assert "the nearest bizdate with a run is 2026-01-03" in refused.stderr
    text = project.call("backfill", "plan", "--task", "load", "--task", "weekly", *DAY).stdout
    assert "1 really runs, 1 off day" in text
    assert "warning nothing_runs" in text


def test_strict(project: Sandbox) -> None:
    """VER-2: exits as `create` would, and prints the same."""
    risky = ("--task", "load", "--bizdate", "2026-01-05..2026-01-06", "--order", "desc")
    usual = project.call("backfill", "plan", *risky)
    assert project.call("backfill", "plan", *risky, "--strict", status=3).stdout == usual.stdout
    project.call("backfill", "plan", *risky, "--strict", "--instances", "--output", "jsonl", status=3)
    project.call("backfill", "plan", *risky, "--strict", "--allow-risks")
    project.call("backfill", "plan", "--task", "load", *DAY, "--strict")


def test_kinds(project: Sandbox) -> None:
    """SEL-8, TIME-2, TIME-3: off days and virtual tasks are lines too."""
    chosen = ("--task", "ops.raw", "--task", "weekly", "--task", "lonely")
    found = {line["task"]: line for line in lines(project, *chosen, *DAY)}
    assert (found["ops.weekly"]["kind"], found["ops.weekly"]["reason"]) == ("off_day", None)
    assert found["ops.lonely"]["kind"] == "off_day"
    *_, first = (
        line for line in lines(project, *chosen, "--bizdate", "2026-01-31") if line["task"] == "ops.lonely"
    )
    assert (first["kind"], first["scheduled_at"]) == ("virtual", "2026-02-01T00:00:00")


def test_a_resource_group_for_all(project: Sandbox) -> None:
    """POL-10: a task whose workspace it is not bound to keeps its own, and verification says so."""
    args = ("--task", "bi.raw", "--task", "ops.raw", *DAY, "--resource-group", "night")
    assert {line["task"]: line["resource_group"] for line in lines(project, *args)} == {
        "bi.raw": "default",
        "ops.raw": "night",
    }
    (finding,) = plan(project, *args)["findings"]
    assert (finding["level"], finding["code"], finding["tasks"]) == (
        "info",
        "resource_group_fallback",
        ["bi.raw"],
    )


def test_overrides(project: Sandbox) -> None:
    """PAR-5: an expression like any other; others keep theirs; $jobid stays as written."""
    (line,) = lines(project, "--task", "ops.raw", *DAY, "--set", "ops.raw.source=$[yyyy]-$jobid")
    assert line["parameters"] == {"day": "2026-01-05", "source": "2026-$jobid"}


def test_risks_are_found_and_planning_exits_0(project: Sandbox) -> None:
    """VER-1, VER-2, DEP-11, DEP-14: isolation and descending order."""
    found = plan(project, "--task", "mid", "--task", "load", "--bizdate", "2026-01-05..2026-01-06", "--order", "desc",
                 "--time-range", "03:00-04:00")  # fmt: skip
    assert [(f["level"], f["code"], f["tasks"]) for f in found["findings"]][:2] == [
        ("risk", "isolated", ["ops.load", "ops.mid"]),
        ("risk", "order_conflict", ["ops.load"]),
    ]
    (line, *_) = lines(project, "--task", "mid", "--task", "load", *DAY, "--time-range", "03:00-04:00")
    assert (line["isolated_from"], line["kind"], line["waits_for"]) == (["ops.mid"], "run", [])


@pytest.mark.beside_store("of a folder that is not deployed")
def test_planning_changes_nothing(project: Sandbox) -> None:
    """VER-4: not even a store is made."""
    plan(project, "--task", "mid", *DAY)
    assert not (project.home / ".retrofill").exists()
    assert project.json("backfill", "list") == []


def test_plan_works_on_the_folder_as_it_is(project: Sandbox) -> None:
    """CAT-2: what is deployed does not matter."""
    project.call("deploy")
    project.write(
        'new: {type: shell, run: "true", schedule: "0 1 * * *"}',
        workspace="late",
        deployment=_deployment(project),
    )
    assert tasks(project, "--task", "late.new") == ["late.new"]
    assert project.create("--task", "late.new", *DAY)["task_count"] == 1


def _deployment(project: Sandbox) -> str:
    return (project.home / "retrofill.yaml").read_text().partition("\n")[2]


@pytest.mark.beside_store("of a folder that is not deployed")
def test_errors_of_the_folder_stop_a_plan(project: Sandbox) -> None:
    """CAT-1, CAT-4: all of them, exit 2."""
    project.write("a: {type: shel, schedule: x}\nb: {}", workspace="late", deployment=_deployment(project))
    result = project.call("backfill", "plan", "--task", "ops.raw", *DAY, status=2)
    assert result.stderr.count("workspaces/late/workspace.yaml:") >= 3
    assert 'did you mean "shell"?' in result.stderr


def test_what_a_start_would_fail_for(tmp_path: Path) -> None:
    """VER-1, SEC-3: known before anything is created, by what is set here."""
    project = Sandbox(tmp_path).write(
        """
a: {type: shell, schedule: "0 1 * * *", run: "true", shell: /no/such/shell, parameters: {pw: "${secret:PW}"}}
"""
    )
    found = plan(project, "--task", "w.a", *DAY)["findings"]
    assert [f["code"] for f in found] == ["unset_secret", "missing_interpreter"]
    assert found[0]["hint"] == "Set RETROFILL_SECRET_PW in the environment of the scheduler."
    environment = {"RETROFILL_SECRET_PW": "x"}
    (one,) = plan(project, "--task", "w.a", *DAY, **environment)["findings"]
    assert one["code"] == "missing_interpreter"
