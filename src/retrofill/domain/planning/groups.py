"""Groups: which bizdate follows which, as dealt first and after a change while they run (POL-4, POL-6, BF-3).

A position counts bizdates in running order; it stays what it is when groups change. A group
is a chain of positions: each is reached when the one before it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise

from retrofill.domain.planning.policy import Policy, blocks

Chain = tuple[int, ...]
Runs = tuple[tuple[tuple[int, int], ...], ...]


class Groups:
    """Chains of positions, numbered from 1. Every position is in exactly one.

    Attributes:
        chains: the positions of each group in the order in which it comes to them.
        numbers: the group of each position.
    """

    def __init__(self, chains: Sequence[Chain]) -> None:
        self.chains = tuple(chains)
        self.numbers = [0] * sum(map(len, chains))
        self._before: dict[int, int] = {}
        self._after: dict[int, int] = {}
        for number, chain in enumerate(chains, start=1):
            for position in chain:
                self.numbers[position] = number
            for earlier, later in pairwise(chain):
                self._before[later], self._after[earlier] = earlier, later

    def previous(self, position: int) -> int | None:
        """The one that this one follows in its group."""
        return self._before.get(position)

    def next(self, position: int) -> int | None:
        """The one that follows this one in its group."""
        return self._after.get(position)


def dealt(dates: int, groups: int) -> Groups:
    """So many dates in contiguous groups, larger ones first (POL-4)."""
    return Groups(blocks(range(dates), groups))


def grouping_of(dates: int, policy: Policy) -> Groups:
    """So many dates as a policy groups them now (POL-4, BF-3)."""
    return (
        dealt(dates, policy.groups) if policy.regrouped is None else Groups(from_runs(policy.regrouped.runs))
    )


def regroup(
    now: Groups,
    wanted: int,
    reached: Collection[int],
    complete: Collection[int],
    date_before: Callable[[int], int | None],
) -> tuple[Groups, list[int]]:
    """Deal the dates that no group has reached anew; what was reached stays so and goes on (BF-3).

    Groups that no date under way occupies begin at once. The others go on from such a date:
    their first one begins when that is complete. So never more than `wanted` dates that begin
    after the change are under way at once, and none waits while a group has nothing to do.

    A group goes on from a date that lies before its own, or that waits for no date that is
    still to be reached: otherwise two dates could wait for each other.

    Args:
        wanted: how many groups, 1 to 10.
        reached: positions that groups have come to.
        complete: of these, the ones of which everything has succeeded.
        date_before: the position whose instances a date's instances wait for, if any.

    Returns:
        The new groups, and the positions that are reached at once.
    """
    ahead = [p for p in range(len(now.numbers)) if p not in reached]
    under_way = [p for p in sorted(reached) if p not in complete]
    free = [p for p in under_way if _waits_for_none(p, reached, complete, date_before)]
    fresh = blocks(ahead, wanted)
    starts: list[list[int]] = []  # for each new group, the date that it goes on from, if any
    must_wait = len(fresh) - max(wanted - len(under_way), 0)
    for block in fresh:
        found = _nearest(block[0], under_way, free) if must_wait > 0 else None
        starts.append([] if found is None else [found])
        if found is not None:
            under_way.remove(found)
            must_wait -= 1
    taken = {p for start in starts for p in start}
    # What has begun and is gone on from by none keeps its number, for those who look at it.
    chains: list[list[int]] = [[] for _ in range(wanted)]
    for position in sorted(set(reached) - taken):
        chains[min(now.numbers[position], wanted) - 1].append(position)
    busy = {min(now.numbers[p], wanted) - 1 for p in under_way}
    numbers = [*(n for n in range(wanted) if n not in busy), *sorted(busy)]
    at_once = []
    for number, block, start in zip(numbers, fresh, starts, strict=False):
        chains[number] += [*start, *block]
        if not start:
            at_once.append(block[0])
    at_once.sort()
    return Groups([tuple(chain) for chain in chains if chain]), at_once


def _nearest(head: int, under_way: Sequence[int], free: Collection[int]) -> int | None:
    """The last date under way before the head, else the first after it that waits for nothing to come."""
    lower = [p for p in under_way if p < head]
    if lower:
        return lower[-1]
    return next((p for p in under_way if p in free), None)


def _waits_for_none(
    position: int,
    reached: Collection[int],
    complete: Collection[int],
    date_before: Callable[[int], int | None],
) -> bool:
    """Whether a date waits, directly or through others, for none that is still to be reached."""
    before = date_before(position)
    while before is not None and before not in complete:
        if before not in reached:
            return False
        before = date_before(before)
    return True


def to_runs(chains: Iterable[Chain]) -> Runs:
    """Chains as (first, last) of what lies in a row: short in storage, however many dates there are."""
    found = []
    for chain in chains:
        runs: list[tuple[int, int]] = []
        for position in chain:
            if runs and position == runs[-1][1] + 1:
                runs[-1] = (runs[-1][0], position)
            else:
                runs.append((position, position))
        found.append(tuple(runs))
    return tuple(found)


def from_runs(runs: Runs) -> tuple[Chain, ...]:
    """The chains that `to_runs` wrote."""
    return tuple(tuple(p for first, last in chain for p in range(first, last + 1)) for chain in runs)
