"""What lies around a task, as a picture: two levels above, two below, each with how its last night went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from retrofill.domain.words import many
from retrofill.web.drawing.calendars import SIGNS
from retrofill.web.drawing.graphs import Drawing, Edge, Node, draw_graph
from retrofill.web.drawing.layers import Sizes

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.reading.documents import TaskInGraph, TaskNeighbour

LEVELS = 2
_MOST_OF_LEVEL = 12  # tasks that are drawn of one level on one side
_SIZES = Sizes(width=140, height=36, gap_x=28, gap_y=8)


def around(center: OperationCenter, name: str) -> tuple[Drawing, str]:
    """The picture, and in words how much of what there is it shows."""
    desk = center.tasks
    above, below = desk.upstream(name, LEVELS), desk.downstream(name, LEVELS)
    shown = [name, *_drawn(above), *_drawn(below)]
    graph = {one["task"]: one for one in desk.graph(name)}
    last = {one["task"]: one["cells"] for one in desk.nights(shown, 1)["tasks"]}
    inside = set(shown)
    nodes = [_node(one, graph.get(one), inside, last.get(one, ""), one == name) for one in shown]
    edges = [
        Edge(upper, one)
        for one in shown
        if one in graph
        for upper in graph[one]["upstream"]
        if upper in inside
    ]
    words = f"{many(_direct(above), 'task')} up, {_direct(below):,} down"
    return draw_graph(nodes, edges, f"What is around {name}: {words}", sizes=_SIZES, pad=10), words


def _direct(neighbours: Sequence[TaskNeighbour]) -> int:
    return sum(one["level"] == 1 for one in neighbours)


def _drawn(neighbours: Sequence[TaskNeighbour]) -> list[str]:
    """The first of each level; the others are counted beside those that they belong to."""
    return [
        one["task"]
        for level in range(1, LEVELS + 1)
        for one in [one for one in neighbours if one["level"] == level][:_MOST_OF_LEVEL]
    ]


def _node(name: str, task: TaskInGraph | None, inside: set[str], cells: str, is_focus: bool) -> Node:
    sign = SIGNS.get(cells[-1:])
    workspace, _, short = name.partition(".")
    neighbours = () if task is None else (*task["upstream"], *task["downstream"])
    drawn = sign is not None and sign.look not in ("", "dotidle", "soft")
    return Node(
        key=name,
        name=short or workspace,
        full=name,
        state=sign.look if drawn and sign is not None else "plain",
        word=f"last night {sign.words.lower()}" if drawn and sign is not None else "",
        href=None if is_focus else f"/tasks/{quote(name, safe='')}",
        more=sum(one not in inside for one in neighbours),
        is_focus=is_focus,
    )
