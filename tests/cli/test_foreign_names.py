"""SEC-2: every command, called by a member of one workspace, names nothing of the other one.

`open` is alice's, `vault` is greta's. Whatever alice types, the answer to a name of the vault is the
answer to a name that nobody has given to anything. `vault.passage` may be named: it is a dry run in a
backfill that alice sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from e2e.sandboxes import Result, Sandbox
from retrofill.cli.main import cli

OPEN = """
first: {type: shell, run: "true", schedule: "0 1 * * *"}
last:
  type: shell
  run: "true"
  schedule: "0 4 * * *"
  depends_on: [first, vault.passage, {task: vault.goldmine, cycle: previous}]
"""
VAULT = """
goldmine:
  type: shell
  run: "echo aurum; exit 3"
  schedule: "0 2 * * *"
  depends_on: [open.first]
  parameters: {karat: "24ct"}
  tags: [shiny]
  owner: greta
  description: Where the ore is.
  resource_group: deep
  priority: 8
passage: {type: shell, run: "true", schedule: "0 3 * * *", depends_on: [open.first], resource_group: deep, priority: 7}
slow: {type: shell, run: "sleep 3600", schedule: "0 3 * * *"}
"""
DEPLOYMENT = """
resource_groups:
  default: {slots: 4}
  deep: {type: shared, slots: 2, workspaces: [vault]}
"""
HIDDEN = re.compile(
    r"vault(?!\.passage)|goldmine|aurum|karat|24ct|shiny|greta|the ore|vault\.slow|ledgers|\bslow\b",
    re.IGNORECASE,
)
DAY = ("--bizdate", "2026-01-05")
ALICE = {"RETROFILL_USER": "alice"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """1: first, goldmine (which fails), last, which waits for it. 2: the vault's own. 3: passage is a dry run.

    4: of alice, not begun. 5: a backfill of first and slow, named after slow; nothing of it has run.
    """
    home: Path = tmp_path_factory.mktemp("foreign")
    sandbox = Sandbox(home)
    sandbox.write(OPEN, DEPLOYMENT, "open", "members: {alice: administrator, bruno: visitor}")
    sandbox.write(VAULT, DEPLOYMENT, "vault", "members: {greta: administrator}")
    tasks = ("--task", "open.first", "--task", "vault.goldmine", "--task", "open.last")
    two = ("--bizdate", "2026-01-05..2026-01-06", "--groups", 2)
    sandbox.run("backfill", "create", *tasks, *two, "--yes", "--wait", "--name", "mixed", status=1)
    sandbox.create("--task", "vault.goldmine", *DAY, RETROFILL_USER="greta")
    sandbox.create("--task", "open.first", "--task", "open.last", *DAY, "--name", "third")
    sandbox.create("--task", "open.first", "--bizdate", "2026-02-01", **ALICE)
    sandbox.create("--task", "vault.slow", "--task", "open.first", "--bizdate", "2026-02-02")
    (mined, *_) = sandbox.json("instance", "list", "--backfill", 1, "--task", "vault.goldmine")
    for operation in ("freeze", "unfreeze"):
        sandbox.call("instance", operation, mined["id"], "--comment", "aurum is scarce")
    sandbox.call("user", "add", "ledgers")
    sandbox.call("token", "create", "--user", "greta", "--label", "for the vault")
    sandbox.call("task", "freeze", "vault.slow", "--comment", "the ore is gone")
    yield sandbox
    sandbox.close()


def ids_of(world: Sandbox, *args: object) -> list[int]:
    return [row["id"] for row in world.json("instance", "list", *args)]


def said(result: Result) -> str:
    return result.stdout + result.stderr


# Every command with what alice may type; `I`: ids of instances of backfill 1, also foreign ones.
CALLS: dict[str, list[list[str]]] = {
    "init": [["../elsewhere-of-alice"]],
    "schema": [[]],
    "check": [[]],
    "deploy": [[], ["--version", "1"]],
    "version list": [[]],
    "version show": [["1"], ["1", "--task", "open.first"], ["1", "--task", "vault.goldmine"]],
    "task list": [[], ["--type", "shell"], ["--workspace", "open"]],
    "task show": [["open.first"], ["open.last"]],
    "task graph": [[], ["open.first"], ["open.last"]],
    "task history": [["open.first"]],
    "task render": [["open.last", *DAY]],
    "task freeze": [["open.last"]],
    "task unfreeze": [["open.last"]],
    "workspace list": [[]],
    "host list": [[], ["--all"]],
    "host show": [["nowhere"]],
    **{f"host {act}": [["nowhere"]] for act in ("drain", "undrain", "forget")},
    "resource-group list": [[]],
    "resource-group show": [["default"], ["deep"]],
    "store migrate": [[]],
    "store check": [[]],
    "store copy": [["--to", "embedded"]],
    "backfill list": [[], ["--name", "v"], ["--type", "shell"], ["--status", "failed"], ["--task", "last"]],
    "backfill show": [["1"], ["2"], ["3"], ["4"], ["5"]],
    "backfill analysis": [["1"], ["2"], ["3"], ["5"]],
    "backfill history": [["1"], ["2"], ["3"]],
    "backfill wait": [["1", "--timeout", "1s"], ["2", "--timeout", "1s"], ["5", "--timeout", "1s"]],
    "backfill plan": [
        ["--task", "open.first", "--descendants", "all", *DAY],
        ["--task", "open.first", "--descendants", "all", *DAY, "--instances"],
        ["--task", "open.first", "--task", "open.last", "--bizdate", "2026-02-02", "--instances"],
        ["--from", "open.first", "--to", "open.last", *DAY],
        ["--root", "open.first", "--workspace", "open", *DAY],
        ["--all-descendants", "open.first", *DAY],
        ["--where", "workspace=open", *DAY],
        ["--where", "owner=gret", *DAY],
        ["--reuse", "1", *DAY],
        ["--reuse", "2", *DAY],
        ["--reuse", "3", *DAY],
        ["--reuse", "5", *DAY],
    ],
    "backfill create": [
        ["--task", "open.first", "--descendants", "all", *DAY, "--yes"],
        ["--reuse", "1", *DAY, "--yes"],
        ["--reuse", "5", *DAY, "--yes"],
        ["--all-descendants", "open.first", "--bizdate", "2026-01-09", "--yes"],
    ],
    "backfill change": [["1", "--groups", "2"], ["4", "--resource-group", "deep"], ["2", "--groups", "2"]],
    "backfill pause": [["1"], ["2"], ["5"]],
    "backfill resume": [["1"], ["2"], ["5"]],
    "backfill freeze": [["1"], ["2"], ["5"]],
    "backfill unfreeze": [["1"], ["2"], ["5"]],
    "backfill rerun": [["1", "--failed"], ["1"], ["2"], ["1", "2", "3"], ["5", "--ignore-dependencies", "--yes"]],
    "backfill stop": [["1"], ["2"], ["5"]],
    "instance list": [[], ["--backfill", "1"], ["--backfill", "2"], ["--auto"], ["--task", "open.last"]],
    **{f"instance {name}": [["I"]] for name in ("show", "why", "log", "history", "lineage", "dag")},
    **{f"instance {name}": [["I"]] for name in ("freeze", "unfreeze", "set-successful", "rerun", "stop")},
    "instance rerun-descendants": [["I"], ["I", "--with-self"], ["I", "--task", "open.last"]],
    "instance remove-wait": [["I", "--all"], ["I", "--upstream", "2"]],
    "instance set-priority": [["I", "5"]],
    "instance set-resource-group": [["I", "default"], ["I", "deep"]],
    "operation list": [[], ["--action", "freeze-task"], ["--backfill", "1"], ["--instance", "2"], ["--task", "open.first"]],
    "user add": [["nobody"]],
    "user list": [[]],
    "user remove": [["bruno"]],
    "user role": [["bruno", "administrator"]],
    "user contact": [["alice"], ["bruno"]],
    "token create": [["--label", "mine"], ["--user", "bruno"]],
    "token list": [[], ["--user", "bruno"]],
    "token revoke": [["1"], ["99"]],
    "user link": [[], ["bruno"]],
    "user password": [["--remove"], ["bruno", "--remove"]],
    "user sessions": [[], ["--user", "bruno"]],
    "user sign-out": [[], ["bruno"], ["--session", "1"]],
    "access-key create": [["--label", "mine"], ["--user", "bruno"]],
    "access-key list": [[], ["--user", "bruno"]],
    "access-key revoke": [["none"]],
    "schedule list": [[]],
    "schedule show": [[]],
    "schedule pause": [[]],
    "schedule resume": [[]],
    "schedule accept-clock": [[]],
    "retention run": [["--dry-run"], []],
    "backup": [["copy.backup"]],
    "restore": [["copy.backup"]],
    "doctor": [[]],
}  # fmt: skip
ELSEWHERE = {"scheduler", "serve", "up", "worker"}  # run until they are interrupted, and tell only ids


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name))


def test_no_command_is_forgotten() -> None:
    """A command that is new has to be added to those above."""
    assert set(commands(cli)) - ELSEWHERE == set(CALLS)


@pytest.mark.parametrize("command", CALLS)
def test_what_a_member_of_one_workspace_is_told(world: Sandbox, command: str) -> None:
    """SEC-2: as text and as JSON, on stdout and stderr, whether it is done or refused."""
    instances = ids_of(world, "--backfill", "1") + ids_of(world, "--backfill", "2")
    for args in CALLS[command]:
        for instance_id in instances if "I" in args else [0]:
            words = [str(instance_id) if word == "I" else word for word in args]
            for output in ("text", "json"):
                told = said(world.call(*command.split(), *words, "--output", output, status=None, **ALICE))
                found = HIDDEN.search(
                    told.replace("vault.goldmine", "") if "vault.goldmine" in words else told
                )
                assert found is None, f"{command} {words}: {told}"


NAMES = [
    ("task show {}", "vault.goldmine", "vault.nothing0"),
    ("task show {}", "goldmine", "nothingo"),
    ("task show {}", "goldmin", "nothing"),
    ("task show {}", "open.goldmine", "open.nothing0"),
    ("task graph {}", "goldmine", "nothingo"),
    ("task history {}", "vault.slow", "vault.none"),
    ("task freeze {}", "vault.slow", "vault.none"),
    ("task render {} --bizdate 2026-01-05", "vault.slow", "vault.none"),
    ("task list --workspace {}", "vault", "nowhr"),
    ("task list --tag {}", "shiny", "nosuc"),
    ("version show 1 --task {}", "vault.slow", "vault.none"),
    ("backfill list --task {}", "vault.slow", "vault.none"),
    ("backfill list --workspace {}", "vault", "nowhr"),
    ("backfill list --workspace {}", "vaul", "nowh"),
    ("backfill list --name {}", "vault", "nowhr"),
    ("backfill list --name {}", "vault.slow_2026", "vault.none_2026"),
    ("backfill list --creator {}", "greta", "nobod"),
    ("backfill list --creator {}", "gret", "nobo"),
    ("backfill list --creator {}", "ledgers", "nobodys"),
    ("instance list --task {}", "vault.slow", "vault.none"),
    ("operation list --user {}", "greta", "nobod"),
    ("operation list --task {}", "vault.slow", "vault.none"),
    ("user contact {}", "greta", "nobod"),
    ("user contact {}", "gret", "nobo"),
    ("token list --user {}", "greta", "nobod"),
    ("token create --user {}", "greta", "nobod"),
    ("user remove {}", "greta", "nobod"),
    ("user role {} administrator", "greta", "nobod"),
    ("user link {}", "greta", "nobod"),
    ("user password {} --remove", "greta", "nobod"),
    ("user sessions --user {}", "greta", "nobod"),
    ("user sign-out {}", "greta", "nobod"),
    ("access-key create --user {}", "greta", "nobod"),
    ("access-key list --user {}", "greta", "nobod"),
    ("backfill plan --bizdate 2026-01-05 --task {}", "vault.slow", "vault.none"),
    ("backfill plan --bizdate 2026-01-05 --task first --exclude {}", "vault.slow", "vault.none"),
    ("backfill plan --bizdate 2026-01-05 --root first --workspace {}", "vault", "nowhr"),
    ("backfill plan --bizdate 2026-01-05 --from first --to {}", "vault.goldmine", "vault.nothing0"),
    ("backfill plan --bizdate 2026-01-05 --task first --only {}", "vault.goldmine", "vault.nothing0"),
    ("backfill plan --bizdate 2026-01-05 --task first --set {}.karat=1", "vault.goldmine", "vault.nothing0"),
    ("backfill plan --bizdate 2026-01-05 --where workspace={}", "vault", "nowhr"),
    ("backfill plan --bizdate 2026-01-05 --where owner={}", "greta", "nobod"),
    ("backfill plan --bizdate 2026-01-05 --where tag={}", "shiny", "nosuc"),
    ("instance show {}", "{foreign}", "999"),
    ("instance log {}", "{foreign}", "999"),
    ("instance why {}", "{foreign}", "999"),
    ("instance dag {}", "{foreign}", "999"),
    ("instance rerun {}", "{foreign}", "999"),
    ("instance remove-wait 3 --upstream {}", "{foreign}", "999"),
    ("backfill show {}", "2", "999"),
    ("backfill stop {}", "2", "999"),
    ("backfill plan --bizdate 2026-01-05 --reuse {}", "2", "999"),
]


@pytest.mark.parametrize(("command", "hidden", "unknown"), NAMES)
def test_a_foreign_name_is_answered_like_an_unknown_one(
    world: Sandbox, command: str, hidden: str, unknown: str
) -> None:
    """SEC-2: whatever is filtered, searched or named; the same words and the same exit status."""
    foreign = next(r["id"] for r in world.json("instance", "list", "--backfill", "2"))
    hidden = hidden.replace("{foreign}", str(foreign))
    answers = []
    for name in (hidden, unknown):
        answer = world.call(*command.format(name).split(), status=None, **ALICE)
        answers.append((answer.status, said(answer).replace(name, "NAME")))
    assert answers[0] == answers[1]


def test_the_measure_finds_what_is_there(world: Sandbox) -> None:
    """So that the tests above cannot pass by chance."""
    for command in ("task list", "backfill list", "backfill analysis 1", "backfill history 1", "instance list",
                    "operation list"):  # fmt: skip
        assert HIDDEN.search(said(world.call(*command.split()))), command
    assert (
        "aurum"
        in world.call("instance", "log", ids_of(world, "--backfill", "1", "--task", "goldmine")[0]).stdout
    )


def test_of_a_foreign_dry_run_only_the_name(world: Sandbox) -> None:
    """SEC-2: neither its parameters nor its priority nor its resource group, in plans and lists."""
    plan = ("backfill", "plan", "--task", "first", "--task", "last", *DAY, "--instances", "--output", "json")
    lines = {line["task"]: line for line in world.call(*plan, **ALICE).json}
    hidden = lines["vault.passage"]
    assert (hidden["parameters"], hidden["priority"], hidden["resource_group"]) == ({}, None, None)
    assert lines["open.last"]["resource_group"] == "default"
    assert {line["task"]: line for line in world.call(*plan).json}["vault.passage"][
        "resource_group"
    ] == "deep"
    rows = world.json("instance", "list", "--backfill", 3, **ALICE)
    assert {(row["task"], row["resource_group"]) for row in rows} == {
        ("open.first", "default"), ("open.last", "default"), ("vault.passage", None),
    }  # fmt: skip


def test_the_progress_of_waiting(world: Sandbox) -> None:
    """SEC-2: what has no successful run yet, what runs and what failed is not named to who may not see it."""
    wait = ("backfill", "wait", 5, "--timeout")

    def lines(timeout: str) -> str:
        return said(world.run(*wait, timeout, status=124, **ALICE))

    def picture(timeout: str) -> str:
        return world.terminal(*wait, timeout, **ALICE)

    for shown, part in (
        (lines, "no successful run yet of a task of another workspace"),
        (picture, "running: 1"),
    ):
        texts = (shown(timeout) for timeout in ("2s", "15s", "2m"))  # for machines of any speed
        text = next((text for text in texts if part in text), "")
        assert part in text
        assert HIDDEN.search(text) is None
