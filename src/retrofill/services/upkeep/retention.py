"""What is let go of by age and by size: backfills, instances, logs (RET-1, RET-2).

The job is a row of short steps, each a transaction of at most 5,000 rows or a look at a few
hundred files, so that it can run between the ticks of a scheduler. Each step may be the last:
what a crash leaves undone the next job finds again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from retrofill.domain.running.states import State
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.upkeep.clocks import check_before_deleting

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.services.ports import Clock, Reader, Store
    from retrofill.services.ports.retention import (
        EndedRun,
        Expired,
        LaidOut,
        LogFile,
        LogFolder,
        Part,
        RunName,
    )

DAY_MS = 24 * 60 * 60 * 1000
KEEP_BYTES = 32 << 10  # of the beginning and of the end of a log that is cut
_LONGEST_PAUSE_SECONDS = 0.05
_FILES = 400  # looked at in one step
_ZONES_DAYS = 2  # a bizdate ends this much later at most, wherever it is
_LONGEST_KEPT = "exclusive"  # what a group that is deployed no longer counts as


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that say what may go."""

    retention_days: int
    log_days: Mapping[str, int]  # by type of resource group
    auto_log_cap: int  # bytes, 0 for none


@dataclass(slots=True)
class Report:
    """What went, or would go; `cut_bytes` are those that were cut out of logs."""

    backfills: int = 0
    instances: int = 0
    runs: int = 0
    operations: int = 0
    logs: int = 0
    log_bytes: int = 0
    unknown_files: int = 0
    unknown_bytes: int = 0
    journals: int = 0
    drafts: int = 0  # of forms
    code_folders: int = 0  # of versions, with the files that they include
    cut_logs: int = 0
    cut_bytes: int = 0

    def row(self) -> dict[str, int]:
        return asdict(self)


class Retention:
    """One job over one store; `report` grows with its steps.

    Args:
        is_dry: only count.
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
    ) -> None:
        self._laid_out = laid_out
        self._store = store
        self._folder = folder
        self._graphs = graphs
        self._rules = rules
        self._is_dry = is_dry
        self._now_ms = clock.now_ms()
        self._before_ms = self._now_ms - rules.retention_days * DAY_MS
        self._counted: set[RunName] = set()  # dry: their logs are still there when files are looked at
        self.report = Report()

    def steps(self) -> Iterator[None]:
        """Do one short step each time that the next one is asked for.

        Raises:
            ClockDoubtedError: what is old cannot be told (TIME-8).
        """
        if not self._is_dry:
            with self._store.transaction() as tx:
                check = tx.clock.keep(self._now_ms)
            check_before_deleting(check, self._rules.retention_days)
        yield from self._backfills()
        yield from self._auto()
        self._drafts()
        yield
        yield from self._logs()
        yield from self._journals()
        yield from self._code()
        if self._rules.auto_log_cap:
            yield from self._cut_auto_logs()
        if not self._is_dry:
            self._folder.tidy((self._now_ms - DAY_MS) / 1000)
            with self._store.transaction() as tx:
                tx.retention.note_run(self._now_ms)

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

    # Files

    def _logs(self) -> Iterator[None]:
        """Logs of runs that ended long enough ago, and files that no known run has made."""
        days = self._rules.log_days.values()
        newest_ms = self._now_ms - min(days) * DAY_MS
        unknown_ms = self._now_ms - max(days) * DAY_MS
        files = self._folder.scan()
        while looked_at := list(islice(files, _FILES)):
            old = [f for f in looked_at if f.modified_ms < newest_ms and f.run not in self._counted]
            if old:
                self._remove_logs(old, unknown_ms)
            yield

    def _remove_logs(self, files: list[LogFile], unknown_ms: int) -> None:
        with self._store.read() as reader:
            catalog = self._graphs.current(reader)
            names = [file.run for file in files if file.run is not None]
            known = {run.name: run for run in reader.retention.runs_named(names)}
        ended = [f for f in files if f.run in known and self._log_may_go(known[f.run], catalog)]
        unknown = [file for file in files if file.run not in known and file.modified_ms < unknown_ms]
        self.report.logs += len(ended)
        self.report.log_bytes += sum(file.bytes for file in ended)
        self.report.unknown_files += len(unknown)
        self.report.unknown_bytes += sum(file.bytes for file in unknown)
        if self._is_dry or not (ended or unknown):
            return
        if ended:
            with self._store.transaction() as tx:
                tx.retention.note_removed_logs([f.run for f in ended if f.run is not None], self._now_ms)
        self._folder.remove(file.name for file in (*ended, *unknown))

    def _log_may_go(self, run: EndedRun, catalog: Catalog | None) -> bool:
        group = None if catalog is None else catalog.resource_groups.get(run.resource_group)
        days = self._rules.log_days[_LONGEST_KEPT if group is None else group.type]
        return run.ended_ms is not None and run.ended_ms < self._now_ms - days * DAY_MS

    def _journals(self) -> Iterator[None]:
        for path, runs in self._folder.dead_journals():
            # Looked up after the journal was found unlocked: a run that it tells of is in the ledger
            # by now, and open as long as its end has not been taken from here.
            with self._store.read() as reader:
                is_needed = any(
                    (run.instance_id, run.number, run.token) in runs for run in reader.open_runs()
                )
            if not is_needed:
                self.report.journals += 1
                if not self._is_dry:
                    self._folder.remove_journal(path)
            yield

    def _code(self) -> Iterator[None]:
        """Folders of files that versions include, for none of which a run is open (CAT-9)."""
        if self._laid_out is not None:
            self.report.code_folders = self._laid_out.remove_unneeded(self._open_versions, self._is_dry)
            yield

    def _open_versions(self) -> set[int]:
        with self._store.read() as reader:
            rows = reader.instances([run.instance_id for run in reader.open_runs()])
            return {row.code_version_id or self._graphs.of(reader, row).version_id(row.id) for row in rows}

    # Size

    def _cut_auto_logs(self) -> Iterator[None]:
        """RET-2, for the dates of which something has ended since the job went through."""
        with self._store.read() as reader:
            dates = reader.retention.auto_dates(reader.retention.last_run_ms() or 0)
        yield
        for bizdate in dates:
            with self._store.read() as reader:
                runs = reader.retention.auto_runs(bizdate)
            sizes: dict[RunName, int] = {}
            for start in range(0, len(runs), _FILES):
                sizes |= {run.name: self._folder.size(run.name) for run in runs[start : start + _FILES]}
                yield
            yield from self._cut_until_small(runs, sizes)

    def _cut_until_small(self, runs: list[EndedRun], sizes: Mapping[RunName, int]) -> Iterator[None]:
        total = sum(sizes.values())
        for run in sorted(runs, key=lambda run: (run.state == "failed", -sizes[run.name])):
            if total <= self._rules.auto_log_cap:
                return
            if sizes[run.name] <= 2 * KEEP_BYTES:
                continue
            gone = sizes[run.name] - 2 * KEEP_BYTES
            if not self._is_dry:
                self._folder.shorten(run.name, KEEP_BYTES)
                gone = sizes[run.name] - self._folder.size(run.name)
                yield
            if gone > 0:
                total -= gone
                self.report.cut_logs += 1
                self.report.cut_bytes += gone


class Pacing:
    """Leaves others as much time between steps as each step took."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def pause(self) -> None:
        """Called between two steps."""
        time.sleep(min(time.monotonic() - self._began, _LONGEST_PAUSE_SECONDS))
        self._began = time.monotonic()
