"""What a person gives to ask for something: an option of the command line, a field of a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from retrofill.domain.errors import UsageError, shown

Given = Mapping[str, Any]  # by names of inputs: a text, texts, or True


class Input(NamedTuple):
    """One thing that may be given.

    Attributes:
        help: a sentence.
        written: what stands after its name; empty for a switch.
        is_many: it may be given several times.
    """

    name: str
    help: str
    written: str = ""
    is_many: bool = False


def is_given(given: Given, name: str) -> bool:
    """Whether there is anything of an input; a text may be empty."""
    return given.get(name) not in (None, False, ())


def integer_id(text: str, what: str) -> int:
    """An id as people type it.

    Raises:
        UsageError: it is no positive number.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise UsageError(f'"{shown(text)}" is no id of {what}: ids are whole numbers')
    return int(text)
