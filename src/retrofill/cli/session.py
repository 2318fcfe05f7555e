"""What every command shares: the global options, whom it asks, and how things are printed.

A command asks `session.center`: the operation center of the folder's store, or with RETROFILL_URL that of a server,
which is the same. What only makes sense beside the store asks `session.call`, which refuses with a server.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import click

from retrofill.cli.steps import command_of, json_of, told
from retrofill.cli.tables import EXPENDABLE, Row, cell, print_table
from retrofill.domain.errors import UsageError
from retrofill.domain.inputs import integer_id

if TYPE_CHECKING:
    from retrofill.bootstrap.centers import Call
    from retrofill.bootstrap.folder import Folder
    from retrofill.cli.engines import Engine
    from retrofill.client import Client
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


class BesideStoreError(UsageError):
    """Give it on the server's machine, in the project's folder, with RETROFILL_URL unset."""

    code = "beside_store"


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
    def server(self) -> Client | None:
        """The one that RETROFILL_URL names; None: commands work on the store of the folder."""
        if not os.environ.get("RETROFILL_URL"):
            return None
        from retrofill.client import client_of

        return client_of(os.environ, self.directory)

    @cached_property
    def center(self) -> OperationCenter:
        """Everything that who acts may ask and do."""
        if self.server is None:
            return self.call.center
        return cast("OperationCenter", self.server)  # a test holds that it has the same methods

    def waiting_center(self, seconds: float | None, on_away: Callable[[], object]) -> OperationCenter:
        """The same for who waits: it bears with a server that is away, for ten minutes or until the time is over."""
        if self.server is None:
            return self.center
        return cast("OperationCenter", self.server.patient(seconds, on_away))

    @property
    def call(self) -> Call:
        """The folder with its store.

        Raises:
            BesideStoreError: the environment names a server.
        """
        if self.server is not None:
            command = click.get_current_context().command_path
            raise BesideStoreError(f"`{command}` works beside the store, and RETROFILL_URL names a server")
        return self.folder_call

    @cached_property
    def folder_call(self) -> Call:
        """The same for what asks the folder alone, whatever server there is."""
        from retrofill.bootstrap.centers import open_call

        self.opened = call = open_call(self.directory, command=command_of)
        _ = call.user  # a user whom nobody knows is refused before anything is done
        return call

    @property
    def folder(self) -> Folder:
        """The project's files."""
        from retrofill.bootstrap.folder import find_folder

        return find_folder(self.directory, os.environ)

    @cached_property
    def engine(self) -> Engine:
        """Who carries on while a command waits."""
        from retrofill.cli.engines import EngineHere, EngineThere

        return EngineHere(self.call) if self.server is None else EngineThere()

    def work_on_deployed(self) -> None:
        """Let what is deployed stand for the folder; a server does that anyway.

        Raises:
            WrongStateError: nothing is deployed.
        """
        if self.server is None:
            self.call.work_on_deployed()

    def close(self) -> None:
        """Leave the store in order, whatever the command came to."""
        if self.opened is not None:
            self.opened.close()
        server = self.__dict__.get("server")
        if server is not None:
            server.close()

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
