"""What is let go of files on one host: logs by age and by size, journals of the dead, files of versions (RET-1, RET-2).

A row of short steps, as all of retention (`retention`): each may be the last, and the next job finds what is left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from retrofill.services.ports.custody import OldLog

if TYPE_CHECKING:
    from retrofill.services.ports.custody import AutoRun, Custody
    from retrofill.services.ports.retention import LaidOut, LogFile, LogFolder, RunName

KEEP_BYTES = 32 << 10  # of the beginning and of the end of a log that is cut
_FILES = 400  # looked at in one step


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


class Shelf(Protocol):
    """Logs, wherever they lie; both raise OSError where that cannot be reached."""

    def scan(self) -> Iterator[LogFile]:
        """All logs, in no order."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """By the names that `scan` gives."""
        ...


class FileKeeping:
    """One job over the files of one host.

    Args:
        now_ms: by the clock of the files.
        report: grows with each step.
        is_dry: only count.
    """

    def __init__(
        self,
        custody: Custody,
        folder: LogFolder,
        now_ms: int,
        report: Report,
        is_dry: bool = False,
        laid_out: LaidOut | None = None,
    ) -> None:
        self._custody = custody
        self._folder = folder
        self._now_ms = now_ms
        self._report = report
        self._is_dry = is_dry
        self._laid_out = laid_out

    def steps(
        self, since_ms: int, counted: Collection[RunName] = (), shelves: Iterable[Shelf] = ()
    ) -> Iterator[None]:
        """Do one short step each time that the next one is asked for.

        Args:
            since_ms: how long ago the job last went through.
            counted: runs whose logs a dry run has counted already.
            shelves: further logs that this host sees to, beside those of its folder.
        """
        yield from self._logs(self._folder, counted)
        yield from self._journals()
        yield from self._code()
        if self._custody.auto_log_cap():
            yield from self._cut_auto_logs(since_ms)
        for shelf in shelves:
            with suppress(OSError):  # what cannot be reached today may be tomorrow
                yield from self._logs(shelf, counted)

    # Age

    def _logs(self, shelf: Shelf, counted: Collection[RunName]) -> Iterator[None]:
        """Logs of runs that ended long enough ago, and files that no known run has made."""
        youngest_ms, files = self._custody.youngest_ms(), shelf.scan()
        while looked_at := list(islice(files, _FILES)):
            old = {
                file.name: file
                for file in looked_at
                if self._now_ms - file.modified_ms > youngest_ms and file.run not in counted
            }
            if old:
                self._remove_logs(shelf, old)
            yield

    def _remove_logs(self, shelf: Shelf, old: Mapping[str, LogFile]) -> None:
        asked = [OldLog(file.name, file.run, self._now_ms - file.modified_ms) for file in old.values()]
        ended, unknown = self._custody.let_go(asked)
        self._report.logs += len(ended)
        self._report.log_bytes += sum(old[name].bytes for name in ended)
        self._report.unknown_files += len(unknown)
        self._report.unknown_bytes += sum(old[name].bytes for name in unknown)
        if not self._is_dry:
            shelf.remove((*ended, *unknown))

    def _journals(self) -> Iterator[None]:
        for path, runs in self._folder.dead_journals():
            # Looked up after the journal was found unlocked: a run that it tells of is in the ledger
            # by now, and open as long as its end has not been taken from here.
            if not self._custody.open_runs() & set(runs):
                self._report.journals += 1
                if not self._is_dry:
                    self._folder.remove_journal(path)
            yield

    def _code(self) -> Iterator[None]:
        """Folders of files that versions include, for none of which a run is open (CAT-9)."""
        if self._laid_out is not None:
            removed = self._laid_out.remove_unneeded(self._custody.open_versions, self._is_dry)
            self._report.code_folders = removed
            yield

    # Size

    def _cut_auto_logs(self, since_ms: int) -> Iterator[None]:
        """RET-2, for the dates of which something has ended since the job went through."""
        dates = self._custody.auto_dates(since_ms)
        yield
        for bizdate in dates:
            runs = self._custody.auto_runs(bizdate)
            sizes: dict[RunName, int] = {}
            for start in range(0, len(runs), _FILES):
                sizes |= {one.run: self._folder.size(one.run) for one in runs[start : start + _FILES]}
                yield
            yield from self._cut_until_small(runs, sizes)

    def _cut_until_small(self, runs: list[AutoRun], sizes: Mapping[RunName, int]) -> Iterator[None]:
        total, cap = sum(sizes.values()), self._custody.auto_log_cap()
        for run, _ in sorted(runs, key=lambda one: (one.is_failed, -sizes[one.run])):
            if total <= cap:
                return
            if sizes[run] <= 2 * KEEP_BYTES:
                continue
            gone = sizes[run] - 2 * KEEP_BYTES
            if not self._is_dry:
                self._folder.shorten(run, KEEP_BYTES)
                gone = sizes[run] - self._folder.size(run)
                yield
            if gone > 0:
                total -= gone
                self._report.cut_logs += 1
                self._report.cut_bytes += gone
