"""What must hold after every step of a simulated history, whatever has gone wrong before.

Read from the ledger's rows and from what really ran. Rows that have succeeded long ago are
left out of each look (a horizon moves behind the oldest unfinished one); `look_at_all` has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from retrofill.domain.policy import Barrier
from retrofill.domain.states import State
from retrofill.services.contexts import BackfillContext, Context
from retrofill.services.ports import Reader
from retrofill.services.ports.emergencies import ISOLATION
from retrofill.services.records import BackfillRecord, InstanceRecord
from services.worlds import World
from simulation.executors import SimulatedExecutor

_ENDED = {State.SUCCESSFUL, State.FAILED}
_COUNTED = ("successful", "failed", "running", "frozen")


def _oldest_unfinished(reader: Reader) -> int:
    found = next(reader.instance_range(1, 1 << 40, ["state <> 'successful'"], limit=1), None)
    return 1 if found is None else found.id


class Watch:
    """Holds a world to its invariants; keeps what it saw last."""

    def __init__(self, world: World, executor: SimulatedExecutor) -> None:
        self._world, self._executor = world, executor
        self.horizon = 1  # every instance below it has succeeded
        self._before: dict[int, InstanceRecord] = {}
        self._above: dict[int, list[int]] = {}  # waits never change
        self._below: dict[int, list[int]] = {}
        self._isolated: dict[int, bool] = {}
        self._removed: dict[int, frozenset[int]] = {}  # waits that somebody has removed (OPS-7)
        self._reached: set[tuple[int, int]] = set()
        self._settled: dict[int, int] = {}  # backfills below the horizon, with the end of their ids

    def look(self, acted: bool) -> None:
        """Check what may have moved.

        Args:
            acted: somebody has operated since the last look, so that what has ended may be open again.
        """
        w = self._world
        with w.store.read() as reader:
            if acted:
                self.horizon = _oldest_unfinished(reader)
                self._settled = {i: end for i, end in self._settled.items() if end <= self.horizon}
            rows = self._visible_rows(reader)
            contexts: dict[int | None, Context] = {None: w.contexts.schedule(reader)}
            settled = ", ".join(map(str, self._settled))
            backfills = reader.backfills([f"phase = 'active' AND id NOT IN ({settled})"], limit=200)
            contexts |= {record.id: w.contexts.get(reader, record.id) for record in backfills}
            changed = [row for row in rows.values() if row != self._before.get(row.id)]
            self._check_rows(rows, changed, acted)
            self._check_waits(rows, changed, contexts)
            self._check_starts(rows, contexts)
            for record in backfills:
                context = contexts[record.id]
                assert isinstance(context, BackfillContext)
                self._check_backfill(reader, record, context, rows)
            self._check_processes(reader, rows)
            self._before = rows
            self._move_horizon(rows, backfills, contexts)

    def note_removed(self, ids: Sequence[int]) -> None:
        """Somebody may have removed waits of these."""
        with self._world.store.read() as reader:
            self._removed |= {i: reader.emergencies.removed_of(i) for i in ids}

    def _visible_rows(self, reader: Reader) -> dict[int, InstanceRecord]:
        """From the horizon on, without nights that are being made."""
        hidden = {
            i
            for record in reader.generations.unfinished()
            for i in range(record.first_instance_id, record.first_instance_id + record.stride)
        }
        rows = reader.instance_range(self.horizon, 1 << 40)
        return {row.id: row for row in rows if row.id not in hidden}

    def look_at_all(self) -> None:
        """Every counter of the whole ledger, by the product's own audit."""
        assert self._world.drift() == []

    def _check_rows(
        self, rows: dict[int, InstanceRecord], changed: list[InstanceRecord], acted: bool
    ) -> None:
        if any(row.id not in self._before for row in changed):
            seen = Counter((r.task_id, r.bizdate, r.slot) for r in rows.values() if r.backfill_id is None)
            assert max(seen.values(), default=1) == 1, "an auto triggered instance is there twice (AUTO-1)"
        for row in changed:
            if row.state == State.RUNNING:
                assert row.started_ms is not None, row
                assert row.ended_ms is None, row
            if row.state in _ENDED:
                assert row.ended_ms is not None, row
            before = self._before.get(row.id)
            if before is not None and not acted and before.state in _ENDED:
                assert row.state == before.state, f"left an end by itself: {before} {row}"

    def _check_waits(
        self,
        rows: dict[int, InstanceRecord],
        changed: list[InstanceRecord],
        contexts: dict[int | None, Context],
    ) -> None:
        """The counter of open waits says what the states say, in what changed and below it."""
        for row in changed:
            if row.id not in self._above and row.backfill_id in contexts:
                context = contexts[row.backfill_id]
                self._above[row.id] = context.upstream(row.id)
                self._isolated[row.id] = bool(context.isolated_from(row.id))
                for up in self._above[row.id]:
                    self._below.setdefault(up, []).append(row.id)
        affected = {row.id for row in changed}
        affected |= {below for row in changed for below in self._below.get(row.id, ())}
        for row in (rows[i] for i in affected if i in rows and i in self._above):
            opened = self._open_above(row, rows)
            isolated = self._isolated[row.id] and ISOLATION not in self._removed.get(row.id, ())
            expected = len(opened) + isolated
            assert row.open_waits == expected, f"open_waits of {row}: states give {expected}"

    def _open_above(self, row: InstanceRecord, rows: dict[int, InstanceRecord]) -> list[int]:
        gone = self._removed.get(row.id, frozenset())
        return [
            i
            for i in self._above[row.id]
            if i in rows and rows[i].state != State.SUCCESSFUL and i not in gone
        ]

    def _check_starts(self, rows: dict[int, InstanceRecord], contexts: dict[int | None, Context]) -> None:
        """I18, RUN-1, RUN-6: what has just started had nothing to wait for, and a slot."""
        just = [row for row in rows.values() if row.state == State.RUNNING and self._is_new(row)]
        running = [row for row in rows.values() if row.state == State.RUNNING]
        for row in just:
            if not row.ignores_waits:
                assert not self._open_above(row, rows), f"started too early: {row}"
            assert row.start_ms <= self._world.clock.now_ms(), row
        groups = self._world.catalog.resource_groups
        for name in {row.resource_group for row in just}:
            used = [row for row in running if row.resource_group == name]
            of_backfills = [row for row in used if row.backfill_id is not None]
            assert len(used) <= groups[name].slots, f"more run in {name} than it has slots"
            if any(row.backfill_id is not None for row in just if row.resource_group == name):
                assert len(of_backfills) <= groups[name].slots - groups[name].reserved_for_auto

    def _is_new(self, row: InstanceRecord) -> bool:
        before = self._before.get(row.id)
        return before is None or (before.state, before.run_number, before.started_ms) != (
            row.state,
            row.run_number,
            row.started_ms,
        )

    def _check_backfill(
        self,
        reader: Reader,
        record: BackfillRecord,
        context: BackfillContext,
        rows: dict[int, InstanceRecord],
    ) -> None:
        """POL-6, BF-5: groups come to dates in order; counters and `ended_at` agree with the states."""
        counts: dict[int, Counter[str]] = {}
        first = context.first_id
        last = first + context.plan.n * len(context.plan.dates)
        own = [rows[i] for i in range(max(first, self.horizon), last) if i in rows]
        for row in own:
            counts.setdefault(context.position(row.id), Counter())[row.state] += 1
        dates = {date.position: date for date in reader.dates(record.id)}
        for position, date in dates.items():
            is_new = date.reached and (record.id, position) not in self._reached
            if date.reached:
                self._reached.add((record.id, position))
            if first + position * context.plan.n < self.horizon:
                continue  # partly out of sight
            for name in _COUNTED:
                assert getattr(date, name) == counts.get(position, Counter())[name], (date, name)
            earlier = context.plan.previous_in_group(position)
            if is_new and earlier is not None and context.plan.policy.barrier is Barrier.DATE:
                assert dates[earlier].successful == dates[earlier].total, f"overtaken: {date}"
        is_alive = any(row.state == State.RUNNING for row in own)
        assert not (is_alive and record.ended_ms is not None), f"ended while it runs: {record.id}"
        if all(row.state == State.SUCCESSFUL for row in own) and not is_alive:
            assert record.ended_ms is not None, f"nothing is left of {record.id}, and it has not ended"

    def _check_processes(self, reader: Reader, rows: dict[int, InstanceRecord]) -> None:
        """I1, I2, RUN-5: what really runs is Running, once, and never beside its rival."""
        alive = self._executor.running()
        numbers = [run.instance_id for run in alive]
        assert len(numbers) == len(set(numbers)), "two runs of one instance at once"
        open_runs = {(run.instance_id, run.number, run.token) for run in reader.open_runs()}
        for run in alive:
            ref = run.spec.ref
            assert (ref.instance_id, ref.run_number, ref.token) in open_runs, f"runs unknown to us: {ref}"
            assert rows[ref.instance_id].state == State.RUNNING, rows[ref.instance_id]
        states = Counter(i for i, _, _ in open_runs)
        assert set(states) == {row.id for row in rows.values() if row.state == State.RUNNING}
        partitions = [(rows[i].task_id, rows[i].bizdate, rows[i].slot) for i in numbers]
        twice = {p for p, count in Counter(partitions).items() if count > 1}
        for row in (rows[i] for i in numbers):
            if (row.task_id, row.bizdate, row.slot) in twice:
                assert row.backfill_id is not None, f"beside a backfill of the same task and T: {row}"

    def _move_horizon(
        self,
        rows: dict[int, InstanceRecord],
        backfills: list[BackfillRecord],
        contexts: dict[int | None, Context],
    ) -> None:
        unfinished = [row.id for row in rows.values() if row.state != State.SUCCESSFUL]
        self.horizon = min(unfinished, default=max(rows, default=0) + 1)
        for record in backfills:
            context = contexts[record.id]
            assert isinstance(context, BackfillContext)
            end = context.first_id + context.plan.n * len(context.plan.dates)
            if record.ended_ms is not None and end <= self.horizon:
                self._settled[record.id] = end
