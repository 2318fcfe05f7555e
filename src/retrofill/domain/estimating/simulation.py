"""Playing a plan through: which instance would start when, if each took as long as we think.

The rules are those of the scheduler (POL-6, POL-11, RUN-1, RUN-2, RUN-6), one event after
the other; nothing fails and nobody steps in. Instants and lengths are whole milliseconds, so
that what happens together in truth happens together here.

Left out: RUN-5, automatic reruns, and priorities that age while the backfill runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.estimating.starting_point import Competitor, StartingPoint
from retrofill.domain.planning.plan import Kind, Plan
from retrofill.domain.planning.policy import Barrier, priority_by_age
from retrofill.domain.planning.start_times import StartTimes
from retrofill.domain.planning.template import Edges
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.instants import local_date
from retrofill.domain.time.milliseconds import instant_of
from retrofill.domain.time.windows import NEVER, OpenTimes

if TYPE_CHECKING:
    from retrofill.domain.arrays import BoolArray

_RUN, _FROZEN = int(Kind.RUN), int(Kind.FROZEN)
_STUCK = 1 << 30  # more waits than anything can have: starts never, or not again

# An instance in a queue: (minus priority, auto triggered first, due, id), ids of rivals below zero.
_Queued = tuple[int, bool, int, int]


@dataclass(frozen=True, slots=True)
class Played:
    """What came out: when the first instance took a slot, when the last one ended; NEVER for none.

    `use` has for each resource group when instances of the plan took a slot (+1) and gave it back (-1); `runs` has each
    of them by the moment at which it starts, or at which playing began: offset, start, end.
    """

    first_ms: int
    end_ms: int
    use: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict, compare=False)
    runs: Sequence[tuple[int, int, int]] = field(default=(), compare=False)


@dataclass(slots=True)
class _Day:
    """One date while it is played."""

    waits: list[int]
    kinds: list[int]
    due: list[int]
    starts: list[int] | None  # None: no moment lies ahead
    priorities: list[int]
    left: int  # instances that are not Successful
    is_reached: bool
    within: list[list[int]]  # for each place, those of the same date that wait for it
    after: int | None  # the date whose previous-cycle edges lead here, if it is played
    across: list[list[int]]  # for each place, those of that date that wait for it


class Simulation:
    """Plays one plan once.

    Args:
        run_ms: per task of the plan, how long a run of it takes.
        now_ms: the moment of the beginning.
        slots: per resource group, those that a backfill may use.
        stops: per group of dates, the position of the last date that is played; the rest is
            left out, and what waits for the group's end waits for that date.
    """

    def __init__(
        self,
        plan: Plan,
        run_ms: Sequence[int],
        now_ms: int,
        slots: Mapping[str, int],
        standing: StartingPoint,
        rivals: Sequence[Competitor],
        stops: Sequence[int],
    ) -> None:
        self._plan, self._run_ms, self._now_ms, self._standing = plan, run_ms, now_ms, standing
        self._rivals = rivals
        self._moments = StartTimes(plan)
        self._openings = OpenTimes(plan.policy.window)
        self._by_task = plan.policy.barrier is Barrier.TASK
        self._stops = frozenset(stops)
        chains = plan.grouping.chains
        self._rank = {position: rank for chain in chains for rank, position in enumerate(chain)}
        self._last_rank = {int(plan.group_of[stop]): self._rank[stop] for stop in stops}
        self._substitute = _substitutes(plan, stops)
        self._before = {after: stop for stop, after in self._substitute.items()}
        self._groups = [plan.resource_group(task) for task in plan.tasks]
        self._limits = [task.max_parallel_instances for task in plan.tasks]
        self._free = {group: slots.get(group, 0) for group in {*self._groups, *slots}}
        self._task_of: list[int] = plan.task_of.tolist()
        self._first_of_task: list[int] = plan.first_of_task.tolist()
        self._lists: dict[int, tuple[Edges, list[list[int]]]] = {}  # by identity: few edges serve all dates
        self._index_of = {task.name: i for i, task in enumerate(plan.tasks)}
        self._days: dict[int, _Day] = {}
        self._come_to: set[int] = set()
        self._open_of_task: dict[tuple[int, int], list[int]] = {}  # [still open, open when it was reached]
        self._queues: dict[str, list[_Queued]] = {group: [] for group in self._free}
        self._aside: dict[int, list[_Queued]] = defaultdict(list)  # by task: it runs as often as it may
        self._running = [0] * len(plan.tasks)
        self._ends: list[tuple[int, int]] = []
        self._runs: list[tuple[int, int, int]] = []
        self._use: dict[str, list[tuple[int, int]]] = {group: [] for group in self._free}
        self._releases: list[tuple[int, int]] = []
        self._succeeded: list[int] = []
        self._set_priorities()
        self._first_ms = self._end_ms = NEVER

    def play(self) -> Played:
        """Play until nothing follows."""
        at_ms = self._now_ms
        self._seat_rivals()
        self._begin()
        while at_ms < NEVER:
            self._settle(at_ms)
            opens_ms = self._openings.next_open(at_ms)
            if opens_ms == at_ms:
                self._start(at_ms)
            at_ms = self._next(at_ms, opens_ms)
            self._take(at_ms)
        return Played(self._first_ms, self._end_ms, self._use, self._runs)

    def _next(self, at_ms: int, opens_ms: int) -> int:
        """The next moment at which something happens."""
        moments = [heap[0][0] for heap in (self._ends, self._releases) if heap]
        if opens_ms > at_ms and any(self._queues.values()):
            moments.append(opens_ms)
        return min(moments, default=NEVER)

    def _take(self, at_ms: int) -> None:
        """Runs that end and instances whose time comes at this moment."""
        while self._ends and self._ends[0][0] <= at_ms:
            self._end(heappop(self._ends)[1], at_ms)
        while self._releases and self._releases[0][0] <= at_ms:
            date_index, place = divmod(heappop(self._releases)[1], self._plan.n)
            self._consider(date_index, place, at_ms)

    # What is there at the beginning

    def _begin(self) -> None:
        for offset, age in self._standing.ages.items():
            date_index, place = divmod(offset, self._plan.n)
            task = self._task_of[place]
            self._running[task] += 1
            self._free[self._groups[task]] -= 1
            self._use[self._groups[task]].append((self._now_ms, 1))
            self._first_ms = min(self._first_ms, self._now_ms)
            end_ms = self._now_ms + max(self._run_ms[task] - age, 0)
            self._runs.append((offset, self._now_ms, end_ms))
            heappush(self._ends, (end_ms, offset))
        for date_index in self._heads():
            self._reach(date_index, self._now_ms)
        for date_index, begun in self._standing.begun.items():
            for place in begun.free:
                self._consider(date_index, place, self._now_ms)

    def _heads(self) -> list[int]:
        """Dates of which something may start at once, because their groups have come to them."""
        plan, standing = self._plan, self._standing
        heads = []
        for date_index in range(len(plan.dates)):
            if date_index in standing.done or not self._is_played(date_index):
                continue
            before = plan.previous_in_group(date_index)
            comes_first = before is None or before in standing.done
            # With `barrier: task` a task may go on where its date before is done, or not there.
            is_open = self._by_task and (plan.has_holes or before in standing.begun)
            if comes_first or is_open or date_index in standing.begun or date_index in standing.reached:
                heads.append(date_index)
        return heads

    def _seat_rivals(self) -> None:
        """Those that run hold a slot, the others queue; their ids put them before instances of ours."""
        for number, rival in enumerate(self._rivals, start=-len(self._rivals)):
            if rival.resource_group not in self._free:
                continue
            task = self._index_of.get(rival.task)
            if not rival.is_running:
                queued = (-rival.priority, not rival.is_auto, rival.due_ms, number)
                heappush(self._queues[rival.resource_group], queued)
                continue
            self._free[rival.resource_group] -= 1
            if task is not None:
                self._running[task] += 1
            heappush(self._ends, (self._now_ms + rival.left_ms, number))

    # Dates

    def _day(self, date_index: int) -> _Day:
        """A date as it is now; made when something first touches it."""
        day = self._days.get(date_index)
        if day is None:
            day = self._days[date_index] = self._make_day(date_index)
        return day

    def _make_day(self, date_index: int) -> _Day:
        plan = self._plan
        present = plan.present(date_index)
        starts = self._moments.starts(date_index)
        begun = self._standing.begun.get(date_index)
        if begun is None:
            waits = self._fresh_waits(date_index, present)
            kinds = plan.kinds(date_index).tolist()
            left = int(present.sum())
        else:
            waits = [w if o else _STUCK for w, o in zip(begun.waits, begun.is_open, strict=True)]
            for place in begun.free:  # considered at the beginning, whatever it waits for
                waits[place] = _STUCK
            kinds = list(begun.kinds)
            left = int((present & ~np.array(begun.is_done, dtype=bool)).sum())
        left -= self._standing.passed_over.get(date_index, 0)
        after = self._date_after(date_index)
        return _Day(
            waits,
            kinds,
            self._moments.due(date_index).tolist(),
            starts.tolist() if int(starts.max()) > self._now_ms else None,
            self._priorities_old if self._is_old(plan.dates[date_index]) else self._priorities,
            left,
            self._by_task or begun is not None,
            self._below(plan.edges_within(date_index)),
            after,
            [] if after is None else self._below(plan.edges_before(after, date_index)),
        )

    def _below(self, edges: Edges) -> list[list[int]]:
        """The places below each place."""
        kept = self._lists.get(id(edges))
        if kept is None:
            kept = self._lists[id(edges)] = (edges, _lists_below(edges))
        return kept[1]

    def _fresh_waits(self, date_index: int, present: BoolArray) -> list[int]:
        """Open waits of a date on which nothing has happened."""
        plan = self._plan
        before = self._before.get(date_index, plan.date_before(date_index))
        if before is not None and not self._is_played(before):
            before = None  # of a group that was dealt anew; what is left out hinders nothing
        waits = plan.count_waits(date_index, before) + plan.isolated(date_index)
        if before is not None:
            done = self._done_before(before)
            edges = plan.edges_before(date_index, before)
            gone = (done & plan.present(before))[edges.up]
            waits = waits - np.bincount(edges.waiting[gone], minlength=plan.n)
        if self._by_task:
            for task in range(len(plan.tasks)):
                earlier = plan.previous_of_task(date_index, task)
                if earlier is not None:
                    waits[self._first_of_task[task] : self._first_of_task[task + 1]] += self._open(
                        earlier, task
                    )
        return np.where(present, waits, _STUCK).tolist()  # type: ignore[no-any-return]

    def _done_before(self, date_index: int) -> BoolArray:
        """bool[n]: what was Successful on a date from the beginning."""
        if date_index in self._standing.done:
            return np.ones(self._plan.n, dtype=bool)
        begun = self._standing.begun.get(date_index)
        return np.zeros(self._plan.n, dtype=bool) if begun is None else np.array(begun.is_done, dtype=bool)

    def _open(self, date_index: int, task: int) -> int:
        """How many instances of a task were not Successful on a date at the beginning."""
        first, last = self._first_of_task[task], self._first_of_task[task + 1]
        return last - first - int(self._done_before(date_index)[first:last].sum())

    def _reach(self, date_index: int, at_ms: int) -> None:
        """A group has come to a date: what waits for nothing goes on."""
        if date_index in self._come_to:
            return  # begun before its groups were dealt anew, or before the one that it follows now was complete
        self._come_to.add(date_index)
        day = self._day(date_index)
        day.is_reached = True
        for place, waits in enumerate(day.waits):
            if waits == 0:
                self._consider(date_index, place, at_ms)
        if day.left == 0:
            self._complete(date_index, at_ms)

    def _complete(self, date_index: int, at_ms: int) -> None:
        """Every instance of a date has succeeded: its group goes on."""
        following = self._plan.next_in_group(date_index)
        if following is not None and not self._by_task and date_index not in self._stops:
            self._reach(following, at_ms)

    # Instances

    def _consider(self, date_index: int, place: int, at_ms: int) -> None:
        """An instance of a reached date waits for no other one: let it go as far as time allows."""
        day = self._days[date_index]
        kind = day.kinds[place]
        if kind == _FROZEN:
            return
        offset = date_index * self._plan.n + place
        if day.starts is not None and day.starts[place] > at_ms:
            heappush(self._releases, (day.starts[place], offset))
        elif kind == _RUN:
            task = self._task_of[place]
            key = (-day.priorities[task], True, day.due[place], offset)
            heappush(self._queues[self._groups[task]], key)
        else:
            self._succeeded.append(offset)

    def _start(self, at_ms: int) -> None:
        """RUN-1: the best of each queue take the free slots."""
        n = self._plan.n
        for group, queue in self._queues.items():
            while queue and self._free[group] > 0:
                queued = heappop(queue)
                number = queued[3]
                task = self._task_of[number % n] if number >= 0 else self._task_of_rival(number)
                if task is not None:
                    limit = self._limits[task]
                    if limit is not None and self._running[task] >= limit:
                        self._aside[task].append(queued)
                        continue
                    self._running[task] += 1
                self._free[group] -= 1
                length = self._rivals[number].left_ms if number < 0 else self._run_ms[task or 0]
                heappush(self._ends, (at_ms + length, number))
                if number >= 0:
                    self._use[group].append((at_ms, 1))
                    self._runs.append((number, at_ms, at_ms + length))
                    self._first_ms = min(self._first_ms, at_ms)

    def _task_of_rival(self, number: int) -> int | None:
        """None where the plan does not have its task."""
        return self._index_of.get(self._rivals[number].task)

    def _end(self, number: int, at_ms: int) -> None:
        """A run ends: its slot is free, and what its task held back queues again."""
        task: int | None
        if number < 0:
            task = self._task_of_rival(number)
            self._free[self._rivals[number].resource_group] += 1
        else:
            task = own = self._task_of[number % self._plan.n]
            self._free[self._groups[own]] += 1
            self._use[self._groups[own]].append((at_ms, -1))
            self._succeeded.append(number)
        if task is not None:
            self._running[task] -= 1
            for queued in self._aside.pop(task, ()):
                group = self._rivals[queued[3]].resource_group if queued[3] < 0 else self._groups[task]
                heappush(self._queues[group], queued)

    def _settle(self, at_ms: int) -> None:
        """Carry successes to what waits for them, until nothing follows."""
        n = self._plan.n
        while self._succeeded:
            offset = self._succeeded.pop()
            self._end_ms = at_ms
            date_index, place = divmod(offset, n)
            day = self._days[date_index] if date_index in self._days else self._day(date_index)
            day.left -= 1
            below = day.within[place]
            if below:
                self._lessen(date_index, below, at_ms)
            if day.after is not None and day.across[place]:
                self._lessen(day.after, day.across[place], at_ms)
            if self._by_task:
                self._note_task(date_index, self._task_of[place], at_ms)
            if day.left == 0:
                self._complete(date_index, at_ms)

    def _lessen(self, date_index: int, places: list[int], at_ms: int) -> None:
        """One wait less for each of these."""
        day = self._days.get(date_index)
        if day is None:
            day = self._day(date_index)
        waits = day.waits
        for place in places:
            waits[place] -= 1
            if waits[place] == 0 and day.is_reached:
                self._consider(date_index, place, at_ms)

    def _note_task(self, date_index: int, task: int, at_ms: int) -> None:
        """`barrier: task`: with the last of a task and date, the task's next date may go on."""
        counts = self._open_of_task.get((date_index, task))
        if counts is None:
            total = self._open(date_index, task)
            counts = self._open_of_task[date_index, task] = [total, total]
        counts[0] -= 1
        if counts[0] or date_index in self._stops:
            return
        after = self._plan.next_of_task(date_index, task)
        if after is None or not self._is_played(after):
            return
        day = self._day(after)
        for place in range(self._first_of_task[task], self._first_of_task[task + 1]):
            day.waits[place] -= counts[1]
            if day.waits[place] == 0:
                self._consider(after, place, at_ms)

    def _is_played(self, date_index: int) -> bool:
        """Whether its group gets that far."""
        return self._rank[date_index] <= self._last_rank[int(self._plan.group_of[date_index])]

    def _date_after(self, date_index: int) -> int | None:
        """The date whose previous-cycle edges lead here, if it is played."""
        if date_index in self._stops:
            return self._substitute.get(date_index)
        return self._plan.date_after(date_index)

    # Priorities

    def _set_priorities(self) -> None:
        """POL-12, as judged at the beginning; one that somebody has set stands for all (BF-3)."""
        tasks = self._plan.tasks
        self._today = local_date(instant_of(self._now_ms), self._plan.catalog.timezone)
        self._priorities = [task.priority for task in tasks]
        self._priorities_old = [priority_by_age(task.priority, date.min, self._today) for task in tasks]
        if self._plan.policy.priority is not None:
            self._priorities = self._priorities_old = [self._plan.policy.priority] * len(tasks)

    def _is_old(self, bizdate: date) -> bool:
        return bizdate < self._today - ONE_DAY


def _lists_below(edges: Edges) -> list[list[int]]:
    """The places below each place, as lists: faster to walk than slices of arrays."""
    flat = edges.down.tolist()
    bounds = edges.down_from.tolist()
    return [flat[first:last] for first, last in pairwise(bounds)]


def _substitutes(plan: Plan, stops: Sequence[int]) -> dict[int, int]:
    """For a group's last played date, the date that waits for the end of the whole group."""
    last_of = {number: chain[-1] for number, chain in enumerate(plan.grouping.chains, start=1)}
    found = {}
    for stop in stops:
        after = plan.date_after(last_of[int(plan.group_of[stop])])
        if after is not None:
            found[stop] = after
    return found
