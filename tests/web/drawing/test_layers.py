"""Layers against networkx and against the formulas that they come from; what is drawn never touches."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from retrofill.web.drawing.layers import Sizes, lay_out, layers_of, loop_closing, means, rising

SIZES = Sizes(width=100, height=30, gap_x=40, gap_y=10, lane=8)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Up to 14 vertices; with loops, edges to oneself, and what no edge touches."""
    count = draw(st.integers(1, 14))
    vertex = st.integers(0, count - 1)
    return count, tuple(draw(st.lists(st.tuples(vertex, vertex), max_size=30, unique=True)))


def loopless(count: int, edges: tuple[tuple[int, int], ...]) -> nx.DiGraph:
    turned = loop_closing(count, edges)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from((b, a) if i in turned else (a, b) for i, (a, b) in enumerate(edges) if a != b)
    return graph


@settings(max_examples=examples(200))
@given(graphs())
def test_turning_edges_leaves_no_loop_and_touches_only_what_has_one(
    given_graph: tuple[int, tuple[tuple[int, int], ...]],
) -> None:
    count, edges = given_graph
    assert nx.is_directed_acyclic_graph(loopless(count, edges))
    plain = nx.DiGraph([(a, b) for a, b in edges if a != b])
    if nx.is_directed_acyclic_graph(plain):
        assert not loop_closing(count, edges)


@settings(max_examples=examples(200))
@given(graphs())
def test_a_layer_is_the_longest_way_and_sources_stand_next_to_what_they_feed(
    given_graph: tuple[int, tuple[tuple[int, int], ...]],
) -> None:
    graph = loopless(*given_graph)
    longest = {
        vertex: max(
            (
                len(way) - 1
                for source in graph
                if not graph.in_degree(source)
                for way in nx.all_simple_paths(graph, source, vertex)
            ),
            default=0,
        )
        for vertex in graph
    }
    found = layers_of(len(graph), list(graph.edges))
    for vertex in graph:
        if graph.in_degree(vertex) or not graph.out_degree(vertex):
            assert found[vertex] == longest[vertex]
        else:
            assert found[vertex] == min(found[below] for below in graph.successors(vertex)) - 1


@settings(max_examples=examples(200))
@given(graphs())
def test_boxes_never_overlap_and_edges_lead_to_the_right(
    given_graph: tuple[int, tuple[tuple[int, int], ...]],
) -> None:
    count, edges = given_graph
    found = lay_out(count, edges, SIZES)
    for a, b in combinations(range(count), 2):
        beside = abs(found.x[a] - found.x[b]) >= SIZES.width
        assert beside or abs(found.y[a] - found.y[b]) >= SIZES.height
    for number, (up, down) in enumerate(edges):
        stops = found.stops[number]
        if up == down:
            assert stops == ()
            continue
        assert (stops[0].x, stops[0].y) == (found.x[up], found.y[up] + SIZES.height // 2)
        assert (stops[-1].x, stops[-1].y) == (found.x[down], found.y[down] + SIZES.height // 2)
        steps = np.diff([stop.x for stop in stops])
        assert (steps < 0).all() if number in found.turned else (steps > 0).all()
    assert min(found.x) == 0 <= min(found.y)
    assert max(found.x) + SIZES.width == found.width
    assert max(found.y) + SIZES.height <= found.height


@settings(max_examples=examples(200))
@given(graphs())
def test_an_edge_passes_every_layer_between_its_ends_without_crossing_a_box(
    given_graph: tuple[int, tuple[tuple[int, int], ...]],
) -> None:
    count, edges = given_graph
    found = lay_out(count, edges, SIZES)
    for number, (up, down) in enumerate(edges):
        for stop in found.stops[number][1:-1]:
            for vertex in set(range(count)) - {up, down}:
                apart = found.x[vertex] != stop.x or not (
                    found.y[vertex] < stop.y < found.y[vertex] + SIZES.height
                )
                assert apart
    whole = abs(np.subtract(found.layers, 0))
    for number, (up, down) in enumerate(edges):
        if up != down:
            assert len(found.stops[number]) == abs(whole[up] - whole[down]) + 1


def test_few_edges_cross() -> None:
    """Two trees side by side, given in an order that mixes them, are drawn without a crossing."""
    edges = tuple((parent, 2 * parent + side) for parent in range(1, 8) for side in (0, 1))
    both = [(a * 2, b * 2) for a, b in edges] + [(a * 2 + 1, b * 2 + 1) for a, b in reversed(edges)]
    found = lay_out(32, tuple(both), SIZES)
    for (a, b), (c, d) in combinations(both, 2):
        if found.layers[a] == found.layers[c]:
            assert (found.y[a] - found.y[c]) * (found.y[b] - found.y[d]) >= 0


@settings(max_examples=examples(200))
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=12))
def test_rising_is_the_nearest_sequence_that_never_falls(wanted: list[int]) -> None:
    """The formula: the greatest of the means that begin at or before, each the least of those that end at or after."""
    n = len(wanted)
    slow = [max(min(np.mean(wanted[j : k + 1]) for k in range(i, n)) for j in range(i + 1)) for i in range(n)]
    np.testing.assert_allclose(rising(np.array(wanted, dtype=float)), slow)


@settings(max_examples=examples(100))
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 99)), max_size=20))
def test_means_are_of_what_belongs_together(pairs: list[tuple[int, int]]) -> None:
    here, values = np.array([h for h, _ in pairs], dtype=int), np.array([v for _, v in pairs], dtype=float)
    slow = [np.mean([v for h, v in pairs if h == i] or [-i]) for i in range(5)]
    np.testing.assert_allclose(means(5, here, values, -np.arange(5.0)), slow)


def test_the_same_graph_is_laid_out_once() -> None:
    edges = ((0, 1), (1, 2))
    assert lay_out(3, edges) is lay_out(3, ((0, 1), (1, 2)))
    assert lay_out(3, edges) is not lay_out(3, ((0, 1), (0, 2)))


def test_edges_beyond_all_lanes_go_straight() -> None:
    """A chain of 400 with an edge from its first to every other one."""
    edges = [*((i, i + 1) for i in range(399)), *((0, i) for i in range(2, 400))]
    found = lay_out(400, tuple(edges), SIZES)
    lengths = [len(stops) for stops in found.stops]
    assert lengths[-1] == 2
    assert lengths[399] == 3
    assert sum(length - 2 for length in lengths) <= 12_000
