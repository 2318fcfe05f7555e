"""The instances around one as a tree (OPS-10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from retrofill.domain.running.states import State

if TYPE_CHECKING:
    from retrofill.services.reading.documents import DagDocument, DagEdge, DagNode

Neighbours = Mapping[int, Sequence[int]]


def print_dag(document: DagDocument, up: int, down: int) -> None:
    """The instance, below it what it waits for, then what waits for it; deeper levels further right.

    An instance that is reached on several ways has its own neighbours where it comes first.
    """
    nodes = {node["id"]: node for node in document["nodes"]}
    upstream, downstream = _neighbours(document["edges"])
    removed = {(edge["upstream"], edge["downstream"]) for edge in document["edges"] if edge["removed"]}
    root = document["id"]
    click.echo(_words(nodes[root]))
    for title, neighbours, depth, gone in (
        ("waits for", upstream, up, removed),
        ("is waited for by", downstream, down, {(below, above) for above, below in removed}),
    ):
        if not depth:
            continue
        if neighbours[root]:
            click.echo(title)
            _print_below(root, neighbours, nodes, depth, gone)
        else:
            click.echo(f"{title} nothing")


def _neighbours(edges: Sequence[DagEdge]) -> tuple[Neighbours, Neighbours]:
    """Ids directly above and directly below each id, in the order of the edges."""
    upstream: dict[int, list[int]] = defaultdict(list)
    downstream: dict[int, list[int]] = defaultdict(list)
    for edge in edges:
        upstream[edge["downstream"]].append(edge["upstream"])
        downstream[edge["upstream"]].append(edge["downstream"])
    return upstream, downstream


def _print_below(
    root: int,
    neighbours: Neighbours,
    nodes: Mapping[int, DagNode],
    depth: int,
    removed: set[tuple[int, int]],
) -> None:
    """`removed`: pairs of a node and the one above it in the tree, between which no wait is left."""
    seen: set[int] = set()
    stack = [(node, root, 1) for node in reversed(neighbours[root])]
    while stack:
        node, parent, level = stack.pop()
        again = node in seen
        seen.add(node)
        further = neighbours[node] if level < depth else []
        notes = " (see above)" if again and further else ""
        if (node, parent) in removed:
            notes += " (wait removed)"
        click.echo(f"{'  ' * level}{_words(nodes[node])}{notes}")
        if not again:
            stack.extend((other, node, level + 1) for other in reversed(further))


def _words(node: DagNode) -> str:
    reason = f" ({node['reason']})" if node["reason"] else ""
    return f"{node['id']}  {node['task']}  {node['scheduled_at']}  {State(node['state']).words}{reason}"
