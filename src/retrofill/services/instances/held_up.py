"""What of a backfill cannot go on before somebody mends what failed, is frozen or is isolated (POL-7, OPS-9).

A cause is such an instance. What it holds up is Not run and waits for it in the end: through dependencies, or
because the order of bizdates lets its date begin only after another one (POL-6). Instances are offsets in the
plan, so that a million of them are a few arrays; dates on which nothing has happened are not read.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.planning.policy import Barrier, OnFailure
from retrofill.domain.running.states import Reason, State
from retrofill.services.ports.instances import NO_INSTANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrofill.domain.arrays import BoolArray, CodeArray, LongArray
    from retrofill.services.instances.backfill_graph import BackfillGraph
    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import DateRecord

_CODES = {state: place for place, state in enumerate(State)}


class Standing:
    """How far a backfill has come, instance by instance.

    Args:
        context: of its policy as it is, or as it would be.
        dates: by position.
        has_isolated: whether instances of it were made isolated; others are not looked for.
    """

    def __init__(
        self, reader: Reader, context: BackfillGraph, dates: Sequence[DateRecord], has_isolated: bool
    ) -> None:
        self._reader, self._context, self._dates = reader, context, dates
        self.plan = context.plan
        self._codes = self._read().reshape(-1)
        self.isolated = self._find_isolated() if has_isolated else np.zeros(0, dtype=np.int64)

    def of_state(self, state: State) -> LongArray:
        """Offsets of instances in this state, ascending."""
        found: LongArray = np.nonzero(self._codes == _CODES[state])[0]
        return found

    def but_of(self, offsets: LongArray, tasks: BoolArray) -> LongArray:
        """These without the instances of some tasks.

        Args:
            tasks: bool[t], by the index of a task in the plan.
        """
        found: LongArray = offsets[~tasks[self.plan.task_of[offsets % self.plan.n]]]
        return found

    @cached_property
    def held_up(self) -> BoolArray:
        """bool[dates * n]: what any cause holds up."""
        failed, frozen = self.of_state(State.FAILED), self.of_state(State.FROZEN)
        return self.held_up_by(failed) | self.held_up_by(np.concatenate((frozen, self.isolated)))

    def held_up_by(self, causes: LongArray) -> BoolArray:
        """bool[dates * n]: what waits for one of these in the end.

        Args:
            causes: offsets, all of them of failed instances, or none.
        """
        return _Spread(self, causes).held

    def tasks_of(self, held: BoolArray) -> int:
        """Of how many tasks these instances are."""
        return len(np.unique(self.plan.task_of[np.nonzero(held)[0] % self.plan.n]))

    def groups_of(self, held: BoolArray) -> list[int]:
        """Numbers of the groups that these instances lie in."""
        positions = np.unique(np.nonzero(held)[0] // self.plan.n)
        return sorted({int(self.plan.group_of[position]) for position in positions})

    # Inside

    def _read(self) -> CodeArray:
        """uint8[dates, n]: the place of the state in `State`."""
        n, codes = self.plan.n, np.full((len(self._dates), self.plan.n), NO_INSTANCE, dtype=np.uint8)
        for date in self._dates:
            at, first = date.position, self._context.ids_of_date(date.position).start
            if date.successful == date.total:
                codes[at] = self._filled(at, State.SUCCESSFUL)
            elif not (date.reached or date.successful or date.failed or date.running or date.frozen):
                codes[at] = self._filled(at, State.NOT_RUN)
            else:
                codes[at] = np.frombuffer(self._reader.states_between(first, first + n - 1), dtype=np.uint8)
        return codes

    def _filled(self, position: int, state: State) -> CodeArray:
        """A date all of whose instances are in one state."""
        present = self.plan.present(position)
        found: CodeArray = np.where(present, _CODES[state], NO_INSTANCE).astype(np.uint8)
        return found

    def _find_isolated(self) -> LongArray:
        """Offsets of isolated instances that nobody has let go on (OPS-7)."""
        n, first = self.plan.n, self._context.first_id
        made = [np.nonzero(self.plan.isolated(d.position))[0] + d.position * n for d in self._dates]
        ids = (np.concatenate(made) + first).tolist() if made else []
        rows = self._reader.instances(ids)
        still = [
            row.id - first for row in rows if row.reason == Reason.ISOLATED and row.state == State.NOT_RUN
        ]
        return np.array(still, dtype=np.int64)

    @cached_property
    def is_open(self) -> BoolArray:
        """bool[dates * n]: what has not run, and is no cause itself."""
        is_open: BoolArray = self._codes == _CODES[State.NOT_RUN]
        is_open[self.isolated] = False
        return is_open

    @cached_property
    def removed(self) -> dict[int, set[int]]:
        """By offset, the offsets of upstream instances that it does not wait for any more (OPS-7)."""
        first = self._context.first_id
        found: dict[int, set[int]] = {}
        pairs = self._reader.interventions.removed_between(first, first + len(self._codes) - 1)
        for below, above in pairs:
            found.setdefault(below - first, set()).add(above - first)
        return found

    def is_reached(self, position: int) -> bool:
        """Whether the group of a date has come to it."""
        return bool(self._dates[position].reached)

    def halts_groups(self, causes: LongArray) -> bool:
        """Whether groups do not pass over dates of these (POL-14)."""
        if self.plan.policy.on_failure is not OnFailure.CONTINUE or not len(causes):
            return True
        return int(self._codes[causes[0]]) != _CODES[State.FAILED]

    def still_waits(self, offset: int, held: BoolArray, causes: set[int]) -> bool:
        """Whether an instance waits for a cause or something held up, without the waits that were removed (OPS-7)."""
        gone = self.removed.get(offset)
        if gone is None:
            return True
        first = self._context.first_id
        above = {up - first for up in self._context.upstream(first + offset)} - gone
        return any(held[up] or up in causes for up in above)


class _Spread:
    """From causes downwards, until nothing more is found.

    Attributes:
        held: bool[dates * n], what was found.
    """

    def __init__(self, standing: Standing, causes: LongArray) -> None:
        self._standing, self._plan, self._causes = standing, standing.plan, {*causes.tolist()}
        self._halts = standing.halts_groups(causes)
        self._whole: set[int] = set()  # dates that only come after one that halts
        self.held = np.zeros(len(standing.is_open), dtype=bool)
        front = np.unique(causes)
        while len(front):
            found = self._below(front)
            front = np.concatenate((found, self._later(np.concatenate((front, found)))))

    def _below(self, front: LongArray) -> LongArray:
        """What is found new among the descendants of the front, one level down."""
        below = self._plan.downstream(front)
        below = np.unique(below[self._standing.is_open[below] & ~self.held[below]])
        if self._standing.removed:
            still = self._standing.still_waits
            below = np.array(
                [at for at in below.tolist() if still(at, self.held, self._causes)], dtype=np.int64
            )
        self.held[below] = True
        return below

    def _later(self, front: LongArray) -> LongArray:
        """What is found new because the order of bizdates keeps it waiting for the front (POL-6)."""
        if not self._halts:
            return np.zeros(0, dtype=np.int64)
        by_task = self._plan.policy.barrier is Barrier.TASK
        found = self._later_of_tasks(front) if by_task else self._later_dates(front)
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)

    def _later_dates(self, front: LongArray) -> list[LongArray]:
        """All of the dates that groups come to later; of these, what other dates may wait for."""
        new = [after for at in np.unique(front // self._plan.n).tolist() for after in self._chain(at)]
        for position in new:
            self._mark(range(position * self._plan.n, (position + 1) * self._plan.n))
        borders = (at for at in new if self._plan.date_after(at) not in self._whole)
        return [np.arange(at * self._plan.n, (at + 1) * self._plan.n) for at in borders]

    def _chain(self, position: int) -> list[int]:
        """The dates that come after this one in its group and were not found before."""
        found, after = [], self._plan.next_in_group(position)
        while after is not None and after not in self._whole and not self._standing.is_reached(after):
            self._whole.add(after)
            found.append(after)
            after = self._plan.next_in_group(after)
        return found

    def _later_of_tasks(self, front: LongArray) -> list[LongArray]:
        """The instances of the same tasks on the dates that follow in the group."""
        n, first = self._plan.n, self._plan.first_of_task
        pairs = np.unique(np.stack((front // n, self._plan.task_of[front % n]), axis=1), axis=0)
        found = []
        for position, task in pairs.tolist():
            after = self._plan.next_of_task(position, task)
            if after is not None:
                ids = range(after * n + int(first[task]), after * n + int(first[task + 1]))
                found.append(self._mark(ids))
        return found

    def _mark(self, offsets: range) -> LongArray:
        """What of these was not found before."""
        part = slice(offsets.start, offsets.stop)
        new = self._standing.is_open[part] & ~self.held[part]
        self.held[part] |= new
        found: LongArray = np.nonzero(new)[0] + offsets.start
        return found
