"""Wrong options, wrong values, unknown names: a clear sentence, the right exit status, nothing done."""

from __future__ import annotations

import os

import pytest

from cli.projects import DEPLOYMENT
from e2e.sandboxes import Sandbox

RAW = ["--task", "ops.raw"]
DAY = ["--bizdate", "2026-01-05"]


def refused(project: Sandbox, args: list[str], status: int, *parts: str) -> str:
    """The command's complaint: one sentence that holds the parts, a hint at most, nothing on stdout."""
    result = project.call(*args, status=status)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("error: ")
    for part in parts:
        assert part in result.stderr, result.stderr
    assert not (project.home / ".retrofill").exists() or project.json("backfill", "list") == []
    return result.stderr


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("2026-02-30", "2026-02-30 is not a calendar date (February 2026 has 28 days)"),
        ("2023-02-29", "February 2023 has 28 days"),
        ("2100-02-29", "February 2100 has 28 days"),
        ("2026-13-01", "months are 01 to 12"),
        ("2026-05-10..2026-05-01", "runs backwards"),
        ("01/02/2026", "YYYY-MM-DD"),
        ("20260101", "YYYY-MM-DD"),
        ("2026-1-1", "YYYY-MM-DD"),
        ("２０２６-01-01", "YYYY-MM-DD"),
        ("٢٠٢٦-٠١-٠١", "YYYY-MM-DD"),
        ("2026-01-01 ", "YYYY-MM-DD"),
        ("2026-01-01..", "YYYY-MM-DD"),
        ("..2026-01-01", "YYYY-MM-DD"),
        ("2026-01-01...2026-01-02", "YYYY-MM-DD"),
        ("", "YYYY-MM-DD"),
        ("-1", "YYYY-MM-DD"),
        ("someday", "YYYY-MM-DD"),
        ("0000-01-01", "between 1970-01-01 and 2199-12-31"),
        ("1969-12-31", "between 1970-01-01 and 2199-12-31"),
        ("9999-12-31", "between 1970-01-01 and 2199-12-31"),
        ("2199-12-31..2200-01-01", "between 1970-01-01 and 2199-12-31"),
    ],
)
def test_bizdates(project: Sandbox, text: str, part: str) -> None:
    """POL-1, POL-13: one form, calendar dates, in order, within bounds."""
    refused(project, ["backfill", "plan", *RAW, f"--bizdate={text}"], 2, part)
    refused(project, ["backfill", "create", "--yes", *RAW, f"--bizdate={text}"], 2, part)


@pytest.mark.parametrize("text", ["0", "11", "-3", "2.5", "1e1", "", "two", "٢", "99999999999999999999"])
def test_groups(project: Sandbox, text: str) -> None:
    """POL-4: 1 to 10."""
    refused(project, ["backfill", "plan", *RAW, *DAY, f"--groups={text}"], 2, "groups", "10")


@pytest.mark.parametrize(
    ("option", "text", "part"),
    [
        ("time-range", "25:00-26:00", "25:00"),
        ("time-range", "10:00-09:00", "runs backwards"),
        ("time-range", "10:00", "HH:MM-HH:MM"),
        ("time-range", "1:00-2:00", "HH:MM-HH:MM"),
        ("time-range", "10:60-11:00", "10:60"),
        ("window", "10:00-10:00", "empty"),
        ("window", "22-6", "HH:MM-HH:MM"),
        ("window", "24:00-01:00", "24:00"),
        ("order", "up", "asc, desc"),
        ("order", "ASC", "asc"),
        ("barrier", "dates", 'did you mean "date"?'),
        ("across-groups", "maybe", "wait, ignore"),
        ("alert", "never", "success, failure, either"),
        ("alert-by", "email", "--alert-by goes with --alert"),
        ("descendants", "0", "level"),
        ("descendants", "-1", "level"),
        ("descendants", "some", "all"),
        ("name", "", "1 to 128"),
        ("name", "x" * 129, "129"),
        ("name", "a\x1b[2Jb", "characters that cannot be shown"),
        ("set", "x", "TASK.PARAMETER=VALUE"),
        ("set", "=x", "TASK.PARAMETER=VALUE"),
        ("set", "ops.raw.day", "TASK.PARAMETER=VALUE"),
        ("set", "ops.raw.days=1", 'did you mean "day"?'),
        ("set", "ops.raw.LD_PRELOAD=/x.so", "LD_PRELOAD"),
        ("set", "ops.raw.a b=1", "a b"),
        ("set", "ops.raw.day=${", "${"),
        ("set", "ops.raw.day=$bizdat", "bizdat"),
        ("set", "ops.load.day=1", "ops.load"),
        ("where", "cycle", "KEY=VALUE"),
        ("where", "cycles=day", 'did you mean "cycle"?'),
        ("where", "cycle=dayly", 'did you mean "day"'),
    ],
)
def test_values_of_policy_and_choice(project: Sandbox, option: str, text: str, part: str) -> None:
    """POL-3, POL-5, POL-6, POL-9, POL-10, POL-11, PAR-5, SEL-0, SEL-1, DEP-13: each names what is allowed."""
    refused(project, ["backfill", "create", "--yes", *RAW, *DAY, f"--{option}={text}"], 2, part)


def test_a_parameter_set_twice(project: Sandbox) -> None:
    """PAR-5."""
    twice = ["--set", "ops.raw.day=1", "--set", "ops.raw.day=2"]
    refused(project, ["backfill", "plan", *RAW, *DAY, *twice], 2, "ops.raw.day is given twice")


def test_a_line_break_for_sql(project: Sandbox) -> None:
    """PAR-5: SQL tasks take none."""
    refused(project, ["backfill", "plan", "--task", "load", *DAY, "--set", "load.day=a\nb"], 2, "line break")


def test_shell_text_in_a_value_is_text(project: Sandbox) -> None:
    """PAR-4, PAR-5: it is data, from the option to the plan."""
    (line,) = project.call(
        "backfill",
        "plan",
        *RAW,
        *DAY,
        "--set",
        "ops.raw.source=`id` ; rm -rf ~",
        "--instances",
        "--output",
        "jsonl",
    ).jsonl
    assert line["parameters"]["source"] == "`id` ; rm -rf ~"
    refused(project, ["backfill", "plan", *RAW, *DAY, "--set", "ops.raw.source=$(rm -rf ~)"], 2, "$")


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ([], ["no tasks are chosen"]),
        (["--task", "raw"], ["several tasks", "bi.raw", "ops.raw"]),
        (["--from", "ops.raw"], ["--to is missing"]),
        (["--to", "ops.raw"], ["--from is missing"]),
        (["--from", "ops.load", "--to", "ops.raw"], ["ops.raw does not depend on ops.load"]),
        (["--from", "ops.raw", "--to", "ops.raw"], ["both"]),
        (["--from", "ops.raw", "--to", "lonely", "--to", "bi.raw"], ["ops.lonely", "bi.raw"]),
        (["--task", "ops.raw", "--from", "ops.raw", "--to", "load"], ["do not go together"]),
        (["--from", "ops.raw", "--to", "load", "--descendants", "all"], ["--descendants goes with --task"]),
        (["--task", "ops.raw", "--workspace", "ops"], ["--workspace goes with --root"]),
        (["--task", "ops.raw", "--include", "mid"], ["--include goes with --root"]),
        (["--task", "ops.raw", "--no-root"], ["--no-root goes with --root"]),
        (["--root", "ops.raw"], ["no workspace is chosen"]),
        (["--all-descendants", "ops.raw", "--only", "mid"], ["--only goes with --task"]),
        (["--task", "ops.raw", "--exclude", "ops.raw"], ["nothing is left to run"]),
        (["--task", "ops.raw", "--exclude", "lonely"], ["lonely", "not chosen"]),
        (["--task", "mid", "--only", "ops.raw"], ["ops.raw", "no descendant"]),
        (["--task", "ops.raw", "--weekends"], ["--weekends goes with --window"]),
    ],
)
def test_choices_that_cannot_be(project: Sandbox, args: list[str], parts: list[str]) -> None:
    """SEL-1, SEL-2, SEL-3, SEL-4, SEL-6: refused, naming each task."""
    refused(project, ["backfill", "plan", *args, *DAY], 2, *parts)


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["--task", "ops.rwa"], ['no task "ops.rwa"', 'did you mean "ops.raw"?']),
        (["--task", "wekly"], ['did you mean "weekly"?']),
        (["--task", "99"], ["no task 99"]),
        (["--task", "a\x1b[2Jb\r"], ["a\\x1b[2Jb\\r"]),
        (["--task", "a\u202eb"], ["a\\u202eb"]),
        (["--task", "../../etc/passwd"], ["no task"]),
        (["--task", "ops.raw", "--exclude", "nope"], ["nope"]),
        (["--root", "ops.raw", "--workspace", "opps"], ['did you mean "ops"?']),
        (["--reuse", "7"], ["no backfill 7"]),
        (["--task", "ops.raw", "--resource-group", "nigth"], ['did you mean "night"?']),
    ],
)
def test_unknown_names(project: Sandbox, args: list[str], parts: list[str]) -> None:
    """CAT-3, SEL-5: exit 5, with the nearest name; control characters are shown, not obeyed."""
    project.call("deploy")
    complaint = refused(project, ["backfill", "create", "--yes", *args, *DAY], 5, *parts)
    assert "\x1b" not in complaint
    assert "\u202e" not in complaint


@pytest.mark.parametrize(
    ("condition", "status", "part"),
    [
        ("owner=carl", 5, 'no owner "carl"; did you mean "carol"?'),
        ("resource_group=nigth", 5, 'no resource group "nigth"; did you mean "night"?'),
        ("baseline=morning_report", 5, 'no baseline "morning_report"; did you mean "morning"?'),
        ("tag=nigthly", 5, 'no tag "nigthly"; did you mean "nightly"?'),
        ("workspace=opps", 5, 'no workspace "opps"; did you mean "ops"?'),
        ("cycle=dayly", 2, 'no cycle "dayly"; did you mean "day"?'),
        ("type=sehll", 2, 'no type "sehll"; did you mean "shell"?'),
        ("owner=a\x1b[2J", 5, "a\\x1b[2J"),
        ("resource_group=night", 2, "no task fits resource_group=night"),
    ],
)
def test_conditions_on_what_does_not_exist(project: Sandbox, condition: str, status: int, part: str) -> None:
    """SEL-1: a value that nothing has is a mistake, told from one that merely chooses no task."""
    refused(project, ["backfill", "plan", "--where", condition, *DAY], status, part)


@pytest.mark.parametrize(
    ("option", "text", "status", "part"),
    [
        ("workspace", "opps", 5, 'did you mean "ops"?'),
        ("type", "slq", 2, 'did you mean "sql"?'),
        ("tag", "nightli", 5, 'did you mean "nightly"?'),
    ],
)
def test_filters_of_tasks(project: Sandbox, option: str, text: str, status: int, part: str) -> None:
    """CAT-3: a misspelt filter is no empty list."""
    refused(project, ["task", "list", f"--{option}", text], status, part)


def test_no_slot_left(project: Sandbox) -> None:
    """SEL-6, POL-3: nothing left to run is an error with the reason."""
    refused(
        project,
        ["backfill", "plan", *RAW, *DAY, "--time-range", "10:00-11:00"],
        2,
        "no chosen task has a slot in the time range",
    )


def test_no_dates(project: Sandbox) -> None:
    """POL-1."""
    refused(project, ["backfill", "plan", *RAW], 2, "--bizdate")


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["bakfill"], 'did you mean "backfill"?'),
        (["backfill", "lst"], 'did you mean "list"?'),
        (["backfill", "plan", "--bizdates", "2026-01-05"], "--bizdate"),
        (["backfill", "list", "--limit", "0"], "--limit"),
        (["backfill", "list", "--limit", "x"], "--limit"),
        (["instance", "list", "--limit", "-1"], "--limit"),
        (["instance", "stop"], "ID"),
        (["task", "list", "extra"], "extra"),
        (["task", "list", "--output", "xml"], "xml"),
    ],
)
def test_wrong_use(project: Sandbox, args: list[str], part: str) -> None:
    """CAT-1: exit 2 and where help is."""
    assert "--help" in refused(project, args, 2, part)


@pytest.mark.parametrize("args", [[], ["backfill"], ["instance"], ["task"]])
def test_a_group_alone_shows_its_help(project: Sandbox, args: list[str]) -> None:
    """CAT-1: on stderr, with exit 2."""
    result = project.call(*args, status=2)
    assert "Usage:" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("text", ["0x1", "1.5", "-1", "", "one", "١", "1" * 19, "1 ", "*"])
@pytest.mark.parametrize(
    "command", [["backfill", "show"], ["instance", "why"], ["backfill", "stop"], ["instance", "rerun"]]
)
def test_ids_that_are_none(filled: Sandbox, command: list[str], text: str) -> None:
    """CAT-3: ids are whole numbers."""
    result = filled.call(*command, "--", text, status=2)
    assert "ids are whole numbers" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["backfill", "show"], ["backfill", "analysis"], ["backfill", "wait"], ["backfill", "pause"],
        ["backfill", "resume"], ["backfill", "rerun"], ["backfill", "freeze"], ["backfill", "unfreeze"],
        ["instance", "show"], ["instance", "log"], ["instance", "why"], ["instance", "history"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", ["999999", "0", "9" * 18])
def test_unknown_ids(filled: Sandbox, command: list[str], number: str) -> None:
    """CAT-3: exit 5."""
    result = filled.call(*command, number, status=5)
    assert f"there is no {command[0]} {int(number)}" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "command",
    [
        ["backfill", "stop"], ["instance", "stop"], ["instance", "rerun"], ["instance", "rerun-descendants"],
        ["instance", "set-successful"], ["instance", "freeze"], ["instance", "unfreeze"],
    ],
)  # fmt: skip
def test_unknown_ids_in_batches(filled: Sandbox, command: list[str]) -> None:
    """OPS-8: a result per item; exit 5."""
    (result,) = filled.json(*command, "999999", status=5)
    sentence = f"there is no {command[0]} 999999"
    assert (result["id"], result["ok"], result["state"], result["error"]) == (999999, False, None, sentence)
    assert (result["code"], len(result["steps"])) == ("unknown", 1)


@pytest.mark.parametrize(
    "command",
    [["backfill", "list"], ["instance", "list"], ["backfill", "show", "1"], ["instance", "show", "1"]],
)  # fmt: skip
@pytest.mark.beside_store("nothing is deployed yet")
def test_looking_before_anything_is_deployed(project: Sandbox, command: list[str]) -> None:
    """CAT-1: an empty list, or exit 5; and no store is made by it."""
    result = project.call(*command, status=0 if command[1] == "list" else 5)
    assert result.stdout == ""
    assert not (project.home / ".retrofill" / "retrofill.db").exists()


@pytest.mark.beside_store("the folder is looked at")
def test_no_project(project: Sandbox) -> None:
    """CAT-1: exit 2; the folder is named, control characters escaped."""
    for args in (["task", "list", "--project", "nowhere"], ["--project", "\x1b[2J", "check"]):
        result = project.call(*args, status=2)
        assert "no retrofill.yaml" in result.stderr
        assert "\x1b" not in result.stderr


@pytest.mark.parametrize("path", ["/dev/zero", "/etc/passwd", "x" * 300, "a\0b"])
def test_projects_that_are_none(project: Sandbox, path: str) -> None:
    """CAT-1: no hang, no traceback."""
    result = project.call("--project", path, "check", status=2)
    assert result.stderr.startswith("error: ")


def test_a_project_file_that_never_ends(project: Sandbox) -> None:
    """CAT-1: a FIFO or a device is not read."""
    (project.home / "retrofill.yaml").unlink()
    os.mkfifo(project.home / "retrofill.yaml")
    assert "regular file" in project.call("check", status=2).stderr


@pytest.mark.parametrize("text", ["now", "2024-03-12", "2024-03-12T08:00:00+99:00", ""])
def test_a_clock_that_is_none(project: Sandbox, text: str) -> None:
    """POL-12: RETROFILL_NOW is an ISO instant."""
    result = project.call("backfill", "plan", *RAW, *DAY, status=None, RETROFILL_NOW=text)
    if text != "2024-03-12":  # a date alone is its midnight
        assert result.status == 2
        assert "RETROFILL_NOW" in result.stderr


@pytest.mark.parametrize("text", ["10", "1.5h", "-1s", "1w", "", "1s1s", "9999999s"])
def test_a_timeout_that_is_none(project: Sandbox, text: str) -> None:
    """BF-5: durations are 30s, 5m, 2h, 3d; nothing is created."""
    args = ["backfill", "create", "--yes", "--wait", *RAW, *DAY, f"--timeout={text}"]
    refused(project, args, 2, "--timeout")


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("RETROFILL_MAX_ROOTS", "many"),
        ("RETROFILL_MAX_INSTANCES", "-1"),
        ("RETROFILL_AUTO_CONFLICT", "fight"),
    ],
)
@pytest.mark.beside_store("settings of the environment")
def test_settings_of_the_environment(project: Sandbox, variable: str, text: str) -> None:
    """SEL-1: the sentence names the variable."""
    result = project.call("backfill", "plan", *RAW, *DAY, status=2, **{variable: text})
    assert variable in result.stderr


# Limits: refused with the count, before memory is taken


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["--bizdate", "1970-01-01..2199-12-31"], ["84,006 bizdates", "3,660"]),
        (["--bizdate", "2016-01-01..2025-12-31"], ["5,260,320 instances", "1,000,000", "max_instances"]),
    ],
)
def test_huge_requests(project: Sandbox, args: list[str], parts: list[str]) -> None:
    """POL-1, POL-13: the count in the sentence, nothing stored."""
    project.write('m: {type: shell, schedule: "* * * * *", run: "true"}', DEPLOYMENT, "big")
    refused(project, ["backfill", "create", "--yes", "--task", "big.m", *args], 2, *parts)


@pytest.mark.beside_store("settings of the environment")
def test_too_many_roots_and_tasks(project: Sandbox) -> None:
    """SEL-1: at most 500 roots and 2,000 tasks; both are settings."""
    tasks = ['root: {type: shell, run: "true", schedule: "0 1 * * *"}']
    tasks += [f't{i}: {{type: virtual, schedule: "0 2 * * *", depends_on: [root]}}' for i in range(2_000)]
    project.write("\n".join(tasks), DEPLOYMENT, "big")
    refused(project, ["backfill", "plan", "--where", "workspace=big", *DAY], 2, "2,001 root tasks", "500")
    everything = ["backfill", "plan", "--task", "big.root", "--descendants", "all", *DAY]
    refused(project, everything, 2, "2,001 tasks", "2,000", "max_tasks")
    assert (
        project.call(*everything, "--output", "json", RETROFILL_MAX_TASKS="2001").json["task_count"] == 2001
    )
