"""Help with examples that work, completion in the shell, pages of long lists."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest

from e2e.sandboxes import Sandbox
from retrofill.cli.examples import EXAMPLES
from retrofill.cli.main import cli


def commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from commands(command, inner)
        else:
            yield inner.command_path.removeprefix("retrofill "), command


COMMANDS = dict(commands(cli, click.Context(cli, info_name="retrofill")))


def test_every_command_has_examples() -> None:
    """And nothing else has."""
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("path", EXAMPLES)
def test_examples_are_what_the_command_takes(path: str) -> None:
    """Each is parsed as if it were typed: options that are gone or misspelt would be refused."""
    for example in EXAMPLES[path]:
        words = shlex.split(example.partition(" > ")[0])
        assert words[: 1 + len(path.split())] == ["retrofill", *path.split()], example
        command = COMMANDS[path]
        command.make_context(path, words[1 + len(path.split()) :], parent=click.Context(cli))


def test_help_shows_them(filled: Sandbox) -> None:
    """At its end."""
    shown = filled.call("instance", "list", "--help").stdout
    assert "Examples:\n  retrofill instance list --backfill 12 --state failed" in shown


def completed(sandbox: Sandbox, typed: str, **env: str) -> list[str]:
    """What the shell offers for the last word of a line."""
    words = typed.split(" ")
    told = sandbox.run(
        _RETROFILL_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1), **env
    )
    return [line.partition(",")[2] for line in told.stdout.splitlines() if line]


def test_the_shell_completes_tasks_ids_and_values(filled: Sandbox) -> None:
    """Tasks by full and short names, newest backfills, states, dates, words; commands and options as ever."""
    assert completed(filled, "retrofill inst") == ["instance"]
    assert completed(filled, "retrofill instance rerun-") == ["rerun-descendants"]
    assert completed(filled, "retrofill task show ops.l") == ["ops.load", "ops.lonely"]
    assert completed(filled, "retrofill task show lo") == ["load", "lonely"]
    assert "raw" not in completed(filled, "retrofill task show ra"), "two tasks are called so"
    assert completed(filled, "retrofill backfill show ") == ["3", "2", "1"]
    assert completed(filled, "retrofill instance list --state wait") == ["waiting_time", "waiting_resources"]
    assert completed(filled, "retrofill backfill plan --bizdate y") == ["yesterday"]
    assert completed(filled, "retrofill backfill plan --order d") == ["desc"]
    assert "1" in completed(filled, "retrofill instance why ")
    assert completed(filled, "retrofill backfill list --bizd") == ["--bizdate"]


@pytest.mark.beside_store("who acts is said by RETROFILL_USER")
def test_completion_offers_nothing_that_may_not_be_seen(filled: Sandbox) -> None:
    """SEC-2: and nothing at all, without an error, where there is no project."""
    assert completed(filled, "retrofill task show bi.", RETROFILL_USER="bob") == []
    assert completed(filled, "retrofill task show bi.") == ["bi.raw", "bi.report"]
    assert completed(filled, "retrofill backfill list --creator ", RETROFILL_USER="dave")
    nowhere = {"RETROFILL_PROJECT": "/nonexistent"}
    assert completed(filled, "retrofill task show ", **nowhere) == []


def test_tasks_by_a_part_of_their_name_and_page_by_page(filled: Sandbox) -> None:
    """SEL-5: parts in any case; a page goes on after the last row of the one before."""

    def names(*args: object) -> list[str]:
        return [row["task"] for row in filled.json("task", "list", *args)]

    assert names("--name", "RAW") == ["bi.raw", "ops.raw"]
    assert names("--name", "ops.l") == ["ops.load", "ops.lonely"]
    everything = names()
    first = filled.call("task", "list", "--limit", 3)
    assert f"`--cursor {everything[2]}`" in first.stderr
    assert names("--limit", 3) + names("--cursor", everything[2]) == everything
    assert names("--cursor", "ops.loadzzz", "--limit", 1) == ["ops.lonely"], (
        "whether or not it is still there"
    )


def test_backfills_and_instances_page_by_page(filled: Sandbox) -> None:
    """BF-1: all pages together are the list, whatever their length."""
    for kind, whole in (
        ("backfill", filled.json("backfill", "list")),
        ("instance", filled.json("instance", "list")),
    ):
        for size in (1, 2, 7):
            seen: list[int] = []
            while True:
                more = ("--cursor", seen[-1]) if seen else ()
                page = filled.json(kind, "list", "--limit", size, *more)
                if not page:
                    break
                seen += [row["id"] for row in page]
            assert seen == [row["id"] for row in whole], (kind, size)
    assert "--cursor 3" in filled.call("backfill", "list", "--limit", 1).stderr
    assert filled.call("instance", "list", "--cursor", 99999, status=5).stderr
