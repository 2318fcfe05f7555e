"""What a server answers, read: sentences with their steps, and refusals as the errors that they were there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from retrofill.domain.errors import (
    Kind,
    LimitError,
    NotPermittedError,
    NotSignedInError,
    RetrofillError,
    StoreUnavailableError,
    UnknownNameError,
    UsageError,
    WrongStateError,
)
from retrofill.domain.texts import Option, Step, Text

PARTS_HEADER = "Retrofill-Texts"  # asks for `{"$text": [...]}` in place of plain words

_CLASSES: Mapping[Kind, type[RetrofillError]] = MappingProxyType(
    {
        Kind.USAGE: UsageError,
        Kind.LIMIT: LimitError,
        Kind.NOT_SIGNED_IN: NotSignedInError,
        Kind.NOT_PERMITTED: NotPermittedError,
        Kind.UNKNOWN: UnknownNameError,
        Kind.WRONG_STATE: WrongStateError,
        Kind.UNAVAILABLE: StoreUnavailableError,
    }
)


def read(data: bytes) -> Any:
    """A document: JSON with texts and steps in it.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(data, object_hook=_revived)


def error_of(problem: Mapping[str, Any]) -> RetrofillError:
    """The error that a problem, or the refusal of one item of a batch, tells of: of the class of its kind, with its code."""
    kind = _kind_of(problem.get("kind"))
    error = _CLASSES.get(kind, RetrofillError)(_sentence(problem), problem.get("hint") or "")
    error.code, error.kind = str(problem.get("code") or RetrofillError.code), kind
    return error


def _sentence(problem: Mapping[str, Any]) -> str | Text:
    found = problem.get("detail") or problem.get("error") or problem.get("title") or "the server refused"
    return found if isinstance(found, Text) else str(found)


def _kind_of(word: object) -> Kind:
    """A kind that only a newer server knows is a failure."""
    return Kind(str(word)) if word in set(Kind) else Kind.FAILED


def _revived(data: dict[str, Any]) -> Any:
    if "$text" in data:
        return Text.of_parts(data["$text"])
    if "$step" in data:
        return Step.from_json({"step": data["$step"], "arguments": data["arguments"]})
    if "$option" in data:
        return Option(data["$option"], data["value"])
    return data
