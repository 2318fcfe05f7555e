"""The instances around one: upstream and downstream, level by level (OPS-10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrofill.domain.errors import UsageError
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.ports.records import InstanceRecord
from retrofill.services.reading.instances import InstanceReader

if TYPE_CHECKING:
    from retrofill.services.ports import Reader
    from retrofill.services.reading.documents import DagDocument, DagNode
    from retrofill.services.reading.view import View

MOST_NODES = 2_000


class DagTooLargeError(UsageError):
    """Ask for fewer levels with {option.up} and {option.down}."""

    code = "dag_too_large"


@dataclass(slots=True)
class Dag:
    """Instances by id with their level: 0 the one asked about, -1 what it waits for, 1 what waits for it.

    `edges` are pairs of ids, upstream first, in order; `removed`: those that are not waited for any
    more (OPS-7).
    """

    root: int
    levels: dict[int, int] = field(default_factory=dict)
    rows: dict[int, InstanceRecord] = field(default_factory=dict)
    edges: list[tuple[int, int]] = field(default_factory=list)
    removed: frozenset[tuple[int, int]] = frozenset()


def dag_around(
    reader: Reader,
    graphs: GraphCache,
    row: InstanceRecord,
    up: int,
    down: int,
    sees: Callable[[str], bool] = lambda _: True,
) -> Dag:
    """The instances within `up` levels above and `down` levels below, dates before and after included.

    Args:
        sees: whether the user may know of a task, by full name; nothing is said of others, nor
            of what lies behind them (SEC-2).

    Raises:
        DagTooLargeError: there are more than 2,000 of them.
    """
    dag = Dag(row.id, {row.id: 0}, {row.id: row})
    context = graphs.of(reader, row)

    def above(instance_id: int) -> list[int]:
        return [other for other in context.upstream(instance_id) if sees(context.task(other).name)]

    def below(instance_id: int) -> list[int]:
        return [other for other in context.downstream([instance_id]) if sees(context.task(other).name)]

    pairs = {(other, node) for node, other in _walk(reader, dag, above, up, -1)}
    pairs |= set(_walk(reader, dag, below, down, 1))
    dag.edges = sorted(pair for pair in pairs if pair[0] in dag.rows and pair[1] in dag.rows)
    waits = reader.interventions.removed_from(sorted({up for up, _ in dag.edges}))
    dag.removed = frozenset((up, down) for down, up in waits) & set(dag.edges)
    return dag


def _walk(
    reader: Reader, dag: Dag, neighbours: Callable[[int], Iterable[int]], depth: int, step: int
) -> list[tuple[int, int]]:
    """Add nodes level by level; pairs of a node and its neighbour."""
    pairs: list[tuple[int, int]] = []
    level = [dag.root]
    for number in range(1, depth + 1):
        found: dict[int, None] = {}
        for node in level:
            for other in neighbours(node):
                pairs.append((node, other))
                if other not in dag.levels:
                    found[other] = None
        rows = {row.id: row for row in reader.instances(sorted(found))}
        level = sorted(rows)
        for node in level:
            dag.levels[node] = number * step
        dag.rows.update(rows)
        if len(dag.rows) > MOST_NODES:
            raise DagTooLargeError(
                f"more than {MOST_NODES:,} instances lie around instance {dag.root} in {number} levels"
            )
        if not level:
            break
    return pairs


def dag_document(view: View, dag: Dag) -> DagDocument:
    """The document of `instance dag`."""
    reader = InstanceReader(view)
    nodes: list[DagNode] = [
        {**reader.row(dag.rows[number]), "level": level} for number, level in dag.levels.items()
    ]
    return {
        "id": dag.root,
        "nodes": sorted(nodes, key=lambda node: (node["level"], node["id"])),
        "edges": [
            {"upstream": above, "downstream": below, "removed": (above, below) in dag.removed}
            for above, below in dag.edges
        ],
    }
