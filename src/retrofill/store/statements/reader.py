"""What is read from the ledger: plain SQL with bound values, one method per question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.domain.running.filters import ALL_BACKFILLS, ALL_INSTANCES
from retrofill.services.ports.records import (
    BackfillRecord,
    DateRecord,
    InstanceRecord,
    OpenBackfill,
    OperationRecord,
    RunRecord,
)
from retrofill.services.ports.start_filter import StartFilter
from retrofill.store import filters
from retrofill.store.statements import counters
from retrofill.store.statements.clock import BootClock, ClockReader, boot_clock
from retrofill.store.statements.generations import FrozenTasks, Generations
from retrofill.store.statements.health import Health
from retrofill.store.statements.interventions import InterventionReader
from retrofill.store.statements.outbox import OutboxReader
from retrofill.store.statements.people import PeopleReader
from retrofill.store.statements.run_times import TimesReader
from retrofill.store.statements.starts import FailedStarts
from retrofill.store.statements.versions import VersionsReader

if TYPE_CHECKING:
    from retrofill.domain.running.filters import BackfillFilter, InstanceFilter, OperationFilter
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.retention import RetentionReader

_BACKFILL = ", ".join(BackfillRecord._fields)
_EVER = "9999"  # sorts after every bizdate
_NEXT_DONE = (
    "SELECT min(bizdate) FROM instance INDEXED BY instance_done "
    "WHERE state = 'successful' AND kind = 'run' AND task_id = ? AND bizdate {0} AND bizdate <= ?"
)
_DONE = (
    f"WITH RECURSIVE done (bizdate) AS ({_NEXT_DONE.format('>= ?')} UNION ALL "
    f"SELECT ({_NEXT_DONE.format('> done.bizdate')}) FROM done WHERE done.bizdate IS NOT NULL) "
    "SELECT bizdate FROM done WHERE bizdate IS NOT NULL LIMIT ?"
)
_OPEN = ", ".join(OpenBackfill._fields)
_DATE = ", ".join(DateRecord._fields)
_SUMS = ", ".join(
    f"CAST(coalesce(sum({name}), 0) AS BIGINT)"  # PostgreSQL adds up to numbers without a bound
    for name in ("total", "successful", "failed", "running", "frozen")
)
_INSTANCE = ", ".join(InstanceRecord._fields)
_READY = f"SELECT {_INSTANCE} FROM instance INDEXED BY instance_ready WHERE state = 'waiting_resources'"
_INSTANCE_I = ", ".join(f"i.{name}" for name in InstanceRecord._fields)
_RUN = ", ".join(RunRecord._fields)
_OPERATION = ", ".join(f'"{name}"' for name in OperationRecord._fields)
# One that was planned stays visible while its instances are made.
_VISIBLE = "(phase NOT IN ('creating', 'expired') OR start_ms IS NOT NULL)"

# Instances of a backfill that is being made or removed are nobody's business yet, or any more.
VISIBLE = "AND (backfill_id IS NULL OR EXISTS (SELECT 1 FROM backfill b WHERE b.id = backfill_id AND b.phase = 'active'))"


class Reader:
    """One consistent view of the ledger.

    Args:
        others: how much other threads have committed through the same connection.
    """

    def __init__(self, connection: Connection, boot_clock: BootClock = boot_clock, others: int = 0) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._boot_clock = boot_clock
        self._others = others

    @property
    def people(self) -> PeopleReader:
        return PeopleReader(self._connection)

    @property
    def interventions(self) -> InterventionReader:
        return InterventionReader(self._connection)

    @property
    def outbox(self) -> OutboxReader:
        return OutboxReader(self._connection)

    @property
    def times(self) -> TimesReader:
        """Run times by task."""
        return TimesReader(self._connection)

    @property
    def clock(self) -> ClockReader:
        return ClockReader(self._connection, self._boot_clock)

    @property
    def versions(self) -> VersionsReader:
        return VersionsReader(self._connection)

    @property
    def failed_starts(self) -> FailedStarts:
        """What could not be started."""
        return FailedStarts(self._connection)

    @cached_property
    def generations(self) -> Generations:
        return Generations(self._connection)

    @cached_property
    def frozen_tasks(self) -> FrozenTasks:
        return FrozenTasks(self._connection)

    @property
    def health(self) -> Health:
        return Health(self._connection)

    @property
    def retention(self) -> RetentionReader:
        from retrofill.store.statements.retention import RetentionReader

        return RetentionReader(self._connection)

    def word(self) -> str:
        """The random word that names this store."""
        row = self._execute("SELECT word FROM identity").fetchone()
        return str(row[0]) if row else ""

    def others_commits(self) -> int:
        """A number that differs once another connection has committed, or another thread through this one."""
        return self._connection.others_commits() + self._others

    # Catalog

    def current_version(self) -> tuple[int, str] | None:
        """Id and document of the deployed version."""
        row = self._execute("SELECT id, document FROM catalog_version ORDER BY id DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else None

    def current_version_id(self) -> int | None:
        row = self._execute("SELECT max(id) FROM catalog_version").fetchone()
        return None if row[0] is None else int(row[0])

    def version(self, version_id: int) -> str:
        row = self._execute("SELECT document FROM catalog_version WHERE id = ?", (version_id,)).fetchone()
        return str(row[0])

    def first_deployed_ms(self) -> int | None:
        """When the first version was deployed."""
        row = self._execute("SELECT created_ms FROM catalog_version ORDER BY id LIMIT 1").fetchone()
        return row[0] if row else None

    def task_ids(self) -> dict[str, int]:
        """Ids by full name, of every task that was ever deployed."""
        return dict(self._execute("SELECT name, id FROM task"))

    def workspace_ids(self) -> dict[str, int]:
        return dict(self._execute("SELECT name, id FROM workspace"))

    def task_name(self, task_id: int) -> str | None:
        row = self._execute("SELECT name FROM task WHERE id = ?", (task_id,)).fetchone()
        return row[0] if row else None

    # Backfills

    def find_backfill(self, backfill_id: int) -> BackfillRecord | None:
        """A backfill that is visible, that is: wholly created."""
        row = self._execute(
            f"SELECT {_BACKFILL} FROM backfill WHERE id = ? AND {_VISIBLE}", (backfill_id,)
        ).fetchone()
        return BackfillRecord(*row) if row else None

    def open_backfills(self) -> list[OpenBackfill]:
        """Backfills that have not ended, those being created among them, and all that are held."""
        rows = self._execute(
            f"SELECT {_OPEN} FROM backfill WHERE id IN ("
            "SELECT id FROM backfill INDEXED BY backfill_open WHERE ended_ms IS NULL "
            "UNION SELECT id FROM backfill INDEXED BY backfill_held WHERE paused = 1 OR stopped = 1) ORDER BY id"
        )
        return [OpenBackfill(*row) for row in rows]

    def in_phase(self, phase: str) -> list[BackfillRecord]:
        """All backfills in one phase; `creating`, `checking`: a crash may have left them."""
        rows = self._execute(
            f"SELECT {_BACKFILL} FROM backfill WHERE phase = ?",
            (phase,),
        )
        return [BackfillRecord(*row) for row in rows]

    def backfills(
        self, asked: BackfillFilter = ALL_BACKFILLS, before: int | None = None, limit: int = 50
    ) -> list[BackfillRecord]:
        """A page of backfills, newest first (BF-1)."""
        older: list[filters.Condition] = [] if before is None else [("id < ?", [before])]
        text, bound = filters.where((_VISIBLE, []), *filters.of_backfills(asked), *older)
        rows = self._execute(
            f"SELECT {_BACKFILL} FROM backfill WHERE {text} ORDER BY id DESC LIMIT ?", [*bound, limit]
        )
        return [BackfillRecord(*row) for row in rows]

    def owed_places(self) -> list[tuple[int, int]]:
        """Backfills of which ready instances have still to move, each with the moment of the change (BF-3)."""
        return counters.owed_places(self._connection)

    def dates(self, backfill_id: int) -> list[DateRecord]:
        rows = self._execute(
            f"SELECT {_DATE} FROM backfill_date WHERE backfill_id = ? ORDER BY position", (backfill_id,)
        )
        return [DateRecord(*row) for row in rows]

    def is_reached(self, backfill_id: int, position: int) -> bool:
        """Whether the date's group has come to it."""
        row = self._execute(
            "SELECT reached FROM backfill_date WHERE backfill_id = ? AND position = ?",
            (backfill_id, position),
        ).fetchone()
        return bool(row[0])

    def progress(self, backfill_id: int) -> tuple[int, int, int, int, int]:
        """Sums of total, successful, failed, running, frozen."""
        row = self._execute(
            f"SELECT {_SUMS} FROM backfill_date WHERE backfill_id = ?",
            (backfill_id,),
        ).fetchone()
        return row[0], row[1], row[2], row[3], row[4]

    def waiting(self, backfill_id: int) -> tuple[int, int]:
        """How many instances wait for resources and for time; costs what waits in this backfill."""
        resources = self._execute(
            "SELECT count(*) FROM instance INDEXED BY instance_ready_of "
            "WHERE state = 'waiting_resources' AND backfill_id = ?",
            (backfill_id,),
        ).fetchone()
        time = self._execute(
            "SELECT count(*) FROM instance INDEXED BY instance_due_of WHERE state = 'waiting_time' AND backfill_id = ?",
            (backfill_id,),
        ).fetchone()
        return resources[0], time[0]

    def has_waiting(self, backfill_id: int) -> tuple[bool, bool]:
        """Whether anything waits for resources, and for time."""
        return tuple(  # type: ignore[return-value]
            self._execute(
                f"SELECT 1 FROM instance INDEXED BY {index} WHERE state = '{state}' AND backfill_id = ? LIMIT 1",
                (backfill_id,),
            ).fetchone()
            is not None
            for index, state in (
                ("instance_ready_of", "waiting_resources"),
                ("instance_due_of", "waiting_time"),
            )
        )

    def is_waiting_between(self, backfill_id: int, first_id: int, last_id: int) -> bool:
        """Whether an instance of the backfill with an id in this range waits for resources or time."""
        return any(
            self._execute(
                f"SELECT 1 FROM instance INDEXED BY {index} WHERE state = '{state}' AND backfill_id = ? "
                "AND id BETWEEN ? AND ? LIMIT 1",
                (backfill_id, first_id, last_id),
            ).fetchone()
            for index, state in (
                ("instance_ready_of", "waiting_resources"),
                ("instance_due_of", "waiting_time"),
            )
        )

    def has_isolated(self, first_id: int, last_id: int) -> bool:
        """Whether an isolated instance still waits in this range of ids."""
        row = self._execute(
            "SELECT 1 FROM instance WHERE id BETWEEN ? AND ? AND reason = 'isolated' AND state = 'not_run' LIMIT 1",
            (first_id, last_id),
        ).fetchone()
        return row is not None

    def has_failed(self, first_id: int, last_id: int) -> bool:
        """Whether anything in this range failed, or was frozen when Failed, not because of a sibling (POL-7)."""
        row = self._execute(
            "SELECT 1 FROM instance WHERE id BETWEEN ? AND ? AND (state = 'failed' OR frozen_from = 'failed') "
            "AND coalesce(reason, '') <> 'sibling_failed' LIMIT 1",
            (first_id, last_id),
        ).fetchone()
        return row is not None

    # Instances

    def find_instance(self, instance_id: int) -> InstanceRecord | None:
        """An instance of a visible backfill, or an auto triggered one."""
        row = self._execute(
            f"SELECT {_INSTANCE_I} FROM instance i LEFT JOIN backfill b ON b.id = i.backfill_id "
            "WHERE i.id = ? AND (b.phase = 'active' OR (i.backfill_id IS NULL AND NOT EXISTS ("
            "SELECT 1 FROM generation g INDEXED BY generation_unfinished WHERE g.phase <> 'active' "
            "AND g.phase = 'creating' AND i.id BETWEEN g.first_instance_id AND g.first_instance_id + g.stride - 1)))",
            (instance_id,),
        ).fetchone()
        return InstanceRecord(*row) if row else None

    def instances(self, ids: Iterable[int]) -> list[InstanceRecord]:
        """The instances of these ids that exist, by id."""
        rows = self._execute(
            f"SELECT {_INSTANCE_I} FROM json_each(?) j CROSS JOIN instance i ON i.id = j.value ORDER BY i.id",
            (json.dumps(list(ids)),),
        )
        return [InstanceRecord(*row) for row in rows]

    def instance_range(
        self, first_id: int, last_id: int, asked: InstanceFilter = ALL_INSTANCES
    ) -> Iterator[InstanceRecord]:
        """Instances whose ids lie in the range, by id."""
        text, bound = filters.where(("id BETWEEN ? AND ?", [first_id, last_id]), *filters.of_instances(asked))
        for row in self._execute(f"SELECT {_INSTANCE} FROM instance WHERE {text} ORDER BY id", bound):
            yield InstanceRecord(*row)

    def running(self) -> list[tuple[InstanceRecord, RunRecord]]:
        """Instances that run, each with its run."""
        rows = self._execute(
            f"SELECT {_INSTANCE_I}, {', '.join(f'r.{name}' for name in RunRecord._fields)} "
            "FROM run r INDEXED BY run_open CROSS JOIN instance i ON i.id = r.instance_id "
            "WHERE r.ended_ms IS NULL AND i.state = 'running' AND i.run_number = r.number"
        )
        width = len(InstanceRecord._fields)
        return [(InstanceRecord(*row[:width]), RunRecord(*row[width:])) for row in rows]

    def stopping(self) -> list[int]:
        """Running instances that somebody asked to stop, or that make way (RUN-5)."""
        rows = self._execute(
            "SELECT i.id FROM run r INDEXED BY run_open CROSS JOIN instance i ON i.id = r.instance_id "
            "WHERE r.ended_ms IS NULL AND i.state = 'running' AND i.reason IN ('stopping', 'yielded_to_auto')"
        )
        return [row[0] for row in rows]

    def next_start(self) -> int | None:
        """The earliest moment for which an instance waits."""
        row = self._execute(
            f"SELECT start_ms FROM instance INDEXED BY instance_due WHERE state = 'waiting_time' {VISIBLE} "
            "ORDER BY start_ms LIMIT 1"
        ).fetchone()
        return row[0] if row else None

    def candidates(self, resource_group: str, wanted: StartFilter, limit: int) -> list[InstanceRecord]:
        """Instances that only lack a slot of the group, in the order of RUN-1."""
        rows = self._execute(
            f"{_READY} AND resource_group = ? {filters.of_ready(wanted)} "
            "ORDER BY priority DESC, (backfill_id IS NOT NULL), due_ms, id LIMIT ?",
            (resource_group, limit),
        )
        return [InstanceRecord(*row) for row in rows]

    def passing(self, held: Sequence[int], auto: bool, limit: int) -> list[InstanceRecord]:
        """Instances that need no slot and whose turn has come (RUN-2); `auto`: auto triggered ones too."""
        rows = self._execute(
            f"{_READY} AND resource_group = '' {filters.but_backfills(held, auto)} LIMIT ?", (limit,)
        )
        return [InstanceRecord(*row) for row in rows]

    def queues(self, held: Sequence[int] = (), auto: bool = True) -> list[tuple[str, str, int]]:
        """Resource group, state (waiting_resources or running), number of instances; nothing waits that is held."""
        rows = self._execute(
            "SELECT resource_group, 'waiting_resources', count(*) FROM instance INDEXED BY instance_ready "
            f"WHERE state = 'waiting_resources' {filters.but_backfills(held, auto)} GROUP BY resource_group "
            "UNION ALL SELECT i.resource_group, 'running', count(*) FROM run r INDEXED BY run_open "
            "CROSS JOIN instance i ON i.id = r.instance_id "
            "WHERE r.ended_ms IS NULL AND i.state = 'running' GROUP BY i.resource_group"
        )
        return list(rows)

    # Runs and operations

    def runs(self, instance_id: int) -> list[RunRecord]:
        rows = self._execute(f"SELECT {_RUN} FROM run WHERE instance_id = ? ORDER BY number", (instance_id,))
        return [RunRecord(*row) for row in rows]

    def done_bizdates(self, task_id: int, first: str, last: str | None, limit: int) -> list[str]:
        """Bizdates of this range on which the task has really run: from one to the next in the index."""
        rows = self._connection.execute(_DONE, (task_id, first, last or _EVER, task_id, last or _EVER, limit))
        return [row[0] for row in rows]

    def open_runs(self) -> list[RunRecord]:
        """Runs that have not ended as far as the ledger knows."""
        rows = self._execute(f"SELECT {_RUN} FROM run INDEXED BY run_open WHERE ended_ms IS NULL")
        return [RunRecord(*row) for row in rows]

    def operations(self, column: str, value: int) -> list[OperationRecord]:
        """The record of an instance (`instance_id`), a backfill (`backfill_id`) or a task, oldest first."""
        if column not in ("instance_id", "backfill_id", "task_id"):
            raise ValueError(column)
        rows = self._execute(f"SELECT {_OPERATION} FROM operation WHERE {column} = ? ORDER BY id", (value,))
        return [OperationRecord(*row) for row in rows]

    def latest_operations(
        self, asked: OperationFilter, before: int | None, limit: int
    ) -> list[OperationRecord]:
        """A page of the record, newest first."""
        text, bound = filters.where(
            ("id < ?", [1 << 62 if before is None else before]), *filters.of_operations(asked)
        )
        rows = self._execute(
            f"SELECT {_OPERATION} FROM operation WHERE {text} ORDER BY id DESC LIMIT ?", [*bound, limit]
        )
        return [OperationRecord(*row) for row in rows]
