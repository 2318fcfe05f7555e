"""The types of tasks as one table: what is true of a type, wherever that matters (CAT-5).

A type is a row of `TaskType`. Other modules name none: they ask for its traits.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Self


class Reads(StrEnum):
    """How a program is given the code that it runs."""

    ARGUMENT = "argument"  # as a shell: -c CODE NAME VALUE...
    PYTHON = "python"  # our runner in a python: the text, with the name of its file
    FILE = "file"  # FILE VALUE...
    SQL = "sql"  # our runner for databases: the connection's URL and the text


class Traits(NamedTuple):
    """What sets a type apart.

    Attributes:
        means: what its code is, for people.
        reads: how what runs the code is given it; None: there is none, and the task succeeds at once.
        has_connection: it names one of the deployment's connections.
        is_sql: `${name}` in its text is replaced by parameters (PAR-4), and its tables are read from it (OPS-10).
        has_arguments: the values of its parameters are arguments too, in declared order (PAR-4).
        has_files: it finds the files that its workspace includes (CAT-9).
    """

    means: str
    reads: Reads | None = None
    has_connection: bool = False
    is_sql: bool = False
    has_arguments: bool = False
    has_files: bool = False

    @property
    def has_code(self) -> bool:
        return self.reads is not None


class TaskType(StrEnum):
    """What runs a task's code: the word that project files and stored versions hold, and its traits."""

    traits: Traits

    def __new__(cls, word: str, traits: Traits) -> Self:
        self = str.__new__(cls, word)
        self._value_ = word
        self.traits = traits
        return self

    SHELL = "shell", Traits("a shell script", Reads.ARGUMENT, has_arguments=True, has_files=True)
    PYTHON = "python", Traits("Python code", Reads.PYTHON, has_files=True)
    SQL = "sql", Traits("SQL for its connection", Reads.SQL, has_connection=True, is_sql=True)
    VIRTUAL = "virtual", Traits("no code, it succeeds at once")


TASK_TYPES = {task_type.value: task_type for task_type in TaskType}


def types_that(fits: Callable[[Traits], bool]) -> list[str]:
    """The words of all types whose traits fit."""
    return [word for word, task_type in TASK_TYPES.items() if fits(task_type.traits)]
