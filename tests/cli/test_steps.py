"""The core names no command; the command line has one for each step that the core speaks of."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

import retrofill
from cli.test_help import COMMANDS as CLICK_COMMANDS
from retrofill.cli.main import cli
from retrofill.cli.steps import COMMANDS, command_of, told
from retrofill.domain.texts import Argument, Option, Step, Text

SOURCE = Path(retrofill.__file__).parent
# Faces, what writes files and pages for people who use the command line, and what starts commands.
SPEAKING = ("cli/", "web/", "executors/celery/", "project/scaffold.py", "project/schema_reference.py")
_GROUPS = {path.split()[0] for path in CLICK_COMMANDS}
_COMMAND = re.compile(rf"\bretrofill ({'|'.join(sorted(_GROUPS))})\b")
_OPTION = re.compile(r"(?<![\w-])--[a-z]")


def core() -> list[Path]:
    """All modules but those and the one that defines what is looked for."""
    found = (
        path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts and path.name != "texts.py"
    )
    return sorted(p for p in found if not p.relative_to(SOURCE).as_posix().startswith(SPEAKING))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path: Path, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def texts_of(path: Path) -> Iterator[Text]:
    """The templates of a module, and the hints of its error classes."""
    for call in calls(path, "Text"):
        if isinstance(call.args[0], ast.Constant):
            yield Text(str(call.args[0].value))
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
            yield Text(ast.get_docstring(node) or "")


def steps_of(path: Path) -> Iterator[Step]:
    for text in texts_of(path):
        yield from text.steps
    for call in calls(path, "Step"):
        name, *_ = call.args
        assert isinstance(name, ast.Constant), (
            f"{path}:{call.lineno}: a step's name is written where it is used"
        )
        given = {word.arg: sample(word.value) for word in call.keywords if word.arg is not None}
        yield Step(str(name.value), **given)


def sample(value: ast.expr) -> Argument:
    """The value that is written, or one that stands for what is known later."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str | int | None):
        return value.value
    return "1"


def options_of(path: Path) -> Iterator[Option]:
    for text in texts_of(path):
        yield from (part for part in text.parts if isinstance(part, Option))


def ids(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("path", core(), ids=ids)
def test_the_core_names_no_command_and_no_option(path: Path) -> None:
    """Pages and an API show the same sentences, in other words."""
    written = [
        (node.lineno, node.value)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [one for one in written if _COMMAND.search(one[1]) or _OPTION.search(one[1])] == []


@pytest.mark.parametrize("path", [p for p in core() if p.name != "errors.py"], ids=ids)
def test_templates_are_written_and_never_made(path: Path) -> None:
    """What comes from elsewhere, such as a task's name, is a value: it cannot become a command.

    The one exception are the docstrings of error classes, which are written too.
    """
    made = [call.lineno for call in calls(path, "Text") if not isinstance(call.args[0], ast.Constant)]
    assert made == []


STEPS = sorted({step for path in core() for step in steps_of(path)}, key=str)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_every_step_is_a_command_that_can_be_typed(step: Step) -> None:
    """Parsed as if it were: options that are gone or misspelt would be refused."""
    if step.name == "help.read":
        return
    program, *words = shlex.split(command_of(step))
    assert program == "retrofill"
    path = max((p for p in CLICK_COMMANDS if words[: len(p.split())] == p.split()), key=len)
    CLICK_COMMANDS[path].make_context(path, words[len(path.split()) :], parent=click.Context(cli))


def test_the_table_has_no_step_that_nobody_speaks_of() -> None:
    assert {step.name for step in STEPS} == set(COMMANDS)


def test_every_option_is_one_of_some_command() -> None:
    spoken = {told(Text("{option}", option=Option(o.name))) for p in core() for o in options_of(p)}
    known = {
        name
        for command in CLICK_COMMANDS.values()
        for parameter in command.get_params(click.Context(command))
        for name in [*parameter.opts, *parameter.secondary_opts]
    }
    assert spoken
    assert spoken - known == set()


def test_what_is_not_known_yet_has_a_name() -> None:
    """As it stands in the help of the command."""
    assert command_of(Step("backfill.stop")) == "retrofill backfill stop ID"
    assert command_of(Step("user.contact", name="bob", email=None)) == (
        "retrofill user contact bob --email ADDRESS"
    )


def test_a_command_can_be_pasted() -> None:
    """Whatever is in its arguments stays an argument."""
    step = Step("backfill.create", task=("w.a; rm -rf ~", "w.b"), descendants="all", allow_risks=True)
    assert shlex.split(command_of(step)) == [
        *("retrofill", "backfill", "create", "--task", "w.a; rm -rf ~", "--task", "w.b"),
        *("--descendants", "all", "--allow-risks"),
    ]
    assert command_of(Step("user.contact", name="$(id)")) == "retrofill user contact '$(id)'"
