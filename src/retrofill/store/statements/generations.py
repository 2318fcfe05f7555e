"""Generations of auto triggered instances in the ledger, and tasks that a command has frozen."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.filters import ALL_INSTANCES, InstanceFilter
from retrofill.services.ports.records import GenerationRecord, InstanceRecord, Outcome
from retrofill.services.ports.revisions import SCHEDULE
from retrofill.store import filters
from retrofill.store.statements import counters
from retrofill.store.statements.revisions import Changed
from retrofill.store.statements.rows import GENERATION, INSTANCE, OUTCOME

if TYPE_CHECKING:
    from retrofill.domain.running.states import State
    from retrofill.store.dialects import Connection

_AUTO = "instance INDEXED BY instance_auto WHERE backfill_id IS NULL"
_NIGHTS = "instance INDEXED BY instance_night WHERE backfill_id IS NULL"
_HELD = "schedule_held"  # rows of `counter`
_OWING = "owing_version"
_AFTER_ALL = "9999-12-32"  # follows every date, however texts are sorted


class Generations:
    """Reads within a view; writes within a write transaction."""

    def __init__(self, connection: Connection, changed: Changed | None = None) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._changed = Changed() if changed is None else changed

    def have_any(self) -> bool:
        return self._execute("SELECT 1 FROM generation LIMIT 1").fetchone() is not None

    def between(self, first: str, last: str) -> list[GenerationRecord]:
        rows = self._execute(
            f"SELECT {GENERATION} FROM generation WHERE bizdate BETWEEN ? AND ? "
            "AND phase <> 'creating' AND stride > 0 ORDER BY id",
            (first, last),
        )
        return GENERATION.all(rows)

    def holding(self, instance_id: int) -> GenerationRecord | None:
        row = self._execute(
            f"SELECT {GENERATION} FROM generation WHERE first_instance_id <= ? "
            "ORDER BY first_instance_id DESC LIMIT 1",
            (instance_id,),
        ).fetchone()
        found = GENERATION.one(row)
        if found is None or instance_id >= found.first_instance_id + found.stride:
            return None
        return found

    def unfinished(self) -> list[GenerationRecord]:
        rows = self._execute(
            f"SELECT {GENERATION} FROM generation INDEXED BY generation_unfinished "
            "WHERE phase <> 'active' ORDER BY id"
        )
        return GENERATION.all(rows)

    def last_night(self, until: str = "9999") -> str | None:
        row = self._execute(
            "SELECT max(bizdate) FROM generation WHERE kind = 'night' AND phase <> 'creating' AND bizdate <= ?",
            (until,),
        ).fetchone()
        return row[0] if row else None

    def night_versions(self, first: str) -> dict[str, int]:
        rows = self._execute(
            "SELECT bizdate, version_id FROM generation WHERE kind = 'night' AND phase <> 'creating' AND bizdate >= ?",
            (first,),
        )
        return dict(rows.fetchall())

    def missed(self) -> list[str]:
        return [row[0] for row in self._execute("SELECT bizdate FROM missed_night ORDER BY bizdate")]

    def done_on(self, bizdate: str) -> set[tuple[int, int]]:
        success = "state = 'successful' AND kind = 'run'"
        rows = self._execute(
            f"SELECT task_id, slot FROM {_AUTO} AND bizdate = ?1 AND {success} UNION "
            "SELECT i.task_id, i.slot FROM backfill_date d CROSS JOIN backfill b ON b.id = d.backfill_id "
            "CROSS JOIN instance i ON i.id BETWEEN b.first_instance_id + b.stride * d.position "
            "AND b.first_instance_id + b.stride * (d.position + 1) - 1 "
            f"WHERE d.bizdate = ?1 AND b.phase = 'active' AND i.{success}",
            (bizdate,),
        )
        return set(rows.fetchall())

    def owing_version(self) -> int | None:
        row = self._execute("SELECT value FROM counter WHERE name = ? AND value > 0", (_OWING,)).fetchone()
        return row[0] if row else None

    def ids_between(self, first_id: int, last_id: int) -> list[int]:
        rows = self._execute("SELECT id FROM instance WHERE id BETWEEN ? AND ?", (first_id, last_id))
        return [row[0] for row in rows]

    def successful_between(self, first_id: int, last_id: int) -> list[int]:
        rows = self._execute(
            "SELECT id FROM instance WHERE id BETWEEN ? AND ? AND state = 'successful'", (first_id, last_id)
        )
        return [row[0] for row in rows]

    def unfinished_slots(self, bizdate: str, task_ids: Sequence[int]) -> list[tuple[int, int]]:
        return list(
            self._execute(
                "SELECT i.task_id, i.slot FROM json_each(?) j CROSS JOIN instance i INDEXED BY instance_auto "
                "ON i.bizdate = ? AND i.task_id = j.value WHERE i.backfill_id IS NULL "
                "AND i.state IN ('not_run', 'waiting_time', 'waiting_resources', 'running') AND i.kind = 'run'",
                (json.dumps(list(task_ids)), bizdate),
            )
        )

    def find_instance(self, task_id: int, bizdate: str, slot: int) -> int | None:
        row = self._execute(
            f"SELECT id FROM {_AUTO} AND bizdate = ? AND task_id = ? AND slot = ?", (bizdate, task_id, slot)
        ).fetchone()
        return row[0] if row else None

    def ready_tasks(self) -> list[int]:
        rows = self._execute(
            "SELECT DISTINCT task_id FROM instance INDEXED BY instance_auto_ready "
            "WHERE state = 'waiting_resources' AND backfill_id IS NULL"
        )
        return [row[0] for row in rows]

    def counts(self, first: str, last: str) -> list[tuple[str, str, int, int | None]]:
        return list(
            self._execute(
                f"SELECT bizdate, state, count(*), max(ended_ms) FROM {_NIGHTS} AND bizdate BETWEEN ? AND ? "
                "GROUP BY bizdate, state",
                (first, last),
            )
        )

    def in_state(self, bizdate: str, state: State, limit: int) -> list[InstanceRecord]:
        rows = self._execute(
            f"SELECT {INSTANCE} FROM {_NIGHTS} AND bizdate = ? AND state = ? ORDER BY ended_ms, id LIMIT ?",
            (bizdate, state.value, limit),
        )
        return INSTANCE.all(rows)

    def instances(self, bizdate: str, asked: InstanceFilter = ALL_INSTANCES) -> list[InstanceRecord]:
        text, bound = filters.where(("bizdate = ?", [bizdate]), *filters.of_instances(asked))
        return INSTANCE.all(self._execute(f"SELECT {INSTANCE} FROM {_AUTO} AND {text}", bound))

    def outcomes(self, bizdates: Collection[str], task_ids: Collection[int]) -> list[Outcome]:
        days, tasks = (", ".join("?" * len(values)) for values in (bizdates, task_ids))
        rows = self._execute(  # lists of values, and not a table: both are looked for in the index
            f"SELECT {OUTCOME} FROM {_AUTO} AND bizdate IN ({days}) AND task_id IN ({tasks})",
            (*bizdates, *task_ids),
        )
        return OUTCOME.all(rows)

    def bizdates(self, limit: int, before: str | None = None) -> list[str]:
        rows = self._execute(
            "SELECT DISTINCT bizdate FROM generation WHERE phase <> 'creating' AND bizdate < ? "
            "ORDER BY bizdate DESC LIMIT ?",
            (_AFTER_ALL if before is None else before, limit),
        )
        return [row[0] for row in rows]

    def is_held(self) -> bool:
        row = self._execute("SELECT value FROM counter WHERE name = ?", (_HELD,)).fetchone()
        return row is not None and bool(row[0])

    # Writing

    def add(self, record: GenerationRecord) -> int:
        generation_id = counters.reserve(self._connection, "generation")
        self._execute(GENERATION.insert("generation"), record._replace(id=generation_id))
        return generation_id

    def set_phase(self, generation_id: int, phase: str) -> None:
        self._changed.whole.add(SCHEDULE)
        self._execute("UPDATE generation SET phase = ? WHERE id = ?", (phase, generation_id))

    def delete(self, generation_id: int) -> None:
        self._execute("DELETE FROM generation WHERE id = ?", (generation_id,))

    def miss(self, bizdates: Sequence[str], at_ms: int) -> None:
        self._connection.executemany(
            "INSERT INTO missed_night (bizdate, noted_ms) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(bizdate, at_ms) for bizdate in bizdates],
        )

    def forget_missed(self, bizdates: Sequence[str]) -> None:
        self._connection.executemany(
            "DELETE FROM missed_night WHERE bizdate = ?", [(bizdate,) for bizdate in bizdates]
        )

    def forget_old_missed(self, before_ms: int) -> None:
        self._execute("DELETE FROM missed_night WHERE noted_ms < ?", (before_ms,))

    def owe(self, version_id: int) -> None:
        self._set(_OWING, version_id)

    def settle(self, version_id: int) -> None:
        if self.owing_version() == version_id:
            self._set(_OWING, 0)

    def hold(self, held: bool) -> None:
        self._changed.whole.add(SCHEDULE)
        self._set(_HELD, int(held))

    def _set(self, name: str, value: int) -> None:
        self._execute(
            "INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )


class FrozenTasks:
    """Tasks that a command has frozen."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def names(self) -> frozenset[str]:
        return frozenset(row[0] for row in self._connection.execute("SELECT name FROM task WHERE frozen = 1"))

    def set(self, names: Collection[str], frozen: bool) -> None:
        self._connection.executemany(
            "UPDATE task SET frozen = ? WHERE name = ?", [(int(frozen), name) for name in names]
        )
