"""A graph of tasks or instances as it is drawn: boxes with a name, a state and a bar, and curves between them.

`_graph.html` makes SVG of it; without scripts it is a picture with links, with `dag.js` one that can be moved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from retrofill.web.drawing.labels import in_lines
from retrofill.web.drawing.layers import Layered, Sizes, Stop, lay_out

_BAR = 1000  # the width of a bar in its own units
_LEAST_SHARE = 20  # so that one failure among thousands is seen


class Segment(NamedTuple):
    """Part of a bar, in thousandths: `state` as in the style sheets."""

    state: str
    x: int
    width: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """What is drawn as a box.

    Attributes:
        key: what edges name it by.
        name: what stands in it; `full`: what is read out and shown on hover.
        state, word: as in the style sheets, and in words; state `plain` shows none.
        href: where it leads; None: nowhere.
        counts: states in the style sheets' words with how many of each, for the bar.
        more: how many neighbours it has that are not shown.
        below: a word below the name, instead of a bar.
    """

    key: str
    name: str
    full: str
    state: str = "plain"
    word: str = ""
    href: str | None = None
    counts: tuple[tuple[str, int], ...] = ()
    more: int = 0
    below: str = ""
    is_focus: bool = False

    @property
    def said(self) -> str:
        """Its whole name, and its state where it has one."""
        return f"{self.full}, {self.word}" if self.word else self.full


class Edge(NamedTuple):
    """One node waits for another one; `is_dashed`: in another way than most."""

    upstream: str
    downstream: str
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A node with its place: its corner and size, and the places of all that stands in it."""

    node: Node
    number: int
    x: int
    y: int
    width: int
    height: int
    lines: tuple[tuple[int, str], ...]  #: base line from the top, text
    text_x: int
    cell_y: int
    segments: tuple[Segment, ...]
    bar_width: int


class Curve(NamedTuple):
    """An edge as a path of SVG, between the numbers of two boxes."""

    path: str
    upstream: int
    downstream: int
    is_dashed: bool
    is_hot: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A whole graph, in pixels, with room around it.

    Attributes:
        label: what is read out of it.
        layers: how many there are.
    """

    label: str
    width: int
    height: int
    pad: int
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]
    layers: int


def draw_graph(
    nodes: Sequence[Node],
    edges: Iterable[Edge],
    label: str,
    *,
    sizes: Sizes = Sizes(),  # noqa: B008
    pad: int = 24,
    hot: Collection[str] = (),
) -> Drawing:
    """Lay out and draw a graph.

    Args:
        edges: those with an end that is no node are left out.
        hot: keys of nodes between which edges stand out.
    """
    number_of = {node.key: number for number, node in enumerate(nodes)}
    kept = [edge for edge in edges if edge.upstream in number_of and edge.downstream in number_of]
    pairs = tuple((number_of[edge.upstream], number_of[edge.downstream]) for edge in kept)
    found = lay_out(len(nodes), pairs, sizes)
    boxes = [_box(node, number, found, sizes) for number, node in enumerate(nodes)]
    stand_out = {number_of[key] for key in hot if key in number_of}
    curves = [
        Curve(_path(stops, sizes.width), *pair, edge.is_dashed, stand_out.issuperset(pair))
        for edge, pair, stops in zip(kept, pairs, found.stops, strict=True)
        if stops
    ]
    return Drawing(
        label,
        found.width + 2 * pad,
        found.height + 2 * pad,
        pad,
        tuple(boxes),
        tuple(curves),
        max(found.layers, default=-1) + 1,
    )


def _box(node: Node, number: int, found: Layered, sizes: Sizes) -> Box:
    width, height = sizes.width, sizes.height
    left = 10 if node.state == "plain" else 28
    room = width - left - 5
    has_bar = bool(node.counts)
    beside = 18 if node.more and not has_bar else 0
    name = in_lines(node.name, room, room - beside) if height >= 34 else in_lines(node.name, 0, room - beside)
    middle = (height - (6 if has_bar else 13 if node.below else 0)) / 2 - (1 if has_bar else 0)
    first = middle + 4 - 6.5 * (len(name) - 1)
    lines = tuple((round(first + 13 * i), line) for i, line in enumerate(name))
    return Box(
        node,
        number,
        found.x[number],
        found.y[number],
        width,
        height,
        lines,
        left,
        round(middle - 8),
        shares(node.counts),
        width - (36 if node.more else 16),
    )


def shares(counts: Iterable[tuple[str, int]]) -> tuple[Segment, ...]:
    """A bar by state, in proportion; what there is at all can be seen."""
    there = [(state, count) for state, count in counts if count]
    total = sum(count for _, count in there)
    widths = [max(_LEAST_SHARE, round(_BAR * count / total)) for _, count in there]
    if widths:
        widest = widths.index(max(widths))
        widths[widest] = max(_LEAST_SHARE, widths[widest] - (sum(widths) - _BAR))
    segments, x = [], 0
    for (state, _), width in zip(there, widths, strict=True):
        segments.append(Segment(state, x, width))
        x += width
    return tuple(segments)


def _path(stops: Sequence[Stop], width: int) -> str:
    """From the right side of the first stop to the left side of the last one; backwards where it is turned."""
    is_back = stops[0].x > stops[-1].x
    enter, leave = (width, 0) if is_back else (0, width)
    x, y = stops[0].x + leave, stops[0].y
    path = [f"M{x} {y}"]
    for number, stop in enumerate(stops[1:], start=2):
        to_x = stop.x + enter
        half = (to_x - x) // 2
        path.append(f"C{x + half} {y} {to_x - half} {stop.y} {to_x} {stop.y}")
        x, y = to_x, stop.y
        if number < len(stops):
            x = stop.x + leave
            path.append(f"H{x}")
    return "".join(path)
