"""Which part of a backfill's graph is shown, and how its tasks look on one bizdate or over all of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import UnknownNameError, shown
from retrofill.web.drawing.graphs import Drawing, Edge, Node, draw_graph
from retrofill.web.drawing.layers import Sizes, layers_of, loop_closing

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.reading.documents import BackfillDag, TaskNode
    from retrofill.web.pages.backfill_frame import Head

TROUBLE, AROUND, ALL = "trouble", "around", "all"
_STEPS = 2  # around one task
_FEW = 150  # tasks that are shown all at first
_MOST_BARS = 400  # more boxes have no bar each, so that the page stays small
_SIZES = Sizes(width=152, height=46, gap_x=28, gap_y=10)
_SMALL = Sizes(width=152, height=34, gap_x=40, gap_y=8, lane=6)
_COUNTED = (  # how a bar is made of states
    ("ok", "successful"),
    ("run", "running"),
    ("wait", "waiting_resources"),
    ("wait", "waiting_time"),
    ("fail", "failed"),
    ("frozen", "frozen"),
    ("idle", "not_run"),
)
# Of several instances of a task, what is shown: the first that any of them is.
_WORST: Sequence[tuple[str, str, str]] = (
    ("f", "fail", "Failed"),
    ("z", "frozen", "Frozen"),
    ("r", "run", "Running"),
    ("w", "wait", "Waiting (for resources)"),
    ("t", "wait", "Waiting (for scheduled time)"),
    ("h", "blocked", "Not run, held up"),
    ("n", "idle", "Not run"),
    ("s", "ok", "Successful"),
    ("p", "dry", "Successful, passed without running"),
)


class Look(NamedTuple):
    """Of a task on the bizdate that is shown."""

    state: str
    words: str
    instance: int | None  #: its only one, or the one that most needs a person


class Dash(NamedTuple):
    """One task in the picture of all of them: which layer, which place in it."""

    x: int
    y: int
    state: str
    is_shown: bool


@dataclass(frozen=True, kw_only=True)
class GraphView:
    """What of the graph is shown.

    Attributes:
        show: `trouble` (what failed and what it holds up), `around` (one task) or `all`.
        task: around which.
        bizdate: whose states are shown; None: all together.
        in_trouble: tasks that failed, are frozen or held up on that bizdate.
        task_count: of all tasks that the asker sees.
        dashes: all of them, in layers; nothing where all are drawn anyway.
    """

    show: str
    task: str
    bizdate: str | None
    in_trouble: int
    task_count: int
    layers: int
    drawn: Drawing
    dashes: Sequence[Dash]
    dash_rows: int  #: of the fullest layer


def graph_view(center: OperationCenter, head: Head, show: str, task: str, bizdate: str | None) -> GraphView:
    """The part of the graph that the address names; without one, what failed, or all if that is little.

    Args:
        bizdate: None: that of what holds up most; empty: all of them.

    Raises:
        UnknownNameError: it has no such task or bizdate.
    """
    dag = center.backfills.dag(head.id)
    date = _bizdate(head, bizdate)
    looks = _looks(center, head, dag, date)
    stuck = {name for name, look in looks.items() if look.state in ("fail", "frozen", "blocked")}
    names = [node["task"] for node in dag["nodes"]]
    task = _task(names, task)
    show = _show(show, task, bool(stuck), len(names))
    above, below = _neighbours(dag)
    kept = {
        TROUBLE: stuck,
        AROUND: _around(task or (names[0] if names else ""), above, below),
        ALL: {*names},
    }[show]
    pairs = {(edge["upstream"], edge["downstream"]) for edge in dag["edges"] if not edge["previous"]}
    is_large = len(kept) > _MOST_BARS
    nodes = [
        _node(node, looks[node["task"]], above[node["task"]] - kept, task, head, is_large)
        for node in dag["nodes"]
        if node["task"] in kept
    ]
    edges = [
        Edge(edge["upstream"], edge["downstream"], edge["previous"])
        for edge in dag["edges"]
        if not (edge["previous"] and (edge["upstream"], edge["downstream"]) in pairs)
    ]
    drawn = draw_graph(
        nodes,
        edges,
        f"{len(nodes)} of {len(names)} tasks and what each waits for",
        sizes=_SMALL if is_large else _SIZES,
        hot=stuck,
    )
    layers = _layers(names, pairs)
    return GraphView(
        show=show,
        task=task,
        bizdate=date,
        in_trouble=len(stuck),
        task_count=len(names),
        layers=max(layers.values(), default=-1) + 1,
        drawn=drawn,
        dashes=_dashes(layers, looks, kept),
        dash_rows=max(Counter(layers.values()).values(), default=0),
    )


def _bizdate(head: Head, asked: str | None) -> str | None:
    if asked is None:
        return None if head.cause is None else head.cause["bizdate"]
    if asked and asked not in head.shown["bizdates"]:
        raise UnknownNameError(f'the backfill has no bizdate "{shown(asked)}"')
    return asked or None


def _task(names: Sequence[str], asked: str) -> str:
    """A task by its name or, if only one fits, by a part of it."""
    if not asked or asked in names:
        return asked
    found = [name for name in names if asked.lower() in name.lower()]
    if not found:
        raise UnknownNameError(f'no task of the backfill is called "{shown(asked)}"')
    return found[0]


def _show(asked: str, task: str, has_trouble: bool, count: int) -> str:
    if asked in (TROUBLE, AROUND, ALL):
        return asked
    if task:
        return AROUND
    return TROUBLE if has_trouble else ALL if count <= _FEW else AROUND


def _neighbours(dag: BackfillDag) -> tuple[Mapping[str, set[str]], Mapping[str, set[str]]]:
    above: dict[str, set[str]] = defaultdict(set)
    below: dict[str, set[str]] = defaultdict(set)
    for edge in dag["edges"]:
        if edge["upstream"] != edge["downstream"]:
            above[edge["downstream"]].add(edge["upstream"])
            below[edge["upstream"]].add(edge["downstream"])
    return above, below


def _around(task: str, above: Mapping[str, set[str]], below: Mapping[str, set[str]]) -> set[str]:
    found = {task}
    for near in (above, below):
        level = {task}
        for _ in range(_STEPS):
            level = {other for one in level for other in near[one]} - found
            found |= level
    return found


def _looks(center: OperationCenter, head: Head, dag: BackfillDag, date: str | None) -> Mapping[str, Look]:
    """By task; on one bizdate from its instances, over all from their counts and what is held up."""
    if date is None:
        held = _held_up(center, head)
        return {node["task"]: _look_of_all(node, node["task"] in held) for node in dag["nodes"]}
    position = head.shown["bizdates"].index(date)
    grid = center.backfills.grid(head.id, [position])
    first = grid["first_instance"] + position * grid["stride"]
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in grid["rows"]:
        found[row["task"]].append((_letter(row["cells"], row["marks"]), first + row["place"]))
    return {node["task"]: _worst(found[node["task"]]) for node in dag["nodes"]}


def _letter(cell: str, mark: str) -> str:
    if cell == "n" and mark == "h":
        return "h"
    return "p" if cell == "s" and mark and mark in "dov" else cell


def _worst(instances: Iterable[tuple[str, int]]) -> Look:
    by_letter = dict(reversed([*instances]))
    for letter, state, words in _WORST:
        if letter in by_letter:
            return Look(state, words, by_letter[letter])
    return Look("idle", "No instance on this bizdate", None)


def _held_up(center: OperationCenter, head: Head) -> Collection[str]:
    if not head.trouble["held_up"]:
        return ()
    return {row["task"] for row in center.backfills.grid(head.id)["rows"] if "h" in row["marks"]}


def _look_of_all(node: TaskNode, is_held_up: bool) -> Look:
    counts = Counter({state: number for state, number in node["counts"].items() if isinstance(number, int)})
    letters = {
        "f": counts["failed"],
        "z": counts["frozen"],
        "r": counts["running"],
        "w": counts["waiting_resources"],
        "t": counts["waiting_time"],
        "h": is_held_up,
        "n": counts["not_run"],
        "p": node["dry_run"] is not None,
        "s": counts["successful"],
    }
    _, state, words = next((one for one in _WORST if letters[one[0]]), _WORST[-1])
    if state == "ok" and letters["p"]:
        return Look("dry", f"{words}, dry run", None)
    return Look(state, f"{words} on some bizdates" if state != "ok" else words, None)


def _node(node: TaskNode, look: Look, hidden: Collection[str], task: str, head: Head, is_large: bool) -> Node:
    name = node["task"]
    href = (
        f"{head.address}?tab=instances&task={name}"
        if look.instance is None
        else f"/instances/{look.instance}"
    )
    counts = node["counts"]
    return Node(
        key=name,
        name=name.partition(".")[2],
        full=name,
        state=look.state,
        word=look.words,
        href=href,
        counts=() if is_large else tuple((bar, counts[state]) for bar, state in _COUNTED),  # type: ignore[literal-required]
        more=len(hidden),
        is_focus=name == task,
    )


def _layers(names: Sequence[str], pairs: Collection[tuple[str, str]]) -> Mapping[str, int]:
    number_of = {name: number for number, name in enumerate(names)}
    edges = sorted((number_of[a], number_of[b]) for a, b in pairs)
    turned = loop_closing(len(names), edges)
    found = layers_of(len(names), [(b, a) if i in turned else (a, b) for i, (a, b) in enumerate(edges)])
    return dict(zip(names, found, strict=True))


def _dashes(layers: Mapping[str, int], looks: Mapping[str, Look], kept: Collection[str]) -> Sequence[Dash]:
    """All tasks in their layers, in the middle of each; nothing where all are shown."""
    if len(kept) == len(layers):
        return ()
    columns: dict[int, list[str]] = defaultdict(list)
    for name, layer in layers.items():
        columns[layer].append(name)
    tallest = max(map(len, columns.values()))
    return [
        Dash(layer, (tallest - len(names)) // 2 + place, looks[name].state, name in kept)
        for layer, names in sorted(columns.items())
        for place, name in enumerate(names)
    ]
