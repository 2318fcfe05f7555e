"""Which slots of one task wait for which slots of another (DEP-1..8).

Slots are minutes after midnight, ascending; results speak of positions among them, because
every date has the same slots. Here all slots of a date count: what a time range or a
validity period removes is judged later (DEP-11).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.time.cron import Cycle, Schedule

if TYPE_CHECKING:
    from retrofill.domain.arrays import ArrayLike, BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Waits:
    """Edges between the slots of two tasks: slot `down[i]` waits for slot `up[i]`.

    Ascending by `down`; `before[i]` means the upstream slot of the calendar date before.
    Equal rules give the same object, so that identity groups pairs of tasks that are alike.
    """

    down: IntArray
    up: IntArray
    before: BoolArray


def same_cycle(upstream: Schedule, upstream_depends_on_itself: bool, downstream: Schedule) -> Waits:
    """Edges of a same-cycle dependency, all within one date (DEP-1..5).

    Args:
        upstream_depends_on_itself: the upstream task waits for its own previous cycle.
    """
    n, m = len(upstream.slots), len(downstream.slots)
    if n == m:
        return _one_by_one(n)
    if n == 1:
        return _all_for_one(m)
    if m == 1 and not upstream_depends_on_itself:
        return _one_for_all(n, before=False)
    if (
        m > 1
        and upstream.cycle is Cycle.MINUTE
        and downstream.cycle is Cycle.HOUR
        and not upstream_depends_on_itself
    ):
        return _window_since_previous(upstream.slots, downstream.slots)
    return _nearest(upstream.slots, downstream.slots)


def previous_cycle(upstream: Schedule, upstream_depends_on_itself: bool, downstream: Schedule) -> Waits:
    """Edges to another task's previous cycle, or to a task's own one (DEP-6, DEP-7)."""
    n, m = len(upstream.slots), len(downstream.slots)
    if n == m:
        return _one_later(n)
    if n == 1:
        return _all_for_one_before(m)
    if m == 1:
        return _one_for_last_before(n) if upstream_depends_on_itself else _one_for_all(n, before=True)
    return _nearest_earlier(upstream.slots, downstream.slots)


def to_date_before(
    made: Schedule,
    made_depends_on_itself: bool,
    upstream: Schedule,
    downstream: Schedule,
    *,
    is_itself: bool,
) -> Waits:
    """Edges of a previous-cycle dependency into a date before that was made with other slots (AUTO-2).

    Args:
        made: the upstream task as that date has it; positions in `up` are of its slots.
        upstream: the upstream task as the waiting date has it: a slot which waits for the date before by
            that, and by the slots as made does not, waits for what the upstream task left last.
        is_itself: both are one task, which waits for its last slot.
    """
    last = len(made.slots) - 1
    if is_itself:
        return _waits([0], [last], True)
    waits = previous_cycle(made, made_depends_on_itself, downstream)
    expected = previous_cycle(upstream, made_depends_on_itself, downstream)
    lacking = sorted(set(expected.down[expected.before].tolist()) - set(waits.down[waits.before].tolist()))
    needs_all = len(upstream.slots) == 1 and not made_depends_on_itself
    ups = list(range(last + 1)) if needs_all else [last]
    down = np.concatenate((waits.down[waits.before], np.repeat(lacking, len(ups))))
    up = np.concatenate((waits.up[waits.before], np.tile(ups, len(lacking))))
    order = np.lexsort((up, down))
    return _waits(down[order], up[order], True)


def _waits(down: ArrayLike, up: ArrayLike, before: ArrayLike) -> Waits:
    downs = np.asarray(down, dtype=np.int32)
    return Waits(
        downs, np.asarray(up, dtype=np.int32), np.broadcast_to(np.asarray(before, dtype=bool), downs.shape)
    )


@cache
def _one_by_one(n: int) -> Waits:
    """DEP-1 and DEP-4: whatever the times."""
    return _waits(np.arange(n), np.arange(n), False)


@cache
def _all_for_one(m: int) -> Waits:
    """DEP-3."""
    return _waits(np.arange(m), np.zeros(m), False)


@cache
def _one_for_all(n: int, before: bool) -> Waits:
    """DEP-2 and DEP-7: the only downstream slot waits for a whole date."""
    return _waits(np.zeros(n), np.arange(n), before)


@lru_cache(maxsize=1024)
def _nearest(up: tuple[int, ...], down: tuple[int, ...]) -> Waits:
    """DEP-2 and DEP-5: the greatest slot not later, else the first."""
    found = np.searchsorted(np.array(up), np.array(down), side="right") - 1
    return _waits(np.arange(len(down)), np.maximum(found, 0), False)


@lru_cache(maxsize=1024)
def _window_since_previous(up: tuple[int, ...], down: tuple[int, ...]) -> Waits:
    """DEP-5: every slot after the previous downstream slot, up to this one; none is no wait."""
    ends = np.searchsorted(np.array(up), np.array(down), side="right")
    lengths = np.diff(ends, prepend=0)
    return _waits(np.repeat(np.arange(len(down)), lengths), np.arange(int(ends[-1])), False)


@cache
def _one_later(n: int) -> Waits:
    """DEP-6 and DEP-7: the slot before; for the first slot, the last one of the date before."""
    return _waits(np.arange(n), (np.arange(n) - 1) % n, np.arange(n) == 0)


@cache
def _all_for_one_before(m: int) -> Waits:
    """DEP-7: every slot waits for the only one of the date before."""
    return _waits(np.arange(m), np.zeros(m), True)


@cache
def _one_for_last_before(n: int) -> Waits:
    """DEP-7: the last of the date before stands for all, because each waits for its own previous one."""
    return _waits([0], [n - 1], True)


@lru_cache(maxsize=1024)
def _nearest_earlier(up: tuple[int, ...], down: tuple[int, ...]) -> Waits:
    """DEP-7: the greatest slot strictly earlier, on the date before if need be."""
    found = np.searchsorted(np.array(up), np.array(down), side="left") - 1
    return _waits(np.arange(len(down)), np.where(found < 0, len(up) - 1, found), found < 0)
