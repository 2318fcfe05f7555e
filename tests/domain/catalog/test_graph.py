"""Ancestors, descendants, levels, links and loops, against networkx."""

from __future__ import annotations

from graphlib import CycleError
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrofill.domain.catalog.graph import Graph

# b and c hang from a; d from b and c; e stands alone
DIAMOND = Graph({"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ()})


def test_descendants_and_ancestors_leave_out_the_roots() -> None:
    """SEL-1."""
    assert DIAMOND.descendants(["a"]) == {"b", "c", "d"}
    assert DIAMOND.ancestors(["d"]) == {"a", "b", "c"}
    assert DIAMOND.descendants(["e"]) == set()


def test_a_root_below_another_is_a_descendant() -> None:
    assert DIAMOND.descendants(["a", "b"]) == {"b", "c", "d"}


def test_levels_are_shortest_distances_from_any_root() -> None:
    """SEL-1: direct descendants are level 1."""
    graph = Graph({"a": (), "b": ("a",), "c": ("b", "a"), "d": ("c",), "x": (), "y": ("x", "d")})
    assert graph.levels(["a", "x"]) == {"a": 0, "x": 0, "b": 1, "c": 1, "y": 1, "d": 2}


def test_between_is_below_a_start_and_above_an_end() -> None:
    """SEL-2."""
    assert DIAMOND.between(["a"], ["d"]) == {"b", "c"}
    assert DIAMOND.between(["b"], ["d"]) == set()


def test_an_unknown_upstream_is_ignored() -> None:
    graph = Graph({"a": ("ghost",), "b": ("a",)})
    assert graph.ancestors(["b"]) == {"a"}
    assert graph.descendants(["ghost"]) == set()
    assert graph.in_order() == ("a", "b")
    assert graph.loops() == ()


def test_a_loop_ends_where_it_began() -> None:
    """CAT-4."""
    graph = Graph({"a": ("c",), "b": ("a",), "c": ("b",), "d": ("c",)})
    assert graph.loops() == (("a", "b", "c", "a"),)
    assert set(graph.loop()) == {"a", "b", "c"}
    assert graph.loop()[0] == graph.loop()[-1]
    with pytest.raises(CycleError):
        graph.in_order()


def test_every_knot_gives_one_loop() -> None:
    """CAT-4."""
    graph = Graph({"a": ("b",), "b": ("a",), "c": ("c",), "d": ("b", "e"), "e": ("d", "c")})
    assert graph.loops() == (("a", "b", "a"), ("c", "c"), ("d", "e", "d"))


def test_a_long_chain_needs_no_recursion() -> None:
    chain = {f"t{n}": (f"t{n - 1}",) if n else () for n in range(20_000)}
    assert Graph(chain).loops() == ()
    closed = Graph(chain | {"t0": ("t19999",)})
    assert len(closed.loops()[0]) == 20_001


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    names = [f"n{i}" for i in range(draw(st.integers(1, 12)))]
    return {name: tuple(draw(st.lists(st.sampled_from(names), unique=True, max_size=3))) for name in names}


def drawn(upstream: dict[str, tuple[str, ...]]) -> nx.DiGraph[str]:
    """The same graph in networkx, edges in the direction in which tasks run."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(upstream)
    graph.add_edges_from((above, name) for name, names in upstream.items() for above in names)
    return graph


@given(graphs(), st.data())
def test_walks_agree_with_networkx(upstream: dict[str, tuple[str, ...]], data: st.DataObject) -> None:
    """SEL-1, SEL-2."""
    graph, oracle = Graph(upstream), drawn(upstream)
    roots = data.draw(st.lists(st.sampled_from(sorted(upstream)), min_size=1, unique=True))
    # A root is below itself only through an edge, which networkx's descendants leave out.
    below = {
        n
        for root in roots
        for child in oracle.successors(root)
        for n in {child, *nx.descendants(oracle, child)}
    }
    above = {n for root in roots for up in oracle.predecessors(root) for n in {up, *nx.ancestors(oracle, up)}}
    assert graph.descendants(roots) == below
    assert graph.ancestors(roots) == above
    distances = [nx.single_source_shortest_path_length(oracle, root) for root in roots]
    assert graph.levels(roots) == {
        name: min(d[name] for d in distances if name in d)
        for name in upstream
        if any(name in d for d in distances)
    }


@given(graphs())
def test_loops_agree_with_networkx(upstream: dict[str, tuple[str, ...]]) -> None:
    """CAT-4: a loop for each knot, made of real edges; an order where there is none."""
    graph, oracle = Graph(upstream), drawn(upstream)
    knots = [k for k in nx.strongly_connected_components(oracle) if len(k) > 1 or oracle.has_edge(*[*k] * 2)]
    loops = graph.loops()
    assert sorted(min(knot) for knot in knots) == [loop[0] for loop in loops]
    for loop in loops:
        assert loop[0] == loop[-1]
        assert len(set(loop)) == len(loop) - 1
        assert all(oracle.has_edge(a, b) for a, b in pairwise(loop))
    assert bool(graph.loop()) == bool(loops)
    if not loops:
        order = graph.in_order()
        assert sorted(order) == sorted(upstream)
        assert all(order.index(a) < order.index(b) for a, b in oracle.edges)
