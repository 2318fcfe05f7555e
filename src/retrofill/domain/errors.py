"""Every error that is raised on purpose has a class here or in the module of its subject.

An error has a stable `code`, a sentence that says what is wrong and where, and a hint
that says what to do: the class's docstring, or `hint` where it depends on the case.
`exit_status` is what the command line exits with.
"""

from __future__ import annotations

from collections.abc import Iterable


class RetrofillError(Exception):
    """The base of all errors raised on purpose."""

    code = "error"
    exit_status = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self._hint = hint

    @property
    def hint(self) -> str:
        """What to do about it, one or two sentences."""
        if self._hint is not None:
            return self._hint
        # Imported when an error is told: errors are rarer than commands, which all import this module.
        import inspect

        return inspect.cleandoc(type(self).__doc__ or "")


class UsageError(RetrofillError):
    """See `retrofill COMMAND --help`."""

    code = "usage"
    exit_status = 2


class InvalidValueError(UsageError):
    """Write the value in the form that the message names."""

    code = "invalid_value"


class LimitError(UsageError):
    """Ask for less, or raise the setting that the message names."""

    code = "limit_exceeded"


class NotPermittedError(RetrofillError):
    """Ask an administrator of the workspace for the role that this needs."""

    code = "not_permitted"
    exit_status = 4


class UnknownNameError(RetrofillError):
    """List what exists with the matching `list` command."""

    code = "unknown"
    exit_status = 5


class WrongStateError(RetrofillError):
    """Look at the current state with `show` or `why`, then choose an operation that fits it."""

    code = "wrong_state"
    exit_status = 6


class StoreUnavailableError(RetrofillError):
    """Look at the disk; nothing that was noted is lost, and what is running goes on."""

    code = "store_unavailable"
    exit_status = 2


class StoreFullError(StoreUnavailableError):
    """Make room on the disk; nothing that was noted is lost, and what is running goes on."""

    code = "store_full"


class StoreBusyError(StoreUnavailableError):
    """Let that process go on or end it, then try again; nothing was written. Looking works meanwhile."""

    code = "store_busy"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that offers the nearest known word, or an empty text."""
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def shown(text: str) -> str:
    """Foreign text as it may stand in a terminal: control characters and bidi marks escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
