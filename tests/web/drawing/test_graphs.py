"""Graphs as they are drawn: names are cut so that they fit, one failure among thousands is seen."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from retrofill.web.drawing.graphs import Edge, Node, draw_graph, shares
from retrofill.web.drawing.labels import cut, in_lines, text_width

WORDS = st.text(alphabet="abcmwil_.0123456789ÄW日", min_size=1, max_size=140)


@settings(max_examples=examples(200))
@given(WORDS, st.integers(70, 200))
def test_a_cut_name_fits_and_keeps_both_ends(name: str, most: int) -> None:
    found = cut(name, most)
    if text_width(name) <= most:
        assert found == name
        return
    begin, _, end = found.partition("…")
    assert name.startswith(begin)
    assert name.endswith(end)
    assert text_width(found) <= most or len(begin) <= 3


@settings(max_examples=examples(200))
@given(WORDS)
def test_a_name_on_two_lines_is_broken_after_an_underscore(name: str) -> None:
    lines = in_lines(name, 110, 95)
    if len(lines) == 2:
        assert lines[0].endswith("_")
        assert name.startswith(lines[0])
        assert lines[1] == cut(name.removeprefix(lines[0]), 95)
    assert len(lines) <= 2
    assert all(lines)


@settings(max_examples=examples(200))
@given(st.dictionaries(st.sampled_from(["ok", "run", "fail", "idle"]), st.integers(0, 10**6)))
def test_a_bar_fills_its_width_and_hides_nothing(counts: dict[str, int]) -> None:
    found = shares(counts.items())
    assert [s.state for s in found] == [state for state, count in counts.items() if count]
    assert all(s.width >= 20 for s in found)
    assert [s.x for s in found] == [sum(s.width for s in found[:i]) for i in range(len(found))]
    assert sum(s.width for s in found) == (1000 if found else 0)


def test_what_is_drawn_of_a_small_graph() -> None:
    nodes = [Node(key=name, name=name, full=f"w.{name}", state="ok", word="Successful") for name in "abc"]
    drawn = draw_graph(
        nodes, [Edge("a", "b"), Edge("b", "c", is_dashed=True), Edge("b", "x")], "three", hot="ab"
    )
    assert [(c.upstream, c.downstream, c.is_dashed, c.is_hot) for c in drawn.curves] == [
        (0, 1, False, True),
        (1, 2, True, False),
    ]
    assert [box.node.said for box in drawn.boxes] == ["w.a, Successful", "w.b, Successful", "w.c, Successful"]
    assert drawn.layers == 3
    assert drawn.boxes[0].x < drawn.boxes[1].x < drawn.boxes[2].x


def test_an_edge_that_closes_a_loop_leads_back() -> None:
    nodes = [Node(key=name, name=name, full=name) for name in "ab"]
    forth, back = draw_graph(nodes, [Edge("a", "b"), Edge("b", "a")], "loop").curves
    left, right = (box.x for box in draw_graph(nodes, [Edge("a", "b")], "loop").boxes)
    width = 172
    assert forth.path.startswith(f"M{left + width} ")
    assert back.path.startswith(f"M{right} ")
    assert f" {left + width} " in back.path


def test_nothing_is_a_drawing_too() -> None:
    drawn = draw_graph([], [], "nothing")
    assert (drawn.boxes, drawn.curves, drawn.layers) == ((), (), 0)
