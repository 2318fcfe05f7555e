"""In which order the places of a template can run, and which wait for each other in a circle.

Slots can wait in a circle although the graph of tasks has no loop (VER-1). Only edges within
one date matter: edges to the date before never point forward.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.planning.template import Edges, Template

if TYPE_CHECKING:
    from retrofill.domain.arrays import BoolArray, IntArray, LongArray

MOST_LOOPS = 10


def running_order(template: Template, within: Edges, present: BoolArray) -> list[int]:
    """All present places, each after those it waits for; among free ones by T, then task.

    Args:
        within: the edges of the date (`Plan.edges_within`).

    Places that a circle holds up come last, by T, then task.
    """
    waits = _open_waits(within, present).tolist()
    slots, tasks = template.slot_of.tolist(), template.task_of.tolist()
    down_from, down = within.down_from.tolist(), within.down.tolist()
    there = present.tolist()
    free = [(slots[k], tasks[k], k) for k in np.nonzero(present)[0].tolist() if waits[k] == 0]
    heapq.heapify(free)
    order = []
    while free:
        _, _, place = heapq.heappop(free)
        order.append(place)
        for below in down[down_from[place] : down_from[place + 1]]:
            waits[below] -= 1
            if waits[below] == 0 and there[below]:
                heapq.heappush(free, (slots[below], tasks[below], below))
    if len(order) < int(present.sum()):
        done = set(order)
        held_up = (k for k in np.nonzero(present)[0].tolist() if k not in done)
        order += sorted(held_up, key=lambda k: (slots[k], tasks[k], k))
    return order


def find_loops(template: Template, within: Edges, present: BoolArray) -> list[list[int]]:
    """Circles of places: each waits for the one before it, the first for the last.

    At most ten, and one per set of tasks; empty when everything can run.
    """
    stuck = _stuck(within, present)
    loops: list[list[int]] = []
    seen: set[int] = set()
    kinds: set[frozenset[int]] = set()
    for start in np.nonzero(stuck)[0].tolist():
        walk: dict[int, int] = {}
        place = start
        # Every stuck place waits for a stuck one: walking upstream ends in a circle.
        while place not in walk and place not in seen:
            walk[place] = len(walk)
            above = within.above(place)
            place = int(above[stuck[above]][0])
        if place in walk:
            loop = [p for p, step in walk.items() if step >= walk[place]][::-1]
            kind = frozenset(template.task_of[loop].tolist())
            if kind not in kinds:
                kinds.add(kind)
                loops.append(loop)
                if len(loops) == MOST_LOOPS:
                    break
        seen.update(walk)
    return loops


def _open_waits(within: Edges, present: BoolArray) -> LongArray:
    counts: LongArray = np.bincount(within.waiting[present[within.up]], minlength=len(present))
    return counts


def _stuck(within: Edges, present: BoolArray) -> BoolArray:
    """Present places that never become free of waits, because of a circle above."""
    waits = _open_waits(within, present)
    stuck = present.copy()
    free: LongArray = np.nonzero(present & (waits == 0))[0]
    while len(free):
        stuck[free] = False
        below: IntArray
        _, below = within.below(free)
        below, fewer = np.unique(below, return_counts=True)
        waits[below] -= fewer
        free = below[(waits[below] == 0) & stuck[below]].astype(np.int64)
    return stuck
