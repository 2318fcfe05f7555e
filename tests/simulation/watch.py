"""What must hold after every step of a simulated history, whatever has gone wrong before.

Read from the ledger's rows and from what really ran. A look reads what has not succeeded, what had
not at the look before, and what is new: so its cost grows with what may move, not with the history.
`look_at_all` leaves nothing out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from retrofill.domain.planning.policy import Barrier, OnFailure
from retrofill.domain.running.filters import UNFINISHED, BackfillFilter, InstanceFilter
from retrofill.domain.running.states import State
from retrofill.domain.time.clocks import DEFAULT_TOLERANCE_MS
from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.graph import InstanceGraph
from retrofill.services.ports import Reader
from retrofill.services.ports.interventions import ISOLATION
from retrofill.services.ports.records import BackfillRecord, InstanceRecord
from services.worlds import World
from simulation.executors import SimulatedExecutor

_ENDED = {State.SUCCESSFUL, State.FAILED}
_LAST = 1 << 40  # no instance has a greater id
_TOLERANCE_MS = DEFAULT_TOLERANCE_MS + 60_000
_COUNTED = ("successful", "failed", "running", "frozen")


class Watch:
    """Holds a world to its invariants; keeps what it saw last."""

    def __init__(self, world: World, executor: SimulatedExecutor) -> None:
        self._world, self._executor = world, executor
        self._rows: dict[int, InstanceRecord] = {}  # all, as they were seen last
        self._slots: set[tuple[int, str, int]] = set()  # of auto triggered instances
        self._unfinished: set[int] = set()  # those of them that have not succeeded
        self._next = 1  # everything below it has been seen
        self._above: dict[int, list[int]] = {}  # waits never change
        self._below: dict[int, list[int]] = {}
        self._isolated: dict[int, bool] = {}
        self._hidden: set[int] = set()  # of nights that are being made
        self._removed: dict[int, frozenset[int]] = {}  # waits that somebody has removed (OPS-7)
        self._reached: set[tuple[int, int]] = set()
        self._settled: set[int] = set()  # backfills that have ended with nothing left to do

    def look(self, acted: bool) -> None:
        """Check what may have moved.

        Args:
            acted: somebody has operated since the last look, so that what has ended may be open again.
        """
        w = self._world
        with w.store.read() as reader:
            if acted:
                self._settled.clear()
            before, changed = self._take_in(self._read(reader, acted))
            graphs: dict[int | None, InstanceGraph] = {None: w.graphs.schedule(reader)}
            active = reader.backfills(BackfillFilter(phase="active"), limit=10_000)
            backfills = [record for record in active if record.id not in self._settled][:200]
            graphs |= {record.id: w.graphs.get(reader, record.id) for record in backfills}
            self._check_rows(before, changed, acted)
            self._check_waits(reader, changed, graphs)
            self._check_starts(before, changed)
            for record in backfills:
                context = graphs[record.id]
                assert isinstance(context, BackfillGraph)
                self._check_backfill(reader, record, context)
            self._check_processes(reader)

    @property
    def horizon(self) -> int:
        """Every instance below it has succeeded."""
        return min(self._unfinished, default=self._next)

    def _read(self, reader: Reader, acted: bool) -> list[InstanceRecord]:
        """Rows that may differ from what was seen last, without nights that are being made."""
        hidden = {
            i
            for record in reader.generations.unfinished()
            for i in range(record.first_instance_id, record.first_instance_id + record.stride)
        }
        first = 1 if acted else self.horizon
        rows = list(reader.instance_range(first, _LAST, InstanceFilter(states=UNFINISHED)))
        rows += reader.instance_range(self._next, _LAST, InstanceFilter(states=frozenset({State.SUCCESSFUL})))
        rows += reader.instances(self._unfinished.difference(row.id for row in rows))
        self._hidden = hidden
        rows = [row for row in rows if row.id not in hidden]
        newest = max((row.id for row in rows), default=0)
        self._next = min(hidden, default=max(self._next, newest + 1))
        return rows

    def _take_in(
        self, rows: list[InstanceRecord]
    ) -> tuple[dict[int, InstanceRecord | None], list[InstanceRecord]]:
        """What has changed, and how it was before (None: it is new)."""
        changed = [row for row in rows if row != self._rows.get(row.id)]
        before = {row.id: self._rows.get(row.id) for row in changed}
        for row in changed:
            self._rows[row.id] = row
            if row.state == State.SUCCESSFUL:
                self._unfinished.discard(row.id)
            else:
                self._unfinished.add(row.id)
        return before, changed

    def note_removed(self, ids: Sequence[int]) -> None:
        """Somebody may have removed waits of these."""
        with self._world.store.read() as reader:
            self._removed |= {i: reader.interventions.removed_of(i) for i in ids}

    def look_at_all(self) -> None:
        """Every counter of the whole ledger, by the product's own audit."""
        assert self._world.drift() == []

    def _check_rows(
        self, before: dict[int, InstanceRecord | None], changed: list[InstanceRecord], acted: bool
    ) -> None:
        for row in changed:
            if before[row.id] is None and row.backfill_id is None:
                slot = (row.task_id, row.bizdate, row.slot)
                assert slot not in self._slots, "an auto triggered instance is there twice (AUTO-1)"
                self._slots.add(slot)
            if row.state == State.RUNNING:
                assert row.started_ms is not None, row
                assert row.ended_ms is None, row
            if row.state in _ENDED:
                assert row.ended_ms is not None, row
            was = before[row.id]
            if was is not None and not acted and was.state in _ENDED:
                assert row.state == was.state, f"left an end by itself: {was} {row}"

    def _check_waits(
        self, reader: Reader, changed: list[InstanceRecord], graphs: dict[int | None, InstanceGraph]
    ) -> None:
        """The counter of open waits says what the states say, in what changed and below it."""
        for row in changed:
            if row.id not in self._above and row.backfill_id in graphs:
                context = graphs[row.backfill_id]
                self._above[row.id] = context.upstream(row.id)
                self._isolated[row.id] = bool(context.isolated_from(row.id))
                for up in self._above[row.id]:
                    self._below.setdefault(up, []).append(row.id)
        affected = {row.id for row in changed}
        # Read anew: what has succeeded is not read otherwise, and has counters too.
        affected |= {below for row in changed for below in self._below.get(row.id, ())}
        for row in reader.instances(i for i in affected if i in self._above):
            opened = self._open_above(row)
            isolated = self._isolated[row.id] and ISOLATION not in self._removed.get(row.id, ())
            expected = len(opened) + isolated
            assert row.open_waits == expected, f"open_waits of {row}: states give {expected}"

    def _open_above(self, row: InstanceRecord) -> list[int]:
        gone = self._removed.get(row.id, frozenset())
        return [i for i in self._above[row.id] if i in self._unfinished and i not in gone]

    def _running(self) -> list[InstanceRecord]:
        rows = (self._rows[i] for i in self._unfinished)
        return [row for row in rows if row.state == State.RUNNING]

    def _check_starts(self, before: dict[int, InstanceRecord | None], changed: list[InstanceRecord]) -> None:
        """I18, RUN-1, RUN-6: what has just started had nothing to wait for, and a slot."""
        just = [row for row in changed if row.state == State.RUNNING and _is_start(before[row.id], row)]
        if not just:
            return
        running = self._running()
        for row in just:
            if not row.ignores_waits:
                assert not self._open_above(row), f"started too early: {row}"
            clock = self._world.clock
            # What waited for a slot when the clock was set back had its time already.
            assert row.start_ms <= max(clock.now_ms(), clock.true_ms), row
            if row.run_number == 1:  # the end of a pause follows the clock
                assert row.start_ms <= clock.true_ms + _TOLERANCE_MS, f"before its time: {row}"
        groups = self._world.catalog.resource_groups
        for name in {row.resource_group for row in just}:
            used = [row for row in running if row.resource_group == name]
            of_backfills = [row for row in used if row.backfill_id is not None]
            assert len(used) <= groups[name].slots, f"more run in {name} than it has slots"
            if any(row.backfill_id is not None for row in just if row.resource_group == name):
                assert len(of_backfills) <= groups[name].slots - groups[name].reserved_for_auto

    def _check_backfill(self, reader: Reader, record: BackfillRecord, context: BackfillGraph) -> None:
        """POL-6, BF-5: groups come to dates in order; counters and `ended_at` agree with the states."""
        counts: dict[int, Counter[str]] = {}
        first = context.first_id
        last = first + context.plan.n * len(context.plan.dates)
        own = [self._rows[i] for i in range(first, last) if i in self._rows]
        for row in own:
            counts.setdefault(context.position(row.id), Counter())[row.state] += 1
        dates = {date.position: date for date in reader.dates(record.id)}
        for position, date in dates.items():
            is_new = date.reached and (record.id, position) not in self._reached
            if date.reached:
                self._reached.add((record.id, position))
            else:
                self._reached.discard((record.id, position))  # a rerun in order lets it wait again (OPS-3)
            for name in _COUNTED:
                assert getattr(date, name) == counts.get(position, Counter())[name], (date, name)
            earlier = context.plan.previous_in_group(position)
            if earlier is not None and context.plan.policy.barrier is Barrier.DATE:
                left = [
                    row
                    for row in own
                    if context.position(row.id) == earlier and row.state != State.SUCCESSFUL
                ]
                if context.plan.policy.on_failure is OnFailure.CONTINUE:
                    left = [row for row in left if not self._is_below_failure(row)]
                assert not (is_new and left), f"overtaken by {date}: {left}"
                assert date.reached or left or not dates[earlier].reached, f"nothing holds up {date}"
        is_alive = any(row.state == State.RUNNING for row in own)
        assert not (is_alive and record.ended_ms is not None), f"ended while it runs: {record.id}"
        if all(row.state == State.SUCCESSFUL for row in own) and not is_alive:
            assert record.ended_ms is not None, f"nothing is left of {record.id}, and it has not ended"
            self._settled.add(record.id)

    def _is_below_failure(self, row: InstanceRecord) -> bool:
        """POL-14: it failed, or is Not run and waits for one that did, directly or not."""
        if row.state in (State.FAILED, State.NOT_RUN):
            above = (self._rows[i] for i in self._open_above(row))
            return row.state == State.FAILED or any(self._is_below_failure(up) for up in above)
        return False

    def _check_processes(self, reader: Reader) -> None:
        """I1, I2, RUN-7: what really runs is Running, once, and nobody else writes the same partition."""
        alive = self._executor.running()
        numbers = [run.instance_id for run in alive]
        assert len(numbers) == len(set(numbers)), "two runs of one instance at once"
        open_runs = {(run.instance_id, run.number, run.token) for run in reader.open_runs()}
        writers: list[InstanceRecord] = []
        for run in alive:
            ref = run.spec.ref
            assert (ref.instance_id, ref.run_number, ref.token) in open_runs, f"runs unknown to us: {ref}"
            # What of a night was released before an answer got lost may run before the rest is.
            row = reader.find_instance(ref.instance_id)
            assert row is not None, ref
            assert row.state == State.RUNNING, row
            writers.append(row)
        states = Counter(i for i, _, _ in open_runs)
        assert set(states) - self._hidden == {row.id for row in self._running()} - self._hidden
        count = Counter(row.partition for row in writers)
        twice = [row for row in writers if count[row.partition] > 1]
        assert not twice, f"written by two at once: {twice}"


def _is_start(before: InstanceRecord | None, row: InstanceRecord) -> bool:
    return before is None or (before.state, before.run_number, before.started_ms) != (
        row.state,
        row.run_number,
        row.started_ms,
    )
