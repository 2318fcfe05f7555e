"""How the options of a policy are written: by people as texts, by programs as JSON, and told in words.

`read` takes the texts of an option's inputs in their order; only the first is sure to be given.
`from_json` may raise anything for data of another form: the option says which form it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from retrofill.domain.addresses import LONGEST_WEB_ADDRESS, WEB_ADDRESS, check_web_address, shown_web_address
from retrofill.domain.errors import InvalidValueError, UsageError, did_you_mean, shown
from retrofill.domain.planning.policy import (
    MOST_GROUPS,
    Alert,
    AlertMethod,
    AlertTrigger,
    OverrideError,
    Regrouped,
)
from retrofill.domain.texts import Text
from retrofill.domain.time.bizdates import DateRange, merge_ranges, parse_bizdate, parse_range
from retrofill.domain.time.windows import Window, clock, parse_time_range, parse_window

Json = Mapping[str, Any]
Overrides = Mapping[str, Mapping[str, str]]
_DATE: Json = {
    "type": "string",
    "format": "date",
    "pattern": "^(19[7-9][0-9]|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}$",
}


_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"


def _one_of(kind: type[StrEnum]) -> Json:
    return {"enum": [member.value for member in kind]}


def _pair_of(schema: Json) -> Json:
    return {"type": "array", "items": schema, "minItems": 2, "maxItems": 2}


def _object_of(**properties: Json) -> Json:
    """An object that has exactly these keys."""
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


class Around(NamedTuple):
    """What texts are read against.

    Attributes:
        today: from which relative bizdates count; None: they do not.
        timezone: the deployment's, for windows.
        full_name: of a task as somebody wrote it.
    """

    today: date | None
    timezone: str
    full_name: Callable[[str], str]


class Form:
    """One way of writing.

    Attributes:
        written: the place of the first text in a sentence about how to write it; empty for a switch.
        schema: of the JSON.
    """

    written = ""
    schema: Mapping[str, Any] = {}

    def read(self, around: Around, *texts: Any) -> Any:
        """The value that a person means; every error says what is wrong with the text."""
        raise NotImplementedError

    def texts(self, value: Any) -> tuple[Any, ...]:
        """The texts that `read` reads it from, as far as it can be changed later."""
        return (str(value),)

    def to_json(self, value: Any) -> Any:
        return value

    def from_json(self, data: Any) -> Any:
        """The value that `to_json` wrote, for data that `schema` accepts, and for no other."""
        raise NotImplementedError

    def words(self, value: Any) -> str:
        return str(value)


class Word(Form):
    """One of the words of an enumeration."""

    def __init__(self, kind: type[StrEnum]) -> None:
        self._kind = kind
        self.written = "|".join(kind)
        self.schema = _one_of(kind)

    def read(self, around: Around, *texts: Any) -> Any:
        return parse_word(self._kind, texts[0])

    def to_json(self, value: Any) -> Any:
        return value.value

    def from_json(self, data: Any) -> Any:
        return self._kind(data)


class Whole(Form):
    """A whole number.

    Args:
        numbers: those that there are.
        error, refusal: what another text is refused with, and the end of its sentence.
    """

    def __init__(self, numbers: Sequence[int], error: type[InvalidValueError], refusal: str) -> None:
        self._numbers, self._error, self._refusal = numbers, error, refusal
        is_range = isinstance(numbers, range)
        self.written = "N" if is_range else "|".join(map(str, numbers))
        limits = {"minimum": numbers[0], "maximum": numbers[-1]}
        self.schema = {"type": "integer", **(limits if is_range else {"enum": [*numbers]})}

    def parse(self, text: str) -> int:
        """The number that a text says in digits."""
        if not re.fullmatch("0|[1-9][0-9]{0,9}", text) or int(text) not in self._numbers:
            raise self._error(f'"{shown(text)}" {self._refusal}')
        return int(text)

    def read(self, around: Around, *texts: Any) -> int:
        return self.parse(texts[0])

    def from_json(self, data: Any) -> int:
        return self._numbers[self._numbers.index(_whole(data))]


class Switch(Form):
    """Yes or no."""

    schema: Mapping[str, Any] = {"type": "boolean"}

    def read(self, around: Around, *texts: Any) -> bool:
        return bool(texts[0])

    def from_json(self, data: Any) -> Any:
        return _of(bool, data)

    def words(self, value: Any) -> str:
        return "yes" if value else "no"


class Name(Form):
    """The name of something that the deployment declares."""

    written = "NAME"
    schema: Mapping[str, Any] = {"type": "string", "minLength": 1}

    def read(self, around: Around, *texts: Any) -> str:
        return str(texts[0])

    def from_json(self, data: Any) -> str:
        if _of(str, data) == "":
            raise ValueError(data)
        return str(data)


class Dates(Form):
    """Ranges of bizdates."""

    written = "D|D..D"
    schema: Mapping[str, Any] = {"type": "array", "minItems": 1, "items": _pair_of(_DATE)}

    def read(self, around: Around, *texts: Any) -> tuple[DateRange, ...]:
        return merge_ranges(parse_range(text, around.today) for text in texts[0])

    def to_json(self, value: Any) -> Any:
        return [[r.first.isoformat(), r.last.isoformat()] for r in value]

    def from_json(self, data: Any) -> tuple[DateRange, ...]:
        ranges = [DateRange(parse_bizdate(first), parse_bizdate(last)) for first, last in _of(list, data)]
        return merge_ranges(ranges)

    def words(self, value: Any) -> str:
        return ", ".join(map(str, value))


class TimeOfDay(Form):
    """A first and a last minute of the day, both included."""

    written = "HH:MM-HH:MM"
    schema: Mapping[str, Any] = _pair_of({"type": "integer", "minimum": 0, "maximum": 1439})

    def read(self, around: Around, *texts: Any) -> tuple[int, int]:
        return parse_time_range(texts[0])

    def to_json(self, value: Any) -> Any:
        return list(value)

    def from_json(self, data: Any) -> tuple[int, int]:
        first, last = map(_whole, _of(list, data))
        return parse_time_range(self.words((first, last)))

    def words(self, value: Any) -> str:
        return "-".join(map(clock, value))


class Period(Form):
    """A window, by its ends and whether it is open on weekends only."""

    written = "HH:MM-HH:MM"
    schema: Mapping[str, Any] = _object_of(
        period={"type": "string", "pattern": f"^{_CLOCK}-{_CLOCK}$"},
        timezone={"type": "string"},
        weekends={"type": "boolean"},
    )

    def read(self, around: Around, *texts: Any) -> Window:
        period, weekends = texts
        return parse_window(period, around.timezone, bool(weekends))

    def texts(self, value: Any) -> tuple[Any, ...]:
        return (value.text, value.weekends)

    def to_json(self, value: Any) -> Any:
        return {"period": value.text, "timezone": value.timezone, "weekends": value.weekends}

    def from_json(self, data: Any) -> Window:
        period, timezone, weekends = _fields(data, "period", "timezone", "weekends")
        return parse_window(period, _of(str, timezone), _of(bool, weekends))

    def words(self, value: Any) -> str:
        return str(value.words)


class Telling(Form):
    """When and how somebody is told."""

    written = "|".join(AlertTrigger)
    schema: Mapping[str, Any] = _object_of(trigger=_one_of(AlertTrigger), method=_one_of(AlertMethod))

    def read(self, around: Around, *texts: Any) -> Alert:
        trigger, method = texts
        return Alert(
            parse_word(AlertTrigger, trigger),
            AlertMethod.BOTH if method is None else parse_word(AlertMethod, method),
        )

    def to_json(self, value: Any) -> Any:
        return {"trigger": value.trigger.value, "method": value.method.value}

    def from_json(self, data: Any) -> Alert:
        trigger, method = _fields(data, "trigger", "method")
        return Alert(AlertTrigger(trigger), AlertMethod(method))

    def words(self, value: Any) -> str:
        return f"{value.trigger} {value.method}"


class WebAddress(Form):
    """Where something is posted to."""

    written = "URL"
    schema: Mapping[str, Any] = {
        "type": "string",
        "pattern": f"^{WEB_ADDRESS}$",
        "maxLength": LONGEST_WEB_ADDRESS,
    }

    def read(self, around: Around, *texts: Any) -> str:
        check_web_address(texts[0])
        return str(texts[0])

    def from_json(self, data: Any) -> str:
        check_web_address(_of(str, data))
        return str(data)

    def words(self, value: Any) -> str:
        return shown_web_address(value)


class Names(Form):
    """Names of what the settings declare."""

    written = "NAME"
    schema: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}

    def to_json(self, value: Any) -> Any:
        return list(value)

    def from_json(self, data: Any) -> tuple[str, ...]:
        return tuple(_of(str, name) for name in _of(list, data))

    def words(self, value: Any) -> str:
        return ", ".join(value)


class Settings(Form):
    """Parameters of tasks that are set anew."""

    written = "T.PARAM=VALUE"
    schema: Mapping[str, Any] = {
        "type": "object",
        "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}},
    }

    def read(self, around: Around, *texts: Any) -> Overrides:
        found: dict[str, dict[str, str]] = {}
        for text in texts[0]:
            name, parameter, value = parse_override(text)
            task = around.full_name(name)
            if parameter in found.get(task, {}):
                raise UsageError(Text("{option.set}: {one} is given twice", one=f"{task}.{parameter}"))
            found.setdefault(task, {})[parameter] = value
        return found

    def to_json(self, value: Any) -> Any:
        return {task: dict(texts) for task, texts in value.items()}

    def from_json(self, data: Any) -> Overrides:
        return {
            task: {name: _of(str, text) for name, text in _of(dict, texts).items()}
            for task, texts in _of(dict, data).items()
        }

    def words(self, value: Any) -> str:
        return ", ".join(
            f"{task}.{name}={text}" for task, texts in value.items() for name, text in texts.items()
        )


class Chains(Form):
    """Groups that were dealt anew; nobody writes them, a change makes them."""

    schema: Mapping[str, Any] = {
        **_object_of(
            groups={"type": "integer", "minimum": 1, "maximum": MOST_GROUPS},
            chains={"type": "array", "items": {"type": "array", "items": _pair_of({"type": "integer"})}},
        ),
        "readOnly": True,
    }

    def to_json(self, value: Any) -> Any:
        return {"groups": value.groups, "chains": value.runs}

    def from_json(self, data: Any) -> Regrouped:
        groups, chains = _fields(data, "groups", "chains")
        if (count := _whole(groups)) not in range(1, MOST_GROUPS + 1):
            raise ValueError(groups)
        return Regrouped(count, tuple(tuple(map(_pair, _of(list, chain))) for chain in _of(list, chains)))

    def words(self, value: Any) -> str:
        return str(value.groups)


def parse_word(kind: type[StrEnum], text: str) -> Any:
    """One of the words of an enumeration.

    Raises:
        InvalidValueError: naming the words that there are.
    """
    words = [member.value for member in kind]
    if text not in words:
        raise InvalidValueError(
            f'"{shown(text)}" is none of {", ".join(words)}{did_you_mean(text, words)}',
            "Write one of these words.",
        )
    return kind(text)


def parse_override(text: str) -> tuple[str, str, str]:
    """Task, parameter and expression from TASK.PARAMETER=VALUE (PAR-5); the task is as the user wrote it.

    Raises:
        OverrideError: another form.
    """
    target, equals, value = text.partition("=")
    task, _, parameter = target.rpartition(".")
    if not equals or not task or not parameter:
        raise OverrideError(f'"{shown(text)}" sets no parameter of a task')
    return task, parameter, value


# JSON


def _of(kind: type, data: Any) -> Any:
    if not isinstance(data, kind):
        raise TypeError(data)
    return data


def _whole(data: Any) -> int:
    """A whole number; JSON has no other kind of number, so 3.0 is one too."""
    if isinstance(data, bool) or not isinstance(data, int | float) or data != int(data):
        raise ValueError(data)
    return int(data)


def _pair(data: Any) -> tuple[int, int]:
    first, last = map(_whole, _of(list, data))
    return first, last


def _fields(data: Any, *names: str) -> list[Any]:
    if _of(dict, data).keys() != set(names):
        raise ValueError(data)
    return [data[name] for name in names]
