"""What retention asks of the ledger and of the folder of logs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

RunName = tuple[int, int, str]  # instance id, run number, token


class Expired(NamedTuple):
    """A backfill that may go, and where its instances lie; `last_id` < `first_id`: it has none."""

    id: int
    first_id: int
    last_id: int


class Part(NamedTuple):
    """Instances that are deleted in one transaction, with all that belongs to them."""

    ids: list[int]
    runs: list[RunName]
    operations: int


class EndedRun(NamedTuple):
    """A run whose log may be cut or removed."""

    instance_id: int
    number: int
    token: str
    ended_ms: int | None
    resource_group: str
    state: str  # of the instance
    host: str | None = None  # where it lives

    @property
    def name(self) -> RunName:
        return self.instance_id, self.number, self.token


class RetentionReader(Protocol):
    """What may go."""

    def last_run_ms(self) -> int | None:
        """When the job was last begun and went through."""
        ...

    def expired_backfills(self, before_ms: int) -> list[Expired]:
        """Backfills that have ended and whose last change lies before (RET-1)."""
        ...

    def half_deleted(self) -> list[Expired]:
        """Backfills whose deletion has begun."""
        ...

    def part_of(self, expired: Expired, after: int = 0) -> Part:
        """The first instances of a backfill beyond an id; none when all have gone."""
        ...

    def part_of_auto(self, before_ms: int, before_date: str, after: tuple[str, int] = ("", 0)) -> Part:
        """Auto triggered instances whose last change lies before, by bizdate and id, beyond one of them.

        Args:
            before_date: bizdates from here on are not looked at.
        """
        ...

    def part_with(self, ids: list[int]) -> Part:
        """These instances with what belongs to them."""
        ...

    def bizdate(self, instance_id: int) -> str: ...

    def runs_named(self, names: Iterable[RunName]) -> list[EndedRun]:
        """Those of these runs that the ledger knows, ended or not."""
        ...

    def auto_dates(self, since_ms: int) -> list[str]:
        """Bizdates of auto triggered instances that have ended since."""
        ...

    def auto_runs(self, bizdate: str, host: str | None = None) -> list[EndedRun]:
        """Ended runs of the date's finished auto triggered instances that have a log; of one host, if it is named."""
        ...


class RetentionTables(RetentionReader, Protocol):
    """Letting it go, at most 5,000 rows a transaction."""

    def note_run(self, at_ms: int) -> None: ...

    def hide(self, backfill_id: int, before_ms: int) -> bool:
        """Begin to delete a backfill, if it still may go: nobody finds it from now on."""
        ...

    def delete_instances(self, ids: Sequence[int]) -> None:
        """With runs, operations and whatever else refers to them."""
        ...

    def delete_generations(self, before_date: str) -> None:
        """Those of earlier bizdates without instances, except the newest night."""
        ...

    def delete_rest(self, backfill_id: int) -> int:
        """Up to 5,000 rows that belong to a backfill without instances, in the end itself; how many went."""
        ...

    def note_removed_logs(self, runs: Iterable[RunName], at_ms: int) -> None: ...


class LogFile(NamedTuple):
    """A file of the folder of logs. `run` is None for one that no run has made."""

    name: str
    run: RunName | None
    modified_ms: int
    bytes: int


class LogPiece(NamedTuple):
    """Data of a log at an offset; without an offset, after all data of the log, the log as a whole."""

    name: str  # of the file
    offset: int | None
    data: Iterable[bytes]
    size: int = 0
    mode: int = 0
    mtime_ns: int = 0


class LaidOut(Protocol):
    """The folders with the files that versions include (CAT-9)."""

    def remove_unneeded(self, needed: Callable[[], Collection[int]], is_dry: bool = False) -> int:
        """Remove those of versions that no run needs; of how many versions.

        Args:
            needed: versions of the runs that are open now; asked while nobody can lay out anything.
        """
        ...


class LogFolder(Protocol):
    """The logs of all runs, and what else supervisors leave behind."""

    def scan(self) -> Iterator[LogFile]:
        """All logs, in no order; looks at each when it is asked for."""
        ...

    def size(self, run: RunName) -> int:
        """Bytes that a log holds, without what was cut out; 0 where there is none."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """By the names that `scan` gives."""
        ...

    def remove_of(self, runs: Iterable[RunName]) -> tuple[int, int]:
        """How many there were, and their bytes."""
        ...

    def shorten(self, run: RunName, keep_bytes: int) -> None:
        """Keep only the first and the last bytes of a log, with a gap between (RET-2)."""
        ...

    def dead_journals(self) -> Iterator[tuple[str, Collection[RunName]]]:
        """Journals of supervisors that have ended: path, and the runs that it tells of."""
        ...

    def remove_journal(self, path: str) -> None: ...

    def tidy(self, before_seconds: float) -> None:
        """Bound what supervisors say about themselves, and forget wishes that nobody saw before that instant."""
        ...
