"""The ways of choosing as people ask for them, in one table: what is given for each, and what it means (SEL-1..4, SEL-9).

A way is a row here and a class in `ways`. Made from the rows: options of the command line, and the refusal of
what does not go together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Literal, NamedTuple

from retrofill.domain.errors import UsageError, shown
from retrofill.domain.inputs import Given, Input, is_given
from retrofill.domain.selection.ways import (
    AllDescendantsSelection,
    LinkSelection,
    ManualSelection,
    Selection,
    WorkspaceSelection,
)
from retrofill.domain.texts import Option, Text

_DEEPEST = 100_000


class Finding(NamedTuple):
    """How what somebody wrote is looked up.

    Attributes:
        task: the full name of a task.
        matching: the tasks that fit conditions KEY=VALUE.
        earlier: what a backfill chose, by its id.
    """

    task: Callable[[str], str]
    matching: Callable[[Sequence[str]], Sequence[str]]
    earlier: Callable[[str], Selection]


class Asked(NamedTuple):
    """What was given for one way."""

    given: Given
    find: Finding

    def one(self, name: str) -> str:
        """The task that an input names."""
        return self.find.task(self.given[name])

    def many(self, name: str) -> tuple[str, ...]:
        """The tasks that an input names, each once."""
        return tuple(dict.fromkeys(self.find.task(text) for text in self.given.get(name) or ()))


class Way(NamedTuple):
    """One way of choosing.

    Attributes:
        choosing: the inputs any of which chooses it; it is called by the first.
        further: those that only go with them.
        example: what to give, for a hint.
        excludes: whether tasks can be left out of what it chooses.
    """

    example: Text
    read: Callable[[Asked], Selection]
    choosing: tuple[Input, ...]
    further: tuple[Input, ...] = ()
    excludes: bool = True

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.choosing + self.further

    @property
    def words(self) -> Text:
        """The way, by what chooses it."""
        return Text("{one}", one=Option(self.choosing[0].name))


def _manual(asked: Asked) -> Selection:
    conditions = asked.given.get("where") or ()
    matching = asked.find.matching(conditions) if conditions else ()
    roots = tuple(dict.fromkeys([*asked.many("task"), *matching]))
    level = _level(asked.given.get("descendants"))
    return ManualSelection(roots, level, asked.many("only"), asked.many("exclude"))


def _level(text: str | None) -> int | Literal["all"] | None:
    if text is None:
        return None
    if text == "all":
        return "all"
    if text.isascii() and text.isdigit() and 1 <= int(text) <= _DEEPEST:
        return int(text)
    raise UsageError(
        Text('{option.descendants}: "{text}" is neither a level from 1 nor all', text=shown(text))
    )


def _link(asked: Asked) -> Selection:
    for name in ("from", "to"):
        if not is_given(asked.given, name):
            raise UsageError(
                Text("a link needs a start and an end; {missing} is missing", missing=Option(name))
            )
    return LinkSelection(asked.one("from"), asked.many("to"), asked.many("exclude"))


def _workspaces(asked: Asked) -> Selection:
    return WorkspaceSelection(
        asked.one("root"),
        tuple(dict.fromkeys(asked.given.get("workspace") or ())),
        not asked.given.get("no_root"),
        asked.many("include"),
        asked.many("exclude"),
    )


def _all_descendants(asked: Asked) -> Selection:
    return AllDescendantsSelection(asked.one("all_descendants"), asked.many("exclude"))


def _earlier(asked: Asked) -> Selection:
    return asked.find.earlier(asked.given["reuse"])


EXCLUDE = Input("exclude", "Leave a task out; in the middle it is a dry run (repeat).", "T", is_many=True)
WAYS = (
    Way(
        Text("{option.task=T}"),
        _manual,
        choosing=(
            Input("task", "Manual: a root task (repeat).", "T", is_many=True),
            Input("where", "Manual: every task that fits as a root (repeat).", "KEY=VALUE", is_many=True),
        ),
        further=(
            Input("descendants", "Manual: descendants of the roots down to level N, or all.", "N|all"),
            Input("only", "Manual: of the descendants only these (repeat).", "T", is_many=True),
        ),
    ),
    Way(
        Text("{option.from=T} {option.to=T}"),
        _link,
        choosing=(
            Input("from", "By link: the start task.", "T"),
            Input("to", "By link: an end task (repeat).", "T", is_many=True),
        ),
    ),
    Way(
        Text("{option.root=T} {option.workspace=W}"),
        _workspaces,
        choosing=(Input("root", "By workspace: the root task.", "T"),),
        further=(
            Input("workspace", "By workspace: take its tasks (repeat).", "W", is_many=True),
            Input("no_root", "By workspace: leave the root itself out."),
            Input("include", "By workspace: a further task (repeat).", "T", is_many=True),
        ),
    ),
    Way(
        Text("{option.all_descendants=T}"),
        _all_descendants,
        choosing=(Input("all_descendants", "A task and all its descendants.", "T"),),
    ),
    Way(
        Text("{option.reuse=ID}"),
        _earlier,
        choosing=(Input("reuse", "The tasks of an earlier backfill.", "ID"),),
        excludes=False,
    ),
)
INPUTS = (*(one for way in WAYS for one in way.inputs), EXCLUDE)


def read_selection(given: Given, find: Finding) -> Selection:
    """What somebody chooses.

    Raises:
        UsageError: no way or several, or what does not go with it.
    """
    chosen = [way for way in WAYS if any(is_given(given, one.name) for one in way.choosing)]
    if len(chosen) != 1:
        raise UsageError(_no_single(chosen), _hint())
    way = chosen[0]
    for other, stray in _strays(given, way):
        one = Option(stray.name)
        raise UsageError(
            Text("{one} goes with {its}, not with {ours}", one=one, its=other.words, ours=way.words)
        )
    if not way.excludes and is_given(given, EXCLUDE.name):
        raise UsageError(
            Text(
                "{option.exclude} does not go with {way}, which takes the tasks as they were chosen",
                way=way.words,
            )
        )
    return way.read(Asked(given, find))


def _strays(given: Given, way: Way) -> Iterator[tuple[Way, Input]]:
    """What is given for another way, with that way."""
    for other in WAYS:
        if other is not way:
            yield from ((other, one) for one in other.inputs if is_given(given, one.name))


def _no_single(chosen: list[Way]) -> Text:
    if not chosen:
        return Text("no tasks are chosen")
    named = reduce(lambda a, b: Text("{a} and {b}", a=a, b=b), (way.words for way in chosen))
    return Text("{named} do not go together", named=named)


def _hint() -> Text:
    examples = reduce(lambda a, b: Text("{a}, by {b}", a=a, b=b), (way.example for way in WAYS))
    return Text("Choose by {examples}.", examples=examples)
