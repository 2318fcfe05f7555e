"""What lies around an instance, as a drawing: many of one task and bizdate are one box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from retrofill.domain.errors import RetrofillError
from retrofill.web import looks
from retrofill.web.drawing.graphs import Drawing, Edge, Node, draw_graph
from retrofill.web.drawing.layers import Sizes

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.reading.documents import DagDocument, DagNode

HOLDING = frozenset({"failed", "frozen"})
"""States that hold up what waits."""

_MOST_LEVELS = 6
_MOST_AROUND = 60  # boxes
_ALIKE = 3  # instances of one task and bizdate that are drawn one by one
_ORDER = {"failed": 0, "frozen": 1, "running": 2, "waiting_resources": 3, "waiting_time": 4, "not_run": 5}


def around(center: OperationCenter, number: int, levels: tuple[int, int], held_up: bool) -> dict[str, Any]:
    """Fields of the page.

    Args:
        levels: how many up and down.
        held_up: whether a failure keeps the instance from running, and so what waits for it.
    """
    up, down = (min(max(level, 1), _MOST_LEVELS) for level in levels)
    try:
        found = center.instances.dag(number, up, down)
    except RetrofillError as error:
        return {"around_absent": str(error.text), "levels": (up, down)}
    drawn = _drawing(found, held_up)
    if drawn is None:
        count = len(found["nodes"])
        return {"around_absent": f"{count:,} instances: too many to draw here.", "levels": (up, down)}
    return {"around": drawn, "levels": (up, down)}


def _drawing(found: DagDocument, held_up: bool) -> Drawing | None:
    """As boxes; many instances of one task and bizdate are one box, with a bar. None: too many, which are not laid out."""
    own = next(node for node in found["nodes"] if node["id"] == found["id"])
    stands = held_up or own["state"] in HOLDING  # and so all that waits for it
    groups: dict[tuple[int, str, str], list[DagNode]] = {}
    for node in found["nodes"]:
        groups.setdefault((node["level"], node["task"], node["bizdate"]), []).append(node)
    boxes, box_of = [], dict[int, str]()
    for group in groups.values():
        for some in [group] if len(group) > _ALIKE else [[node] for node in group]:
            boxes.append(_box(some, own, stands))
            box_of |= {node["id"]: boxes[-1].key for node in some}
    if len(boxes) > _MOST_AROUND:
        return None
    edges = dict.fromkeys(
        Edge(box_of[one["upstream"]], box_of[one["downstream"]], one["removed"]) for one in found["edges"]
    )
    label = f"What lies around {own['task']} of {own['bizdate']}"
    return draw_graph(boxes, edges, label, sizes=Sizes(width=116, height=36, gap_x=24), pad=6)


def _box(some: Sequence[DagNode], own: DagNode, stands: bool) -> Node:
    """Of one instance or of several; these lead to the one that matters most."""
    worst = min(some, key=lambda node: (_ORDER.get(node["state"], 9), node["id"]))
    is_own = worst["id"] == own["id"]
    counts = Counter(looks.look(node["state"], node["reason"]) for node in some)
    times = f" × {len(some)}" if len(some) > 1 else ""
    return Node(
        key=str(some[0]["id"]),
        name=worst["task"].partition(".")[2],
        full=f"{worst['task']}, {worst['bizdate']}{times}",
        state=looks.look(worst["state"], worst["reason"], is_held_up=stands and worst["level"] >= 0),
        word=looks.state_words(worst["state"]),
        href=None if is_own else f"/instances/{worst['id']}",
        counts=tuple(counts.items()) if times else (),
        more=len(some) - 1,
        below="" if worst["bizdate"] == own["bizdate"] else worst["bizdate"],
        is_focus=is_own,
    )
