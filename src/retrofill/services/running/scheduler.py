"""One pass of the scheduler: what ended, what follows from it, what starts.

A tick gathers, decides and saves in one transaction, and only then acts. Killed at any
moment, it leaves runs that `adopt` finds again when a scheduler starts.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.errors import StoreUnavailableError
from retrofill.domain.running.outcomes import Ending, Outcome, ending
from retrofill.domain.running.states import Reason, State
from retrofill.domain.time.clocks import DEFAULT_TOLERANCE_MS
from retrofill.services.instances.as_run import as_run
from retrofill.services.instances.backfill_status import note_end
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.holds import HeldBackfills
from retrofill.services.instances.not_started import NotStarted
from retrofill.services.instances.pausing import note_failures
from retrofill.services.instances.propagation import Propagation
from retrofill.services.instances.run_specs import RunSpecs, UnstartableError
from retrofill.services.ports import RunEnd
from retrofill.services.ports.leadership import NotLeadingError
from retrofill.services.ports.records import EndOfRun, InstanceRecord, Upcoming
from retrofill.services.ports.secrets import SecretUnavailableError
from retrofill.services.ports.start_filter import StartFilter
from retrofill.services.running.closing import close_runs
from retrofill.services.running.judging import Judging
from retrofill.services.running.ledger_snapshot import LedgerSnapshot, Propagations
from retrofill.services.running.offering import Offering
from retrofill.services.running.slots import Slots
from retrofill.services.running.tick_report import TickReport, earliest
from retrofill.services.upkeep.clocks import trouble_with

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Executor, Leadership, Ledger, Reader, RunRef, RunSpec, Store
    from retrofill.services.ports.hosts import Hosts

_BATCH = 2_000  # rows of one kind that a tick moves; the next tick follows at once
_RUN_TIMES_EVERY_MS = 2_000  # what a crash loses of run times is missed by nobody
_GONE = "its machine {} has not been heard of for too long"
_MADE_WAY = "stopped to make way for the auto triggered instance of the same task and time"


class Scheduler:
    """Ticks over one store with one executor. Exactly one runs per store at a time.

    Args:
        starts: False to see ends through and start nothing.
        auto: whether it starts auto triggered instances too, and not those of backfills only.
        stops_for_auto: whether a running backfill instance makes way for an auto triggered one of
            the same task and T, or that one waits (RUN-5, setting `auto_conflict`).
        leadership: held by this process; None where nobody else could schedule.
        hosts: the machines that share the store; None where it is one.
        offering: tells other machines of starts that are theirs; None where nothing is offered.
        leads: False to write down ends of this machine's runs, and stop them, while another process leads.
    """

    def __init__(
        self,
        store: Store,
        executor: Executor,
        clock: Clock,
        specs: RunSpecs,
        graphs: GraphCache,
        starts: bool = True,
        auto: bool = True,
        stops_for_auto: bool = True,
        leadership: Leadership | None = None,
        hosts: Hosts | None = None,
        leads: bool = True,
        offering: Offering | None = None,
    ) -> None:
        self.starts = starts
        self._offering = offering or Offering()
        self._auto = auto
        self.clock_tolerance_ms = DEFAULT_TOLERANCE_MS
        self._doubt_ms = 0  # by how much the clock is ahead of the time that is sure (TIME-8)
        self.stops_for_auto = stops_for_auto  # changed when a deploy changes the setting
        self._store = store
        self._leadership = leadership
        self.judging = Judging(hosts)
        self._leads = leads
        self._executor = executor
        self._clock = clock
        self._specs = specs
        self._graphs = graphs
        self._slots = Slots(graphs)
        self._told_to_stop: set[int] = set()
        self._not_started = NotStarted()
        self._adopted: list[RunEnd] = []
        self._known: LedgerSnapshot | None = None
        self._must_look = True
        self._must_find_out = False
        self._deciding: list[RunSpec] = []  # starts of a pass that is not committed yet, as far as is known
        self._has_unclaimed = False  # an offer is to be stopped: the next pass does so
        self._has_room = False  # what was chosen could not start, so that others can
        self._next_ms: int | None = None
        self._run_times: dict[int, list[int]] = defaultdict(list)  # by task, not yet written
        self._run_times_ms = 0  # when they were written last

    def start(self) -> None:
        """Take over what an earlier scheduler left: its running instances go on, or are known dead."""
        self._adopted = self._executor.adopt(self._own_runs())

    def tick(self) -> TickReport:
        """One pass; never waits for a task. One that fails, as on a full disk, leaves all to the next one."""
        self._find_out()
        ends = self._adopted + self._executor.poll()
        self._adopted = []
        if not self._leads and not ends:
            return self._stop_only()
        try:
            ends += self._lost_with_their_host()
            return self._pass(ends)
        except StoreUnavailableError:
            self._graphs.forget()  # what was noted was rolled back
            self._run_times.clear()  # and is noted again with the same ends
            self._slots = Slots(self._graphs)
            self._adopted, self._known, self._must_look = ends, None, True
            self._must_find_out = True
            self._offering.forget()
            self.judging.begin_anew()
            raise

    def _find_out(self) -> None:
        """After a pass that failed: what the ledger holds, which may be what that pass has decided.

        A commit may have succeeded though its answer was lost; then what it has started starts now.
        """
        if self._must_find_out:
            with self._store.transaction() as tx:  # after the one whose end is not known
                running = set(self._own_runs_in(tx))
            self._must_find_out = False
            self._executor.start([spec for spec in self._deciding if spec.ref in running])
            self._deciding = []

    def _own_runs(self) -> list[RunRef]:
        """The open runs that live on this executor's host; what lives elsewhere is not judged here."""
        with self._store.read() as reader:
            return self._own_runs_in(reader)

    def _own_runs_in(self, reader: Reader) -> list[RunRef]:
        self._not_started.load(reader)
        return [self._specs.ref(run) for _, run in reader.running() if run.host == self._executor.host]

    def _pass(self, own_ends: Sequence[RunEnd]) -> TickReport:
        now_ms, ticked, began = self._clock.now_ms(), TickReport(), time.perf_counter()
        with self._store.transaction() as tx:
            if self._leadership is not None:
                self._leadership.check(tx)
            check = tx.clock.keep(now_ms, self.clock_tolerance_ms) if self._leads else tx.clock.check(now_ms)
            self._doubt_ms = check.wall_ms - check.sure_ms
            known = self._look_around(tx)
            ticked.ends = ends = [*own_ends, *self._ends_elsewhere(tx, known, now_ms)]
            holds = known.holds(now_ms)
            propagations = Propagations(tx, self._graphs, now_ms, holds, known.schedule_is_held)
            self._end(tx, ends, propagations, now_ms)
            if self._leads:
                self._let_time_pass(tx, propagations, check.sure_ms, known, holds, ticked)
            propagations.propagate(is_last=False)
            holds = self._pause_where_too_many_failed(tx, propagations, known, holds, now_ms)
            if self._leads and self.stops_for_auto and known.starts_auto(self._auto):
                known.stopping += self._slots.yield_to_auto(tx)
            starts = self._deciding = self._start(tx, propagations, known, holds, now_ms)
            propagations.propagate()
            holds = self._pause_where_too_many_failed(tx, propagations, known, holds, now_ms)
            self._write_run_times(tx, now_ms)
            self._note_ends(tx, propagations, known, holds, now_ms, ticked)
            stops = self._stops(tx, known)
            ticked.more = ticked.more or propagations.are_cut or self._has_room or self._has_unclaimed
            self._must_look = self._must_look or propagations.are_cut
            ticked.clock_trouble = trouble_with(check)
            upcoming = tx.upcoming()
        ticked.seconds = time.perf_counter() - began
        self._note_what_waits(upcoming(), holds, ticked)
        self._deciding = []
        self._still_leads()
        self._executor.start(starts)
        self._offering.make_known()
        self._tell_to_stop(stops)
        ticked.started = len(starts)
        ticked.notes = self._not_started.take_notes()
        return ticked

    def _note_what_waits(self, upcoming: Upcoming, holds: HeldBackfills, ticked: TickReport) -> None:
        """When to look again. What is due by a clock that is doubted waits for the time that is sure."""
        self._next_ms = earliest(upcoming.start_ms, holds.next_ms)
        ticked.next_ms = None if self._next_ms is None else self._next_ms + self._doubt_ms
        ticked.alert_ms = None if upcoming.alert_ms is None else upcoming.alert_ms + self._doubt_ms

    def _still_leads(self) -> None:
        """Before work is started: a process that stood still since the commit leaves it to who leads by now.

        Raises:
            NotLeadingError: its term is over; what it would have started is found never to have begun.
        """
        why = None if self._leadership is None else self._leadership.lost()
        if why is not None:
            raise NotLeadingError(why)

    def _stop_only(self) -> TickReport:
        """While another process leads: what runs here, and somebody wants stopped."""
        with self._store.read() as reader:
            self._tell_to_stop(self._refs_to_stop(reader, reader.stopping()))
        return TickReport()

    def _lost_with_their_host(self) -> list[RunEnd]:
        """Ends of runs whose machine has not been heard of for too long (RUN-3)."""
        now_ms = self._clock.now_ms()
        if not self._leads or not (lost := self.judging.lost(now_ms)):
            return []
        with self._store.read() as reader:
            runs = [run for run in reader.open_runs() if run.host in lost and run.host != self._executor.host]
        return [
            RunEnd(self._specs.ref(run), "lost", None, None, None, now_ms / 1000, _GONE.format(run.host))
            for run in runs
        ]

    def _ends_elsewhere(self, tx: Ledger, known: LedgerSnapshot, now_ms: int) -> list[RunEnd]:
        """What hosts have reported, and offers that are to be stopped before a host has claimed them."""
        if not self._leads or not self._offering.is_possible:
            return []
        unclaimed = [
            run
            for instance_id in known.stopping
            if instance_id in self._slots
            for run in tx.runs(instance_id)
            if run.is_offered
        ]
        return [*self._offering.reports(tx), *self._offering.withdraw(unclaimed, now_ms)]

    def _look_around(self, tx: Ledger) -> LedgerSnapshot:
        """What others may have changed; looked up again only when somebody else has committed."""
        others = tx.others_commits()
        known = self._known
        if known is None or known.others_commits != others:
            backfills = {record.id: record for record in tx.open_backfills()}
            generations = tx.generations
            known = LedgerSnapshot(
                others,
                backfills,
                self._graphs.current(tx),
                tx.stopping(),
                has_auto=generations.have_any(),
                schedule_is_held=generations.is_held(),
            )
            self._known = known
            self._must_look = True
            self._slots.follow(tx.running())
            self._graphs.forget_counts()
            self._graphs.follow(backfills.values())
            if known.has_auto:
                self._slots.find_rivals(tx, again=True)
        return known

    def _stops(self, tx: Ledger, known: LedgerSnapshot) -> list[RunRef]:
        """Runs that somebody wants stopped and that have not been told yet."""
        known.stopping = [i for i in known.stopping if i in self._slots]
        return self._refs_to_stop(tx, known.stopping)

    def _refs_to_stop(self, reader: Reader, stopping: Iterable[int]) -> list[RunRef]:
        """Those that live here; other hosts are called, and look for themselves."""
        self._has_unclaimed = False
        open_runs = [
            run
            for instance_id in stopping
            if instance_id not in self._told_to_stop
            for run in reader.runs(instance_id)
            if run.ended_ms is None
        ]
        elsewhere = [run for run in open_runs if run.host != self._executor.host]
        if elsewhere:
            self._offering.call()
            self._has_unclaimed = any(run.is_offered for run in elsewhere)
            self._told_to_stop |= {run.instance_id for run in elsewhere if run.host is not None}
        return [self._specs.ref(run) for run in open_runs if run.host == self._executor.host]

    def _tell_to_stop(self, stops: Iterable[RunRef]) -> None:
        for ref in stops:
            self._told_to_stop.add(ref.instance_id)
            self._executor.stop(ref)

    def look_again(self) -> None:
        """Forget what is known, because this process has changed the ledger other than by a tick."""
        self._known = None

    # What ended

    def _end(self, tx: Ledger, ends: Iterable[RunEnd], propagations: Propagations, now_ms: int) -> None:
        succeeded: list[tuple[int, int]] = []
        begun: list[int] = []  # what has started, or is not to start any more
        for end, running, ended_ms in close_runs(tx, self._slots, ends, now_ms):
            instance_id = end.ref.instance_id
            self._slots.release(instance_id)
            self._told_to_stop.discard(instance_id)
            propagation = propagations.of(running.backfill_id)
            if end.outcome == Outcome.EXITED and end.exit_code == 0:
                succeeded.append((ended_ms, instance_id))
                began_ms = max(running.started_ms, round((end.started_at or 0) * 1000))
                self._run_times[running.task_id].append(max(ended_ms - began_ms, 0))
                propagation.moved(instance_id, State.RUNNING, State.SUCCESSFUL)
                begun.append(instance_id)
            elif not self._end_badly(tx, end, propagation, now_ms, ended_ms):
                begun.append(instance_id)
        if succeeded:
            tx.succeed(succeeded)
        self._not_started.forget(tx, begun)

    def _write_run_times(self, tx: Ledger, now_ms: int) -> None:
        """Now and then, and when nothing runs any more."""
        if self._run_times and (not self._slots or now_ms - self._run_times_ms >= _RUN_TIMES_EVERY_MS):
            tx.times.add(self._run_times, now_ms)
            self._run_times.clear()
            self._run_times_ms = now_ms

    def _end_badly(
        self, tx: Ledger, end: RunEnd, propagation: Propagation, now_ms: int, ended_ms: int
    ) -> bool:
        """RUN-3, RUN-4, POL-7: rerun by itself, start later, or fail for good; whether it is still to be started."""
        (row,) = tx.instances([end.ref.instance_id])
        task = as_run(row, self._graphs.of(tx, row)).task
        after: Ending = ending(Outcome(end.outcome), end.signal, task.rerun, row.reruns, row.reason)
        if after.state is State.FAILED:
            tx.fail(row.id, after.reason or Reason.EXIT_CODE, ended_ms)
        elif end.outcome == Outcome.NOT_STARTED:
            self._not_started.put_off(tx, row.id, end.message, now_ms - self._doubt_ms)
        elif after.reason is Reason.YIELDED_TO_AUTO:
            tx.yield_to_auto(row.id, now_ms)
            tx.explain_run(row.id, row.run_number, _MADE_WAY)
        else:
            start_ms = now_ms - self._doubt_ms + 1000 * task.rerun.interval_seconds
            tx.rerun_by_itself(row.id, start_ms, now_ms)
        propagation.moved(row.id, State.RUNNING, after.state)
        if after.state is State.FAILED:
            propagation.failed_for_good(row.id)
        return after.state is not State.FAILED and end.outcome == Outcome.NOT_STARTED

    def _pause_where_too_many_failed(
        self,
        tx: Ledger,
        propagations: Propagations,
        known: LedgerSnapshot,
        holds: HeldBackfills,
        now_ms: int,
    ) -> HeldBackfills:
        """POL-14: before anything starts; what was about to start and could not is counted after that."""
        for backfill_id, count in propagations.take_failures().items():
            if note_failures(tx, backfill_id, count, self._slots.has_any_of(backfill_id), now_ms):
                known.pause(backfill_id)
                holds = known.holds(now_ms)
        return holds

    # What time allows

    def _let_time_pass(
        self,
        tx: Ledger,
        propagations: Propagations,
        now_ms: int,
        known: LedgerSnapshot,
        holds: HeldBackfills,
        ticked: TickReport,
    ) -> None:
        """Instances whose time has come, and dry runs that a hold kept back or that were just made."""
        due: list[InstanceRecord] = []
        if self._must_look or (self._next_ms is not None and self._next_ms <= now_ms):
            due = tx.due(now_ms, _BATCH)
        passing: list[InstanceRecord] = []
        if self._must_look:
            passing = tx.passing(holds.may_not_pass, not known.schedule_is_held, _BATCH)
        for backfill_id, rows in _by_backfill([*due, *passing]).items():
            propagations.of(backfill_id).time_has_come(rows)
        self._must_look = ticked.more = len(due) == _BATCH or len(passing) == _BATCH

    # What starts

    def _start(
        self,
        tx: Ledger,
        propagations: Propagations,
        known: LedgerSnapshot,
        holds: HeldBackfills,
        now_ms: int,
    ) -> list[RunSpec]:
        self._has_room = False
        if known.catalog is None or not self.starts:
            return []
        wanted = StartFilter(held=holds.may_not_start)
        if known.has_auto:
            wanted = self._slots.wanted(holds.may_not_start, known.starts_auto(self._auto))
        chosen = self._slots.choose(tx, known.catalog, wanted, self._offering.is_possible)
        if not chosen:
            return []
        self._note_starts(tx, chosen, known, now_ms)
        return self._commit_starts(tx, chosen, propagations, known, now_ms)

    def _commit_starts(
        self,
        tx: Ledger,
        chosen: list[InstanceRecord],
        propagations: Propagations,
        known: LedgerSnapshot,
        now_ms: int,
    ) -> list[RunSpec]:
        word = tx.word()  # RUN-8: the marks of processes say whose they are
        started = [(row, word + os.urandom(8).hex()) for row in chosen]
        here = self._offer(tx, started, propagations, known)
        starts = [(row.id, row.run_number, token) for row, token in here]
        tx.start(starts, self._executor.boot_id, now_ms, self._executor.host)
        specs = []
        for row, token in here:
            propagation = propagations.of(row.backfill_id)
            propagation.moved(row.id, row.state, State.RUNNING)
            try:
                specs.append(self._specs.make(row, self._graphs.of(tx, row), token, self._executor.boot_id))
            except UnstartableError as error:
                end = EndOfRun(row.id, row.run_number, token, now_ms, Outcome.EXITED, None, error.message)
                tx.end_runs([end])
                tx.fail(row.id, Reason.NOT_STARTED, now_ms)
                propagation.moved(row.id, State.RUNNING, State.FAILED)
                propagation.failed_for_good(row.id)
                continue
            except SecretUnavailableError as error:
                tx.forget_run(row.id, row.run_number, token)
                self._not_started.put_off(tx, row.id, error.advice, now_ms - self._doubt_ms)
                propagation.moved(row.id, State.RUNNING, State.NOT_RUN)
                continue
            self._slots.take(row, now_ms)
        self._has_room = len(specs) < len(here)
        if known.has_auto:
            self._slots.find_rivals(tx)
        return specs

    def _offer(
        self,
        tx: Ledger,
        started: list[tuple[InstanceRecord, str]],
        propagations: Propagations,
        known: LedgerSnapshot,
    ) -> list[tuple[InstanceRecord, str]]:
        """Offer what runs on other machines; the rest, which starts here."""
        assert known.catalog is not None
        groups = known.catalog.resource_groups
        elsewhere = [one for one in started if not groups[one[0].resource_group].is_local]
        if not elsewhere:
            return started
        at_ms = tx.hosting.now_ms()
        self._offering.offer(tx, elsewhere, known.catalog, at_ms)
        for row, _ in elsewhere:
            propagations.of(row.backfill_id).moved(row.id, row.state, State.RUNNING)
            self._slots.take(row, at_ms)
        return [one for one in started if groups[one[0].resource_group].is_local]

    def _note_starts(
        self, tx: Ledger, chosen: list[InstanceRecord], known: LedgerSnapshot, now_ms: int
    ) -> None:
        for backfill_id in {row.backfill_id for row in chosen if row.backfill_id is not None}:
            record = known.backfills.get(backfill_id)
            if record is not None and record.started_ms is None:
                tx.set_backfill(backfill_id, started_ms=now_ms)
                known.backfills[backfill_id] = record._replace(started_ms=now_ms)

    def _note_ends(
        self,
        tx: Ledger,
        propagations: Propagations,
        known: LedgerSnapshot,
        holds: HeldBackfills,
        now_ms: int,
        ticked: TickReport,
    ) -> None:
        """Backfills of which something moved and nothing runs may have ended (BF-5)."""
        for backfill_id in propagations.backfill_ids():
            if self._slots.has_any_of(backfill_id):
                continue
            record = tx.find_backfill(backfill_id)
            if record is not None and note_end(tx, record, now_ms, holds):
                ticked.backfills_ended.append(backfill_id)
                if record.paused_by or not (
                    record.paused or record.stopped
                ):  # a hold by a person outlives the end
                    known.backfills.pop(backfill_id, None)

    @property
    def running(self) -> int:
        """How many instances run."""
        return len(self._slots)


def _by_backfill(rows: Iterable[InstanceRecord]) -> dict[int | None, list[InstanceRecord]]:
    found: dict[int | None, list[InstanceRecord]] = defaultdict(list)
    for row in rows:
        found[row.backfill_id].append(row)
    return found
