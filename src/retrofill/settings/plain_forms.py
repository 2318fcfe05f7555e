"""Forms of settings that are one value, and what all forms are written with.

A form reads a value as YAML or JSON gives it; it raises `FormError` with the end of a sentence that begins
with the setting's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

from retrofill.domain.errors import did_you_mean
from retrofill.settings.durations import parse_size
from retrofill.settings.forms import FormError

GROUP_TYPES = ("shared", "exclusive", "serverless")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_T = TypeVar("_T")


class Form(Protocol):
    """How a setting is written; `words` is for people, `schema` for editors."""

    @property
    def words(self) -> str: ...
    @property
    def schema(self) -> dict[str, object]: ...
    def read(self, value: object) -> object: ...


def shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else json.dumps(value, default=str)


class Whole:
    """A whole number; in the environment its digits."""

    def __init__(self, lowest: int, highest: int) -> None:
        self.lowest = lowest
        self.highest = highest

    @property
    def words(self) -> str:
        return f"whole number, {self.lowest:,} to {self.highest:,}"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "integer", "minimum": self.lowest, "maximum": self.highest}

    def read(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self.lowest <= value <= self.highest:
            hint = f"write a whole number from {self.lowest:,} to {self.highest:,}"
            raise FormError(f"is {shown(value)}", hint)
        return value


class Clock:
    """A time of day; read as minutes after midnight."""

    words = "time of day, hh:mm"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}

    def read(self, value: object) -> int:
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise FormError(f"is {shown(value)}", "write a time of day from 00:00 to 23:59, like 23:30")
        return int(value[:2]) * 60 + int(value[3:])


class Choice:
    """One of a few words."""

    def __init__(self, *options: str) -> None:
        self.options = options

    @property
    def words(self) -> str:
        return " or ".join(f"`{option}`" for option in self.options)

    @property
    def schema(self) -> dict[str, object]:
        return {"enum": list(self.options)}

    def read(self, value: object) -> str:
        if value not in self.options:
            raise FormError(f"is {shown(value)}", f"write {' or '.join(self.options)}")
        return str(value)


class Size:
    """A number of bytes; 0 switches off."""

    words = "size like 500k, 50m, 1g; 0 for none"

    def __init__(self, lowest: int) -> None:
        self.lowest = lowest

    @property
    def schema(self) -> dict[str, object]:
        return {"anyOf": [{"type": "string", "pattern": "^[0-9]+[kmg]$"}, {"const": 0}]}

    def read(self, value: object) -> int:
        size = parse_size(str(value) if value == 0 and not isinstance(value, bool) else as_text(value))
        if size and size < self.lowest:
            raise FormError(f"is {shown(value)}", f"write 0 or at least {self.lowest // 1000}k")
        return size


class PlainText:
    """Any text."""

    words = "text"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string"}

    def read(self, value: object) -> str:
        return as_text(value)


class LogDays:
    """Days by type of resource group; one number stands for all types."""

    words = "whole number for all, or a mapping with shared, exclusive, serverless"
    _days = Whole(1, 36_500)

    @property
    def schema(self) -> dict[str, object]:
        days = self._days.schema
        mapping = {
            "type": "object",
            "properties": dict.fromkeys(GROUP_TYPES, days),
            "additionalProperties": False,
        }
        return {"anyOf": [days, mapping]}

    def read(self, value: object) -> Mapping[str, int]:
        if not isinstance(value, Mapping):
            return MappingProxyType(dict.fromkeys(GROUP_TYPES, self._days.read(value)))
        known_keys(value, GROUP_TYPES)
        days = {"shared": 7, "exclusive": 30, "serverless": 30}
        for key, number in value.items():
            days[str(key)] = at(key, self._days.read, number)
        return MappingProxyType(days)


def as_text(value: object) -> str:
    if not isinstance(value, str):
        raise FormError(f"is {shown(value)}, and text is expected", "put it in quotes")
    return value


def as_mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise FormError(f"is {shown(value)}", "write a mapping, lines of the form key: value")
    return value


def known_keys(value: object, known: tuple[str, ...]) -> None:
    for key in as_mapping(value):
        if key not in known:
            near = did_you_mean(key, known)[2:] or f"the keys are {', '.join(known)}"
            raise FormError("is an unknown key", near).within(key)


def at(step: str | int, read: Callable[[object], _T], value: object) -> _T:
    try:
        return read(value)
    except FormError as error:
        raise error.within(step) from None
