"""What a new user does first: a project, a backfill, a failure, its mending."""

from __future__ import annotations

import json

import pytest

from e2e.sandboxes import Sandbox

THREE = """
fetch: {type: shell, schedule: "0 1 * * *", run: 'test ! -e ../../broken', parameters: {day: "${yyyy-mm-dd}"}}
hourly:
  type: shell
  schedule: "0 */8 * * *"
  run: echo "$day $hour"
  parameters: {day: $bizdate, hour: "$[hh24]"}
report:
  type: python
  schedule: "0 3 * * *"
  run: import os; print("report of", os.environ["day"])
  depends_on: [fetch, hourly]
  parameters: {day: "${yyyy-mm-dd}"}
"""


def test_a_new_project_runs_as_it_is(sandbox: Sandbox) -> None:
    """CAT-1: init, check, plan, create --wait; nothing else is needed."""
    made = sandbox.run("init", "mine", "--output", "json").json
    assert "mine/retrofill.yaml" in [
        path if path.startswith("mine") else f"mine/{path}" for path in made["files"]
    ]
    project = sandbox.home / "mine"
    assert "no errors" in sandbox.run("--project", project, "check").stdout
    tasks = sandbox.run("--project", project, "task", "list", "--output", "jsonl").jsonl
    roots = [word for task in tasks for word in ("--task", task["task"])]
    row = sandbox.run(
        "--project", project, "backfill", "create", *roots, "--bizdate", "2026-01-05..2026-01-06", "--wait", "--yes",
        "--output", "json",
    ).json  # fmt: skip
    assert row["status"] == "succeeded"
    assert row["counts"]["successful"] == row["instance_count"] == 2 * len(tasks)


def test_break_read_why_mend_rerun_and_see_the_group_go_on(sandbox: Sandbox) -> None:
    """POL-6, POL-7, OPS-2, OPS-9, BF-5: the story of a failure."""
    sandbox.write(THREE)
    sandbox.touch("broken")
    made = sandbox.run(
        "backfill", "create", "--task", "fetch", "--descendants", "all", "--task", "hourly",
        "--bizdate", "2026-01-05..2026-01-06", "--wait", "--yes", "--output", "json", status=1,
    )  # fmt: skip
    row = made.json
    assert (row["status"], row["blocked_by"], row["check_status"]) == ("failed", ["failed"], "passed")
    assert sandbox.states() == {
        "hourly 05 00:00": "successful", "fetch 05 01:00": "failed", "report 05 03:00": "not_run",
        "hourly 05 08:00": "successful", "hourly 05 16:00": "successful", "hourly 06 00:00": "not_run",
        "fetch 06 01:00": "not_run", "report 06 03:00": "not_run", "hourly 06 08:00": "not_run",
        "hourly 06 16:00": "not_run",
    }  # fmt: skip
    found = sandbox.instances()
    report, later = found["report 05 03:00"]["id"], found["hourly 06 00:00"]["id"]
    why = sandbox.json("instance", "why", report)
    assert list(why) == ["id", "state", "reason", "text", "blockers", "steps"]
    assert why["text"] == "It waits for w.fetch 2026-01-06 01:00 (Failed, bizdate 2026-01-05, instance 1)."
    assert "bizdate 2026-01-05" in sandbox.call("instance", "why", later).stdout
    failed = found["fetch 05 01:00"]
    assert (failed["reason"], failed["run_number"]) == ("exit_code", 1)
    (sandbox.home / "broken").unlink()
    (done,) = sandbox.json("instance", "rerun", failed["id"], "--comment", "mended the source")
    assert (done["ok"], done["error"]) == (True, None)
    end = sandbox.run("backfill", "wait", row["id"], "--output", "json").json
    assert end["status"] == "succeeded"
    assert set(sandbox.states().values()) == {"successful"}
    history = sandbox.json("instance", "history", failed["id"])
    assert [run["run_number"] for run in history["runs"]] == [1, 2]
    (operation,) = history["operations"]
    assert (operation["user"], operation["action"], operation["comment"]) == (
        "admin",
        "rerun",
        "mended the source",
    )
    assert (operation["from_state"], operation["to_state"]) == ("failed", "not_run")


@pytest.mark.slow
def test_logs_and_parameters(sandbox: Sandbox) -> None:
    """OPS-10, PAR-1, PAR-2, PAR-3, PAR-4: what a task printed, per run; values as they were."""
    sandbox.write(THREE)
    sandbox.run(
        "backfill", "create", "--task", "hourly", "--task", "report", "--task", "fetch", "--bizdate", "2026-01-05",
        "--wait", "--yes",
    )  # fmt: skip
    found = sandbox.instances()
    hour = found["hourly 05 16:00"]
    assert sandbox.call("instance", "log", hour["id"]).stdout == "20260105 16\n"
    assert sandbox.run("instance", "log", hour["id"], "--run", "1", "--follow").stdout == "20260105 16\n"
    assert sandbox.call("instance", "log", found["report 05 03:00"]["id"]).stdout == "report of 2026-01-05\n"
    shown = sandbox.json("instance", "show", hour["id"])
    assert shown["parameters"] == {"day": "20260105", "hour": "16"}
    assert shown["runs"][0]["outcome"] == "exited"
    missing = sandbox.call("instance", "log", hour["id"], "--run", "7", status=5)
    assert "no run 7" in missing.stderr


def test_data_on_stdout_and_talk_on_stderr(sandbox: Sandbox) -> None:
    """CAT-2: --output json prints one document, whatever is said besides."""
    sandbox.write(THREE)
    result = sandbox.run(
        "--output", "json", "backfill", "create", "--task", "fetch", "--bizdate", "2026-01-05", "--yes"
    )
    row = result.json
    assert "version 1" in result.stderr
    assert f"retrofill backfill wait {row['id']}" in result.stderr
    assert "up" in result.stderr
    waited = sandbox.run("backfill", "wait", row["id"], "--output", "json")
    assert waited.json["status"] == "succeeded"
    text = sandbox.call("backfill", "show", row["id"])
    assert "Succeeded" in text.stdout
    assert text.stderr == ""


@pytest.mark.slow
def test_global_options_before_and_after(sandbox: Sandbox) -> None:
    """CAT-1: --project and --output may stand before or after the command."""
    sandbox.write(THREE)
    for args in (
        ("--project", sandbox.home, "--output", "json", "task", "list"),
        ("task", "--output", "json", "list", "--project", sandbox.home),
        ("--output", "json", "task", "list", "--project", sandbox.home),
    ):
        assert len(json.loads(sandbox.run(*args).stdout)) == 3
    assert len(sandbox.call("task", "list", "--output", "jsonl").jsonl) == 3


def test_a_project_is_found_from_a_folder_below_it(sandbox: Sandbox) -> None:
    """CAT-1."""
    import os

    sandbox.write(THREE)
    below = Sandbox(sandbox.home / "workspaces" / "w")
    assert len(below.json("task", "list")) == 3
    assert "no retrofill.yaml" in Sandbox(sandbox.home.parent).run("check", status=2).stderr
    assert os.path.isdir(sandbox.home)


def test_a_deploy_leaves_instances_as_they_were_made(sandbox: Sandbox) -> None:
    """CAT-1, CAT-2, CAT-3: immutable versions, unchanged folders make none, ids survive."""
    sandbox.write('a: {type: shell, schedule: "0 1 * * *", run: echo old}')
    assert sandbox.json("deploy") == {"version": 1, "new": True, "notes": []}
    assert sandbox.json("deploy") == {"version": 1, "new": False, "notes": []}
    before = sandbox.json("task", "list")[0]["id"]
    old = sandbox.create("--task", "a", "--bizdate", "2026-01-05")["id"]
    sandbox.write(
        'b: {type: shell, schedule: "0 2 * * *", run: echo b}\na: {type: shell, schedule: "0 1 * * *", run: echo new}'
    )
    new = sandbox.create("--task", "a", "--bizdate", "2026-01-05")["id"]
    assert sandbox.json("deploy") == {"version": 2, "new": False, "notes": []}
    assert {row["task"]: row["id"] for row in sandbox.json("task", "list")}["w.a"] == before
    for backfill, printed in ((old, "old\n"), (new, "new\n")):
        sandbox.run("backfill", "wait", backfill)
        (row,) = sandbox.json("instance", "list", "--backfill", backfill)
        assert sandbox.call("instance", "log", row["id"]).stdout == printed


@pytest.mark.slow
def test_a_task_that_is_gone_still_has_its_instances(sandbox: Sandbox) -> None:
    """CAT-2, CAT-3: they run on from the version they were made from."""
    sandbox.write('a: {type: shell, schedule: "0 1 * * *", run: echo old}')
    made = sandbox.create("--task", "a", "--bizdate", "2026-01-05")["id"]
    sandbox.write('b: {type: shell, schedule: "0 2 * * *", run: echo b}')
    sandbox.call("deploy")
    assert sandbox.run("backfill", "wait", made, "--output", "json").json["status"] == "succeeded"
    assert sandbox.json("instance", "list")[0]["task"] == "w.a"


@pytest.mark.slow
def test_code_that_is_read_at_run_time(sandbox: Sandbox) -> None:
    """CAT-2: the text of `file` is kept with the version."""
    sandbox.write('a: {type: shell, schedule: "0 1 * * *", file: a.sh}')
    code = sandbox.home / "workspaces" / "w" / "a.sh"
    code.write_text("echo first\n")
    made = sandbox.create("--task", "a", "--bizdate", "2026-01-05")["id"]
    code.write_text("echo second\n")
    sandbox.run("backfill", "wait", made)
    assert sandbox.call("instance", "log", sandbox.json("instance", "list")[0]["id"]).stdout == "first\n"
