"""Carrying a change of instances to what depends on it, inside the transaction that made it.

Whoever moves instances of a backfill tells `Propagation` of each move, then calls `settle`:
counters of open waits and of dates follow, groups come to their next bizdate, what waits
for nothing more becomes ready, dry runs pass, and so on until nothing follows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.domain.alerts import Event, Told
from retrofill.domain.planning.policy import Barrier
from retrofill.domain.running.filters import FAILED
from retrofill.domain.running.states import NOT_STARTED, Reason, State
from retrofill.services.instances.alert_queue import tell
from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.graph import InstanceGraph
from retrofill.services.instances.passing_over import is_stuck, passes_over
from retrofill.services.instances.queue_places import QueuePlaces
from retrofill.services.ports.records import DateRecord, InstanceRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger

_MOST_PASSES = 4_000
_SUCCESSFUL = 0
_COUNTED = {State.SUCCESSFUL: _SUCCESSFUL, State.FAILED: 1, State.RUNNING: 2, State.FROZEN: 3}
_PASSING = {"dry_run": Reason.DRY_RUN, "off_day": Reason.OFF_DAY, "virtual": None}


class Propagation:
    """The consequences of moves in one backfill, or in the schedule; used once per transaction.

    Args:
        held: nothing may start or pass now, because the backfill is paused or stopped.
    """

    def __init__(self, tx: Ledger, context: InstanceGraph, now_ms: int, held: bool) -> None:
        self._tx = tx
        self._context = context
        self._backfill = context if isinstance(context, BackfillGraph) else None  # what has groups of dates
        self._now_ms = now_ms
        self._held = held
        self._entered: list[int] = []  # ids that became Successful
        self._left: list[int] = []  # ids that were Successful
        self._reconsider: set[int] = set()  # ids that are Not run and may be ready
        self._passed = 0
        self.is_cut = False  # instances that could pass are left for the next transaction
        self._counts: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self._unwritten: dict[int, list[int]] = {}  # changes of counters, by position
        self.failures = 0  # for good, for a reason of their own
        self._placing = QueuePlaces(context, now_ms)

    def moved(self, instance_id: int, source: str, target: str) -> None:
        """Note a move that the transaction has made."""
        if source == target:
            return
        if self._backfill is not None:
            counts = self._counts[self._backfill.position(instance_id)]
            if source in _COUNTED:
                counts[_COUNTED[State(source)]] -= 1
            if target in _COUNTED:
                counts[_COUNTED[State(target)]] += 1
        if source == State.SUCCESSFUL:
            self._left.append(instance_id)
        if target == State.SUCCESSFUL:
            self._entered.append(instance_id)
        elif target == State.NOT_RUN:
            self._reconsider.add(instance_id)

    def failed_for_good(self, instance_id: int) -> None:
        """POL-7, POL-9: what of the same task and bizdate has not started fails with it; an alert may go out."""
        self.failures += 1
        context = self._context
        if isinstance(context, BackfillGraph):
            policy = context.plan.policy
            told = Told(policy.alert, policy.notify, policy.webhooks)
            tell(self._tx, context.backfill_id, told, Event.FAILURE, self._now_ms, instance_id)
        ids = [i for i in self._context.siblings(instance_id) if i != instance_id]
        if not ids:
            return
        # An isolated one could not run anyway, and must go on to say so.
        rows = [
            row
            for row in self._tx.instances(ids)
            if row.state in NOT_STARTED and row.reason != Reason.ISOLATED
        ]
        self._tx.fail_siblings([row.id for row in rows], self._now_ms)
        for row in rows:
            self.moved(row.id, row.state, State.FAILED)

    def left_failed(self, instance_id: int) -> list[int]:
        """POL-7: siblings come back once none of them is Failed for a reason of its own; their ids."""
        siblings = self._context.siblings(instance_id)
        if not siblings or self._tx.has_failed(siblings.start, siblings.stop - 1):
            return []
        failed = [row.id for row in self._tx.instance_range(siblings.start, siblings.stop - 1, FAILED)]
        self._tx.restore(failed)
        for sibling in failed:
            self.moved(sibling, State.FAILED, State.NOT_RUN)
        return failed

    def unfrozen(self, ids: Iterable[int]) -> None:
        """POL-7: what was frozen when a sibling failed fails with it now. One look for each task and bizdate."""
        by_siblings: dict[range, list[int]] = defaultdict(list)
        for instance_id in ids:
            by_siblings[self._context.siblings(instance_id)].append(instance_id)
        for siblings, thawed in by_siblings.items():
            if siblings and self._tx.has_failed(siblings.start, siblings.stop - 1):
                self._tx.fail_siblings(thawed, self._now_ms)
                for instance_id in thawed:
                    self.moved(instance_id, State.NOT_RUN, State.FAILED)

    def keep_order(self, ids: Iterable[int]) -> None:
        """OPS-3: dates that follow those of these instances in their groups wait for their turn again.

        What runs goes on; what has not started waits until the dates before are complete (POL-6).
        """
        backfill = self._backfill
        if backfill is None or backfill.plan.policy.barrier is Barrier.TASK:
            return
        later: set[int] = set()
        for position in sorted({backfill.position(i) for i in ids}):
            following = backfill.plan.next_in_group(position)
            while following is not None and following not in later:
                later.add(following)
                following = backfill.plan.next_in_group(following)
        for position in self._tx.unreach(backfill.backfill_id, sorted(later)):
            backfill.reached.discard(position)
            dates = backfill.ids_of_date(position)
            self._tx.withdraw_date(backfill.backfill_id, dates.start, dates.stop - 1)

    def reached(self, position: int, ids: Iterable[int]) -> None:
        """A group has come to a date: look at its instances."""
        assert self._backfill is not None
        self._backfill.reached.add(position)
        self._backfill.open_left.pop(position, None)
        self._counts[position][_SUCCESSFUL] += 0  # a date without any instance is complete at once
        self._reconsider.update(ids)

    def look_at_dates(self, positions: Iterable[int]) -> None:
        """Dates that may be complete, or passed over since somebody asked for that (POL-14)."""
        for position in positions:
            self._counts[position][_SUCCESSFUL] += 0

    def reconsider(self, ids: Iterable[int]) -> None:
        """Look at instances that may be ready."""
        self._reconsider.update(ids)

    def propagate(self, is_last: bool = True) -> None:
        """Carry on until nothing follows.

        Args:
            is_last: write the counters too; False where more moves of this transaction follow.
        """
        while self._entered or self._left or self._counts or self._reconsider:
            entered, left, reconsider = self._entered, self._left, self._reconsider
            self._entered, self._left, self._reconsider = [], [], set()
            reconsider |= self._change_waits(entered, left)
            if self._backfill is not None:
                reconsider |= self._reach_dates(self._backfill)
            if reconsider:
                self._promote(self._tx.open_of(sorted(reconsider)))
        if is_last and self._unwritten and self._backfill is not None:
            unwritten, self._unwritten = self._unwritten, {}
            self._tx.count_many(self._backfill.backfill_id, unwritten)

    def _change_waits(self, entered: list[int], left: list[int]) -> set[int]:
        """Adjust counters below; ids whose counter went down."""
        below_entered = self._downstream(entered)
        below_left = self._downstream(left)
        if below_entered:
            self._tx.add_waits([(-count, i) for i, count in below_entered.items()])
        if below_left:
            self._tx.add_waits([(count, i) for i, count in below_left.items()])
            self._tx.withdraw(list(below_left))
        return set(below_entered)

    def _downstream(self, ids: list[int]) -> dict[int, int]:
        """Ids below, each with the number of waits from these instances to it, but for removed ones (OPS-7)."""
        counts: dict[int, int] = {}
        for below in self._context.downstream(ids) if ids else ():
            counts[below] = counts.get(below, 0) + 1
        for below, up in self._tx.interventions.removed_from(ids) if ids else ():
            counts[below] = counts.get(below, 0) - self._context.downstream([up]).count(below)
        return {below: count for below, count in counts.items() if count > 0}

    def _reach_dates(self, backfill: BackfillGraph) -> set[int]:
        """Find dates that have become complete; ids of the dates that groups come to by it."""
        ids: set[int] = set()
        counts, self._counts = self._counts, defaultdict(lambda: [0, 0, 0, 0])
        for position, changes in counts.items():
            if not self._may_complete(backfill, position, changes):
                continue
            row = self._tx.count(backfill.backfill_id, position, self._unwritten.pop(position))
            backfill.open_left[position] = row.total - row.successful
            following = backfill.plan.next_in_group(position)
            if row.successful < row.total and not self._is_passed_over(backfill, row):
                continue
            if not self._has_come_to(backfill, position):
                continue  # its turn was taken back (OPS-3): it is looked at again when it comes
            if following is not None and self._tx.reach(backfill.backfill_id, following):
                self.reached(following, ())
                ids.update(backfill.ids_of_date(following))
        return ids

    def _is_passed_over(self, backfill: BackfillGraph, date: DateRecord) -> bool:
        """POL-14: whether its group goes on although something of the date failed."""
        if not passes_over(backfill):
            return False
        backfill.below_failures.pop(date.position, None)
        after = backfill.plan.date_after(date.position)
        if (
            after is not None
            and self._has_come_to(backfill, after)
            and self._is_last_reached(backfill, after)
        ):
            self.look_at_dates([after])  # what waits there for this date may lie below a failure now
        if backfill.plan.next_in_group(date.position) is None:
            return False
        if not self._is_last_reached(backfill, date.position):
            return False
        return is_stuck(self._tx, backfill, self._downstream, date)

    def _has_come_to(self, backfill: BackfillGraph, position: int) -> bool:
        return backfill.has_reached(self._tx, backfill.ids_of_date(position).start)

    def _is_last_reached(self, backfill: BackfillGraph, position: int) -> bool:
        following = backfill.plan.next_in_group(position)
        return following is None or not self._has_come_to(backfill, following)

    def _may_complete(self, backfill: BackfillGraph, position: int, changes: list[int]) -> bool:
        """Note changes of a date's counters; whether its group may go on now."""
        unwritten = self._unwritten.get(position, [0, 0, 0, 0])
        self._unwritten[position] = [a + b for a, b in zip(unwritten, changes, strict=True)]
        left = backfill.open_left.get(position)
        if left is None or passes_over(backfill):
            return True
        left -= changes[_SUCCESSFUL]
        backfill.open_left[position] = left
        return left <= 0

    def _promote(self, rows: Collection[InstanceRecord]) -> None:
        """Let instances that wait for no other one go as far as time allows (OPS-0, RUN-2)."""
        passing: list[tuple[int, str | None]] = []
        ready: list[tuple[int, int, str]] = []
        early: list[int] = []
        for row in rows:
            context = self._context
            if not row.ignores_waits and not context.has_reached(self._tx, row.id):
                continue
            # What waits for resources had its time already; a clock that was set back does not take it away.
            if row.start_ms > self._sure_ms and row.state != State.WAITING_RESOURCES:
                early.append(row.id)
            elif row.kind in _PASSING and not self._held and self._may_pass():
                passing.append((row.id, _PASSING[row.kind]))
                self.moved(row.id, row.state, State.SUCCESSFUL)
            else:
                ready.append((row.id, *self._placing.of(row)))
        if passing:
            self._tx.pass_by(passing, self._now_ms)
        if ready:
            self._tx.wait_for_resources(ready)
        if early:
            self._tx.wait_for_time(early)

    @cached_property
    def _sure_ms(self) -> int:
        """No instance goes on for a later time (TIME-8)."""
        return self._tx.clock.check(self._now_ms).sure_ms

    def _may_pass(self) -> bool:
        """A transaction lets only so many pass, so that no other writer waits long."""
        self._passed += 1
        self.is_cut = self.is_cut or self._passed > _MOST_PASSES
        return not self.is_cut

    def time_has_come(self, rows: Iterable[InstanceRecord]) -> None:
        """Instances that waited for their time, or dry runs for a hold to end: let them go on."""
        self._promote(list(rows))
