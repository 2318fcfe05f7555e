"""What stands in the form about tasks: roots, levels and descendants of them, or the ways between two ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import RetrofillError
from retrofill.domain.texts import Text
from retrofill.web.creating.asking import Below, levels_of, picked
from retrofill.web.creating.typed import LINK, PICK, Typed
from retrofill.web.drawing.graphs import Drawing, Edge, Node, draw_graph
from retrofill.web.drawing.layers import Sizes

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.reading.documents import ChoosableTask, TaskWays

_MOST_ROWS = 400  # descendants with a row of their own
_MOST_DRAWN = 240  # tasks of a link
_SIZES = Sizes(width=116, height=36, gap_x=28, gap_y=10)


class Level(NamedTuple):
    """A level of descendants: how many there are, and whether all of them are chosen."""

    number: int
    size: int
    is_chosen: bool


class Row(NamedTuple):
    """A task with what is chosen of it."""

    task: ChoosableTask
    is_on: bool


@dataclass(frozen=True)
class Picked:
    """Roots with what lies below them.

    Attributes:
        gone: roots that are not there, as far as one knows.
        hidden: chosen descendants that have no row.
        more: how many descendants have no row.
    """

    below: Below = ()
    roots: Sequence[Row] = ()
    gone: Sequence[str] = ()
    levels: Sequence[Level] = ()
    rows: Sequence[Row] = ()
    hidden: Sequence[str] = ()
    more: int = 0
    chosen: int = 0


@dataclass(frozen=True)
class Between:
    """The ways from a task to others.

    Attributes:
        rows: tasks in the middle, and whether each runs.
        drawing: None where there is nothing to draw, or too much.
        trouble: why there are none.
    """

    count: int = 0
    rows: Sequence[Row] = ()
    drawing: Drawing | None = None
    trouble: Text | None = None


def below_of(center: OperationCenter, roots: Sequence[str]) -> tuple[Below, list[str]]:
    """Roots and what lies below them; and those that are not there any more, as after a deploy."""
    try:
        return (center.backfills.below(roots) if roots else ()), []
    except RetrofillError:
        known = {one["task"] for one in center.names.tasks()}
        there = [name for name in roots if name in known]
        return (center.backfills.below(there) if there else ()), [name for name in roots if name not in known]


def picked_of(typed: Typed, below: Below, gone: Sequence[str]) -> Picked:
    """What the form shows of roots and descendants."""
    chosen = picked(typed, below)
    descendants = [one for one in below if one["level"] > 0]
    shown = descendants[:_MOST_ROWS]
    levels = []
    for number in levels_of(below):
        of_level = [one["task"] for one in descendants if one["level"] == number and one["permitted"]]
        levels.append(Level(number, len(of_level), chosen.issuperset(of_level)))
    norun = set(typed.all("norun"))
    return Picked(
        below=below,
        roots=[Row(one, one["task"] not in norun) for one in _in_order(typed, below)],
        gone=gone,
        levels=levels,
        rows=[Row(one, one["task"] in chosen) for one in shown],
        hidden=sorted(chosen - {one["task"] for one in shown}),
        more=len(descendants) - len(shown),
        chosen=len(chosen),
    )


def _in_order(typed: Typed, below: Below) -> list[ChoosableTask]:
    """Roots as they were chosen: the first one names the backfill."""
    place = {name: number for number, name in enumerate(typed.all("task"))}

    def when(task: ChoosableTask) -> int:
        name = task["task"]
        return place.get(name, place.get(name.partition(".")[2], len(place)))

    return sorted((one for one in below if one["level"] == 0), key=when)


def between_of(center: OperationCenter, typed: Typed) -> Between:
    """What lies on the ways of a link."""
    start, ends = typed.one("from"), typed.all("to")
    if typed.way != LINK or not start or not ends:
        return Between()
    try:
        ways = center.backfills.between(start, ends)
    except RetrofillError as error:
        return Between(trouble=error.text)
    return _drawn(ways, set(typed.all("skip")))


def _drawn(ways: TaskWays, skipped: set[str]) -> Between:
    waiting = {down for _, down in ways["edges"]}
    awaited = {up for up, _ in ways["edges"]}
    middle = [one for one in ways["tasks"] if one["task"] in waiting and one["task"] in awaited]
    rows = [Row(one, one["task"] not in skipped) for one in sorted(middle, key=_by_level)]
    count = len(ways["tasks"])
    if count > _MOST_DRAWN:
        return Between(count, rows)
    ends = {one["task"] for one in ways["tasks"]} - {one["task"] for one in middle}
    nodes = [_node(one, skipped, ends) for one in ways["tasks"]]
    edges = [Edge(up, down) for up, down in ways["edges"]]
    label = f"{count} tasks from the first to the last, with what waits for what"
    return Between(count, rows, draw_graph(nodes, edges, label, sizes=_SIZES, pad=12))


def _by_level(task: ChoosableTask) -> tuple[int, str]:
    return task["level"], task["task"]


def _node(task: ChoosableTask, skipped: set[str], ends: set[str]) -> Node:
    name = task["task"]
    is_out = name in skipped or not task["permitted"]
    return Node(
        key=name,
        name=name.partition(".")[2],
        full=name,
        state="dry" if is_out else "plain",
        word="passes without running" if is_out else "",
        is_focus=name in ends,
    )


def found_for(center: OperationCenter, typed: Typed, limit: int = 12) -> Sequence[Mapping[str, object]]:
    """Tasks whose names have in them what is being written, for who has no scripts."""
    text = typed.one("add_task").lower()
    if typed.way != PICK or not text:
        return ()
    fitting = [one for one in center.names.tasks() if text in one["task"].lower()]
    return fitting[:limit]
