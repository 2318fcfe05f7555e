"""What the center answers is what `reading.documents` says, field by field; mypy sees the rest."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, is_typeddict

import pytest

from retrofill.domain.errors import RetrofillError
from retrofill.services.operation_center import OperationCenter
from retrofill.services.reading import documents
from services.operation_center.cases import Case, arguments, methods

DOCUMENTS = {name: kind for name, kind in vars(documents).items() if is_typeddict(kind)}
_WHOLE = re.compile(r"^(?P<around>Page|NumberedPage|Sequence|Iterator|list)?\[?(?P<name>\w+)\]?( \| None)?$")


def is_act(method: str) -> bool:
    """Whether it changes something: those are in classes of their own."""
    noun, _, name = method.partition(".")
    kind = type(getattr(OperationCenter(None, None), noun))  # type: ignore[arg-type]
    (home,) = (one for one in kind.__mro__ if name in vars(one))
    return home.__name__.endswith("Acts") or (noun == "upkeep" and name != "doctor")


def returned(method: str) -> tuple[str | None, str] | None:
    """What a method says that it answers: the list around it, and the document; None where it is none."""
    noun, _, name = method.partition(".")
    made = vars(OperationCenter)[noun]
    assert isinstance(made, cached_property)
    kind = type(getattr(OperationCenter(None, None), noun)) if noun != "people" else None  # type: ignore[arg-type]
    if kind is None:
        return None
    found = _WHOLE.match(str(inspect.signature(getattr(kind, name)).return_annotation))
    if found is None or found["name"] not in DOCUMENTS:
        return None
    return found["around"], found["name"]


# Nothing is included in this world, tests/cli/test_versions.py prints a file; nor does anything stand still, which
# test_doctor.py sees to.
NOT_HERE = {"versions.file", "work.standstills"}
ASKED = [m for m in methods() if returned(m) is not None and not is_act(m) and m not in NOT_HERE]


@pytest.mark.parametrize("method", ASKED)
def test_an_answer_has_the_fields_of_its_document(case: Case, method: str) -> None:
    """BF-2, OPS-9: no field more and none less, inside lists, too."""
    found = returned(method)
    assert found is not None
    noun, _, name = method.partition(".")
    calls = arguments(case)[method]
    center = case.center("admin")
    checked = 0
    for call in calls:
        try:
            answer = getattr(getattr(center, noun), name)(*call)
        except RetrofillError:
            continue
        for one in _each(answer, found[0]):
            _check(one, found[1])
            checked += 1
    assert checked, "something was answered"


def _each(answer: Any, around: str | None) -> Iterator[Any]:
    if answer is None:
        return
    if around in ("Page", "NumberedPage"):
        answer = answer["items"]
    yield from [answer] if around is None else answer


def _check(value: Mapping[str, Any], name: str) -> None:
    kind = DOCUMENTS[name]
    assert kind.__required_keys__ <= value.keys() <= kind.__annotations__.keys(), name
    for field, words in kind.__annotations__.items():
        inner = re.search(r"\w+", str(getattr(words, "__forward_arg__", words)).removeprefix("list["))
        if inner is not None and inner[0] in DOCUMENTS and value.get(field) is not None:
            for one in value[field] if isinstance(value[field], list) else [value[field]]:
                _check(one, inner[0])
