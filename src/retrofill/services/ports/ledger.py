"""The ledger: what a tick, a command and a page read and write, in transactions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from retrofill.domain.running.filters import (
    ALL_BACKFILLS,
    ALL_INSTANCES,
    BackfillFilter,
    InstanceFilter,
    OperationFilter,
)
from retrofill.services.ports.start_filter import StartFilter

__all__ = ["Ledger", "Reader", "StartFilter"]

if TYPE_CHECKING:
    from retrofill.services.ports.clocks import ClockKeeper, ClockReader
    from retrofill.services.ports.generations import FrozenTasks, Generations
    from retrofill.services.ports.health import HealthReader
    from retrofill.services.ports.interventions import InterventionReader, Interventions
    from retrofill.services.ports.outbox import Outbox, OutboxReader
    from retrofill.services.ports.people import PeopleReader, PeopleTables
    from retrofill.services.ports.records import (
        BackfillRecord,
        DateRecord,
        InstanceRecord,
        OpenBackfill,
        OperationRecord,
        RunRecord,
    )
    from retrofill.services.ports.retention import RetentionReader, RetentionTables
    from retrofill.services.ports.run_times import TimesLedger, TimesReader
    from retrofill.services.ports.starts import FailedStarts, FailedStartsReader
    from retrofill.services.ports.versions import Versions, VersionsReader


class Reader(Protocol):
    """One consistent view of the ledger."""

    @property
    def people(self) -> PeopleReader: ...

    @property
    def interventions(self) -> InterventionReader: ...

    @property
    def outbox(self) -> OutboxReader: ...

    @property
    def times(self) -> TimesReader: ...

    @property
    def clock(self) -> ClockReader: ...

    @property
    def failed_starts(self) -> FailedStartsReader: ...

    @property
    def versions(self) -> VersionsReader: ...

    @property
    def generations(self) -> Generations: ...

    @property
    def frozen_tasks(self) -> FrozenTasks: ...

    @property
    def retention(self) -> RetentionReader: ...

    @property
    def health(self) -> HealthReader: ...

    def word(self) -> str:
        """The random word that names this store: tokens of runs begin with it (RUN-8)."""
        ...

    def others_commits(self) -> int:
        """A number that differs once anybody else has committed; one's own commits leave it as it is."""
        ...

    def current_version(self) -> tuple[int, str] | None:
        """Id and document of the deployed version."""
        ...

    def current_version_id(self) -> int | None: ...

    def version(self, version_id: int) -> str: ...

    def first_deployed_ms(self) -> int | None:
        """When the first version was deployed."""
        ...

    def task_ids(self) -> dict[str, int]:
        """Ids by full name, of every task that was ever deployed."""
        ...

    def workspace_ids(self) -> dict[str, int]: ...

    def task_name(self, task_id: int) -> str | None: ...

    def find_backfill(self, backfill_id: int) -> BackfillRecord | None:
        """A backfill that is visible, that is: wholly created."""
        ...

    def open_backfills(self) -> list[OpenBackfill]:
        """Backfills that have not ended, those being created among them, and all that are held."""
        ...

    def in_phase(self, phase: str) -> list[BackfillRecord]:
        """All backfills in one phase; `creating`, `checking`: a crash may have left them."""
        ...

    def backfills(
        self, asked: BackfillFilter = ALL_BACKFILLS, before: int | None = None, limit: int = 50
    ) -> list[BackfillRecord]:
        """A page of backfills, newest first (BF-1).

        Args:
            before: only those with a smaller id; the last one's id asks for the next page.
        """
        ...

    def owed_places(self) -> list[tuple[int, int]]:
        """Backfills of which ready instances have still to move, each with the moment of the change (BF-3)."""
        ...

    def dates(self, backfill_id: int) -> list[DateRecord]: ...

    def is_reached(self, backfill_id: int, position: int) -> bool:
        """Whether the date's group has come to it."""
        ...

    def progress(self, backfill_id: int) -> tuple[int, int, int, int, int]:
        """Sums of total, successful, failed, running, frozen."""
        ...

    def waiting(self, backfill_id: int) -> tuple[int, int]:
        """How many instances wait for resources and for time; costs what waits, not what exists."""
        ...

    def has_waiting(self, backfill_id: int) -> tuple[bool, bool]:
        """Whether anything waits for resources, and for time."""
        ...

    def is_waiting_between(self, backfill_id: int, first_id: int, last_id: int) -> bool:
        """Whether an instance of the backfill with an id in this range waits for resources or time."""
        ...

    def has_isolated(self, first_id: int, last_id: int) -> bool:
        """Whether an isolated instance still waits in this range of ids."""
        ...

    def has_failed(self, first_id: int, last_id: int) -> bool:
        """Whether anything in this range failed, or was frozen when Failed, not because of a sibling (POL-7)."""
        ...

    def find_instance(self, instance_id: int) -> InstanceRecord | None:
        """An instance of a visible backfill, or an auto triggered one."""
        ...

    def instances(self, ids: Iterable[int]) -> list[InstanceRecord]:
        """The instances of these ids that exist, by id."""
        ...

    def instance_range(
        self, first_id: int, last_id: int, asked: InstanceFilter = ALL_INSTANCES
    ) -> Iterator[InstanceRecord]:
        """Instances whose ids lie in the range, by id; read as they are asked for."""
        ...

    def passing(self, held: Sequence[int], auto: bool, limit: int) -> list[InstanceRecord]:
        """Instances that need no slot and whose turn has come (RUN-2); `auto`: auto triggered ones too."""
        ...

    def running(self) -> list[tuple[InstanceRecord, RunRecord]]:
        """Instances that run, each with its run."""
        ...

    def stopping(self) -> list[int]:
        """Running instances that somebody asked to stop."""
        ...

    def next_start(self) -> int | None:
        """The earliest moment for which an instance waits."""
        ...

    def candidates(self, resource_group: str, wanted: StartFilter, limit: int) -> list[InstanceRecord]:
        """Instances that only lack a slot of the group, in the order of RUN-1."""
        ...

    def queues(self, held: Sequence[int] = (), auto: bool = True) -> list[tuple[str, str, int]]:
        """Resource group, state (waiting_resources or running), number of instances.

        Args:
            held: backfills of which nothing may start, so that nothing of them waits for resources (OPS-0).
            auto: whether auto triggered instances may.
        """
        ...

    def runs(self, instance_id: int) -> list[RunRecord]: ...

    def done_bizdates(self, task_id: int, first: str, last: str | None, limit: int) -> list[str]:
        """Up to `limit` bizdates of this range, ascending, on which the task has really run and is Successful.

        Costs what it gives, however many instances there are of a date.
        """
        ...

    def open_runs(self) -> list[RunRecord]:
        """Runs that have not ended as far as the ledger knows."""
        ...

    def operations(self, column: str, value: int) -> list[OperationRecord]:
        """The record of an instance (`instance_id`), a backfill (`backfill_id`) or a task, oldest first."""
        ...

    def latest_operations(
        self, asked: OperationFilter, before: int | None, limit: int
    ) -> list[OperationRecord]:
        """A page of the record, newest first; `before` as in `backfills`."""
        ...


class Ledger(Reader, Protocol):
    """A write transaction: compare-and-set moves, counters, records; reads see its own writes."""

    @property
    def people(self) -> PeopleTables: ...

    @property
    def interventions(self) -> Interventions: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def times(self) -> TimesLedger: ...

    @property
    def clock(self) -> ClockKeeper: ...

    @property
    def failed_starts(self) -> FailedStarts: ...

    @property
    def versions(self) -> Versions: ...

    @property
    def retention(self) -> RetentionTables: ...

    def add_version(
        self,
        document: str,
        at_ms: int,
        user: str,
        task_count: int | None = None,
        published_from: int | None = None,
    ) -> int: ...

    def set_deployed(self, table: str, names: Iterable[str]) -> None:
        """Note which tasks or workspaces the current version has; new names get an id (CAT-3)."""
        ...

    def reserve_instance_ids(self, count: int) -> int:
        """The first of `count` instance ids that nobody else will get."""
        ...

    def add_backfill(self, record: BackfillRecord, task_ids: Iterable[int]) -> int:
        """Insert with an id that none has had before, whatever `record.id` says (CAT-3)."""
        ...

    def add_instances(self, rows: Iterable[Sequence[object]]) -> None:
        """Records, or rows of `records.in_columns`; at most `MOST_ROWS` a transaction."""
        ...

    def add_dates(self, rows: Iterable[DateRecord]) -> None: ...

    def set_backfill(self, backfill_id: int, **columns: object) -> None:
        """Set columns of a backfill; the names are fields of BackfillRecord."""
        ...

    def add_failures(self, backfill_id: int, count: int) -> int:
        """Note that more instances have failed for good; how many since the start or the last resume (POL-14)."""
        ...

    def set_tasks(self, backfill_id: int, task_ids: Iterable[int]) -> None:
        """Note anew which tasks take part."""
        ...

    def delete_instances(self, first_id: int, last_id: int, limit: int) -> int:
        """Delete up to `limit` instances of a backfill that was never shown; how many went."""
        ...

    def delete_half_created(self, backfill_id: int, back_to: str | None = None) -> None:
        """Remove the rest of a backfill without instances, or let it go back to an earlier phase."""
        ...

    def wait_for_time(self, ids: Sequence[int]) -> None: ...

    def wait_for_resources(self, places: Sequence[tuple[int, int, str]]) -> None:
        """Make ready: (instance id, priority, resource group), as judged now (POL-10, POL-12)."""
        ...

    def place(self, places: Sequence[tuple[int, int, str]]) -> None:
        """Let ready instances queue elsewhere: (instance id, priority, resource group) (BF-3)."""
        ...

    def owe_places(self, backfill_id: int, at_ms: int) -> None:
        """Ready instances have still to move to where they queue since a change; `place` does it (BF-3)."""
        ...

    def settle_places(self, backfill_id: int, at_ms: int) -> None:
        """All have moved, unless there was another change since."""
        ...

    def set_groups(self, backfill_id: int, numbers: Mapping[int, int]) -> None:
        """Group numbers of dates, by position (BF-3)."""
        ...

    def withdraw(self, ids: Sequence[int]) -> None:
        """Back to Not run, because a wait is open again."""
        ...

    def unreach(self, backfill_id: int, positions: Sequence[int]) -> list[int]:
        """Let dates wait for their turn again; those of them that groups had come to (OPS-3)."""
        ...

    def withdraw_date(self, backfill_id: int, first_id: int, last_id: int) -> None:
        """What waits in this range goes back to Not run, because its date has to wait."""
        ...

    def hold_back(self, instance_id: int) -> None:
        """Not run, because its backfill is held: so that it can be frozen (OPS-0, OPS-6)."""
        ...

    def start(self, rows: Sequence[tuple[int, int, str]], boot_id: str, at_ms: int) -> None:
        """Start (instance id, run number, token): the commit of this is the start (OPS-0)."""
        ...

    def end_run(
        self,
        instance_id: int,
        number: int,
        token: str,
        ended_ms: int,
        outcome: str,
        exit_code: int | None,
        message: str | None,
    ) -> bool:
        """Whether this run was open under this token and is now ended."""
        ...

    def explain_run(self, instance_id: int, number: int, message: str) -> None:
        """Say of a run that has ended why it did."""
        ...

    def forget_run(self, instance_id: int, number: int, token: str) -> bool:
        """Remove a run that never started, so that its number can start under a new token."""
        ...

    def succeed(self, rows: Sequence[tuple[int, int]]) -> None:
        """(ended at, instance id)."""
        ...

    def pass_by(self, rows: Sequence[tuple[int, str | None]], at_ms: int) -> None:
        """Dry runs, off days and virtual tasks succeed: (instance id, reason) (RUN-2)."""
        ...

    def fail(self, instance_id: int, reason: str, at_ms: int) -> None: ...

    def rerun_by_itself(self, instance_id: int, start_ms: int, at_ms: int) -> None:
        """Back to Not run with the next run number, not to start before `start_ms` (RUN-3)."""
        ...

    def start_later(self, instance_id: int, start_ms: int) -> None:
        """What could not be started: Not run again under the same number, not before `start_ms` (RUN-3)."""
        ...

    def mark_stopping(self, instance_id: int) -> bool: ...

    def mark_yielding(self, instance_id: int) -> bool:
        """Let a running backfill instance make way for an auto triggered one (RUN-5)."""
        ...

    def yield_to_auto(self, instance_id: int, at_ms: int) -> None:
        """Not run again with the next run number, because it has made way (RUN-5)."""
        ...

    def fail_siblings(self, ids: Sequence[int], at_ms: int) -> None: ...

    def restore(self, ids: Sequence[int]) -> None:
        """Failed with a sibling, now Not run again (POL-7)."""
        ...

    def rerun(self, rows: Sequence[tuple[int, int, bool]]) -> None:
        """(instance id, next run number, ignore waits) back to Not run (OPS-2, OPS-3)."""
        ...

    def set_code_version(self, instance_id: int, version_id: int) -> None:
        """Let an instance run the code of another version than it was made from (OPS-2)."""
        ...

    def set_successful(self, instance_id: int, at_ms: int) -> None: ...

    def freeze(self, instance_id: int) -> None: ...

    def unfreeze(self, instance_id: int, kind: str, resource_group: str) -> None:
        """Back to the state that it was frozen from, as what it is when it is not frozen."""
        ...

    def add_waits(self, rows: Sequence[tuple[int, int]]) -> None:
        """Change counters of open waits: (difference, instance id)."""
        ...

    def count(self, backfill_id: int, position: int, changes: Sequence[int]) -> DateRecord:
        """Add to a date's counters (successful, failed, running, frozen); the row as it is now."""
        ...

    def count_many(self, backfill_id: int, changes: Mapping[int, Sequence[int]]) -> None:
        """Add to the counters of dates, by position."""
        ...

    def reach(self, backfill_id: int, position: int) -> bool:
        """Let a group come to a date; False where it already had."""
        ...

    def open_of(self, ids: Iterable[int]) -> list[InstanceRecord]:
        """Of these instances, those that are Not run and wait for no other instance."""
        ...

    def due(self, now_ms: int, limit: int) -> list[InstanceRecord]:
        """Instances whose time has come, earliest first."""
        ...

    def record(
        self,
        at_ms: int,
        user: str,
        action: str,
        backfill_id: int | None = None,
        instance_id: int | None = None,
        from_state: str | None = None,
        to_state: str | None = None,
        comment: str = "",
        task_id: int | None = None,
    ) -> None:
        """Note who did what to what (OPS-8)."""
        ...

    def record_many(self, rows: Iterable[Sequence[object]]) -> None:
        """`record`, for many: rows of what it takes, in its order."""
        ...
