"""Where the vertices of a directed graph stand: in layers, left to right, each right of all that it waits for.

Longest path, barycentres, pooled positions; edges over several layers run through lanes of their own. What would
close a loop is turned round; what no edge touches stands below in rows. Vertices are numbers from 0; the same graph
is always laid out alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from retrofill.domain.arrays import FloatArray, LongArray

Pair = tuple[int, int]

_SWEEPS = 8  # more of them cross no fewer edges
_MOST_LANES = 12_000  # in all; the longest edges go straight where there would be more
_PLACED = 90_000  # vertices and lanes that are moved in all sweeps together
_MOST_PLACINGS = 24
_LAYER_COSTS = 40  # as much as so many vertices
_PULL = 0.92  # towards neighbours; the rest, towards the middle, keeps what is loose together


class Sizes(NamedTuple):
    """Pixels: of a vertex, the gaps between layers and between neighbours of a layer, and of a lane."""

    width: int = 172
    height: int = 36
    gap_x: int = 64
    gap_y: int = 12
    lane: int = 10


class Stop(NamedTuple):
    """Where an edge passes a layer: the left end of a vertex or lane, and its middle."""

    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Layered:
    """A graph that is laid out.

    Attributes:
        layers: of each vertex, from 0.
        x, y: of each vertex's upper left corner.
        stops: of each edge, in the order of the edges: from what is waited for to what waits; empty for one
            from a vertex to itself.
        turned: edges that would close a loop: they lead from right to left.
    """

    width: int
    height: int
    layers: tuple[int, ...]
    x: tuple[int, ...]
    y: tuple[int, ...]
    stops: tuple[tuple[Stop, ...], ...]
    turned: frozenset[int]


@lru_cache(maxsize=64)
def lay_out(count: int, edges: tuple[Pair, ...], sizes: Sizes = Sizes()) -> Layered:  # noqa: B008
    """Lay out so many vertices. Answers are kept by the graph.

    Args:
        edges: what is waited for, and what waits for it.
    """
    tied = sorted({vertex for up, down in edges if up != down for vertex in (up, down)})
    number_of = {vertex: number for number, vertex in enumerate(tied)}
    numbered = [(number_of[a], number_of[b]) if a != b else (0, 0) for a, b in edges]
    found = _lay_out_tied(len(tied), numbered, sizes)
    if len(tied) == count:
        return found
    loose = [vertex for vertex in range(count) if vertex not in number_of]
    return _with_rows(found, tied, loose, sizes)


def _lay_out_tied(count: int, edges: Sequence[Pair], sizes: Sizes) -> Layered:
    """Lay out vertices each of which has a neighbour."""
    if not count:
        return Layered(0, 0, (), (), (), ((),) * len(edges), frozenset())
    turned = loop_closing(count, edges)
    forward = [(b, a) if i in turned else (a, b) for i, (a, b) in enumerate(edges)]
    layers = layers_of(count, forward)
    lanes = _Lanes(count, forward, layers)
    for sweep in range(_SWEEPS):
        lanes.order(is_down=sweep % 2 == 0)
    y = lanes.place(sizes)
    x = [layer * (sizes.width + sizes.gap_x) for layer in lanes.layer_of.tolist()]
    heights = [sizes.height] * count + [sizes.lane] * (len(y) - count)
    stops = [
        tuple(Stop(x[v], y[v] + heights[v] // 2) for v in (reversed(chain) if i in turned else chain))
        for i, chain in enumerate(lanes.chains)
    ]
    width = max(x[:count]) + sizes.width
    height = max(top + size for top, size in zip(y, heights, strict=True))
    return Layered(
        width, height, tuple(layers), tuple(x[:count]), tuple(y[:count]), tuple(stops), frozenset(turned)
    )


def _with_rows(found: Layered, tied: Sequence[int], loose: Sequence[int], sizes: Sizes) -> Layered:
    """Loose vertices in rows below the others, as wide as these, or about twice as wide as high."""
    step_x, step_y = sizes.width + sizes.gap_y * 2, sizes.height + sizes.gap_y
    columns = max(
        (found.width + step_x - sizes.width) // step_x, ceil(sqrt(len(loose) * 2 * step_y / step_x))
    )
    top = found.height + step_y if tied else 0
    places = dict(zip(tied, zip(found.layers, found.x, found.y, strict=True), strict=True))
    for number, vertex in enumerate(loose):
        row, column = divmod(number, columns)
        places[vertex] = (0, column * step_x, top + row * step_y)
    layers, x, y = zip(*(places[vertex] for vertex in sorted(places)), strict=True)
    height = max(y[vertex] for vertex in loose) + sizes.height
    return Layered(max(x) + sizes.width, height, layers, x, y, found.stops, found.turned)


def loop_closing(count: int, edges: Sequence[Pair]) -> set[int]:
    """Numbers of edges without which there is no loop; those from a vertex to itself are none of them."""
    below: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for number, (up, down) in enumerate(edges):
        if up != down:
            below[up].append((number, down))
    unseen, open_, done = 0, 1, 2
    marks = [unseen] * count
    closing = set()
    for root in range(count):
        if marks[root] != unseen:
            continue
        marks[root] = open_
        path = [(root, iter(below[root]))]
        while path:
            vertex, rest = path[-1]
            for number, down in rest:
                if marks[down] == open_:
                    closing.add(number)
                elif marks[down] == unseen:
                    marks[down] = open_
                    path.append((down, iter(below[down])))
                    break
            else:
                marks[vertex] = done
                path.pop()
    return closing


def layers_of(count: int, edges: Sequence[Pair]) -> list[int]:
    """How many steps the longest way to each vertex has; what waits for nothing stands next to what it feeds."""
    below: list[list[int]] = [[] for _ in range(count)]
    waits = [0] * count
    for up, down in edges:
        if up != down:
            below[up].append(down)
            waits[down] += 1
    is_source = [not wait for wait in waits]
    layers = [0] * count
    ready = [vertex for vertex in range(count) if is_source[vertex]]
    for vertex in ready:  # grows while it is gone through
        for down in below[vertex]:
            layers[down] = max(layers[down], layers[vertex] + 1)
            waits[down] -= 1
            if not waits[down]:
                ready.append(down)
    for vertex in range(count):
        if is_source[vertex] and below[vertex]:
            layers[vertex] = min(layers[down] for down in below[vertex]) - 1
    return layers


class _Layer(NamedTuple):
    """One layer: its members, and links to the layer before and after as (index here, vertex there)."""

    members: LongArray
    up: tuple[LongArray, LongArray]
    down: tuple[LongArray, LongArray]


class _Lanes:
    """Vertices and the lanes of long edges, in layers; every link leads to the next layer.

    Attributes:
        chains: of each edge, the vertices and lanes that it leads through.
        layer_of: of each vertex and each lane.
    """

    def __init__(self, count: int, edges: Sequence[Pair], layers: Sequence[int]) -> None:
        self._count = count
        layer_of = list(layers)
        self.chains: list[tuple[int, ...]] = [()] * len(edges)
        links: list[Pair] = []
        lanes_left = _MOST_LANES
        for number in sorted(range(len(edges)), key=lambda i: layers[edges[i][1]] - layers[edges[i][0]]):
            up, down = edges[number]
            if up == down:
                continue
            between = range(layers[up] + 1, layers[down])
            if len(between) > lanes_left:
                self.chains[number] = (up, down)
                continue
            lanes_left -= len(between)
            chain = (up, *range(len(layer_of), len(layer_of) + len(between)), down)
            layer_of += between
            self.chains[number] = chain
            links += pairwise(chain)
        self.layer_of = np.array(layer_of, dtype=np.int64)
        self._layers = self._divide(np.array(links, dtype=np.int64).reshape(-1, 2))
        self._rank = np.zeros(len(layer_of))  # within the layer
        for layer in self._layers:
            self._rank[layer.members] = np.arange(len(layer.members))

    def _divide(self, links: LongArray) -> list[_Layer]:
        index = np.zeros(len(self.layer_of), dtype=np.int64)
        members = [np.nonzero(self.layer_of == k)[0] for k in range(int(self.layer_of.max()) + 1)]
        for some in members:
            index[some] = np.arange(len(some))
        up, down = links[:, 0], links[:, 1]
        found = []
        for k, some in enumerate(members):
            ends, begins = self.layer_of[down] == k, self.layer_of[up] == k
            found.append(_Layer(some, (index[down[ends]], up[ends]), (index[up[begins]], down[begins])))
        return found

    def order(self, *, is_down: bool) -> None:
        """Sort each layer by the mean rank of its neighbours in the layer before, or after it."""
        for layer in self._layers[1:] if is_down else self._layers[-2::-1]:
            here, there = layer.up if is_down else layer.down
            rank = self._rank[layer.members]
            order = np.lexsort((rank, means(len(rank), here, self._rank[there], rank)))
            self._rank[layer.members[order]] = np.arange(len(order))

    def place(self, sizes: Sizes) -> list[int]:
        """The upper ends: near the neighbours, in order, without touching."""
        size = np.full(len(self.layer_of), float(sizes.lane))
        size[: self._count] = sizes.height
        rows, middle = self._rows(size, sizes.gap_y)
        centre = np.zeros(len(size))
        for order, offsets, _, _ in rows:
            room = offsets[-1] + size[order[-1]]
            centre[order] = offsets + size[order] / 2 + middle - room / 2
        rounds = min(_MOST_PLACINGS, max(2, _PLACED // (len(size) + _LAYER_COSTS * len(rows))))
        for sweep in range(rounds):
            for order, offsets, here, there in rows if sweep % 2 == 0 else reversed(rows):
                pulled = means(len(order), here, centre[there], centre[order])
                wanted = _PULL * pulled + (1 - _PULL) * middle - size[order] / 2 - offsets
                centre[order] = rising(wanted) + offsets + size[order] / 2
        tops = np.rint(centre - size / 2).astype(np.int64)
        found: list[int] = (tops - tops.min()).tolist()
        return found

    def _rows(
        self, size: FloatArray, gap: int
    ) -> tuple[list[tuple[LongArray, FloatArray, LongArray, LongArray]], float]:
        """Per layer: members in order, their least distances from the first, links to both sides; half the tallest."""
        rows = []
        tallest = 0.0
        for layer in self._layers:
            rank = self._rank[layer.members].astype(np.int64)
            order = np.empty_like(layer.members)
            order[rank] = layer.members
            steps = size[order] + gap
            offsets = np.concatenate(([0.0], np.cumsum(steps)[:-1]))
            here = rank[np.concatenate((layer.up[0], layer.down[0]))]
            there = np.concatenate((layer.up[1], layer.down[1]))
            rows.append((order, offsets, here, there))
            tallest = max(tallest, float(steps.sum()) - gap)
        return rows, tallest / 2


def means(count: int, here: LongArray, values: FloatArray, otherwise: FloatArray) -> FloatArray:
    """float[count]: the mean of the values that belong to each index; where there are none, another value."""
    found = np.bincount(here, minlength=count)
    sums = np.bincount(here, weights=values, minlength=count)
    return np.where(found > 0, sums / np.maximum(found, 1), otherwise)


def rising(wanted: FloatArray) -> FloatArray:
    """What is nearest to these values (least squares) and never falls: what would fall is pooled."""
    if not len(wanted) or bool((np.diff(wanted) >= 0).all()):
        return wanted
    sums: list[float] = []
    sizes: list[int] = []
    for value in wanted.tolist():
        total, size = value, 1
        while sums and sums[-1] * size > total * sizes[-1]:
            total += sums.pop()
            size += sizes.pop()
        sums.append(total)
        sizes.append(size)
    return np.repeat(np.array(sums) / np.array(sizes), sizes)
