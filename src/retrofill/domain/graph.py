"""The graph of tasks by same-cycle dependencies: names in, names out.

An upstream name that is no node of the graph is kept as an edge and otherwise ignored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter


class Graph:
    """Direct upstream names by name; answers about ancestors, descendants, levels and loops."""

    def __init__(self, upstream: Mapping[str, tuple[str, ...]]) -> None:
        self.upstream = upstream
        downstream: dict[str, list[str]] = {name: [] for name in upstream}
        for name, names_above in upstream.items():
            for above in names_above:
                if above in downstream:
                    downstream[above].append(name)
        self.downstream: Mapping[str, tuple[str, ...]] = {k: tuple(v) for k, v in downstream.items()}

    def descendants(self, roots: Iterable[str]) -> set[str]:
        """All names below the roots, without the roots unless they lie below one another."""
        return set(_walk(self.downstream, roots))

    def ancestors(self, roots: Iterable[str]) -> set[str]:
        """All names above the roots, without the roots unless they lie above one another."""
        return set(_walk(self.upstream, roots)) & self.upstream.keys()

    def levels(self, roots: Iterable[str]) -> dict[str, int]:
        """Shortest distance of every descendant from any root; direct descendants are 1 (SEL-1)."""
        levels = dict.fromkeys(roots, 0)
        queue = deque(levels)
        while queue:
            name = queue.popleft()
            for below in self.downstream.get(name, ()):
                if below not in levels:
                    levels[below] = levels[name] + 1
                    queue.append(below)
        return levels

    def between(self, starts: Iterable[str], ends: Iterable[str]) -> set[str]:
        """Names that are a descendant of a start and an ancestor of an end."""
        return self.descendants(starts) & self.ancestors(ends)

    def loop(self) -> tuple[str, ...]:
        """One loop as a path that ends where it began, or an empty tuple."""
        try:
            TopologicalSorter(self.upstream).prepare()
        except CycleError as error:
            return tuple(error.args[1])
        return ()

    def in_order(self) -> tuple[str, ...]:
        """Names with every upstream name before its downstream names; raises CycleError on a loop."""
        return tuple(n for n in TopologicalSorter(self.upstream).static_order() if n in self.upstream)


def _walk(edges: Mapping[str, tuple[str, ...]], roots: Iterable[str]) -> Iterable[str]:
    seen: set[str] = set()
    queue = deque(roots)
    while queue:
        for name in edges.get(queue.popleft(), ()):
            if name not in seen:
                seen.add(name)
                queue.append(name)
    return seen
