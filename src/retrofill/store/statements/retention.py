"""What the ledger lets go of by age: plain SQL, in parts of at most 5,000 rows.

What belongs to an instance or a backfill is found by the foreign keys that refer to it, so that
a new table needs no change here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from retrofill.services.ports.retention import EndedRun, Expired, Part, RunName
from retrofill.services.ports.store import MOST_ROWS

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.revisions import Changed

_DONE = "retention_ms"
# Nothing of it starts by itself: it has ended, or is paused or stopped, also before it had instances.
_RESTS = "(ended_ms < ?1 OR (ended_ms IS NULL AND (paused = 1 OR stopped = 1)))"
_LAST_ID = "first_instance_id + stride * (SELECT count(*) FROM backfill_date d WHERE d.backfill_id = backfill.id) - 1"
_MAY_GO = (
    f"phase IN ('active', 'refused', 'planned', 'checking') AND {_RESTS} AND created_ms < ?1 "
    "AND coalesce((SELECT o.at_ms FROM operation o WHERE o.backfill_id = backfill.id ORDER BY o.id DESC LIMIT 1), 0) < ?1 "
    "AND NOT EXISTS (SELECT 1 FROM backfill_date d WHERE d.backfill_id = backfill.id AND d.running > 0) "
    # A run may have ended long after the pause.
    "AND (ended_ms IS NOT NULL OR phase <> 'active' OR NOT EXISTS (SELECT 1 FROM instance i "
    f"WHERE i.id BETWEEN first_instance_id AND {_LAST_ID} AND i.ended_ms >= ?1))"
)
_EXPIRED = f"SELECT id, first_instance_id, {_LAST_ID} FROM backfill "
_GENERATION_OF = (
    "SELECT g.made_ms, g.phase FROM generation g WHERE g.first_instance_id <= i.id "
    "ORDER BY g.first_instance_id DESC LIMIT 1"
)
_RUN_OF = "r.instance_id, r.number, r.token, r.ended_ms, i.resource_group, i.state, r.host"


class RetentionReader:
    """What may go (RET-1, RET-2)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def last_run_ms(self) -> int | None:
        row = self._execute("SELECT value FROM counter WHERE name = ?", (_DONE,)).fetchone()
        return int(row[0]) if row else None

    def expired_backfills(self, before_ms: int) -> list[Expired]:
        """Backfills that have ended or are held, and whose last change lies before (RET-1)."""
        # The indexes are named, because they hold only what has ended, and what is held.
        rows = self._execute(
            f"{_EXPIRED} INDEXED BY backfill_ended WHERE ended_ms IS NOT NULL AND {_MAY_GO} UNION ALL "
            f"{_EXPIRED} INDEXED BY backfill_held WHERE (paused = 1 OR stopped = 1) AND ended_ms IS NULL AND {_MAY_GO} "
            "ORDER BY id",
            (before_ms,),
        )
        return [Expired(*row) for row in rows]

    def half_deleted(self) -> list[Expired]:
        return [Expired(*row) for row in self._execute(f"{_EXPIRED} WHERE phase = 'expired' ORDER BY id")]

    def part_of(self, expired: Expired, after: int = 0) -> Part:
        return self._part("i.id BETWEEN ? AND ?", "i.id", (max(expired.first_id, after + 1), expired.last_id))

    def part_of_auto(self, before_ms: int, before_date: str, after: tuple[str, int] = ("", 0)) -> Part:
        """Auto triggered instances whose last change lies before, by bizdate and id, beyond one of them."""
        return self._part(
            "i.backfill_id IS NULL AND i.bizdate < ? AND (i.bizdate, i.id) > (?, ?) "
            "AND i.state NOT IN ('running', 'waiting_time', 'waiting_resources') "
            "AND max(i.due_ms, coalesce(i.ended_ms, 0)) < ? "
            "AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.instance_id = i.id AND o.at_ms >= ?) "
            f"AND NOT EXISTS (SELECT 1 FROM ({_GENERATION_OF}) g WHERE made_ms >= ? OR phase <> 'active')",
            "i.bizdate, i.id",
            (before_date, *after, before_ms, before_ms, before_ms),
            "instance_auto",
        )

    def _part(self, condition: str, order: str, values: Sequence[object], index: str = "") -> Part:
        """As many instances as may be deleted with all that belongs to them, at least one.

        Args:
            index: by which they are found in the order asked for, where there are several.
        """
        named = f" INDEXED BY {index}" if index else ""
        belonging = " + ".join(
            f"(SELECT count(*) FROM {table} x WHERE x.{column} = i.id)"
            for table, column in self._referrers("instance")
        )
        rows = self._execute(
            f"SELECT i.id, 1 + {belonging} FROM instance i{named} WHERE {condition} ORDER BY {order} LIMIT {MOST_ROWS}",
            values,
        ).fetchall()
        sums = accumulate(row[1] for row in rows)
        ids = [row[0] for row, total in zip(rows, sums, strict=True) if total <= MOST_ROWS] or [
            row[0] for row in rows[:1]
        ]
        return self.part_with(ids)

    def part_with(self, ids: list[int]) -> Part:
        listed = json.dumps(ids)
        runs = self._execute(
            "SELECT r.instance_id, r.number, r.token FROM json_each(?) j CROSS JOIN run r ON r.instance_id = j.value",
            (listed,),
        ).fetchall()
        operations = self._execute(
            "SELECT count(*) FROM json_each(?) j CROSS JOIN operation o ON o.instance_id = j.value", (listed,)
        ).fetchone()[0]
        return Part(ids, runs, operations)

    def _referrers(self, table: str) -> list[tuple[str, str]]:
        """Tables and columns that refer to it; the record of operations does without a foreign key."""
        found = [(name, column) for name, column in self._connection.referrers(table) if name != "instance"]
        return [*found, ("operation", f"{table}_id")]

    def bizdate(self, instance_id: int) -> str:
        return str(self._execute("SELECT bizdate FROM instance WHERE id = ?", (instance_id,)).fetchone()[0])

    def runs_named(self, names: Iterable[RunName]) -> list[EndedRun]:
        wanted = set(names)
        rows = self._execute(
            f"SELECT {_RUN_OF} FROM json_each(?) j CROSS JOIN run r ON r.instance_id = j.value "
            "CROSS JOIN instance i ON i.id = r.instance_id",
            (json.dumps(sorted({name[0] for name in wanted})),),
        )
        return [run for run in (EndedRun(*row) for row in rows) if run.name in wanted]

    def auto_dates(self, since_ms: int) -> list[str]:
        rows = self._execute(
            "SELECT DISTINCT bizdate FROM instance INDEXED BY instance_auto "
            "WHERE backfill_id IS NULL AND ended_ms >= ? ORDER BY bizdate",
            (since_ms,),
        )
        return [row[0] for row in rows]

    def auto_runs(self, bizdate: str, host: str | None = None) -> list[EndedRun]:
        whose, values = ("", (bizdate,)) if host is None else (" AND r.host = ?", (bizdate, host))
        rows = self._execute(
            f"SELECT {_RUN_OF} FROM instance i INDEXED BY instance_auto CROSS JOIN run r ON r.instance_id = i.id "
            "WHERE i.backfill_id IS NULL AND i.bizdate = ? AND i.state IN ('successful', 'failed') "
            f"AND r.ended_ms IS NOT NULL AND r.log_removed_ms IS NULL{whose}",
            values,
        )
        return [EndedRun(*row) for row in rows]


class RetentionTables(RetentionReader):
    """Letting it go."""

    def __init__(self, connection: Connection, changed: Changed) -> None:
        super().__init__(connection)
        self._changed = changed

    def note_run(self, at_ms: int) -> None:
        self._execute(
            "INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (_DONE, at_ms),
        )

    def hide(self, backfill_id: int, before_ms: int) -> bool:
        """Begin to delete a backfill, if it still may go: nobody finds it from now on.

        It counts as stopped, so that nothing of it starts that had been waiting when it ended.
        """
        self._changed.whole.add(backfill_id)
        cursor = self._execute(
            "UPDATE backfill SET phase = 'expired', stopped = 1, start_ms = NULL "
            f"WHERE id = ?2 AND {_MAY_GO}",
            (before_ms, backfill_id),
        )
        return cursor.rowcount == 1

    def delete_instances(self, ids: Sequence[int]) -> None:
        listed = json.dumps(ids)
        for table, column in [*self._referrers("instance"), ("instance", "id")]:
            self._execute(
                f"DELETE FROM {table} WHERE {column} IN (SELECT j.value FROM json_each(?) j)", (listed,)
            )

    def delete_generations(self, before_date: str) -> None:
        """Those of earlier bizdates without instances; not the newest night, after which the next one is made."""
        self._execute(
            "DELETE FROM generation WHERE phase = 'active' AND bizdate < ? "
            "AND bizdate < (SELECT max(bizdate) FROM generation WHERE kind = 'night') AND NOT EXISTS (SELECT 1 "
            "FROM instance i WHERE i.id BETWEEN first_instance_id AND first_instance_id + stride - 1)",
            (before_date,),
        )

    def delete_rest(self, backfill_id: int) -> int:
        for table, column in [*self._referrers("backfill"), ("backfill", "id")]:
            key = ", ".join(self._connection.key_of(table))
            cursor = self._execute(
                f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {column} = ? LIMIT {MOST_ROWS})",
                (backfill_id,),
            )
            if cursor.rowcount:
                return cursor.rowcount
        return 0

    def note_removed_logs(self, runs: Iterable[RunName], at_ms: int) -> None:
        names = list(runs)
        self._changed.instances.update(instance_id for instance_id, *_ in names)
        self._connection.executemany(
            "UPDATE run SET log_removed_ms = ? WHERE instance_id = ? AND number = ? AND token = ? "
            "AND log_removed_ms IS NULL",
            [(at_ms, *name) for name in names],
        )
