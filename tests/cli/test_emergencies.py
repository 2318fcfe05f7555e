"""Emergency operations and the record of operations on the command line."""

from __future__ import annotations

import pytest

from e2e.sandboxes import Sandbox


def numbers(filled: Sandbox, *args: str) -> list[int]:
    return [row["id"] for row in filled.json("instance", "list", "--backfill", "1", *args)]


def test_removing_a_wait(filled: Sandbox) -> None:
    """OPS-7, OPS-8, OPS-10: the graph marks it, the record says it, why does not name it."""
    (hour, *_) = numbers(filled, "--task", "hours")
    dag = filled.json("instance", "dag", hour)
    (up,) = [edge["upstream"] for edge in dag["edges"] if edge["downstream"] == hour]
    assert [edge["removed"] for edge in dag["edges"] if edge["downstream"] == hour] == [False]
    assert "ops.raw" in filled.call("instance", "why", hour).stdout
    text = filled.call("instance", "remove-wait", hour, "--upstream", up, "--comment", "no time").stdout
    assert text == f"{hour}  waiting_resources\n"
    (again,) = filled.json("instance", "remove-wait", hour, "--upstream", up)
    assert (again["ok"], again["unchanged"]) == (True, True)
    dag = filled.json("instance", "dag", hour)
    assert [edge["removed"] for edge in dag["edges"] if edge["downstream"] == hour] == [True]
    assert "(wait removed)" in filled.call("instance", "dag", hour).stdout
    assert "(wait removed)" in filled.call("instance", "dag", up).stdout
    assert "ops.raw" not in filled.call("instance", "why", hour).stdout
    (noted,) = filled.json("instance", "history", hour)["operations"]
    assert (noted["action"], noted["user"]) == ("remove-wait", "admin")
    assert noted["comment"] == f"waits no longer for instance {up}. no time"


@pytest.mark.parametrize("args", [(), ("--all", "--upstream", "1")])
def test_which_waits_go_must_be_said_in_one_way(filled: Sandbox, args: tuple[str, ...]) -> None:
    """OPS-7."""
    assert "either --upstream or --all" in filled.call("instance", "remove-wait", 1, *args, status=2).stderr


def test_priority_and_resource_group(filled: Sandbox) -> None:
    """OPS-7: shown in the row at once; a batch answers item by item."""
    (ready,) = numbers(filled, "--state", "waiting_resources")
    first, *_ = numbers(filled, "--task", "mid")
    results = filled.json("instance", "set-priority", ready, 999999, first, 8, status=5)
    assert [(row["id"], row["ok"]) for row in results] == [(ready, True), (999999, False), (first, True)]
    filled.call("instance", "set-resource-group", ready, "night")
    row = filled.json("instance", "show", ready)
    assert (row["priority"], row["resource_group"]) == (8, "night")
    assert filled.json("instance", "show", first)["priority"] == 8


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (("set-priority", "1", "2"), 2, '"2" is no priority'),
        (("set-priority", "1", "9"), 2, '"9" is no priority'),
        (("set-priority", "1", "high"), 2, '"high" is no priority'),
        (("set-resource-group", "1", "nihgt"), 5, 'did you mean "night"'),
        (("set-resource-group", "x", "night"), 2, "is no id of an instance"),
        (("remove-wait", "1", "--upstream", "x"), 2, "is no id of an instance"),
    ],
)
def test_bad_values_are_named(filled: Sandbox, words: tuple[str, ...], status: int, part: str) -> None:
    """OPS-7."""
    assert part in filled.call("instance", *words, status=status).stderr


def test_only_for_administrators(filled: Sandbox) -> None:
    """OPS-7, SEC-2, SEC-4."""
    (hour, *_) = numbers(filled, "--task", "hours")
    (refused,) = filled.json("instance", "remove-wait", hour, "--all", status=4, RETROFILL_USER="bob")
    assert "you may not change waits" in refused["error"]
    assert filled.json("instance", "remove-wait", hour, "--all", RETROFILL_USER="alice")[0]["ok"]


def test_the_record_of_everything(filled: Sandbox) -> None:
    """OPS-8: newest first, by user, action, task; a task's own history."""
    first, *_ = numbers(filled, "--task", "mid")
    filled.call("instance", "freeze", first, "--comment", "later", RETROFILL_USER="alice")
    filled.call("task", "freeze", "mid", "--comment", "broken", RETROFILL_USER="alice")
    newest, before, *_ = filled.json("operation", "list")
    assert (newest["action"], newest["task"], newest["comment"]) == ("freeze-task", "ops.mid", "broken")
    assert (before["action"], before["instance"], before["backfill"]) == ("freeze", first, 1)
    assert (before["from_state"], before["to_state"]) == ("not_run", "frozen")
    assert [row["action"] for row in filled.json("operation", "list", "--user", "alice")] == [
        "freeze-task",
        "freeze",
        "create",
    ]
    assert len(filled.json("operation", "list", "--limit", "1")) == 1
    assert [row["action"] for row in filled.json("operation", "list", "--instance", first)] == ["freeze"]
    assert {row["action"] for row in filled.json("operation", "list", "--backfill", "1")} == {
        "create",
        "freeze",
    }
    assert filled.json("operation", "list", "--action", "freeze-task") == filled.json(
        "task", "history", "mid"
    )
    assert "broken" in filled.call("task", "history", "mid").stdout
    assert "Nobody has frozen or unfrozen hours" in filled.call("task", "history", "hours").stderr


def test_the_record_tells_nothing_of_foreign_things(filled: Sandbox) -> None:
    """OPS-8, SEC-2: and of deploys and users only to system administrators."""
    filled.call("task", "freeze", "mid")
    filled.call("user", "add", "zoe", "--email", "zoe@example.org")
    assert {row["action"] for row in filled.json("operation", "list")} >= {
        "deploy",
        "user-add",
        "freeze-task",
    }
    assert filled.json("operation", "list", RETROFILL_USER="zoe") == []
    seen = {row["action"] for row in filled.json("operation", "list", RETROFILL_USER="dave")}
    assert seen == {"create", "freeze-task"}
    filled.call("task", "history", "ops.mid", status=5, RETROFILL_USER="zoe")


@pytest.mark.parametrize("option", ["--backfill", "--instance"])
def test_the_record_of_what_is_not_there(filled: Sandbox, option: str) -> None:
    """OPS-8, SEC-2: unknown ids are named; foreign ones look the same."""
    filled.call("user", "add", "zoe", "--email", "zoe@example.org")
    texts = [
        filled.call("operation", "list", option, number, status=5, RETROFILL_USER="zoe").stderr
        for number in (1, 999)
    ]
    assert texts[0] == texts[1].replace("999", "1")


@pytest.mark.beside_store("nothing is deployed yet")
def test_before_the_first_deploy(project: Sandbox) -> None:
    """OPS-8: nothing was done, and looking makes no store."""
    assert project.json("operation", "list") == []
    assert "Nobody has done anything" in project.call("operation", "list").stderr
    assert not (project.home / ".retrofill" / "retrofill.db").exists()
    project.call("instance", "set-priority", 1, 8, status=5)
