"""What a task finds around it, beside its parameters: variables that it inherits or is given, and its interpreter (CAT-10)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from retrofill.domain.catalog.task_types import Reads, TaskType
from retrofill.domain.errors import shown

INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR")
OWN_PREFIX = "RETROFILL_"
SHELLS = ("sh", "bash")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?|\*")
_READS_C = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"})  # `-c CODE NAME VALUE...`
_PYTHON = re.compile(r"python[0-9.]*")


class SurroundingsError(Exception):
    """What is wrong, and what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


def check_variable(name: str) -> None:
    """Refuse what `env` cannot set.

    Raises:
        SurroundingsError: it is no name of a variable, or Retrofill's own.
    """
    if not _NAME.fullmatch(name):
        raise SurroundingsError(
            f'"{shown(name)}" is no name of a variable',
            'use letters, digits and "_", and begin with no digit',
        )
    if name.startswith(OWN_PREFIX):
        raise SurroundingsError(f'"{name}" is one of Retrofill\'s own variables', "choose another name")


def check_pattern(pattern: str) -> None:
    """Refuse what `inherit_env` cannot let through.

    Raises:
        SurroundingsError: it is neither a name nor the beginning of one, or names Retrofill's own.
    """
    if not _PATTERN.fullmatch(pattern):
        raise SurroundingsError(
            f'"{shown(pattern)}" is no name of a variable',
            "write a name, or the beginning of names and *, as AWS_*",
        )
    if pattern.startswith(OWN_PREFIX):
        raise SurroundingsError(
            f'"{pattern}" are Retrofill\'s own variables, which are not inherited',
            "give a secret as a parameter: ${secret:NAME}",
        )


def inherited(environ: Mapping[str, str], patterns: Iterable[str]) -> dict[str, str]:
    """The variables that these names and beginnings (`AWS_*`) let through; never Retrofill's own."""
    names = {pattern for pattern in patterns if not pattern.endswith("*")}
    beginnings = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    return {
        key: value
        for key, value in environ.items()
        if (key in names or key.startswith(beginnings)) and not key.startswith(OWN_PREFIX)
    }


class Interpreter(NamedTuple):
    """What runs a task's code: the words of its command, and how it reads the code."""

    words: tuple[str, ...]
    reads: Reads

    @property
    def program(self) -> str:
        """What must be there: for `/usr/bin/env NAME` that name."""
        return _program(self.words)


def interpreter_of(task_type: TaskType, code: str, shell: str, python: str) -> Interpreter | None:
    """The program that a task's code is given to; None where there is none but our own.

    Args:
        python: runs Python tasks.
    """
    if task_type.traits.reads is Reads.ARGUMENT:
        return shell_of(code, shell)
    return Interpreter((python,), Reads.PYTHON) if task_type.traits.reads is Reads.PYTHON else None


def shell_of(code: str, shell: str) -> Interpreter:
    """What runs the code of a shell task: its first line `#!...`, else `shell`, else `/bin/sh`.

    As the kernel does, the first line is one program and at most one argument.
    """
    if code.startswith("#!"):
        program, _, argument = code[2:].partition("\n")[0].strip().partition(" ")
        words = (program, argument.strip()) if argument.strip() else (program,)
        if program:
            name = _program(words).rpartition("/")[2]
            if name in _READS_C:
                return Interpreter(words, Reads.ARGUMENT)
            return Interpreter(words, Reads.PYTHON if _PYTHON.fullmatch(name) else Reads.FILE)
    return Interpreter(("/bin/sh" if shell in ("", "sh") else shell,), Reads.ARGUMENT)


def _program(words: tuple[str, ...]) -> str:
    if words[0].rpartition("/")[2] != "env" or len(words) < 2:
        return words[0]
    rest = [word for word in words[1].split() if not word.startswith("-") and "=" not in word]
    return rest[0] if rest else words[0]
