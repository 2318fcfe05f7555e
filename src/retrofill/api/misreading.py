"""What is wrong with a request, field by field, in our own words: those of the validator speak of its types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from retrofill.domain.errors import did_you_mean, shown

_KINDS = frozenset({"constrained-str", "constrained-int", "str", "int", "bool", "none"})
_PREFIX = "Value error, "  # of the validator, before what ours say


def misread(errors: Iterable[Mapping[str, Any]], request: Request) -> dict[str, str]:
    """What is wrong by the field in which it stands, as `body.bizdate`; what may be several things lacks each.

    Args:
        errors: as pydantic tells them: `type`, `loc`, `msg`, `ctx`.
        request: by whose route they were judged.
    """
    found: dict[str, list[str]] = {}
    for error in errors:
        found.setdefault(_place(error["loc"]), []).append(_message_of(error, request))
    return {place: ", or ".join(dict.fromkeys(messages)) for place, messages in found.items()}


def _place(loc: tuple[Any, ...]) -> str:
    """Without the kinds that a value may be of, which the validator names behind it."""
    head, rest = loc[:2], loc[2:]
    return ".".join(map(str, (*head, *(one for one in rest if one not in _KINDS))))


def _message_of(error: Mapping[str, Any], request: Request) -> str:
    kind = error.get("type", "")
    if kind == "extra_forbidden":
        name = str(error["loc"][-1])
        return f'there is no "{shown(name)}" here{did_you_mean(name, _known(request, error["loc"]))}'
    words = _WORDS.get(kind)
    if words is not None:
        return words(error.get("ctx", {}))
    message: str = error["msg"].removeprefix(_PREFIX)
    return f"{message[:1].lower()}{message[1:]}"


def _fixed(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _: text


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        "missing": _fixed("it is missing"),
        "string_type": _fixed("write a text"),
        "bool_type": _fixed("write true or false"),
        "bool_parsing": _fixed("write true or false"),
        "int_type": _fixed("write a whole number"),
        "int_parsing": _fixed("write a whole number"),
        "int_from_float": _fixed("write a whole number"),
        "list_type": _fixed("write a list"),
        "dict_type": _fixed("write an object"),
        "model_type": _fixed("write an object"),
        "model_attributes_type": _fixed("write an object"),
        "none_required": _fixed("write null, or leave it out"),
        "json_invalid": lambda it: f"it is no JSON: {it.get('error', 'unreadable')}",
        "literal_error": lambda it: f"write {it['expected']}",
        "enum": lambda it: f"write {it['expected']}",
        "greater_than_equal": lambda it: f"write {it['ge']:,} or more",
        "less_than_equal": lambda it: f"write {it['le']:,} or less",
        "less_than": lambda it: f"write less than {it['lt']:,}",
        "too_short": lambda it: (
            "it is empty" if it["min_length"] == 1 else f"it has less than {it['min_length']:,} items"
        ),
        "too_long": lambda it: f"it has more than {it['max_length']:,} items",
        "string_too_short": lambda it: f"it is shorter than {it['min_length']:,} characters",
        "string_too_long": lambda it: f"it is longer than {it['max_length']:,} characters",
        "string_pattern_mismatch": lambda it: f"it does not look like {it['pattern']}",
    }
)


def _known(request: Request, loc: tuple[Any, ...]) -> list[str]:
    """The names that may stand where an unknown one does; none where it is deeper within a body."""
    route = request.scope.get("route")
    if route is None or len(loc) != 2:
        return []
    if loc[0] == "body":
        field = getattr(route, "body_field", None)
        return [] if field is None else _names(field.field_info.annotation)
    params = getattr(route.dependant, f"{loc[0]}_params", [])
    return [name for one in params for name in (_names(one.field_info.annotation) or [one.alias])]


def _names(annotation: Any) -> list[str]:
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return []
    return [field.alias or name for name, field in annotation.model_fields.items()]
