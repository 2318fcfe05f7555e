"""What every command shares: the global options, the project, and how things are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import click

from retrofill.bootstrap import Project, open_project
from retrofill.domain.errors import UsageError, shown

Row = Mapping[str, Any]


@dataclass
class Session:
    """One call of the command line."""

    directory: str | None = None
    output: str = "text"
    opened: Project | None = None

    @cached_property
    def project(self) -> Project:
        self.opened = project = open_project(self.directory)
        _ = project.user  # a user whom nobody knows is refused before anything is done
        return project

    def close(self) -> None:
        """Leave the store in order, whatever the command came to."""
        if self.opened is not None:
            self.opened.close()

    @property
    def is_text(self) -> bool:
        return self.output == "text"

    def document(self, value: Any, text: Callable[[], None]) -> None:
        """Print one JSON document, or what `text` prints."""
        if self.is_text:
            text()
        else:
            say_json(value)

    def rows(self, rows: Iterable[Row], columns: Sequence[str], empty: str) -> None:
        """Print a list: a table, a JSON array, or one object a line."""
        if self.output == "jsonl":
            for row in rows:
                say_json(row)
        elif self.output == "json":
            say_json(list(rows))
        else:
            print_table(list(rows), columns, empty)


def say(text: str) -> None:
    """Talk: to stderr, so that data on stdout stays clean."""
    click.echo(text, err=True)


def say_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def print_table(rows: Sequence[Row], columns: Sequence[str], empty: str) -> None:
    """A table as wide as its contents; never cuts a name, so that names can be copied."""
    if not rows:
        say(empty)
        return
    cells = [[cell(row.get(name)) for name in columns] for row in rows]
    heads = [name.replace("_", " ").upper() for name in columns]
    widths = [max(len(head), *(len(line[i]) for line in cells)) for i, head in enumerate(heads)]
    is_number = [all(_is_number(row.get(name)) for row in rows) for name in columns]
    click.echo(click.style(_line(heads, widths, is_number), bold=True))
    for line in cells:
        click.echo(_line(line, widths, is_number))


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True)]
    return "  ".join(parts).rstrip()


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def cell(value: object) -> str:
    """A value as tables show it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value) or "-"
    if isinstance(value, float):
        return f"{value:.2f}"
    return shown(str(value))


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value is not None:
            setattr(context.ensure_object(Session), name, value)
        return value

    return callback


def global_options() -> list[click.Option]:
    """--project and --output, which may stand before or after the command."""
    return [
        click.Option(
            ["--project", "global_project"],
            metavar="DIR",
            expose_value=False,
            is_eager=True,
            callback=_set("directory"),
            help="The project's folder (default: this folder or the nearest above it).",
        ),
        click.Option(
            ["--output", "global_output"],
            type=click.Choice(["text", "json", "jsonl"]),
            expose_value=False,
            is_eager=True,
            callback=_set("output"),
            help="How data is printed (default: text).",
        ),
    ]


class Command(click.Command):
    """A command that takes the global options too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(global_options())


class Group(click.Group):
    """A group whose members take the global options, and which suggests near names."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(global_options())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from retrofill.domain.errors import did_you_mean

        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(
                f'there is no command "{shown(name)}"{did_you_mean(name, self.commands)}', ctx
            )
        return super().resolve_command(ctx, args)


pass_session = click.make_pass_decorator(Session, ensure=True)


def integer_id(text: str, what: str) -> int:
    """An id as people type it.

    Raises:
        UsageError: it is no positive number.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise UsageError(f'"{shown(text)}" is no id of {what}: ids are whole numbers')
    return int(text)
