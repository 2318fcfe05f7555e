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

    def loops(self) -> tuple[tuple[str, ...], ...]:
        """A loop for every knot of names that run in circles, each as a path that ends where it began.

        The path follows the flow (each name is upstream of the next) and begins with the
        knot's first name in order of the alphabet.
        """
        if not self.loop():
            return ()
        return tuple(sorted(self._shortest_loop(knot) for knot in self._knots()))

    def _knots(self) -> list[set[str]]:
        """The strongly connected components that hold a loop (Kosaraju's way, without recursion)."""
        finished: list[str] = []
        seen: set[str] = set()
        for root in self.upstream:
            stack = [] if root in seen else [(root, iter(self.downstream[root]))]
            seen.add(root)
            while stack:
                name, below = stack[-1]
                following = next((n for n in below if n not in seen), None)
                if following is None:
                    finished.append(name)
                    stack.pop()
                else:
                    seen.add(following)
                    stack.append((following, iter(self.downstream[following])))
        knots = []
        for root in reversed(finished):
            if root in seen:
                seen.remove(root)
                knot, queue = {root}, deque([root])
                while queue:
                    above = [n for n in self.upstream[queue.popleft()] if n in seen]
                    seen.difference_update(above)
                    knot.update(above)
                    queue.extend(above)
                if len(knot) > 1 or root in self.upstream[root]:
                    knots.append(knot)
        return knots

    def _shortest_loop(self, knot: set[str]) -> tuple[str, ...]:
        start = min(knot)
        came_from: dict[str, str] = {}
        queue = deque([start])
        while start not in came_from:
            name = queue.popleft()
            for below in self.downstream[name]:
                if below in knot and below not in came_from:
                    came_from[below] = name
                    queue.append(below)
        path = [start, came_from[start]]
        while path[-1] != start:
            path.append(came_from[path[-1]])
        return tuple(reversed(path))

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
