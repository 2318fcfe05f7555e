"""What is let go of by age and by size: backfills, instances, logs (RET-1, RET-2).

The job is a row of short steps, each a transaction of at most 5,000 rows or a look at a few
hundred files, so that it can run between the ticks of a scheduler. Each step may be the last:
what a crash leaves undone the next job finds again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from retrofill.domain.running.states import State
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.upkeep.clocks import check_before_deleting
from retrofill.services.upkeep.custody import DAY_MS, LedgerCustody, Rules
from retrofill.services.upkeep.files import FileKeeping, Report, Shelf

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Reader, Store
    from retrofill.services.ports.retention import Expired, LaidOut, LogFolder, Part, RunName

_LONGEST_PAUSE_SECONDS = 0.05
_ZONES_DAYS = 2  # a bizdate ends this much later at most, wherever it is


class Retention:
    """One job over one store; `report` grows with its steps.

    Args:
        is_dry: only count.
        shelves: logs besides those of the folder, which go by age as well.
    """

    def __init__(
        self,
        store: Store,
        folder: LogFolder,
        graphs: GraphCache,
        clock: Clock,
        rules: Rules,
        is_dry: bool = False,
        laid_out: LaidOut | None = None,
        shelves: Iterable[Shelf] = (),
    ) -> None:
        self._shelves = shelves
        self._store = store
        self._folder = folder
        self._graphs = graphs
        self._retention_days = rules.retention_days
        self._is_dry = is_dry
        self._now_ms = clock.now_ms()
        self._before_ms = self._now_ms - rules.retention_days * DAY_MS
        self._counted: set[RunName] = set()  # dry: their logs are still there when files are looked at
        self.report = Report()
        custody = LedgerCustody(store, graphs, self._now_ms, rules, is_dry=is_dry)
        self._files = FileKeeping(custody, folder, self._now_ms, self.report, is_dry, laid_out)

    def steps(self) -> Iterator[None]:
        """Do one short step each time that the next one is asked for.

        Raises:
            ClockDoubtedError: what is old cannot be told (TIME-8).
        """
        if not self._is_dry:
            with self._store.transaction() as tx:
                check = tx.clock.keep(self._now_ms)
            check_before_deleting(check, self._retention_days)
        yield from self._backfills()
        yield from self._auto()
        self._drafts()
        yield
        self._hosts()
        yield
        yield from self._files.steps(self._since_ms(), self._counted, self._shelves)
        if not self._is_dry:
            self._folder.tidy((self._now_ms - DAY_MS) / 1000)
            with self._store.transaction() as tx:
                tx.retention.note_run(self._now_ms)

    def _since_ms(self) -> int:
        """How long ago the job last went through."""
        with self._store.read() as reader:
            return self._now_ms - (reader.retention.last_run_ms() or 0)

    def run(self, pause: Callable[[], None] = lambda: None) -> Report:
        """All steps at once; `pause` is called between them, so that others can write."""
        for _ in self.steps():
            pause()
        return self.report

    # Rows

    def _backfills(self) -> Iterator[None]:
        with self._store.read() as reader:
            begun = reader.retention.half_deleted()
            expired = reader.retention.expired_backfills(self._before_ms)
        yield
        for one in begun:
            yield from self._delete(one)
        for one in expired:
            if self._hide(one):
                self.report.backfills += 1
                yield
                yield from self._delete(one)

    def _hide(self, expired: Expired) -> bool:
        if self._is_dry:
            return True
        with self._store.transaction() as tx:
            return tx.retention.hide(expired.id, self._before_ms)

    def _delete(self, expired: Expired) -> Iterator[None]:
        after = 0
        while True:
            part = self._delete_part_of(expired, after)
            yield
            if not part.ids:
                break
            after = part.ids[-1]
        while not self._is_dry:
            with self._store.transaction(checks_references=False) as tx:
                if not tx.retention.delete_rest(expired.id):
                    return
            yield

    def _delete_part_of(self, expired: Expired, after: int) -> Part:
        if self._is_dry:
            with self._store.read() as reader:
                part = reader.retention.part_of(expired, after)
        else:
            with self._store.transaction() as tx:
                part = tx.retention.part_of(expired)
                tx.retention.delete_instances(part.ids)
        self._note(part)
        return part

    def _auto(self) -> Iterator[None]:
        """Auto triggered instances, oldest bizdate first."""
        latest = instant_of(self._before_ms) + timedelta(days=_ZONES_DAYS)
        before_date, after = latest.date().isoformat(), ("", 0)
        while True:
            with self._store.read() as reader:
                found = reader.retention.part_of_auto(self._before_ms, before_date, after).ids
                last = reader.retention.bizdate(found[-1]) if found else ""
                unneeded = self._unneeded(reader, found)
                part = reader.retention.part_with(unneeded)
            if unneeded and not self._is_dry:
                with self._store.transaction() as tx:
                    still = set(tx.retention.part_of_auto(self._before_ms, before_date, after).ids)
                    part = tx.retention.part_with([i for i in unneeded if i in still])
                    tx.retention.delete_instances(part.ids)
            self._note(part)
            yield
            if not found:
                break
            after = (last, found[-1])
        if not self._is_dry:
            with self._store.transaction() as tx:
                tx.retention.delete_generations(before_date)
                tx.generations.forget_old_missed(self._before_ms)
            yield

    def _unneeded(self, reader: Reader, ids: list[int]) -> list[int]:
        """Those that have succeeded, or that no instance which stays waits for; in order."""
        context = self._graphs.schedule(reader)
        gone: set[int] = set()
        for row in sorted(reader.instances(ids), key=lambda row: (row.bizdate, row.slot), reverse=True):
            is_wired = row.state != State.SUCCESSFUL and reader.generations.holding(row.id) is not None
            below = context.downstream([row.id]) if is_wired else []
            if all(one.id in gone for one in reader.instances(below)):
                gone.add(row.id)
        return [i for i in ids if i in gone]

    def _note(self, part: Part) -> None:
        self.report.instances += len(part.ids)
        self.report.runs += len(part.runs)
        self.report.operations += part.operations
        if self._is_dry:
            sizes = {run: size for run in part.runs if (size := self._folder.size(run))}
            self._counted |= sizes.keys()
            count, size = len(sizes), sum(sizes.values())
        else:
            # After the rows: a file that a crash leaves here is one of an unknown run.
            count, size = self._folder.remove_of(part.runs)
        self.report.logs += count
        self.report.log_bytes += size

    def _drafts(self) -> None:
        """Forms that nobody has given a name."""
        if self._is_dry:
            with self._store.read() as reader:
                self.report.drafts = reader.saved_forms.drafts_before(self._before_ms)
            return
        with self._store.transaction() as tx:
            self.report.drafts = tx.saved_forms.forget_drafts(self._before_ms)

    def _hosts(self) -> None:
        """Those that are gone for good: containers come and go, each under a name of its own."""
        if not self._is_dry:
            with self._store.transaction() as tx:
                tx.hosting.forget_gone(tx.hosting.now_ms() - self._retention_days * DAY_MS)


class Pacing:
    """Leaves others as much time between steps as each step took."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def pause(self) -> None:
        """Called between two steps."""
        time.sleep(min(time.monotonic() - self._began, _LONGEST_PAUSE_SECONDS))
        self._began = time.monotonic()
