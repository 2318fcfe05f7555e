"""Steering backfills and instances whose tasks really run."""

from __future__ import annotations

import os

import pytest

from e2e.sandboxes import Sandbox, finished, tasks_in, until

STUBBORN = """
tree:
  type: shell
  schedule: "0 1 * * *"
  run: |
    trap '' TERM
    setsid sh -c 'trap "" TERM; while :; do sleep 0.05; done' &
    (trap '' TERM; while :; do sleep 0.05; done) &
    echo started >> ../../out
    while :; do sleep 0.05; done
next: {type: shell, schedule: "0 2 * * *", run: echo next, depends_on: [tree]}
"""
MANY = """
a: {type: shell, schedule: "0 1 * * *", run: 'test ! -e ../../broken; echo a >> ../../out'}
b: {type: shell, schedule: "0 2 * * *", run: 'test ! -e ../../broken && echo b >> ../../out', depends_on: [a]}
c: {type: shell, schedule: "0 3 * * *", run: 'echo c >> ../../out', depends_on: [b]}
"""
BELOW = """
a: {type: shell, schedule: "0 1 * * *", run: echo a >> ../../out}
b: {type: shell, schedule: "0 2 * * *", run: 'echo b >> ../../out; test $RETROFILL_RUN_NUMBER != 1 || sleep 600', depends_on: [a]}
c: {type: shell, schedule: "0 3 * * *", run: echo c >> ../../out, depends_on: [b]}
"""
HELD = """
hold: {type: shell, schedule: "0 1 * * *", run: 'echo hold >> ../../out; while test ! -e ../../go; do sleep 0.02; done'}
after: {type: shell, schedule: "0 2 * * *", run: echo after >> ../../out, depends_on: [hold]}
"""


def everything(sandbox: Sandbox, *more: str, status: int = 0) -> dict:
    tasks = [word for row in sandbox.json("task", "list") for word in ("--task", row["task"])]
    return sandbox.run(
        "backfill", "create", *tasks, "--bizdate", "2026-01-05", *more, "--wait", "--yes", "--output", "json", status=status
    ).json  # fmt: skip


def test_stop_ends_a_process_tree_that_ignores_term(sandbox: Sandbox) -> None:
    """OPS-1: returns when the whole tree has ended, also where no scheduler runs; grace is a setting."""
    sandbox.write(STUBBORN, "settings: {grace_seconds: 1}")
    waiting = sandbox.create_and_wait("tree", "next")
    until(lambda: sandbox.text("out"), "the tree has started")
    waiting.kill()
    finished(waiting)
    assert len(tasks_in(sandbox.home)) >= 3
    found = sandbox.instances()["tree 05 01:00"]["id"]
    (result,) = sandbox.run("instance", "stop", found, "--comment", "enough", "--output", "json").json
    assert result == {"id": found, "ok": True, "state": "failed", "error": None}
    assert tasks_in(sandbox.home) == []
    tree = sandbox.instances()["tree 05 01:00"]
    assert (tree["state"], tree["reason"]) == ("failed", "stopped")
    assert sandbox.states()["next 05 02:00"] == "not_run"
    assert sandbox.call("instance", "why", found).stdout.startswith("Somebody stopped it; ")


@pytest.mark.slow
def test_stop_of_a_whole_backfill_while_another_process_waits(sandbox: Sandbox) -> None:
    """OPS-1, BF-5: the one that waits ends with 1; resume and rerun go on."""
    sandbox.write(HELD)
    waiting = sandbox.create_and_wait("hold", "after")
    until(lambda: sandbox.text("out"), "the task has started")
    (result,) = sandbox.run("backfill", "stop", 1, "--output", "json").json
    assert result == {"id": 1, "ok": True, "state": "stopped", "error": None}
    assert tasks_in(sandbox.home) == []
    assert finished(waiting).status == 1
    sandbox.touch("go")
    sandbox.run("backfill", "wait", 1, status=1)
    sandbox.call("backfill", "rerun", 1, "--failed")
    assert sandbox.run("backfill", "wait", 1, "--output", "json").json["status"] == "succeeded"
    assert sandbox.text("out").split() == ["hold", "hold", "after"]


def test_pause_and_resume_while_it_runs(sandbox: Sandbox) -> None:
    """BF-3: what runs ends, nothing new starts."""
    sandbox.write(HELD)
    waiting = sandbox.create_and_wait("hold", "after")
    until(lambda: sandbox.text("out"), "the task has started")
    paused = sandbox.json("backfill", "pause", 1)
    assert (paused["status"], paused["held"]) == ("running", "paused")
    assert "Running, paused" in sandbox.call("backfill", "list").stdout
    sandbox.touch("go")
    until(lambda: sandbox.states()["hold 05 01:00"] == "successful", "the running one has ended")
    assert sandbox.json("backfill", "show", 1)["status"] == "paused"
    assert sandbox.text("out").split() == ["hold"]
    assert "paused" in sandbox.call("instance", "why", sandbox.instances()["after 05 02:00"]["id"]).stdout
    resumed = sandbox.json("backfill", "resume", 1)
    assert resumed["status"] in ("waiting_resources", "running", "succeeded")
    assert resumed["held"] is None
    assert finished(waiting).status == 0


def test_rerun_of_a_whole_backfill_and_of_its_failures(sandbox: Sandbox) -> None:
    """OPS-3: in order, or at once where that is asked for by name, with its consequence said."""
    sandbox.write(MANY)
    sandbox.touch("broken")
    everything(sandbox, status=1)
    assert sandbox.states() == {"a 05 01:00": "successful", "b 05 02:00": "failed", "c 05 03:00": "not_run"}
    (sandbox.home / "broken").unlink()
    sandbox.call("backfill", "rerun", 1, "--failed")
    sandbox.run("backfill", "wait", 1)
    assert sandbox.text("out").split() == ["a", "b", "c"]
    sandbox.call("backfill", "rerun", 1)
    sandbox.run("backfill", "wait", 1)
    assert sandbox.text("out").split() == ["a", "b", "c", "a", "b", "c"]
    said = sandbox.call("backfill", "rerun", 1, "--ignore-dependencies").stderr
    assert "whatever they wait for" in said
    assert "reads what was there before" in said
    sandbox.run("backfill", "wait", 1)
    assert sorted(sandbox.text("out").split()[6:]) == ["a", "b", "c"]
    assert {row["run_number"] for row in sandbox.json("instance", "list")} == {3, 4}


@pytest.mark.slow
def test_rerun_of_descendants_keeps_their_order(sandbox: Sandbox) -> None:
    """OPS-4."""
    sandbox.write(MANY)
    everything(sandbox)
    found = sandbox.instances()
    results = sandbox.json("instance", "rerun-descendants", found["a 05 01:00"]["id"])
    assert [result["ok"] for result in results] == [True, True]
    sandbox.run("backfill", "wait", 1)
    assert sandbox.text("out").split() == ["a", "b", "c", "b", "c"]
    sandbox.json("instance", "rerun-descendants", found["b 05 02:00"]["id"], "--with-self", "--task", "c")
    sandbox.run("backfill", "wait", 1)
    assert sandbox.text("out").split()[5:] == ["b", "c"]


def test_what_runs_below_is_stopped_before_a_rerun(sandbox: Sandbox) -> None:
    """OPS-4: a running descendant refuses and is named; `--stop-running` ends it, and all run anew in order."""
    sandbox.write(BELOW)
    sandbox.spawn(
        "backfill", "create", "--all-descendants", "a", "--bizdate", "2026-01-05", "--wait", "--yes"
    )
    until(lambda: sandbox.text("out") == "a\nb\n", "the one below has started")
    found = sandbox.instances()
    a, b = found["a 05 01:00"]["id"], found["b 05 02:00"]["id"]
    (refused,) = sandbox.json("instance", "rerun-descendants", a, "--with-self", status=6)
    assert f"instance {b} (w.b 2026-01-06 02:00) is Running" in refused["error"]
    results = sandbox.run(
        "instance", "rerun-descendants", a, "--with-self", "--stop-running", "--output", "json"
    ).json
    assert [result["id"] for result in results] == [a, b]
    sandbox.run("backfill", "wait", 1)
    assert sandbox.text("out").split() == ["a", "b", "a", "b", "c"]


def test_set_successful_and_freeze(sandbox: Sandbox) -> None:
    """OPS-5, OPS-6: descendants go on, or stand still."""
    sandbox.write(MANY)
    sandbox.touch("broken")
    everything(sandbox, status=1)
    found = sandbox.instances()
    sandbox.call("instance", "freeze", found["c 05 03:00"]["id"])
    (result,) = sandbox.json("instance", "set-successful", found["b 05 02:00"]["id"])
    assert (result["ok"], result["state"]) == (True, "successful")
    row = sandbox.run("backfill", "wait", 1, "--output", "json", status=1).json
    assert (row["status"], row["blocked_by"]) == ("failed", ["frozen"])
    assert sandbox.call("instance", "log", found["b 05 02:00"]["id"]).status == 0
    sandbox.call("instance", "unfreeze", found["c 05 03:00"]["id"])
    assert sandbox.run("backfill", "wait", 1, "--output", "json").json["status"] == "succeeded"
    again = sandbox.json("instance", "freeze", found["c 05 03:00"]["id"])
    assert again[0]["state"] == "frozen"


def test_an_automatic_rerun_after_an_interval(sandbox: Sandbox) -> None:
    """RUN-3: each run has its number and its log."""
    sandbox.write(
        'flaky: {type: shell, schedule: "0 1 * * *", rerun: {times: 2, interval: 1s}, '
        "run: 'echo run $RETROFILL_RUN_NUMBER; test $RETROFILL_RUN_NUMBER = 2'}"
    )
    everything(sandbox)
    (row,) = sandbox.json("instance", "list")
    assert (row["state"], row["run_number"]) == ("successful", 2)
    for number in (1, 2):
        assert sandbox.call("instance", "log", row["id"], "--run", number).stdout == f"run {number}\n"


def test_a_timeout_ends_the_tree_and_is_not_rerun(sandbox: Sandbox) -> None:
    """RUN-4, RUN-3."""
    sandbox.write(
        'slow: {type: shell, schedule: "0 1 * * *", timeout: 1s, rerun: {times: 3, interval: 0s}, run: "sleep 600 & sleep 600"}'
    )
    everything(sandbox, status=1)
    (row,) = sandbox.json("instance", "list")
    assert (row["state"], row["reason"], row["run_number"]) == ("failed", "timeout", 1)
    assert tasks_in(sandbox.home) == []
    assert sandbox.call("instance", "why", row["id"]).stdout.startswith("It timed out after 1s; ")


@pytest.mark.slow
def test_a_failed_hour_fails_the_hours_that_have_not_started(sandbox: Sandbox) -> None:
    """POL-7: and a rerun brings them back."""
    sandbox.write(
        'hour: {type: shell, schedule: "0 */6 * * *", parameters: {h: "$[hh24]"}, run: "test $h != 06 -o ! -e ../../broken"}',
        "resource_groups: {default: {slots: 1}}",
    )
    sandbox.touch("broken")
    everything(sandbox, status=1)
    found = sandbox.instances()
    assert [(row["state"], row["reason"]) for row in found.values()] == [
        ("successful", None), ("failed", "exit_code"), ("failed", "sibling_failed"), ("failed", "sibling_failed"),
    ]  # fmt: skip
    (sandbox.home / "broken").unlink()
    sandbox.call("instance", "rerun", found["hour 05 06:00"]["id"])
    assert sandbox.run("backfill", "wait", 1, "--output", "json").json["status"] == "succeeded"
    assert {row["run_number"] for name, row in sandbox.instances().items() if "06:00" not in name} == {1}


@pytest.mark.slow
def test_what_ran_no_code_has_a_log_of_one_line(sandbox: Sandbox) -> None:
    """RUN-2, TIME-2, SEL-6, CAT-5, CAT-8: dry runs, off days, virtual tasks."""
    sandbox.write(
        'first: {type: shell, schedule: "0 1 * * *", run: echo ran}\n'
        'middle: {type: shell, schedule: "0 2 * * *", run: echo ran, depends_on: [first]}\n'
        'black: {type: shell, schedule: "0 2 * * *", run: echo ran, depends_on: [first]}\n'
        'weekly: {type: shell, schedule: "0 3 * * SUN", run: echo ran, depends_on: [middle, black]}\n'
        'gate: {type: virtual, schedule: "0 4 * * *", depends_on: [weekly]}\n'
        'quiet: {type: shell, schedule: "0 5 * * *", run: echo ran, mode: dry_run, depends_on: [gate]}\n'
        'last: {type: shell, schedule: "0 6 * * *", run: echo ran, depends_on: [quiet]}\n'
    )
    chosen = [w for t in ("first", "black", "weekly", "gate", "quiet", "last") for w in ("--task", t)]
    sandbox.run(
        "backfill", "create", *chosen, "--exclude", "black", "--bizdate", "2026-01-05", "--wait", "--yes"
    )
    logs = {
        name.split()[0]: sandbox.call("instance", "log", row["id"]).stdout
        for name, row in sandbox.instances().items()
    }
    assert logs.pop("first") == logs.pop("last") == "ran\n"
    assert all(log.count("\n") == 1 for log in logs.values()), logs
    assert "lies between tasks that run" in logs["middle"]
    assert "blacklist" in logs["black"]
    assert "schedule leaves this date out" in logs["weekly"]
    assert "Virtual" in logs["gate"]
    assert "mode dry_run" in logs["quiet"]
    kinds = {name.split()[0]: (row["kind"], row["reason"]) for name, row in sandbox.instances().items()}
    assert kinds == {
        "first": ("run", None), "middle": ("dry_run", "dry_run"), "black": ("dry_run", "dry_run"),
        "weekly": ("off_day", "off_day"), "gate": ("virtual", None), "quiet": ("dry_run", "dry_run"),
        "last": ("run", None),
    }  # fmt: skip


def test_a_log_before_the_first_run_is_refused(sandbox: Sandbox) -> None:
    """OPS-10: exit 6, and where to look."""
    sandbox.write(MANY)
    sandbox.create("--task", "a", "--bizdate", "2026-01-05")
    result = sandbox.call("instance", "log", 1, status=6)
    assert "has not run yet" in result.stderr
    assert "instance why 1" in result.stderr


def test_doctor(sandbox: Sandbox) -> None:
    """BF-5: counters agree with states after all that."""
    sandbox.write(MANY)
    everything(sandbox)
    checks = sandbox.json("doctor")
    assert all(check["ok"] for check in checks), checks
    assert {"project", "store", "scheduler", "counters"} <= {check["check"] for check in checks}


def test_two_dates_in_two_groups_wait_for_a_self_dependency(sandbox: Sandbox) -> None:
    """DEP-13, POL-4, POL-6: verification says so, and the dates come in order."""
    sandbox.write(
        'sum: {type: shell, schedule: "0 1 * * *", depends_on: [{task: self, cycle: previous}], '
        'parameters: {d: $bizdate}, run: "echo $d >> ../../out"}'
    )
    row = everything(sandbox, "--bizdate", "2026-01-06..2026-01-08", "--groups", "2")
    analysis = sandbox.json("backfill", "analysis", row["id"])
    assert analysis["groups"] == [["2026-01-05", "2026-01-06"], ["2026-01-07", "2026-01-08"]]
    assert [(f["level"], f["code"], f["tasks"]) for f in analysis["findings"]] == [
        ("warning", "across_groups", ["w.sum"])
    ]
    assert sandbox.text("out").split() == ["20260105", "20260106", "20260107", "20260108"]


def test_environment_of_a_task(sandbox: Sandbox) -> None:
    """PAR-4: the variables that are always set, the working directory, values as $1 $2."""
    sandbox.write(
        "a: {type: shell, schedule: \"30 1 * * *\", parameters: {x: '$bizdate', y: 'a b*'}, run: 'pwd; "
        'env | grep ^RETROFILL_ | sort; echo "$1|$2|$x|$y"\'}',
        "timezone: America/New_York",
    )
    everything(sandbox)
    lines = sandbox.call("instance", "log", 1).stdout.splitlines()
    assert lines[0] == os.path.realpath(sandbox.home / "workspaces" / "w")
    assert lines[-1] == "20260105|a b*|20260105|a b*"
    seen = dict(line.split("=", 1) for line in lines[1:-1])
    assert seen.items() >= {
        "RETROFILL_TASK": "w.a", "RETROFILL_BIZDATE": "2026-01-05", "RETROFILL_SCHEDULED_AT": "2026-01-06T01:30:00",
        "RETROFILL_DUE_AT": "2026-01-06T06:30:00Z", "RETROFILL_INSTANCE": "1", "RETROFILL_RUN_NUMBER": "1",
        "RETROFILL_KIND": "backfill",
    }.items()  # fmt: skip


@pytest.mark.slow
def test_the_same_operation_twice_at_once(sandbox: Sandbox) -> None:
    """OPS-2, OPS-6, OPS-8: two commands at the same moment: one does it, the other finds it done."""
    sandbox.write(MANY)
    everything(sandbox)
    number = sandbox.instances()["a 05 01:00"]["id"]
    for words, statuses in (
        (("freeze", number), [0, 0]),
        (("unfreeze", number), [0, 0]),
        (("rerun", number), [0, 6]),
        (("set-priority", number, 8), [0, 0]),
    ):
        both = [sandbox.spawn("instance", *words, "--output", "json") for _ in range(2)]
        results = [finished(process) for process in both]
        assert sorted(result.status for result in results) == statuses, results
        if statuses == [0, 0]:
            assert sorted(result.json[0].get("unchanged", False) for result in results) == [False, True]
    assert sandbox.instances()["a 05 01:00"]["run_number"] == 2
    history = sandbox.json("instance", "history", number)["operations"]
    assert [line["action"] for line in history] == ["freeze", "unfreeze", "rerun", "set-priority"]
