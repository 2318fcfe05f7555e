"""Every error that is raised on purpose has a class here or in the module of its subject.

An error has a stable `code`, a `kind`, a sentence that says what is wrong and where, and a
hint that says what to do: the class's docstring, or `hint` where it depends on the case.
Sentence and hint are `Text`s, so that each face says in its own words what can be done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from retrofill.domain.texts import Text


class Kind(StrEnum):
    """What sort of refusal it is: what the command line's exit status and the status of HTTP are made from."""

    USAGE = "usage"  # the request does not make sense, or the project's files do not
    LIMIT = "limit"  # it makes sense, and is too much
    NOT_SIGNED_IN = "not_signed_in"  # nobody knows who asks
    NOT_PERMITTED = "not_permitted"
    UNKNOWN = "unknown"  # there is no such thing, or none that the asker may see
    TOO_OFTEN = "too_often"  # nothing is wrong with it but how soon it comes
    WRONG_STATE = "wrong_state"  # it would be right at another time
    UNAVAILABLE = "unavailable"  # the store cannot be used: nothing was done, and asking later may help
    UNREACHABLE = "unreachable"  # nor can its server, or that of Retrofill
    TIMED_OUT = "timed_out"  # it was done, and its end did not come in time
    FAILED = "failed"  # it was tried and did not come off
    BROKEN = "broken"  # a part of Retrofill does not do what it should


class Detail(NamedTuple):
    """One of several things that are wrong: where, and what."""

    at: str
    message: str


class RetrofillError(Exception):
    """The base of all errors raised on purpose."""

    code = "error"
    kind = Kind.FAILED

    def __init__(self, message: str | Text, hint: str | Text | None = None) -> None:
        self.text = Text.of(message)
        super().__init__(str(self.text))
        self._hint = hint

    @property
    def message(self) -> str:
        """The sentence in plain words, for logs and for the ledger."""
        return str(self.text)

    @property
    def hint(self) -> Text:
        """What to do about it, one or two sentences."""
        return self.usual_hint() if self._hint is None else Text.of(self._hint)

    @property
    def advice(self) -> str:
        """Sentence and hint in one, for where there is room for one text only."""
        return f"{self.message}; {str(self.hint).removesuffix('.')}"

    @property
    def details(self) -> Sequence[Detail]:
        """What is wrong one by one, where it is several things; none where the sentence is all."""
        return ()

    @classmethod
    def usual_hint(cls) -> Text:
        """What to do where nothing more exact is known: the class's docstring."""
        # Imported when an error is told: errors are rarer than commands, which all import this module.
        import inspect

        return Text(inspect.cleandoc(cls.__doc__ or ""))


class UsageError(RetrofillError):
    """See {help.read}."""

    code = "usage"
    kind = Kind.USAGE


class InvalidValueError(UsageError):
    """Write the value in the form that the message names."""

    code = "invalid_value"


class LimitError(UsageError):
    """Ask for less, or raise the setting that the message names."""

    code = "limit_exceeded"
    kind = Kind.LIMIT


class NotPermittedError(RetrofillError):
    """Ask an administrator of the workspace for the role that this needs."""

    code = "not_permitted"
    kind = Kind.NOT_PERMITTED


class NotSignedInError(RetrofillError):
    """Send a token that was made for you and is still valid, or sign in."""

    code = "not_signed_in"
    kind = Kind.NOT_SIGNED_IN


class UnknownNameError(RetrofillError):
    """Look at a list of what there is, and choose from it."""

    code = "unknown"
    kind = Kind.UNKNOWN


class TooOftenError(RetrofillError):
    """Try again in a moment."""

    code = "too_often"
    kind = Kind.TOO_OFTEN
    seconds = 1  # until it is worth trying again


class WrongStateError(RetrofillError):
    """Look at the state that it is in, and why, then choose an operation that fits."""

    code = "wrong_state"
    kind = Kind.WRONG_STATE


class ChangedMeanwhileError(WrongStateError):
    """Look at it as it is now, then decide again."""

    code = "changed_meanwhile"


class StoreUnavailableError(RetrofillError):
    """Look at the disk; nothing that was noted is lost, and what is running goes on."""

    code = "store_unavailable"
    kind = Kind.UNAVAILABLE


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
