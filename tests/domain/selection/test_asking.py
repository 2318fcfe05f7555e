"""The ways of choosing as people ask for them: one table, exactly one way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from retrofill.domain.errors import InvalidValueError, UsageError
from retrofill.domain.selection import ways
from retrofill.domain.selection.asking import INPUTS, WAYS, Finding, read_selection
from retrofill.domain.selection.ways import (
    AllDescendantsSelection,
    LinkSelection,
    ManualSelection,
    Selection,
    WorkspaceSelection,
)

EARLIER = LinkSelection("w.a", ("w.b",))


def matching(conditions: Sequence[str]) -> Sequence[str]:
    assert list(conditions) == ["owner=li"]
    return ["w.m", "w.a"]


FIND = Finding(lambda text: f"w.{text}", matching, lambda text: EARLIER)
ASKED: list[tuple[dict[str, Any], Selection]] = [
    ({"task": ("a", "b", "a")}, ManualSelection(("w.a", "w.b"))),
    (
        {"task": ("a",), "where": ("owner=li",), "descendants": "2", "only": ("c",), "exclude": ("a",)},
        ManualSelection(("w.a", "w.m"), 2, ("w.c",), ("w.a",)),
    ),
    ({"task": ("a",), "descendants": "all"}, ManualSelection(("w.a",), "all")),
    ({"from": "a", "to": ("b", "c"), "exclude": ("d",)}, LinkSelection("w.a", ("w.b", "w.c"), ("w.d",))),
    ({"root": "a", "workspace": ("w", "x")}, WorkspaceSelection("w.a", ("w", "x"))),
    (
        {"root": "a", "workspace": ("w",), "no_root": True, "include": ("i",), "exclude": ("e",)},
        WorkspaceSelection("w.a", ("w",), False, ("w.i",), ("w.e",)),
    ),
    ({"all_descendants": "a", "exclude": ("e",)}, AllDescendantsSelection("w.a", ("w.e",))),
    ({"reuse": "7"}, EARLIER),
]


@pytest.mark.parametrize(("given", "selection"), ASKED)
def test_what_is_asked_for(given: dict[str, Any], selection: Selection) -> None:
    """SEL-1 to SEL-4, SEL-9: and it survives storage."""
    assert read_selection(given, FIND) == selection
    assert ways.from_json(ways.to_json(selection)) == selection


def test_every_way_is_asked_for_by_a_row() -> None:
    """SEL-1 to SEL-4, SEL-9: each class of selections, and every input of the table."""
    assert {type(selection).__name__ for _, selection in ASKED} == {c.__name__ for c in ways.WAYS.values()}
    assert {name for given, _ in ASKED for name in given} == {one.name for one in INPUTS}
    assert len({one.name for one in INPUTS}) == len(INPUTS)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "no tasks are chosen"),
        ({"exclude": ("a",)}, "no tasks are chosen"),
        ({"task": ("a",), "root": "b", "reuse": "7"}, "task and root and reuse do not go together"),
        ({"root": "a", "descendants": "all"}, "descendants goes with task, not with root"),
        ({"task": ("a",), "workspace": ("w",)}, "workspace goes with root, not with task"),
        ({"reuse": "7", "no_root": True}, "no root goes with root, not with reuse"),
        ({"from": "a"}, "a link needs a start and an end; to is missing"),
        ({"to": ("a",)}, "a link needs a start and an end; from is missing"),
        ({"task": ("a",), "descendants": "0"}, 'descendants: "0" is neither a level from 1 nor all'),
        ({"task": ("a",), "descendants": "²"}, 'descendants: "²" is neither a level from 1 nor all'),
        (
            {"reuse": "7", "exclude": ("a",)},
            "exclude does not go with reuse, which takes the tasks as they were chosen",
        ),
    ],
)
def test_what_does_not_go_together(given: dict[str, Any], why: str) -> None:
    """SEL-1 to SEL-4, SEL-9."""
    with pytest.raises(UsageError) as caught:
        read_selection(given, FIND)
    assert caught.value.message == why


def test_only_what_is_chosen_at_the_start_waits_for_it() -> None:
    """SEL-4."""
    assert [kind.way for kind in ways.WAYS.values() if kind.is_chosen_at_start] == ["all_descendants"]


def test_a_way_of_a_newer_program_is_refused() -> None:
    """SEL-9: in one sentence."""
    with pytest.raises(InvalidValueError, match='no way of choosing tasks is called "missing"'):
        ways.from_json({"way": "missing", "root": "w.a"})


def test_the_hint_names_every_way() -> None:
    """SEL-1 to SEL-4, SEL-9."""
    with pytest.raises(UsageError) as caught:
        read_selection({}, FIND)
    assert str(caught.value.hint).count(" by ") == len(WAYS)
