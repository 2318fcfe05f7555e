"""Instances and their runs: which there are, which may go on, and the moves between their states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from retrofill.domain.running.filters import ALL_INSTANCES, InstanceFilter

if TYPE_CHECKING:
    from retrofill.services.ports.records import EndOfRun, InstanceRecord, Outcome, RunRecord
    from retrofill.services.ports.start_filter import StartFilter


NO_INSTANCE = 255


class InstanceReader(Protocol):
    """Instances and their runs."""

    def find_instance(self, instance_id: int) -> InstanceRecord | None:
        """An instance of a visible backfill, or an auto triggered one."""
        ...

    def instances(self, ids: Iterable[int]) -> list[InstanceRecord]:
        """The instances of these ids that exist, by id."""
        ...

    def outcomes(self, ids: Iterable[int]) -> list[Outcome]:
        """What has become of the instances of these ids that exist, in no order."""
        ...

    def spans(
        self, resource_group: str, first_id: int, last_id: int, since_ms: int, limit: int
    ) -> list[tuple[int, int | None]]:
        """When runs of this range began and ended that held a slot of the group since then; None: they hold it now.

        Args:
            limit: of the runs; -1 for all.
        """
        ...

    def instance_range(
        self, first_id: int, last_id: int, asked: InstanceFilter = ALL_INSTANCES
    ) -> Iterator[InstanceRecord]:
        """Instances whose ids lie in the range, by id; read as they are asked for."""
        ...

    def first_and_last(self, first_id: int, last_id: int) -> tuple[int | None, int | None]:
        """When the first of the instances in this range started, and when the last one ended."""
        ...

    def states_between(self, first_id: int, last_id: int) -> bytearray:
        """A byte for each id in the range: the place of its state in `State`, or NO_INSTANCE."""
        ...

    def alike(self, first_id: int, last_id: int, asked: InstanceFilter) -> list[tuple[InstanceRecord, int]]:
        """Instances of the range that are judged alike, each sort by one of them, with how many there are.

        Alike are those of one task, kind and state that run the same version's code.
        """
        ...

    def has_isolated(self, first_id: int, last_id: int) -> bool:
        """Whether an isolated instance still waits in this range of ids."""
        ...

    def has_failed(self, first_id: int, last_id: int) -> bool:
        """Whether anything in this range failed, or was frozen when Failed, not because of a sibling (POL-7)."""
        ...

    def done_bizdates(self, task_id: int, first: str, last: str | None, limit: int) -> list[str]:
        """Up to `limit` bizdates of this range, ascending, on which the task has really run and is Successful.

        Costs what it gives, however many instances there are of a date.
        """
        ...

    def failures(self) -> dict[int, int]:
        """By backfill, or `SCHEDULE`, how many are Failed for a reason of their own; costs what failed."""
        ...

    def first_failed(self, backfill_id: int, limit: int) -> list[InstanceRecord]:
        """Of a backfill, or of `SCHEDULE`: what is Failed for a reason of its own, the first ones in time."""
        ...

    def due(self, now_ms: int, limit: int) -> list[InstanceRecord]:
        """Instances whose time has come, earliest first."""
        ...

    def open_of(self, ids: Iterable[int]) -> list[InstanceRecord]:
        """Of these instances, those that are Not run and wait for no other instance."""
        ...

    def candidates(self, resource_group: str, wanted: StartFilter, limit: int) -> list[InstanceRecord]:
        """Instances that only lack a slot of the group, in the order of RUN-1."""
        ...

    def passing(self, held: Sequence[int], auto: bool, limit: int) -> list[InstanceRecord]:
        """Instances that need no slot and whose turn has come (RUN-2); `auto`: auto triggered ones too."""
        ...

    def queues(self, held: Sequence[int] = (), auto: bool = True) -> list[tuple[str, str, int]]:
        """Resource group, state (waiting_resources or running), number of instances.

        Args:
            held: backfills of which nothing may start, so that nothing of them waits for resources (OPS-0).
            auto: whether auto triggered instances may.
        """
        ...

    def running(self) -> list[tuple[InstanceRecord, RunRecord]]:
        """Instances that run, each with its run."""
        ...

    def stopping(self) -> list[int]:
        """Running instances that somebody asked to stop."""
        ...

    def runs(self, instance_id: int) -> list[RunRecord]: ...

    def runs_between(self, first_id: int, last_id: int) -> list[RunRecord]:
        """Runs of instances whose ids lie in the range, by instance and number."""
        ...

    def open_runs(self) -> list[RunRecord]:
        """Runs that have not ended as far as the ledger knows."""
        ...


class InstanceWriter(Protocol):
    """Moves, each a compare-and-set; runs, each under its token."""

    def reserve_instance_ids(self, count: int) -> int:
        """The first of `count` instance ids that nobody else will get."""
        ...

    def add_instances(self, rows: Iterable[Sequence[object]]) -> None:
        """Records, or rows of `records.in_columns`; at most `MOST_ROWS` a transaction."""
        ...

    def delete_instances(self, first_id: int, last_id: int, limit: int) -> int:
        """Delete up to `limit` instances of a backfill that was never shown; how many went."""
        ...

    def wait_for_time(self, ids: Sequence[int]) -> None: ...

    def wait_for_resources(self, places: Sequence[tuple[int, int, str]]) -> None:
        """Make ready: (instance id, priority, resource group), as judged now (POL-10, POL-12)."""
        ...

    def place(self, places: Sequence[tuple[int, int, str]]) -> None:
        """Let ready instances queue elsewhere: (instance id, priority, resource group) (BF-3)."""
        ...

    def withdraw(self, ids: Sequence[int]) -> None:
        """Back to Not run, because a wait is open again."""
        ...

    def withdraw_date(self, backfill_id: int, first_id: int, last_id: int) -> None:
        """What waits in this range goes back to Not run, because its date has to wait."""
        ...

    def hold_back(self, instance_id: int) -> None:
        """Not run, because its backfill is held: so that it can be frozen (OPS-0, OPS-6)."""
        ...

    def start(
        self,
        rows: Sequence[tuple[int, int, str]],
        boot_id: str,
        at_ms: int,
        host: str | None = None,
        executor: str | None = None,
    ) -> None:
        """Start (instance id, run number, token): the commit of this is the start (OPS-0).

        Args:
            boot_id: of the machine where they live; empty while that is not known.
            host: where they live; None: on the one machine that has the store, or offered.
            executor: what offers them to other machines; None: they start where this one lives.
        """
        ...

    def pass_by(self, rows: Sequence[tuple[int, str | None]], at_ms: int) -> None:
        """Dry runs, off days and virtual tasks succeed: (instance id, reason) (RUN-2)."""
        ...

    def succeed(self, rows: Sequence[tuple[int, int]]) -> None:
        """(ended at, instance id)."""
        ...

    def fail(self, instance_id: int, reason: str, at_ms: int) -> None: ...

    def fail_siblings(self, ids: Sequence[int], at_ms: int) -> None: ...

    def restore(self, ids: Sequence[int]) -> None:
        """Failed with a sibling, now Not run again (POL-7)."""
        ...

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

    def end_runs(self, ends: Sequence[EndOfRun]) -> list[bool]:
        """Of each, whether that run was open under that token and is now ended."""
        ...

    def explain_run(self, instance_id: int, number: int, message: str) -> None:
        """Say of a run that has ended why it did."""
        ...

    def forget_run(self, instance_id: int, number: int, token: str) -> bool:
        """Remove a run that never started, so that its number can start under a new token."""
        ...
