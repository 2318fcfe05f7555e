"""JSON Schemas of documents, made from their types; a document is a `TypedDict`, its fields are described by `#:`."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import (
    Any,
    NotRequired,
    Required,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from retrofill.domain.texts import Step, Text

Json = dict[str, Any]
_DESCRIBED = re.compile(r"^ +(\w+): .*#: (.*)$", re.MULTILINE)
_BASE = re.compile(r"^class \w+\((\w+)", re.MULTILINE)
_PLAIN: Mapping[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
    object: {},
    Text: {"type": "string"},
}
STEP: Json = {
    "description": "What can be done next, with the request that does it where there is one.",
    "type": "object",
    "properties": {
        "step": {"type": "string", "description": "What is asked and of what, as `backfill.resume`."},
        "arguments": {"type": "object", "description": "What it is asked with; null is left to the reader."},
        "method": {"type": "string"},
        "href": {"type": "string"},
    },
    "required": ["step", "arguments"],
}


class Schemas:
    """Schemas of types, with what they refer to by name in `named`."""

    def __init__(self) -> None:
        self.named: dict[str, Json] = {}

    def of(self, kind: Any) -> Json:
        """The schema of a type.

        Raises:
            TypeError: nothing of this kind stands in a document.
        """
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        if kind is Step:
            return self._refer("Step", lambda: STEP)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return _joined([self.of(one) for one in arguments])
        if origin is list:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if origin in (NotRequired, Required):
            return self.of(arguments[0])
        document = origin or kind
        if not is_typeddict(document):
            raise TypeError(f"{kind} stands in no document")
        return self._refer(_name(kind), lambda: self._document(document, arguments))

    def _refer(self, name: str, make: Callable[[], Json]) -> Json:
        if name not in self.named:
            self.named[name] = {}  # so that what refers to itself ends
            self.named[name] = make()
        return {"$ref": f"#/components/schemas/{name}"}

    def _document(self, document: Any, arguments: tuple[Any, ...]) -> Json:
        chosen = dict(zip(getattr(document, "__parameters__", ()), arguments, strict=False))
        described = dict(_descriptions(document))
        kinds = get_type_hints(document, include_extras=True)
        # A type that is written as text is not looked into when a document is made.
        optional = {name for name, kind in kinds.items() if get_origin(kind) is NotRequired}
        fields = {
            name: self._field(_filled(kind, chosen), described.get(name)) for name, kind in kinds.items()
        }
        return {
            "description": inspect.getdoc(document) or "",
            "type": "object",
            "properties": fields,
            "required": sorted(document.__required_keys__ - optional),
        }

    def _field(self, kind: Any, description: str | None) -> Json:
        found = self.of(kind)
        return found if description is None else {**found, "description": description}


def _name(kind: Any) -> str:
    """`PageOfBackfillRow` for `Page[BackfillRow]`."""
    own = str((get_origin(kind) or kind).__name__)
    inner = [_name(one) for one in get_args(kind)]
    return f"{own}Of{inner[0][0].upper()}{inner[0][1:]}" if inner else own


def _filled(kind: Any, chosen: Mapping[Any, Any]) -> Any:
    """A type with its variables replaced."""
    if isinstance(kind, TypeVar):
        return chosen[kind]
    if chosen and get_origin(kind) is list:
        return list[_filled(get_args(kind)[0], chosen)]  # type: ignore[misc]
    return kind


def _joined(schemas: list[Json]) -> Json:
    different = [one for i, one in enumerate(schemas) if one not in schemas[:i]]
    return different[0] if len(different) == 1 else {"anyOf": different}


def _descriptions(document: Any) -> Iterator[tuple[str, str]]:
    """Fields and what is said of them, inherited ones first."""
    try:
        source = inspect.getsource(document)
    except (OSError, TypeError):  # made by a call, or without its source
        return
    # What a `TypedDict` inherits from is not to be had from the class itself.
    for name in _BASE.findall(source):
        base = getattr(sys.modules[document.__module__], name)
        yield from _descriptions(base) if is_typeddict(base) else ()
    yield from _DESCRIBED.findall(source)
