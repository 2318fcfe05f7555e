"""Fields of a request as they arrive: texts of a form or of a query, and what they mean.

Lists and objects are JSON texts in one field; numbers are decimal; booleans are `True` and `False` in forms, and
`true` and `false` elsewhere. A reader takes name and text, and refuses what it cannot be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from retrofill.api.dataworks.errors import ApiError, invalid, missing
from retrofill.domain.errors import shown

MOST_IDS = 500
_LONGEST = 18  # digits of a number
Reader = Callable[[str, str], Any]


class Field(NamedTuple):
    """A field that an action has."""

    name: str
    read: Reader
    is_required: bool = False


class Fields:
    """The fields of one request by name; None where one was not given."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name)

    def given(self, *names: str) -> list[str]:
        """Those of these that ask for something: an empty list or text does not."""
        return [name for name in names if self[name] not in (None, "", [], {})]


def read_fields(known: Iterable[Field], texts: Mapping[str, str]) -> Fields:
    """What was given, read and checked one by one.

    Raises:
        ApiError: one is missing, has a value that cannot be, or is no field of this action.
    """
    table = {field.name: field for field in known}
    strangers = sorted(texts.keys() - table.keys())
    if strangers:
        raise ApiError(
            400, "InvalidParameter.Unknown", f'this action has no parameter "{shown(strangers[0])[:64]}" here'
        )
    values = {name: table[name].read(name, text) for name, text in texts.items()}
    for field in table.values():
        if field.is_required and values.get(field.name) is None:
            raise missing(field.name)
    return Fields(values)


def texts_of(*forms: str) -> dict[str, str]:
    """Fields of queries and bodies that are written as forms.

    Raises:
        ApiError: a field is there twice, or its text is not UTF-8.
    """
    found: dict[str, str] = {}
    for form in forms:
        for part in filter(None, form.split("&")):
            name, _, value = map(_decoded, part.partition("="))
            if name in found:
                raise invalid(shown(name)[:64], "the parameter is given twice")
            found[name] = value
    return found


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise ApiError(400, "InvalidParameter.Encoding", "the parameters are not UTF-8") from None


# Readers


def text(name: str, value: str) -> str:
    """Any text that holds no NUL."""
    if "\0" in value:
        raise invalid(name, f"{name} holds a character that cannot be kept")
    return value


def whole(name: str, value: str) -> int:
    """A whole number that is not negative."""
    if not (value.isascii() and value.isdigit()) or len(value) > _LONGEST:
        raise invalid(name, f"{name} is a whole number, not {_quoted(value)}")
    return int(value)


def yes_no(name: str, value: str) -> bool:
    """True or false, in either way of writing."""
    if value.lower() not in ("true", "false"):
        raise invalid(name, f"{name} is true or false, not {_quoted(value)}")
    return value.lower() == "true"


def one_of(*words: str) -> Reader:
    """One of these words."""

    def read(name: str, value: str) -> str:
        if value not in words:
            raise invalid(name, f"{name} is one of {', '.join(words)}, not {_quoted(value)}")
        return value

    return read


def production(name: str, value: str) -> str:
    """The environment: there is no other one."""
    if value != "Prod":
        raise invalid(name, f"{name} is Prod: Retrofill has no environment for development")
    return value


def document(name: str, value: str) -> dict[str, Any]:
    """A JSON object."""
    found: dict[str, Any] = _json(name, value, dict, "object")
    return found


def documents(name: str, value: str) -> list[Any]:
    """A JSON array."""
    found: list[Any] = _json(name, value, list, "array")
    return found


def ids(name: str, value: str) -> list[int]:
    """A JSON array of ids: of at least one, each once."""
    return numbers(name, _json(name, value, list, "array"))


def numbers(name: str, values: Any) -> list[int]:
    """A list of ids out of a document."""
    is_list = isinstance(values, list) and all(isinstance(v, int) and not isinstance(v, bool) for v in values)
    if not is_list or any(not 0 <= v < 10**_LONGEST for v in values):
        raise invalid(name, f"{name} is a list of ids, which are whole numbers")
    if len(values) > MOST_IDS:
        raise ApiError(
            400, f"LimitExceeded.{name}", f"{name} holds {len(values)} ids; at most {MOST_IDS} at once"
        )
    return list(dict.fromkeys(values))


def names(name: str, value: str) -> list[str]:
    """A JSON array of texts."""
    found: list[str] = _json(name, value, list, "array")
    if not all(isinstance(one, str) for one in found):
        raise invalid(name, f"{name} is a list of texts")
    return found


def _json(name: str, value: str, kind: type, word: str) -> Any:
    try:
        found = json.loads(value, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise invalid(name, f"{name} is a JSON {word}, and cannot be read as one") from None
    if not isinstance(found, kind):
        raise invalid(name, f"{name} is a JSON {word}")
    return found


def _no_number(word: str) -> float:
    raise ValueError(word)


def _quoted(value: str) -> str:
    return f'"{shown(value[:64])}"'
