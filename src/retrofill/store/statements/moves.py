"""What is written to the ledger, inside one transaction.

Every change of a state is a compare-and-set: the statement names the states that it may
leave, and what it did not find is not reported as changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from retrofill.domain.running.states import MOVES, Move
from retrofill.services.ports.records import BackfillRecord, DateRecord, InstanceRecord
from retrofill.store.statements import counters
from retrofill.store.statements.clock import ClockKeeper
from retrofill.store.statements.interventions import Interventions
from retrofill.store.statements.outbox import Outbox
from retrofill.store.statements.people import PeopleTables
from retrofill.store.statements.reader import VISIBLE, Reader
from retrofill.store.statements.run_times import TimesLedger
from retrofill.store.statements.versions import Versions

if TYPE_CHECKING:
    from retrofill.store.statements.retention import RetentionTables


@cache
def _states(move: Move) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(MOVES[move].sources))


_INSERT_DATE = f"INSERT INTO backfill_date ({', '.join(DateRecord._fields)}) VALUES ({', '.join('?' * len(DateRecord._fields))})"


def _fixed(column: str, otherwise: str) -> str:
    """What an administrator has set for the instance ?1 stays, whoever judges anew (OPS-7)."""
    return f"coalesce((SELECT f.{column} FROM fixed_place f WHERE f.instance_id = ?1), {otherwise})"


_COUNT_ONLY = (
    "UPDATE backfill_date SET successful = successful + ?, failed = failed + ?, running = running + ?, "
    "frozen = frozen + ? WHERE backfill_id = ? AND position = ?"
)
_COUNT = f"{_COUNT_ONLY} RETURNING {', '.join(DateRecord._fields)}"
_RECORD = (
    'INSERT INTO operation (id, at_ms, "user", action, backfill_id, instance_id, from_state, to_state, comment, task_id) '
    f"VALUES ({counters.next_id('operation')}, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_OPEN_OF = (
    f"SELECT {', '.join(f'i.{name}' for name in InstanceRecord._fields)} "
    "FROM json_each(?) j CROSS JOIN instance i ON i.id = j.value "
    "WHERE i.state = 'not_run' AND (i.open_waits = 0 OR i.ignores_waits = 1)"
)


class Ledger(Reader):
    """A write transaction; reads see its own writes."""

    @property
    def people(self) -> PeopleTables:
        return PeopleTables(self._connection)

    @property
    def interventions(self) -> Interventions:
        return Interventions(self._connection)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self._connection)

    @property
    def times(self) -> TimesLedger:
        """Run times by task."""
        return TimesLedger(self._connection)

    @property
    def clock(self) -> ClockKeeper:
        return ClockKeeper(self._connection, self._boot_clock)

    @property
    def versions(self) -> Versions:
        return Versions(self._connection)

    @property
    def retention(self) -> RetentionTables:
        from retrofill.store.statements.retention import RetentionTables

        return RetentionTables(self._connection)

    # Catalog

    def add_version(
        self,
        document: str,
        at_ms: int,
        user: str,
        task_count: int | None = None,
        published_from: int | None = None,
    ) -> int:
        row = self._execute(
            "INSERT INTO catalog_version (id, document, created_ms, created_by, task_count, published_from) "
            f"VALUES ({counters.next_id('catalog_version')}, ?, ?, ?, ?, ?) RETURNING id",
            (document, at_ms, user, task_count, published_from),
        ).fetchone()
        return int(row[0])

    def set_deployed(self, table: str, names: Iterable[str]) -> None:
        """Note which tasks or workspaces the current version has; new names get an id (CAT-3)."""
        if table not in ("task", "workspace"):
            raise ValueError(table)
        self._execute(f"UPDATE {table} SET deployed = 0")
        self._connection.executemany(
            f"INSERT INTO {table} (id, name, deployed) VALUES ({counters.next_id(table)}, ?, 1) "
            "ON CONFLICT (name) DO UPDATE SET deployed = 1",
            [(name,) for name in names],
        )

    # Creating backfills

    def reserve_instance_ids(self, count: int) -> int:
        """The first of `count` instance ids that nobody else will get."""
        return counters.reserve(self._connection, "instance", count)

    def add_backfill(self, record: BackfillRecord, task_ids: Iterable[int]) -> int:
        """Insert with an id that no backfill has had, whatever `record.id` says (CAT-3)."""
        backfill_id = counters.reserve(self._connection, "backfill")
        names = BackfillRecord._fields
        self._execute(
            f"INSERT INTO backfill ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            record._replace(id=backfill_id),
        )
        self.set_tasks(backfill_id, task_ids)
        return backfill_id

    def add_instances(self, rows: Iterable[Sequence[object]]) -> None:
        """Rows in the order of `InstanceRecord`; at most 5,000 a transaction."""
        self._connection.write_rows("instance", InstanceRecord._fields, rows)

    def add_dates(self, rows: Iterable[DateRecord]) -> None:
        self._connection.executemany(_INSERT_DATE, rows)

    def set_backfill(self, backfill_id: int, **columns: object) -> None:
        """Set columns of a backfill; the names are fields of BackfillRecord."""
        if not columns.keys() <= set(BackfillRecord._fields):
            raise ValueError(sorted(columns))
        self._execute(
            f"UPDATE backfill SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?",
            [*columns.values(), backfill_id],
        )

    def add_failures(self, backfill_id: int, count: int) -> int:
        """Note that more instances have failed for good; how many since the start or the last resume (POL-14)."""
        row = self._execute(
            "UPDATE backfill SET failures = failures + ? WHERE id = ? RETURNING failures",
            (count, backfill_id),
        ).fetchone()
        return int(row[0])

    def set_tasks(self, backfill_id: int, task_ids: Iterable[int]) -> None:
        """Note anew which tasks take part."""
        self._execute("DELETE FROM backfill_task WHERE backfill_id = ?", (backfill_id,))
        self._connection.executemany(
            "INSERT INTO backfill_task (backfill_id, task_id) VALUES (?, ?)",
            [(backfill_id, i) for i in task_ids],
        )

    def delete_instances(self, first_id: int, last_id: int, limit: int) -> int:
        """Delete up to `limit` instances of a backfill that was never shown; how many went."""
        cursor = self._execute(
            "DELETE FROM instance WHERE id IN (SELECT id FROM instance WHERE id BETWEEN ? AND ? LIMIT ?)",
            (first_id, last_id, limit),
        )
        return cursor.rowcount

    def delete_half_created(self, backfill_id: int, back_to: str | None = None) -> None:
        """Remove the rest of a backfill without instances, or let it go back to an earlier phase."""
        self._execute("DELETE FROM backfill_date WHERE backfill_id = ?", (backfill_id,))
        if back_to is not None:
            self._execute("UPDATE backfill SET phase = ? WHERE id = ?", (back_to, backfill_id))
            return
        self._execute("DELETE FROM backfill_task WHERE backfill_id = ?", (backfill_id,))
        self._execute("DELETE FROM backfill WHERE id = ?", (backfill_id,))

    # Moves of the state machine

    def wait_for_time(self, ids: Sequence[int]) -> None:
        self._connection.executemany(
            f"UPDATE instance SET state = 'waiting_time' WHERE id = ? AND state IN ({_states(Move.WAIT_FOR_TIME)})",
            [(i,) for i in ids],
        )

    def wait_for_resources(self, places: Sequence[tuple[int, int, str]]) -> None:
        """Make ready: (instance id, priority, resource group), as judged now (POL-10, POL-12)."""
        self._connection.executemany(
            f"UPDATE instance SET state = 'waiting_resources', priority = {_fixed('priority', '?2')}, "
            f"resource_group = {_fixed('resource_group', '?3')}, "
            "reason = CASE WHEN reason IN ('rerun_interval', 'not_started') THEN NULL ELSE reason END "
            f"WHERE id = ?1 AND state IN ({_states(Move.WAIT_FOR_RESOURCES)})",
            places,
        )

    def place(self, places: Sequence[tuple[int, int, str]]) -> None:
        """Let ready instances queue elsewhere: (instance id, priority, resource group) (BF-3)."""
        self._connection.executemany(
            f"UPDATE instance SET priority = {_fixed('priority', '?2')}, "
            f"resource_group = {_fixed('resource_group', '?3')} WHERE id = ?1 AND state = 'waiting_resources'",
            places,
        )

    def owe_places(self, backfill_id: int, at_ms: int) -> None:
        """Ready instances have still to move to where they queue since a change; `place` does it (BF-3)."""
        counters.owe_places(self._connection, backfill_id, at_ms)

    def settle_places(self, backfill_id: int, at_ms: int) -> None:
        """All have moved, unless there was another change since."""
        counters.settle_places(self._connection, backfill_id, at_ms)

    def set_groups(self, backfill_id: int, numbers: Mapping[int, int]) -> None:
        """Group numbers of dates, by position (BF-3)."""
        self._connection.executemany(
            "UPDATE backfill_date SET group_number = ? WHERE backfill_id = ? AND position = ?",
            [(number, backfill_id, position) for position, number in numbers.items()],
        )

    def withdraw(self, ids: Sequence[int]) -> None:
        """Back to Not run, because a wait is open again."""
        self._connection.executemany(
            f"UPDATE instance SET state = 'not_run' WHERE id = ? AND state IN ({_states(Move.WITHDRAW)}) "
            "AND open_waits > 0 AND ignores_waits = 0",
            [(i,) for i in ids],
        )

    def unreach(self, backfill_id: int, positions: Sequence[int]) -> list[int]:
        """Let dates wait for their turn again; those of them that groups had come to (OPS-3)."""
        return [
            position
            for position in positions
            if self._execute(
                "UPDATE backfill_date SET reached = 0 WHERE backfill_id = ? AND position = ? AND reached = 1",
                (backfill_id, position),
            ).rowcount
        ]

    def withdraw_date(self, backfill_id: int, first_id: int, last_id: int) -> None:
        """What waits in this range goes back to Not run, because its date has to wait; costs what waits."""
        for index, state in (("instance_ready_of", "waiting_resources"), ("instance_due_of", "waiting_time")):
            self._execute(
                f"UPDATE instance INDEXED BY {index} SET state = 'not_run' WHERE state = '{state}' "
                "AND backfill_id = ? AND id BETWEEN ? AND ? AND ignores_waits = 0",
                (backfill_id, first_id, last_id),
            )

    def hold_back(self, instance_id: int) -> None:
        """Waiting is Not run while the backfill is held; so that it can be frozen (OPS-0, OPS-6)."""
        self._execute(
            f"UPDATE instance SET state = 'not_run' WHERE id = ? AND state IN ({_states(Move.WITHDRAW)})",
            (instance_id,),
        )

    def start(self, rows: Sequence[tuple[int, int, str]], boot_id: str, at_ms: int) -> None:
        """Start (instance id, run number, token): the commit of this is the start (OPS-0)."""
        self._connection.executemany(
            "UPDATE instance SET state = 'running', reason = NULL, started_ms = ?, ended_ms = NULL "
            f"WHERE id = ? AND run_number = ? AND state IN ({_states(Move.START)})",
            [(at_ms, instance_id, number) for instance_id, number, _ in rows],
        )
        self._connection.executemany(
            "INSERT INTO run (instance_id, number, token, boot_id, started_ms, version_id) "
            "VALUES (?1, ?2, ?3, ?4, ?5, (SELECT i.code_version_id FROM instance i WHERE i.id = ?1))",
            [(instance_id, number, token, boot_id, at_ms) for instance_id, number, token in rows],
        )

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
        cursor = self._execute(
            "UPDATE run SET ended_ms = ?, outcome = ?, exit_code = ?, message = ? "
            "WHERE instance_id = ? AND number = ? AND token = ? AND ended_ms IS NULL",
            (ended_ms, outcome, exit_code, message, instance_id, number, token),
        )
        return cursor.rowcount == 1

    def explain_run(self, instance_id: int, number: int, message: str) -> None:
        """Say of a run that has ended why it did."""
        self._execute(
            "UPDATE run SET message = ? WHERE instance_id = ? AND number = ?", (message, instance_id, number)
        )

    def forget_run(self, instance_id: int, number: int, token: str) -> bool:
        """Remove a run that never started, so that its number can start under a new token."""
        cursor = self._execute(
            "DELETE FROM run WHERE instance_id = ? AND number = ? AND token = ? AND ended_ms IS NULL",
            (instance_id, number, token),
        )
        return cursor.rowcount == 1

    def succeed(self, rows: Sequence[tuple[int, int]]) -> None:
        """(ended at, instance id)."""
        self._connection.executemany(
            "UPDATE instance SET state = 'successful', reason = NULL, ended_ms = ?, ignores_waits = 0, reruns = 0 "
            f"WHERE id = ? AND state IN ({_states(Move.SUCCEED)})",
            rows,
        )

    def pass_by(self, rows: Sequence[tuple[int, str | None]], at_ms: int) -> None:
        """Dry runs, off days and virtual tasks succeed: (instance id, reason) (RUN-2)."""
        self._connection.executemany(
            "UPDATE instance SET state = 'successful', reason = ?, started_ms = ?, ended_ms = ?, ignores_waits = 0 "
            f"WHERE id = ? AND state IN ({_states(Move.PASS)})",
            [(reason, at_ms, at_ms, i) for i, reason in rows],
        )

    def fail(self, instance_id: int, reason: str, at_ms: int) -> None:
        self._execute(
            "UPDATE instance SET state = 'failed', reason = ?, ended_ms = ?, ignores_waits = 0 "
            f"WHERE id = ? AND state IN ({_states(Move.FAIL)})",
            (reason, at_ms, instance_id),
        )

    def rerun_by_itself(self, instance_id: int, start_ms: int, at_ms: int) -> None:
        """Back to Not run with the next run number, not to start before `start_ms` (RUN-3)."""
        self._execute(
            "UPDATE instance SET state = 'not_run', reason = 'rerun_interval', ended_ms = ?, "
            "run_number = run_number + 1, reruns = reruns + 1, start_ms = max(start_ms, ?) "
            f"WHERE id = ? AND state IN ({_states(Move.RERUN_BY_ITSELF)})",
            (at_ms, start_ms, instance_id),
        )

    def start_later(self, instance_id: int, start_ms: int) -> None:
        """What could not be started: Not run again under the same number, not before `start_ms` (RUN-3)."""
        self._execute(
            "UPDATE instance SET state = 'not_run', reason = 'not_started', started_ms = NULL, "
            f"start_ms = max(start_ms, ?) WHERE id = ? AND state IN ({_states(Move.START_ANEW)})",
            (start_ms, instance_id),
        )

    def mark_stopping(self, instance_id: int) -> bool:
        cursor = self._execute(
            "UPDATE instance SET reason = 'stopping' WHERE id = ? AND state = 'running'", (instance_id,)
        )
        return cursor.rowcount == 1

    def mark_yielding(self, instance_id: int) -> bool:
        """Let a running backfill instance make way for an auto triggered one (RUN-5)."""
        cursor = self._execute(
            "UPDATE instance SET reason = 'yielded_to_auto' WHERE id = ? AND state = 'running' AND reason IS NULL",
            (instance_id,),
        )
        return cursor.rowcount == 1

    def yield_to_auto(self, instance_id: int, at_ms: int) -> None:
        """Not run again with the next run number, because it has made way (RUN-5)."""
        self._execute(
            "UPDATE instance SET state = 'not_run', reason = 'yielded_to_auto', ended_ms = ?, "
            f"run_number = run_number + 1 WHERE id = ? AND state IN ({_states(Move.MAKE_WAY)})",
            (at_ms, instance_id),
        )

    def fail_siblings(self, ids: Sequence[int], at_ms: int) -> None:
        self._connection.executemany(
            "UPDATE instance SET state = 'failed', reason = 'sibling_failed', ended_ms = ? "
            f"WHERE id = ? AND state IN ({_states(Move.FAIL_WITH_SIBLING)})",
            [(at_ms, i) for i in ids],
        )

    def restore(self, ids: Sequence[int]) -> None:
        """Failed with a sibling, now Not run again (POL-7)."""
        self._connection.executemany(
            "UPDATE instance SET state = 'not_run', reason = NULL, ended_ms = NULL, start_ms = min(start_ms, due_ms) "
            f"WHERE id = ? AND state IN ({_states(Move.RESTORE_SIBLING)}) AND reason = 'sibling_failed'",
            [(i,) for i in ids],
        )

    def rerun(self, rows: Sequence[tuple[int, int, bool]]) -> None:
        """(instance id, next run number, ignore waits) back to Not run (OPS-2, OPS-3)."""
        self._connection.executemany(
            "UPDATE instance SET state = 'not_run', reason = NULL, ended_ms = NULL, started_ms = NULL, "
            "run_number = ?2, reruns = 0, ignores_waits = ?3, start_ms = min(start_ms, due_ms) "
            f"WHERE id = ?1 AND state IN ({_states(Move.RERUN)})",
            rows,
        )

    def set_code_version(self, instance_id: int, version_id: int) -> None:
        """Let an instance run the code of another version than it was made from (OPS-2)."""
        self._execute("UPDATE instance SET code_version_id = ? WHERE id = ?", (version_id, instance_id))

    def set_successful(self, instance_id: int, at_ms: int) -> None:
        self._execute(
            "UPDATE instance SET state = 'successful', reason = 'set_successful', ended_ms = coalesce(ended_ms, ?) "
            f"WHERE id = ? AND state IN ({_states(Move.SET_SUCCESSFUL)})",
            (at_ms, instance_id),
        )

    def freeze(self, instance_id: int) -> None:
        self._execute(
            "UPDATE instance SET frozen_from = state, state = 'frozen' "
            f"WHERE id = ? AND state IN ({_states(Move.FREEZE)})",
            (instance_id,),
        )

    def unfreeze(self, instance_id: int, kind: str, resource_group: str) -> None:
        """Back to the state that it was frozen from, as what it is when it is not frozen."""
        self._execute(
            "UPDATE instance SET state = frozen_from, frozen_from = NULL, kind = ?, resource_group = ? "
            f"WHERE id = ? AND state IN ({_states(Move.UNFREEZE)})",
            (kind, resource_group, instance_id),
        )

    # Counters and order

    def add_waits(self, rows: Sequence[tuple[int, int]]) -> None:
        """Change counters of open waits: (difference, instance id)."""
        self._connection.executemany("UPDATE instance SET open_waits = open_waits + ? WHERE id = ?", rows)

    def count(self, backfill_id: int, position: int, changes: Sequence[int]) -> DateRecord:
        """Add to a date's counters (successful, failed, running, frozen); the row as it is now."""
        row = self._execute(_COUNT, (*changes, backfill_id, position)).fetchone()
        return DateRecord(*row)

    def count_many(self, backfill_id: int, changes: Mapping[int, Sequence[int]]) -> None:
        """Add to the counters of dates, by position."""
        self._connection.executemany(
            _COUNT_ONLY, [(*change, backfill_id, position) for position, change in changes.items()]
        )

    def reach(self, backfill_id: int, position: int) -> bool:
        """Let a group come to a date; False where it already had."""
        cursor = self._execute(
            "UPDATE backfill_date SET reached = 1 WHERE backfill_id = ? AND position = ? AND reached = 0",
            (backfill_id, position),
        )
        return cursor.rowcount == 1

    def open_of(self, ids: Iterable[int]) -> list[InstanceRecord]:
        """Of these instances, those that are Not run and wait for no other instance."""
        rows = self._execute(_OPEN_OF, (json.dumps(list(ids)),))
        return [InstanceRecord(*row) for row in rows]

    def due(self, now_ms: int, limit: int) -> list[InstanceRecord]:
        """Instances whose time has come, earliest first."""
        rows = self._execute(
            f"SELECT {', '.join(InstanceRecord._fields)} FROM instance INDEXED BY instance_due "
            f"WHERE state = 'waiting_time' AND start_ms <= ? {VISIBLE} ORDER BY start_ms LIMIT ?",
            (now_ms, limit),
        )
        return [InstanceRecord(*row) for row in rows]

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
        self._execute(
            _RECORD, (at_ms, user, action, backfill_id, instance_id, from_state, to_state, comment, task_id)
        )

    def record_many(self, rows: Iterable[Sequence[object]]) -> None:
        """`record`, for many: rows of what it takes, in its order."""
        self._connection.executemany(_RECORD, rows)
