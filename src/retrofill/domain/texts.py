"""Sentences that say what can be done next, in the words of nobody who shows them.

A `Text` has places for steps and for options. The command line writes a command there, a page
a link, an API a relation; `str(text)` is plain words, for logs and comparisons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

Argument = str | int | bool | None | tuple[str, ...]


class _Value:
    """Frozen, and equal to another one of its class that holds the same.

    These classes are loaded by every command, and making three dataclasses takes longer than all else that is
    loaded with them.
    """

    __slots__: tuple[str, ...] = ()

    def _held(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} does not change")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._held() == other._held()

    def __hash__(self) -> int:
        return hash(self._held())

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._held()}"


class Step(_Value):
    """Something that can be done next: `Step("instance.why", id=7)`.

    Attributes:
        name: what is asked and of what, as `backfill.resume`.
        arguments: what it is asked with, in the order in which they are said. None: whoever does it
            fills that in. A tuple: each of them.
    """

    __slots__ = ("arguments", "name")

    name: str
    arguments: tuple[tuple[str, Argument], ...]

    def __init__(self, name: str, /, **arguments: Argument) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "arguments", tuple(arguments.items()))

    def __str__(self) -> str:
        return " ".join([self.name.replace(".", " "), *(_plain(*item) for item in self.arguments)])

    def to_json(self) -> dict[str, Any]:
        arguments = {name: list(v) if isinstance(v, tuple) else v for name, v in self.arguments}
        return {"step": self.name, "arguments": arguments}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Step:
        """The step that `to_json` wrote."""
        arguments = {n: tuple(v) if isinstance(v, list) else v for n, v in data["arguments"].items()}
        return cls(data["step"], **arguments)


class Option(_Value):
    """Something that can be asked for with a step: `Option("order", "asc")`; without a value, its name alone."""

    __slots__ = ("name", "value")

    name: str
    value: str | None

    def __init__(self, name: str, value: str | None = None) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "value", value)

    def __str__(self) -> str:
        return " ".join([self.name.replace("_", " "), *([] if self.value is None else [self.value])])

    def to_json(self) -> dict[str, Any]:
        return {"option": self.name, "value": self.value}


Part = str | Step | Option


class Text(_Value):
    """A sentence with steps and options in it.

    The template is written in the source, never made: what comes from elsewhere is a value, and is not
    looked into. A place is `{name}`, with a value of that name; `{task.list}`, a step without arguments;
    `{option.window}` or `{option.order=asc}`. Other braces stand for themselves.
    """

    __slots__ = ("parts",)

    parts: tuple[Part, ...]

    def __init__(self, template: str, /, **values: Part | Text | int) -> None:
        object.__setattr__(self, "parts", tuple(_joined(_parts(template, values))))

    @classmethod
    def of(cls, text: str | Text) -> Text:
        """The text itself; a string as it stands, whatever it holds."""
        return text if isinstance(text, Text) else cls("{text}", text=text)

    @classmethod
    def of_parts(cls, parts: Iterable[Part]) -> Text:
        """The text that has these parts."""
        return _of_parts(parts)

    def __str__(self) -> str:
        return self.told(str)

    def __bool__(self) -> bool:
        return bool(self.parts)

    def told(self, words: Callable[[Step | Option], str]) -> str:
        """The sentence in the words of one who shows it."""
        return "".join(part if isinstance(part, str) else words(part) for part in self.parts)

    def with_commands(self, command: Callable[[Step], str]) -> str:
        """The sentence with steps as commands between backticks, and options in plain words."""
        return self.told(lambda part: f"`{command(part)}`" if isinstance(part, Step) else str(part))

    def with_strings(self, change: Callable[[str], str]) -> Text:
        """The same with what is between its steps and options changed."""
        parts = (change(part) if isinstance(part, str) else part for part in self.parts)
        return _of_parts(parts)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that it speaks of, in order."""
        return tuple(part for part in self.parts if isinstance(part, Step))

    def to_json(self) -> str | list[Any]:
        """A string, or where steps or options are in it, its parts."""
        if all(isinstance(part, str) for part in self.parts):
            return "".join(map(str, self.parts))
        return [part if isinstance(part, str) else part.to_json() for part in self.parts]

    @classmethod
    def from_json(cls, data: str | Sequence[Any]) -> Text:
        """The text that `to_json` wrote."""
        if isinstance(data, str):
            return cls.of(data)
        return _of_parts(_part_of(item) for item in data)


def _of_parts(parts: Iterable[Part]) -> Text:
    text = Text("")
    object.__setattr__(text, "parts", tuple(_joined(parts)))
    return text


def _part_of(item: str | Mapping[str, Any]) -> Part:
    if isinstance(item, str):
        return item
    return Step.from_json(item) if "step" in item else Option(item["option"], item["value"])


def _parts(template: str, values: Mapping[str, Part | Text | int]) -> Iterator[Part]:
    before, *pieces = template.split("{")
    yield before
    for piece in pieces:
        place, closing, after = piece.partition("}")
        found = _at(place, values) if closing else None
        if found is None:
            yield f"{{{piece}"
        else:
            yield from found
            yield after


def _at(place: str, values: Mapping[str, Part | Text | int]) -> tuple[Part, ...] | None:
    """What stands at a place; None where it is none."""
    if place in values:
        value = values[place]
        return value.parts if isinstance(value, Text) else (str(value) if isinstance(value, int) else value,)
    subject, dot, rest = place.partition(".")
    if not dot or not f"{subject}{rest.partition('=')[0]}".replace("_", "").isalpha():
        return None
    if subject != "option":
        return (Step(place),)
    name, equals, value_text = rest.partition("=")
    return (Option(name, value_text if equals else None),)


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    """With strings that follow one another in one, and none that is empty."""
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        if text:
            yield text
        yield part
        text = ""
    if text:
        yield text


def _plain(name: str, value: Argument) -> str:
    words = name.replace("_", " ")
    if name == "id":
        return str(value)
    if value is True:
        return words
    return f"{words} {', '.join(value) if isinstance(value, tuple) else '...' if value is None else value}"
