"""One class per source of secrets; each finds a value by name, and tells no value in an error.

A source that cannot be asked raises `SecretUnavailableError`; one that does not know the name gives None.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from retrofill.secrets.commands import CommandError, output_of
from retrofill.services.ports.secrets import SecretUnavailableError

VARIABLE = "RETROFILL_SECRET_"  # and the name
LONGEST = 64 * 1024  # bytes of one value
_LONGEST_FILE = 4 << 20
_CONFIDENTIAL = (VARIABLE, "RETROFILL_TOKEN")
_PLACE = "{name}"


class Source(Protocol):
    """Where values of secrets come from."""

    def find(self, name: str) -> str | None:
        """The value; None: this source has no such secret.

        Raises:
            SecretUnavailableError: it cannot be asked.
        """
        ...

    def remedy(self, name: str) -> str:
        """What lets it know the name: a part of a sentence."""
        ...


class Environment:
    """Variables of this process: RETROFILL_SECRET_<NAME>."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def find(self, name: str) -> str | None:
        return self._environ.get(VARIABLE + name)

    def remedy(self, name: str) -> str:
        return f"set {VARIABLE}{name} in the environment of the scheduler"


class SecretFile:
    """A YAML mapping from names to texts that only its owner may read; read anew when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, ...], Mapping[str, str]] | None = None

    def find(self, name: str) -> str | None:
        try:
            return self._values().get(name)
        except OSError as error:
            raise self._trouble(f"cannot be read: {error.strerror or error}") from None

    def remedy(self, name: str) -> str:
        return f"write {name} into {self._path}"

    def _values(self) -> Mapping[str, str]:
        with open(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            self._check(status)
            mark = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
            if self._read is None or self._read[0] != mark:
                self._read = (mark, self._parsed(file.read(_LONGEST_FILE + 1)))
        return self._read[1]

    def _check(self, status: os.stat_result) -> None:
        """Refuse what others may read or may have put there."""
        if not stat.S_ISREG(status.st_mode):
            raise self._trouble("is no regular file")
        if status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            raise self._trouble(f"has mode {mode:04o}, so that others may use it", f"chmod 600 {self._path}")
        if status.st_uid not in (os.geteuid(), 0):
            raise self._trouble("belongs to somebody else", f"chown it to user {os.geteuid()}, who reads it")
        if status.st_size > _LONGEST_FILE:
            raise self._trouble(f"is larger than {_LONGEST_FILE >> 20} MiB")

    def _parsed(self, text: bytes) -> Mapping[str, str]:
        """Every value as the text that is written; what a parser says would show parts of values."""
        import yaml

        try:
            found = yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506 - makes nothing but texts
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" (line {mark.line + 1})" if mark is not None else ""
            raise self._trouble(f"is no YAML{where}") from None
        except ValueError:
            raise self._trouble("is no UTF-8 text") from None
        if not isinstance(found or {}, dict):
            raise self._trouble("is no mapping", "Write one line `NAME: value` for each secret.")
        for name, value in (found or {}).items():
            if not isinstance(value, str) or "\0" in value or len(value) > LONGEST:
                raise self._trouble(f"gives {name!s:.60} what is no text of a secret")
        return found or {}

    def _trouble(self, what: str, hint: str | None = None) -> SecretUnavailableError:
        return SecretUnavailableError(f"the file of secrets {self._path} {what}", hint)


class SecretCommand:
    """A program that prints the value of the secret that its last argument, or the place {name}, names.

    No shell is between. It prints nothing where there is no such secret; another exit status than 0 says that
    it could not find out.

    Args:
        arguments: the program and what it is given.
        directory: where it runs.
    """

    def __init__(
        self, arguments: Sequence[str], directory: Path, environ: Mapping[str, str], seconds: float
    ) -> None:
        self._arguments = tuple(arguments)
        self._directory = directory
        self._environ = {key: value for key, value in environ.items() if not key.startswith(_CONFIDENTIAL)}
        self._seconds = seconds

    def find(self, name: str) -> str | None:
        try:
            output = output_of(self._with(name), self._directory, self._environ, self._seconds, LONGEST)
            value = output.decode().removesuffix("\n").removesuffix("\r")
        except CommandError as error:
            raise self._trouble(name, str(error)) from None
        except UnicodeDecodeError:
            raise self._trouble(name, "printed what is no UTF-8 text") from None
        if "\0" in value:
            raise self._trouble(name, "printed a NUL character")
        return value or None

    def remedy(self, name: str) -> str:
        return "let the command of the setting `secrets` know it"

    def _with(self, name: str) -> list[str]:
        if any(_PLACE in argument for argument in self._arguments):
            return [argument.replace(_PLACE, name) for argument in self._arguments]
        return [*self._arguments, name]

    def _trouble(self, name: str, what: str) -> SecretUnavailableError:
        return SecretUnavailableError(
            f"the secret {name} could not be had: the command of the setting `secrets` {what}",
            "Run it by hand, as the user and with the environment of this process; it is asked again by itself.",
        )
