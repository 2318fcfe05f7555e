"""What every command shares: the global options, the project, and how things are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.steps import command_of, json_of, told
from retrofill.cli.tables import EXPENDABLE, Row, cell, print_table
from retrofill.domain.inputs import integer_id

if TYPE_CHECKING:
    from retrofill.bootstrap.centers import Call
    from retrofill.domain.texts import Text
    from retrofill.services.operation_center import OperationCenter

__all__ = [
    "Row",
    "Session",
    "cell",
    "integer_id",
    "pass_session",
    "print_table",
    "say",
    "say_json",
]


@dataclass
class Session:
    """One call of the command line."""

    directory: str | None = None
    output: str = "text"
    wide: bool = False
    opened: Call | None = None
    given: set[str] = field(
        default_factory=set
    )  # global options that were given, before or after the command

    @cached_property
    def call(self) -> Call:
        from retrofill.bootstrap.centers import open_call

        self.opened = call = open_call(self.directory, command=command_of)
        _ = call.user  # a user whom nobody knows is refused before anything is done
        return call

    @property
    def center(self) -> OperationCenter:
        """Everything that who acts may ask and do."""
        return self.call.center

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

    def rows(
        self, rows: Iterable[Row], columns: Sequence[str], empty: str, expendable: Sequence[str] = ()
    ) -> None:
        """Print a list: a table, a JSON array, or one object a line.

        Args:
            expendable: columns that a narrow terminal does without, the first ones first.
        """
        if self.output == "jsonl":
            for row in rows:
                say_json(row)
        elif self.output == "json":
            say_json(list(rows))
        else:
            print_table(list(rows), columns, empty, self.wide, expendable or EXPENDABLE)


def say(text: Text | str) -> None:
    """Talk: to stderr, so that data on stdout stays clean."""
    click.echo(told(text), err=True)


def say_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=json_of) + "\n")


pass_session = click.make_pass_decorator(Session, ensure=True)
