"""Answers as ready bytes; nothing validates them on their way out.

A `Text` is a string in plain words, its steps written as requests. Who asks with `Retrofill-Texts: parts` (our own
client does) gets `{"$text": [...]}` and `{"$step": ..., "arguments": {...}}` instead, and can say them in words of
its own.
"""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Response

from retrofill.api.links import link_of, told
from retrofill.domain.texts import Option, Step, Text

PARTS_HEADER = "Retrofill-Texts"


def answer_of(value: Any, status: int = 200, in_parts: bool = False) -> Response:
    """A document as an answer; None as one without content."""
    if value is None and status == 204:
        return Response(status_code=status)
    return Response(encode(value, in_parts), status, media_type="application/json")


def encode(value: Any, in_parts: bool = False) -> bytes:
    """A document in JSON."""
    return (_IN_PARTS if in_parts else _IN_WORDS).encode(value)


def step_document(step: Step) -> dict[str, Any]:
    """What can be done next, with the request that does it where there is one."""
    return {**step.to_json(), **link_of(step)}


def _in_words(value: Any) -> Any:
    if isinstance(value, Text):
        return told(value)
    if isinstance(value, Step):
        return step_document(value)
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")


def _in_parts(value: Any) -> Any:
    if isinstance(value, Text):
        return {"$text": list(value.parts)}
    if isinstance(value, Step):
        return {"$step": value.name, "arguments": dict(value.arguments)}
    if isinstance(value, Option):
        return {"$option": value.name, "value": value.value}
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")


_IN_WORDS = msgspec.json.Encoder(enc_hook=_in_words)
_IN_PARTS = msgspec.json.Encoder(enc_hook=_in_parts)
