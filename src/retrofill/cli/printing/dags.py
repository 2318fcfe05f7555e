"""The instances around one as a tree (OPS-10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from retrofill.domain.running.states import State

if TYPE_CHECKING:
    from retrofill.services.reading.dag import Dag


def print_dag(dag: Dag, nodes: Mapping[int, Mapping[str, Any]], up: int, down: int) -> None:
    """The instance, below it what it waits for, then what waits for it; deeper levels further right.

    An instance that is reached on several ways has its own neighbours where it comes first.
    """
    click.echo(_words(nodes[dag.root]))
    for title, neighbours, depth, is_up in (
        ("waits for", dag.upstream, up, True),
        ("is waited for by", dag.downstream, down, False),
    ):
        if not depth:
            continue
        if neighbours(dag.root):
            click.echo(title)
            removed = dag.removed if is_up else frozenset((down, up) for up, down in dag.removed)
            _print_below(dag.root, neighbours, nodes, depth, removed)
        else:
            click.echo(f"{title} nothing")


def _print_below(
    root: int,
    neighbours: Callable[[int], list[int]],
    nodes: Mapping[int, Mapping[str, Any]],
    depth: int,
    removed: frozenset[tuple[int, int]],
) -> None:
    """`removed`: pairs of a node and the one above it in the tree, between which no wait is left."""
    seen: set[int] = set()
    stack = [(node, root, 1) for node in reversed(neighbours(root))]
    while stack:
        node, parent, level = stack.pop()
        again = node in seen
        seen.add(node)
        further = neighbours(node) if level < depth else []
        notes = " (see above)" if again and further else ""
        if (node, parent) in removed:
            notes += " (wait removed)"
        click.echo(f"{'  ' * level}{_words(nodes[node])}{notes}")
        if not again:
            stack.extend((other, node, level + 1) for other in reversed(further))


def _words(node: Mapping[str, Any]) -> str:
    reason = f" ({node['reason']})" if node["reason"] else ""
    return f"{node['id']}  {node['task']}  {node['scheduled_at']}  {State(node['state']).words}{reason}"
