"""Limits as settings: one below, at, and above; ranges that overlap; selections that are used again."""

from __future__ import annotations

import pytest

from e2e.sandboxes import Sandbox

PLAN = ("backfill", "plan")
DAY = ("--bizdate", "2026-01-05")
ALL = ("--task", "ops.raw", "--descendants", "all")  # six tasks, hours with four slots: nine instances
TWO = ("--task", "ops.raw", "--task", "ops.lonely")


@pytest.mark.parametrize(
    ("setting", "count", "args", "sentence"),
    [
        (
            "MAX_ROOTS",
            2,
            (*TWO, *DAY),
            "2 root tasks are more than the 1 that can be chosen (setting max_roots)",
        ),
        ("MAX_TASKS", 6, (*ALL, *DAY), "6 tasks are more than the 5 that can be chosen (setting max_tasks)"),
        (
            "MAX_WORKSPACE_TASKS",
            5,
            ("--root", "ops.raw", "--workspace", "ops", *DAY),
            "5 tasks are more than the 4 that can be chosen (setting max_workspace_tasks)",
        ),
        (
            "MAX_BIZDATES",
            3,
            ("--task", "ops.raw", "--bizdate", "2026-01-05..2026-01-07"),
            "3 bizdates are more than the 2 that a backfill may have",
        ),
        ("MAX_INSTANCES", 9, (*ALL, *DAY), "9 instances (6 tasks, 1 bizdate) are more than the 8"),
    ],
)
@pytest.mark.beside_store("settings of the environment")
def test_one_below_at_and_above(
    project: Sandbox, setting: str, count: int, args: tuple[str, ...], sentence: str
) -> None:
    """SEL-1, SEL-3, POL-1, POL-13: a limit includes its number; beyond it the counts are told, exit 2."""
    for limit in (count + 1, count):
        project.call(*PLAN, *args, **{f"RETROFILL_{setting}": str(limit)})
    refused = project.call(*PLAN, *args, status=2, **{f"RETROFILL_{setting}": str(count - 1)})
    assert sentence in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        (["2026-01-05..2026-01-08", "2026-01-07..2026-01-10"], "merged: 2026-01-05..2026-01-10."),
        (["2026-01-05", "2026-01-05"], "merged: 2026-01-05."),
        (["2026-01-05..2026-01-06", "2026-01-07"], None),
        (["2026-01-05", "2026-01-09"], None),
    ],
)
def test_overlapping_ranges_are_merged_and_said(
    project: Sandbox, ranges: list[str], said: str | None
) -> None:
    """POL-1: every date once; ranges that only touch are nothing to speak of."""
    args = [word for text in ranges for word in ("--bizdate", text)]
    result = project.call(*PLAN, "--task", "ops.raw", *args, "--output", "json")
    dates = [date for group in result.json["groups"] for date in group]
    assert len(dates) == len(set(dates))
    assert ("merged" in result.stderr) == (said is not None)
    assert said is None or said in result.stderr


def test_a_refused_backfill_can_be_reused(filled: Sandbox) -> None:
    """SEL-9: whatever became of it; dates and policy are free to change."""
    plan = filled.json(*PLAN, "--reuse", 3, "--bizdate", "2026-02-01..2026-02-02")
    assert [row["task"] for row in plan["tasks"]] == ["ops.load", "ops.mid"]
    assert plan["groups"] == [["2026-02-01", "2026-02-02"]]


@pytest.mark.parametrize(
    "args",
    [
        ["--task", "ops.mid", "--only", "ops.load", "--only", "ops.weekly"],
        ["--from", "ops.mid", "--to", "ops.load", "--to", "ops.weekly"],
        ["--root", "ops.raw", "--workspace", "ops", "--include", "ops.weekly", "--exclude", "ops.load"],
        ["--all-descendants", "ops.load", "--exclude", "ops.weekly"],
    ],
)
def test_reusing_what_names_tasks_that_are_gone(project: Sandbox, args: list[str]) -> None:
    """SEL-9: exit 5, naming all of them, in every way of choosing."""
    row = project.create(*args, *DAY)
    ops = project.home / "workspaces" / "ops" / "workspace.yaml"
    text = ops.read_text().replace("  load:", "  loads:").replace("  weekly:", "  weekend:")
    ops.write_text(text.replace("depends_on: [load]", "depends_on: [loads]"))
    bi = project.home / "workspaces" / "bi" / "workspace.yaml"
    bi.write_text(bi.read_text().replace("ops.load", "ops.loads"))
    refused = project.call(*PLAN, "--reuse", row["id"], *DAY, status=5)
    assert (
        f"backfill {row['id']} chose what does not exist any more: tasks ops.load, ops.weekly"
        in refused.stderr
    )


def test_conditions_go_with_the_other_options(project: Sandbox) -> None:
    """SEL-1: matched tasks are roots like others."""
    plan = project.json(*PLAN, "--where", "owner=alice", "--descendants", "1", "--exclude", "ops.mid", *DAY)
    assert [row["task"] for row in plan["tasks"]] == ["ops.hours"]
    plan = project.json(*PLAN, "--where", "cycle=hour", "--only", "ops.load", *DAY)
    assert [(row["task"], row["dry_run"]) for row in plan["tasks"]] == [
        ("ops.hours", None),
        ("ops.load", None),
        ("ops.mid", "intermediate"),
    ]


@pytest.mark.parametrize("value", ['it\'s "quoted"', "$$(touch hacked)", "a\nb", "`id`; rm -rf /"])
def test_values_of_parameters_are_text(project: Sandbox, value: str) -> None:
    """PAR-5: quotes, line breaks and shell text reach the plan as they are ($$ is a dollar)."""
    args = (
        *PLAN,
        "--task",
        "ops.raw",
        *DAY,
        "--set",
        f"ops.raw.source={value}",
        "--instances",
        "--output",
        "jsonl",
    )
    [line] = project.call(*args).jsonl
    assert line["parameters"]["source"] == value.replace("$$", "$")
    assert not (project.home / "hacked").exists()
