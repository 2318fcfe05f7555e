"""Checks a file's nodes against its model, and says every deviation in our words, with its place.

What is wrong is reported and left out, so that the rest can be checked further.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from retrofill.domain.errors import did_you_mean
from retrofill.project.models import check_name
from retrofill.project.problems import Report
from retrofill.project.yaml_nodes import REFUSED, Node, kind_of
from retrofill.settings.forms import FormError

_ModelT = TypeVar("_ModelT", bound=BaseModel)
Loc = tuple[str | int, ...]


def read_shape(model: type[_ModelT], node: Node, path: str, report: Report) -> _ModelT:
    """The file as far as it has the right shape; keys with problems are reported and left out.

    Keys that were left out are still in `node`, so that nothing else calls them missing.
    """
    _drop_valueless(node, path, report)
    while True:
        try:
            return model.model_validate(node.value)
        except ValidationError as error:
            gone: set[Loc] = set()
            for details in error.errors(include_url=False):
                loc = tuple(step for step in details["loc"] if step != "[key]")
                _report(model, node, loc, details, path, report)
                _drop(node.value, loc, gone)


def check_names(
    node: Node | None, what: str, path: str, report: Report, reserved: Iterable[str] = ()
) -> None:
    """The keys of a mapping are names (CAT-7), none of them twice in another case (CAT-3)."""
    if node is None or node.entries is None:
        return
    seen: dict[str, str] = {}
    for name, (place, _) in node.entries.items():
        try:
            check_name(name)
        except FormError as error:
            report.add(path, place, f"the name of this {what} {error.message}", error.hint)
        if name in reserved:
            report.add(path, place, f'"{name}" is reserved and cannot name a {what}', "choose another name")
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            line = node.entries[first][0][0]
            message = f'{what} "{name}" differs from "{first}" in line {line} only in case'
            report.add(path, place, message, "choose another name")


def one_of(words: Iterable[object]) -> str:
    """`a, b or c`."""
    texts = [str(word) for word in words]
    return " or ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else texts[0]


def _drop_valueless(node: Node, path: str, report: Report) -> None:
    """Take out keys and items without a value, reported here, and those that were refused before."""
    todo = [node]
    while todo:
        current = todo.pop()
        for key, (place, child) in (current.entries or {}).items():
            if child.value is None:
                report.add(path, place, f'"{key}" has no value', "write one or remove the key")
            if child.value is None or child.value is REFUSED:
                del current.value[key]
            elif child.entries is not None or child.items is not None:
                todo.append(child)
        for child in current.items or ():
            if child.value is None:
                report.add(path, child.place, "this item of the list is empty", "write it or remove it")
            elif child.entries is not None or child.items is not None:
                todo.append(child)
        if current.items and any(child.value in (None, REFUSED) for child in current.items):
            current.items = [child for child in current.items if child.value not in (None, REFUSED)]
            current.value[:] = [child.value for child in current.items]


def _drop(value: Any, loc: Loc, gone: set[Loc]) -> None:
    """Remove the innermost key on the way; a list goes as a whole, because places count its items.

    What is in `gone`, or in what is gone, went with another mistake.
    """
    if any(loc[:length] in gone for length in range(1, len(loc) + 1)):
        return
    holder, last, depth = None, "", 0
    for step in loc:
        if isinstance(step, str) and isinstance(value, dict) and step in value:
            holder, last, value = value, step, value[step]
            depth += 1
        else:
            break
    if holder is None:
        raise AssertionError(f"a model complains about nothing in the file: {loc}")
    del holder[last]
    gone.add(loc[:depth])


def _report(model: type[BaseModel], root: Node, loc: Loc, details: Any, path: str, report: Report) -> None:
    node = root.find(*loc)
    assert node is not None, loc
    label = _label(loc)
    kind, context = details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        key = str(loc[-1])
        known = _known_keys(model, loc[:-1])
        place = (root.find(*loc[:-1]) or root).key_place(key)
        if key == "<<":
            report.add(path, place, "merge keys are not allowed", "use `defaults`, or write the keys out")
            return
        hint = did_you_mean(key, known)[2:] or f"the keys are {one_of(known).replace(' or ', ' and ')}"
        report.add(path, place, f'unknown key "{key}"', hint)
        return
    if kind == "value_error" and isinstance(context.get("error"), FormError):
        form = context["error"]
        report.add(path, node.place, f"{label} {form.message}", form.hint)
        return
    message, hint = _words(kind, context, node, label, details["msg"])
    report.add(path, node.place, message, hint)


def _words(kind: str, context: Any, node: Node, label: str, fallback: str) -> tuple[str, str]:
    """Message and hint for an error that pydantic found."""
    found = _found(node)
    if kind == "string_type":
        if node.entries is None and node.items is None:
            return f"{label} is read as {kind_of(node.value)}, not as text", f'put it in quotes: "{node.raw}"'
        return f"{label} must be text, not {found}", 'write one text, for example "some text"'
    if kind == "string_too_short":
        return f"{label} is empty", "write it or remove the key"
    if kind == "literal_error":
        words = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        near = did_you_mean(node.raw, words) if node.entries is None and node.items is None else ""
        return f"{label} is {found}", f"write {one_of(words)}{near}"
    if kind in ("int_type", "int_parsing", "int_from_float"):
        quotes = " without quotes" if node.style and node.raw.strip().isdecimal() else ""
        return f"{label} is {found}", f"write a whole number{quotes}"
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {context['ge']:,}" if "ge" in context else f"at most {context['le']:,}"
        return f"{label} is {found}", f"write a whole number of {bound}"
    forms = {
        "bool_type": "true or false, without quotes",
        "list_type": "a list, for example [a, b]",
        "dict_type": "a mapping, lines of the form key: value",
        "model_type": "a mapping, lines of the form key: value",
    }
    if kind in forms:
        return f"{label} is {found}", f"write {forms[kind]}"
    return f"{label}: {fallback}", ""


def _found(node: Node) -> str:
    if node.items is not None:
        return "a list"
    if node.entries is not None:
        return "a mapping"
    text = node.raw if len(node.raw) <= 60 else node.raw[:60] + "..."
    return f'"{text}"' if isinstance(node.value, str) else text


def _label(loc: Loc) -> str:
    if not loc:
        return "the file"
    if isinstance(loc[-1], int):
        return f'item {loc[-1] + 1} of "{loc[-2]}"'
    return f'"{loc[-1]}"'


def _known_keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys of the model at the end of a path into another."""
    current: Any = model
    for step in loc:
        if isinstance(current, type) and issubclass(current, BaseModel):
            fields = current.model_fields
            annotation = next((f.annotation for name, f in fields.items() if step in (name, f.alias)), None)
        else:
            annotation = typing.get_args(current)[-1]
        current = _without_none(annotation)
    return [field.alias or name for name, field in current.model_fields.items()]


def _without_none(annotation: Any) -> Any:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return next(arg for arg in typing.get_args(annotation) if arg is not type(None))
    return annotation
