"""Failures are named where they happen: in the progress, at the end, and in what can be read later."""

from __future__ import annotations

import pytest

from e2e.sandboxes import Sandbox, until

TASKS = """
load: {type: shell, schedule: "0 1 * * *", run: 'echo reading; test "$RETROFILL_BIZDATE" != 2026-01-06 || { echo "no file of $pw"; exit 3; }', parameters: {pw: "${secret:PW}"}}
hours: {type: shell, schedule: "0 5-9 * * *", max_parallel_instances: 1, run: 'echo >&2 "out of range"; exit 1'}
"""  # noqa: E501
SECRET = "hunter22"


def test_what_failed_is_named_with_its_last_line(sandbox: Sandbox) -> None:
    """BF-2, POL-7, SEC-3: bizdate, id, why, the end of the log without secrets; siblings are not among them."""
    sandbox.write(TASKS)
    choice = ("--task", "load", "--task", "hours", "--bizdate", "2026-01-05..2026-01-06", "--groups", 2)
    made = sandbox.run("backfill", "create", *choice, "--wait", "--yes", status=1, RETROFILL_SECRET_PW=SECRET)
    assert SECRET not in made.stderr
    failed = [line for line in made.stderr.splitlines() if line.startswith("  failed: ")]
    ids = {row["bizdate"]: row["id"] for row in sandbox.json("instance", "list", "--task", "load")}
    number = ids["2026-01-06"]
    named = f"w.load 2026-01-07 01:00 (bizdate 2026-01-06, instance {number})"
    told = f"failed: {named}: exit status 3; its log ends with: no file of ********"
    assert f"  {told}" in failed
    assert f"backfill 1: {told}" in made.stderr.splitlines()
    assert sum("w.hours" in line for line in failed) == 2, "one of each date failed by itself"
    assert failed[-1] == "  failed: 8 more instances"
    shown = sandbox.call("backfill", "show", 1)
    assert named in shown.stderr


@pytest.mark.slow
def test_a_pause_by_itself_is_told_to_who_waits(sandbox: Sandbox) -> None:
    """POL-14: the progress says how it goes on; list and show say so too."""
    sandbox.write(
        'bad: {type: shell, schedule: "0 1 * * *", run: exit 1}', "resource_groups: {default: {slots: 1}}"
    )
    create = ("backfill", "create", "--task", "bad", "--bizdate", "2026-01-05..2026-01-09", "--wait", "--yes")
    sandbox.spawn(*create, "--on-failure", "continue", "--max-failures", 2)
    until(lambda: sandbox.json("backfill", "list"), "it is made")
    until(lambda: sandbox.json("backfill", "show", 1)["status"] == "paused", "it has paused by itself")
    made = sandbox.run("backfill", "wait", 1, "--timeout", "3s", status=124)
    assert "Backfill 1 has paused by itself, because 2 instances failed" in made.stderr
    assert "`retrofill backfill resume 1` lets it go on" in made.stderr
    row = sandbox.json("backfill", "show", 1)
    assert (row["status"], row["paused_by"], row["failures"]) == ("paused", "max_failures", 2)
    assert "Paused (2 failed)" in sandbox.call("backfill", "list").stdout
    assert "Paused (2 failed)" in sandbox.call("backfill", "show", 1).stdout
