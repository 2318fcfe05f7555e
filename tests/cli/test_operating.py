"""Operations from the command line where nothing runs: results, statuses, refusals."""

from __future__ import annotations

import pytest

from e2e.sandboxes import Sandbox

RISKY = ("--task", "mid", "--task", "load", "--bizdate", "2026-01-05", "--time-range", "03:00-04:00")


def numbers(filled: Sandbox, *args: str) -> list[int]:
    return [row["id"] for row in filled.json("instance", "list", "--backfill", "1", *args)]


@pytest.mark.parametrize(
    ("operation", "part"),
    [
        ("stop", "only Running instances can be stopped"),
        ("rerun", "only Successful or Failed instances can be rerun"),
        ("set-successful", "only Failed instances can be set successful"),
        ("freeze", "only Not run or Successful or Failed instances can be frozen"),
    ],
)
def test_wrong_states_exit_6_and_name_the_state(filled: Sandbox, operation: str, part: str) -> None:
    """OPS-1, OPS-2, OPS-5, OPS-6, OPS-8."""
    (number,) = numbers(filled, "--state", "waiting_resources")
    (result,) = filled.json("instance", operation, number, status=6)
    assert (result["id"], result["ok"], result["state"]) == (number, False, "waiting_resources")
    assert "is Waiting (for resources)" in result["error"]
    assert part in result["error"]


def test_a_batch_of_good_and_bad(filled: Sandbox) -> None:
    """OPS-8: per-item results; the exit status is the first that occurred."""
    first, *_ = numbers(filled, "--task", "mid")
    (ready,) = numbers(filled, "--state", "waiting_resources")
    result = filled.call("instance", "freeze", first, 999999, ready, "--output", "jsonl", status=5)
    assert [(row["id"], row["ok"]) for row in result.jsonl] == [
        (first, True),
        (999999, False),
        (ready, False),
    ]
    assert filled.json("instance", "freeze", ready, first, 999999, status=6)[1] == {
        "id": first, "ok": True, "state": "frozen", "error": None, "unchanged": True,
    }  # fmt: skip
    text = filled.call("instance", "unfreeze", first, ready).stdout.splitlines()
    assert text == [f"{first}  not_run", f"{ready}  waiting_resources  unchanged"]


def test_frozen_blocks_descendants(filled: Sandbox) -> None:
    """OPS-6: why names it."""
    first, *_ = numbers(filled, "--task", "mid")
    filled.call("instance", "freeze", first)
    load, *_ = numbers(filled, "--task", "load")
    assert (
        "ops.mid 2026-01-06 02:00 (Frozen, bizdate 2026-01-05, instance "
        in filled.call("instance", "why", load).stdout
    )


def test_pause_and_resume_are_unchanged_where_they_hold(filled: Sandbox) -> None:
    """OPS-8, BF-3."""
    assert "unchanged" not in filled.json("backfill", "pause", 1)
    again = filled.json("backfill", "pause", 1)
    assert (again["status"], again["unchanged"]) == ("paused", True)
    assert {row["state"] for row in filled.json("instance", "list", "--backfill", 1)} == {"not_run"}
    assert filled.json("backfill", "resume", 1)["status"] == "waiting_resources"
    assert filled.json("backfill", "resume", 1)["unchanged"]


def test_what_waits_in_a_held_backfill_is_not_run_everywhere(filled: Sandbox) -> None:
    """OPS-0, BF-3: in the queue of its resource group and in the answers of operations too."""
    (ready,) = numbers(filled, "--state", "waiting_resources")

    def waiting() -> int:
        return sum(group["waiting"] for group in filled.json("resource-group", "list"))

    before = waiting()
    filled.call("backfill", "pause", 1)
    assert waiting() == before - 1
    filled.call("instance", "freeze", ready)
    assert filled.json("instance", "unfreeze", ready)[0]["state"] == "not_run"
    filled.call("backfill", "resume", 1)
    assert waiting() == before


def test_stop_many(filled: Sandbox) -> None:
    """BF-3, OPS-1: also many at once; a result per backfill."""
    found = filled.json("backfill", "stop", 1, 2, 7, 3, status=5)
    assert [(row["id"], row["ok"], row["state"]) for row in found] == [
        (1, True, "stopped"), (2, True, "stopped"), (7, False, None), (3, False, "stopped"),
    ]  # fmt: skip
    assert filled.json("backfill", "stop", 1, status=6)[0]["error"] == (
        "backfill 1 has been stopped already, so there is nothing to stop"
    )
    assert filled.json("backfill", "show", 1)["ended_at"] is not None
    assert filled.json("backfill", "resume", 1)["ended_at"] is None


def test_freeze_a_whole_backfill(filled: Sandbox) -> None:
    """BF-4: all that is Not run; once more there is nothing."""
    row = filled.json("backfill", "freeze", 1)
    assert (row["counts"]["frozen"], row["counts"]["waiting_resources"]) == (26, 1)
    assert "no Not run instance" in filled.call("backfill", "freeze", 1, status=6).stderr
    assert filled.json("backfill", "unfreeze", 1)["counts"]["frozen"] == 0
    assert "no Frozen instance" in filled.call("backfill", "unfreeze", 1, status=6).stderr
    assert "no Failed instance" in filled.call("backfill", "rerun", 1, "--failed", status=6).stderr


def test_several_backfills_are_rerun_each_by_itself(filled: Sandbox) -> None:
    """OPS-3, OPS-8: one result for each; what does not fit one hinders no other."""
    (other,) = [row for row in filled.json("backfill", "list") if row["id"] == 2]
    results = filled.json("backfill", "rerun", 1, 2, 99, "--failed", status=6)
    assert [(row["id"], row["ok"]) for row in results] == [(1, False), (2, False), (99, False)]
    assert "no Failed instance" in results[0]["error"]
    assert results[2]["error"] == "there is no backfill 99"
    assert other.items() <= filled.json("backfill", "show", 2).items()


# Risks


def test_a_risk_is_stored_without_instances_and_exits_3(project: Sandbox) -> None:
    """VER-2: with or without --wait; row and findings are printed."""
    for more in ([], ["--wait"]):
        row = project.call("backfill", "create", *RISKY, "--yes", *more, "--output", "json", status=3)
        assert (row.json["check_status"], row.json["status"]) == ("failed", "stopped")
        assert row.json["findings"][0]["code"] == "isolated"
        assert row.json["ended_at"] is not None
    assert len(project.json("backfill", "list")) == 2
    assert project.json("instance", "list") == []
    assert "risk isolated" in project.call("backfill", "create", *RISKY, "--yes", status=3).stdout


@pytest.mark.parametrize("operation", ["resume", "rerun", "pause", "freeze", "unfreeze"])
def test_what_to_do_with_a_refused_backfill(filled: Sandbox, operation: str) -> None:
    """VER-2: exit 6, naming `create --reuse ID --allow-risks`."""
    result = filled.call("backfill", operation, 3, status=6)
    assert "`retrofill backfill create --reuse 3 --allow-risks`" in result.stderr


def test_reuse_with_risks_allowed(filled: Sandbox) -> None:
    """SEL-9, VER-2: the task selection of an earlier one; dates and policy are free."""
    row = filled.create(
        "--reuse", 3, "--allow-risks", "--bizdate", "2026-01-05", "--time-range", "03:00-04:00"
    )
    assert (row["check_status"], row["status"], row["blocked_by"]) == ("passed", "failed", ["isolated"])
    assert row["ended_at"] is not None
    (instance,) = filled.json("instance", "list", "--backfill", row["id"])
    assert (instance["state"], instance["reason"]) == ("not_run", "isolated")
    assert "ops.mid" in filled.call("instance", "why", instance["id"]).stdout
    whole = filled.create("--reuse", 3, "--bizdate", "2026-03-01..2026-03-02")
    assert (whole["task_count"], whole["instance_count"]) == (2, 4)


def test_reuse_takes_the_tasks_of_today(filled: Sandbox) -> None:
    """SEL-9: the selection is kept, not its result; a task that is gone is named."""
    (filled.home / "workspaces" / "bi" / "workspace.yaml").unlink()
    (filled.home / "workspaces" / "bi").rmdir()
    assert filled.create("--reuse", 1, "--bizdate", "2026-03-01")["task_count"] == 5
    workspace = filled.home / "workspaces" / "ops" / "workspace.yaml"
    workspace.write_text(workspace.read_text().replace("mid", "middle"))
    assert (
        "ops.mid"
        in filled.call(
            "backfill", "create", "--reuse", 3, "--bizdate", "2026-03-01", "--yes", status=5
        ).stderr
    )


def test_reuse_and_exclude(filled: Sandbox) -> None:
    """SEL-9."""
    args = ("--reuse", "1", "--exclude", "mid", "--bizdate", "2026-03-01")
    assert "--exclude does not go with --reuse" in filled.call("backfill", "plan", *args, status=2).stderr


@pytest.mark.beside_store("the folder differs from what is deployed")
def test_create_deploys_a_folder_that_differs_and_says_so(filled: Sandbox) -> None:
    """CAT-2."""
    same = filled.call("backfill", "create", "--task", "mid", "--bizdate", "2026-03-01", "--yes")
    assert "version" not in same.stderr
    workspace = filled.home / "workspaces" / "ops" / "workspace.yaml"
    workspace.write_text(workspace.read_text().replace("0 2 * * *", "0 9 * * *"))
    other = filled.call(
        "backfill", "create", "--task", "mid", "--bizdate", "2026-03-01", "--yes", "--output", "json"
    )
    assert "it is version 2 now" in other.stderr
    (row,) = filled.json("instance", "list", "--backfill", other.json["id"])
    assert row["scheduled_at"] == "2026-03-02T09:00:00"


def test_all_descendants_whose_window_is_closed_are_planned(filled: Sandbox) -> None:
    """SEL-4: pending, without instances; they are made when it starts."""
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    start = datetime.now(UTC).astimezone(ZoneInfo("America/New_York")) + timedelta(hours=2)
    window = f"{start:%H:%M}-{start + timedelta(hours=1):%H:%M}"
    row = filled.create("--all-descendants", "load", "--bizdate", "2026-01-05", "--window", window)
    assert (row["check_status"], row["status"], row["task_count"], row["instance_count"]) == (
        "passed",
        "pending",
        3,
        3,
    )
    assert sum(row["counts"].values()) == 0
    assert row["bizdates"] == ["2026-01-05"]
    assert filled.json("instance", "list", "--backfill", row["id"]) == []
    assert filled.json("backfill", "pause", row["id"])["status"] == "paused"
    assert filled.json("backfill", "resume", row["id"])["status"] == "pending"
    assert filled.json("backfill", "list", "--task", "report", "--status", "pending")[0]["id"] == row["id"]


def test_a_closed_window_is_the_reason(filled: Sandbox) -> None:
    """POL-11, OPS-0, OPS-9."""
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    start = datetime.now(UTC).astimezone(ZoneInfo("America/New_York")) + timedelta(hours=2)
    window = f"{start:%H:%M}-{start + timedelta(hours=1):%H:%M}"
    row = filled.create("--task", "mid", "--bizdate", "2026-01-05", "--window", window)
    assert row["status"] == "pending"
    (instance,) = filled.json("instance", "list", "--backfill", row["id"])
    assert instance["state"] == "not_run"
    why = filled.json("instance", "why", instance["id"])
    assert "window" in why["text"]
    assert why["state"] == "not_run"


def test_future_dates_wait_for_their_time(filled: Sandbox) -> None:
    """POL-2, OPS-0."""
    row = filled.create("--task", "mid", "--bizdate", "2190-01-01")
    assert row["status"] == "pending"
    (instance,) = filled.json("instance", "list", "--backfill", row["id"])
    assert instance["state"] == "waiting_time"
    assert (
        "It waits for its time, 2190-01-02 07:00:00 UTC"
        in filled.call("instance", "why", instance["id"]).stdout
    )


def test_change_says_what_changed(filled: Sandbox) -> None:
    """BF-3, OPS-8: on stderr and as JSON with the row; recorded; once more it is unchanged."""
    result = filled.call(
        "backfill", "change", 1, "--groups", 2, "--window", "22:00-06:00", "--comment", "night"
    )
    assert result.stderr.splitlines()[:2] == [
        "Backfill 1: groups 1 -> 2.",
        "Backfill 1: window none -> 22:00-06:00 (America/New_York).",
    ]
    assert result.stdout.startswith("Backfill 1 first: ")
    row = filled.json("backfill", "change", 1, "--priority", 8)
    assert row["changed"] == [{"what": "priority", "before": "own", "after": "8"}]
    assert (row["id"], row["ended_at"]) == (1, None)
    assert filled.json("backfill", "change", 1, "--priority", 8)["unchanged"]
    assert {r["priority"] for r in filled.json("instance", "list", "--backfill", 1)} == {8}
    assert (
        "groups 2, window 22:00-06:00 (America/New_York), priority 8"
        in filled.call("backfill", "show", 1).stdout
    )
    last = filled.json("backfill", "history", 1)[-2:]
    assert [r["comment"] for r in last] == [
        "groups 1 -> 2; window none -> 22:00-06:00 (America/New_York). night",
        "priority own -> 8",
    ]


@pytest.mark.parametrize(
    ("args", "status", "part"),
    [
        ([1], 2, "nothing is to be changed"),
        ([1, "--groups", "0"], 2, "is not a number of groups from 1 to 10"),
        ([1, "--groups", "11"], 2, "is not a number of groups from 1 to 10"),
        ([1, "--priority", "2"], 2, "is no priority: there are 1, 3, 5, 7 and 8"),
        ([1, "--priority", "8", "--own-priority"], 2, "--priority and --own-priority do not go together"),
        ([1, "--window", "09:00-09:00"], 2, "is empty: its ends are equal"),
        ([1, "--window", "25:00-09:00"], 2, "is not a time of day"),
        ([1, "--weekends"], 2, "--weekends goes with --window"),
        ([1, "--resource-group", "nihgt"], 5, 'there is no resource group "nihgt"'),
        ([99, "--groups", "2"], 5, "there is no backfill 99"),
        (["x", "--groups", "2"], 2, '"x" is no id of a backfill'),
        ([3, "--groups", "2"], 6, "backfill 3 failed its check and has no instances, so there is nothing to change"),
    ],
)  # fmt: skip
def test_changes_that_are_refused(filled: Sandbox, args: list[object], status: int, part: str) -> None:
    """BF-3: one sentence, and nothing is touched."""
    before = filled.json("backfill", "history", 1)
    assert part in filled.call("backfill", "change", *args, status=status).stderr
    assert filled.json("backfill", "history", 1) == before


def test_text_says_what_was_unchanged(filled: Sandbox) -> None:
    """OPS-8."""
    first, second, *_ = numbers(filled, "--task", "mid")
    filled.call("instance", "freeze", first)
    lines = filled.call("instance", "freeze", first, second).stdout.splitlines()
    assert lines == [f"{first}  frozen  unchanged", f"{second}  frozen"]


def test_hints_of_a_failed_backfill_lead_to_what_holds_it_up(project: Sandbox) -> None:
    """BF-5: each word of blocked_by has its own."""
    project.call("deploy")
    project.call("task", "freeze", "ops.raw")
    assert project.create("--task", "ops.raw", "--bizdate", "2026-01-05")["blocked_by"] == ["frozen"]
    shown = project.call("backfill", "show", 1).stderr
    assert "`retrofill instance list --backfill 1 --state frozen`" in shown
    assert "`retrofill backfill unfreeze 1`" in shown
    assert "--state failed" not in shown
    isolated = project.create(*RISKY, "--allow-risks")
    assert isolated["id"] == 2
    project.call("backfill", "wait", 2, status=1)
    shown = project.call("backfill", "show", 2).stderr
    assert "`retrofill backfill analysis 2`" in shown
    assert "--state failed" not in shown


def test_a_timeout_goes_with_wait(project: Sandbox) -> None:
    """BF-1: nothing is created."""
    result = project.call(
        "backfill", "create", "--task", "mid", "--bizdate", "2026-01-05", "--yes", "--timeout", "2s", status=2
    )
    assert "--timeout goes with --wait" in result.stderr
    assert project.json("backfill", "list") == []


@pytest.mark.parametrize(
    ("args", "command"),
    [
        (["--task", "mid", "--resource-group", "nigth"], "resource-group list"),
        (["--root", "ops.raw", "--workspace", "nowhere"], "workspace list"),
    ],
)
def test_unknown_names_lead_to_the_list(project: Sandbox, args: list[str], command: str) -> None:
    """SEL-5, POL-8."""
    result = project.call("backfill", "plan", *args, "--bizdate", "2026-01-05", status=5)
    assert f"`retrofill {command}`" in result.stderr


def test_what_lets_work_go_on_says_who_starts_it(filled: Sandbox) -> None:
    """BF-3, OPS-2, OPS-6: where no scheduler runs; not of what is held."""
    hint = "No scheduler runs, so nothing starts until one is up: `retrofill backfill wait 1` or `retrofill scheduler`."
    first, *_ = numbers(filled, "--task", "mid")
    assert "No scheduler runs" not in filled.call("instance", "freeze", first).stderr
    assert hint in filled.call("instance", "unfreeze", first).stderr
    assert "No scheduler runs" not in filled.call("backfill", "pause", "1").stderr
    filled.call("instance", "freeze", first)
    assert "No scheduler runs" not in filled.call("instance", "unfreeze", first).stderr
    assert hint in filled.call("backfill", "resume", "1").stderr
