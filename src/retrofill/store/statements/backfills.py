"""Backfills and their dates, with their counters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.filters import ALL_BACKFILLS
from retrofill.services.ports.records import BackfillFigures
from retrofill.store import filters
from retrofill.store.statements import counters
from retrofill.store.statements.revisions import Writer
from retrofill.store.statements.rows import BACKFILL, DATE, OPEN
from retrofill.store.statements.view import View

if TYPE_CHECKING:
    from retrofill.domain.running.filters import BackfillFilter
    from retrofill.services.ports.records import BackfillRecord, DateRecord, OpenBackfill

# One that was planned stays visible while its instances are made.
_VISIBLE = "(phase NOT IN ('creating', 'expired') OR start_ms IS NOT NULL)"
_SUMS = ", ".join(
    f"CAST(coalesce(sum({name}), 0) AS BIGINT)"  # PostgreSQL adds up to numbers without a bound
    for name in ("total", "successful", "failed", "running", "frozen")
)
_SUMS_OF = (
    f"SELECT backfill_id, {_SUMS} FROM backfill_date "
    "WHERE backfill_id IN (SELECT j.value FROM json_each(?) j) GROUP BY backfill_id"
)
_FIGURES = (
    "SELECT b.id, "
    "(SELECT count(*) FROM instance INDEXED BY instance_ready_of WHERE state = 'waiting_resources' AND backfill_id = b.id), "
    "(SELECT count(*) FROM instance INDEXED BY instance_due_of WHERE state = 'waiting_time' AND backfill_id = b.id), "
    "(SELECT group_concat(d.bizdate, ',') FROM "
    "(SELECT bizdate FROM backfill_date WHERE backfill_id = b.id ORDER BY position) d), "
    "b.first_estimate, b.expected FROM json_each(?) j CROSS JOIN backfill b ON b.id = j.value"
)
_COUNT_ONLY = (
    "UPDATE backfill_date SET successful = successful + ?, failed = failed + ?, running = running + ?, "
    "frozen = frozen + ? WHERE backfill_id = ? AND position = ?"
)
# What its instances are shown through: what is held or not there yet is shown as Not run, whatever its row says.
_SHOWN_THROUGH = {"phase", "paused", "stopped", "policy"}
_SET_UP = {"paused", "stopped", "policy"}  # each makes another edition of it
_COUNT = f"{_COUNT_ONLY} RETURNING {DATE}"


class BackfillReader(View):
    """Backfills, their dates and counters."""

    def find_backfill(self, backfill_id: int) -> BackfillRecord | None:
        row = self._execute(
            f"SELECT {BACKFILL} FROM backfill WHERE id = ? AND {_VISIBLE}", (backfill_id,)
        ).fetchone()
        return BACKFILL.one(row)

    def open_backfills(self) -> list[OpenBackfill]:
        rows = self._execute(
            f"SELECT {OPEN} FROM backfill WHERE id IN ("
            "SELECT id FROM backfill INDEXED BY backfill_open WHERE ended_ms IS NULL "
            "UNION SELECT id FROM backfill INDEXED BY backfill_held WHERE paused = 1 OR stopped = 1) ORDER BY id"
        )
        return OPEN.all(rows)

    def in_phase(self, phase: str) -> list[BackfillRecord]:
        rows = self._execute(
            f"SELECT {BACKFILL} FROM backfill WHERE phase = ?",
            (phase,),
        )
        return BACKFILL.all(rows)

    def backfills(
        self, asked: BackfillFilter = ALL_BACKFILLS, before: int | None = None, limit: int = 50
    ) -> list[BackfillRecord]:
        """A page of backfills, newest first (BF-1)."""
        older: list[filters.Condition] = [] if before is None else [("id < ?", [before])]
        text, bound = filters.where((_VISIBLE, []), *filters.of_backfills(asked), *older)
        rows = self._execute(
            f"SELECT {BACKFILL} FROM backfill WHERE {text} ORDER BY id DESC LIMIT ?", [*bound, limit]
        )
        return BACKFILL.all(rows)

    def owed_places(self) -> list[tuple[int, int]]:
        return counters.owed_places(self._connection)

    def dates(self, backfill_id: int) -> list[DateRecord]:
        rows = self._execute(
            f"SELECT {DATE} FROM backfill_date WHERE backfill_id = ? ORDER BY position", (backfill_id,)
        )
        return DATE.all(rows)

    def figures(self, backfill_ids: Sequence[int]) -> dict[int, BackfillFigures]:
        ids = (json.dumps(list(backfill_ids)),)
        sums = {row[0]: row[1:] for row in self._execute(_SUMS_OF, ids)}
        found = {}
        for number, resources, time, bizdates, first, expected in self._execute(_FIGURES, ids):
            progress = tuple(sums.get(number, (0, 0, 0, 0, 0)))
            dates = () if bizdates is None else tuple(bizdates.split(","))
            found[number] = BackfillFigures(progress, (resources, time), dates, first, expected)
        return found

    def is_reached(self, backfill_id: int, position: int) -> bool:
        row = self._execute(
            "SELECT reached FROM backfill_date WHERE backfill_id = ? AND position = ?",
            (backfill_id, position),
        ).fetchone()
        return bool(row[0])

    def progress(self, backfill_id: int) -> tuple[int, int, int, int, int]:
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

    def has_waiting(self, backfill_id: int, ids: tuple[int, int] | None = None) -> tuple[bool, bool]:
        """Whether anything waits for resources, and for time."""
        between = "" if ids is None else "AND id BETWEEN ? AND ? "
        return tuple(  # type: ignore[return-value]
            self._execute(
                f"SELECT 1 FROM instance INDEXED BY {index} WHERE state = '{state}' AND backfill_id = ? {between}LIMIT 1",
                (backfill_id, *(ids or ())),
            ).fetchone()
            is not None
            for index, state in (
                ("instance_ready_of", "waiting_resources"),
                ("instance_due_of", "waiting_time"),
            )
        )

    def is_waiting_between(self, backfill_id: int, first_id: int, last_id: int) -> bool:
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


class BackfillWriter(Writer):
    """What makes, changes and counts them."""

    def add_backfill(self, record: BackfillRecord, task_ids: Iterable[int]) -> int:
        """Insert with an id that no backfill has had, whatever `record.id` says (CAT-3)."""
        backfill_id = counters.reserve(self._connection, "backfill")
        self._execute(BACKFILL.insert("backfill"), record._replace(id=backfill_id))
        self.set_tasks(backfill_id, task_ids)
        return backfill_id

    def add_dates(self, rows: Iterable[DateRecord]) -> None:
        self._connection.executemany(DATE.insert("backfill_date"), rows)

    def set_backfill(self, backfill_id: int, **columns: object) -> None:
        if not columns.keys() <= set(BACKFILL.names):
            raise ValueError(sorted(columns))
        is_whole = not _SHOWN_THROUGH.isdisjoint(columns)
        (self._changed.whole if is_whole else self._changed.backfills).add(backfill_id)
        changes = [f"{name} = ?" for name in columns]
        if not _SET_UP.isdisjoint(columns):
            changes.append("edition = edition + 1")
        self._execute(
            f"UPDATE backfill SET {', '.join(changes)} WHERE id = ?",
            [*columns.values(), backfill_id],
        )

    def add_failures(self, backfill_id: int, count: int) -> int:
        self._changed.backfills.add(backfill_id)
        row = self._execute(
            "UPDATE backfill SET failures = failures + ? WHERE id = ? RETURNING failures",
            (count, backfill_id),
        ).fetchone()
        return int(row[0])

    def set_tasks(self, backfill_id: int, task_ids: Iterable[int]) -> None:
        self._changed.backfills.add(backfill_id)
        self._execute("DELETE FROM backfill_task WHERE backfill_id = ?", (backfill_id,))
        self._connection.executemany(
            "INSERT INTO backfill_task (backfill_id, task_id) VALUES (?, ?)",
            [(backfill_id, i) for i in task_ids],
        )

    def delete_half_created(self, backfill_id: int, back_to: str | None = None) -> None:
        self._changed.backfills.add(backfill_id)
        self._execute("DELETE FROM backfill_date WHERE backfill_id = ?", (backfill_id,))
        if back_to is not None:
            self._execute("UPDATE backfill SET phase = ? WHERE id = ?", (back_to, backfill_id))
            return
        self._execute("DELETE FROM backfill_task WHERE backfill_id = ?", (backfill_id,))
        self._execute("DELETE FROM backfill WHERE id = ?", (backfill_id,))

    def owe_places(self, backfill_id: int, at_ms: int) -> None:
        counters.owe_places(self._connection, backfill_id, at_ms)

    def settle_places(self, backfill_id: int, at_ms: int) -> None:
        counters.settle_places(self._connection, backfill_id, at_ms)

    def set_groups(self, backfill_id: int, numbers: Mapping[int, int]) -> None:
        self._changed.whole.add(backfill_id)
        self._connection.executemany(
            "UPDATE backfill_date SET group_number = ? WHERE backfill_id = ? AND position = ?",
            [(number, backfill_id, position) for position, number in numbers.items()],
        )

    def reach(self, backfill_id: int, position: int) -> bool:
        self._changed.backfills.add(backfill_id)
        cursor = self._execute(
            "UPDATE backfill_date SET reached = 1 WHERE backfill_id = ? AND position = ? AND reached = 0",
            (backfill_id, position),
        )
        return cursor.rowcount == 1

    def unreach(self, backfill_id: int, positions: Sequence[int]) -> list[int]:
        self._changed.backfills.add(backfill_id)
        return [
            position
            for position in positions
            if self._execute(
                "UPDATE backfill_date SET reached = 0 WHERE backfill_id = ? AND position = ? AND reached = 1",
                (backfill_id, position),
            ).rowcount
        ]

    def count(self, backfill_id: int, position: int, changes: Sequence[int]) -> DateRecord:
        self._changed.backfills.add(backfill_id)
        row = self._execute(_COUNT, (*changes, backfill_id, position)).fetchone()
        return DATE.make(row)

    def count_many(self, backfill_id: int, changes: Mapping[int, Sequence[int]]) -> None:
        self._changed.backfills.add(backfill_id)
        self._connection.executemany(
            _COUNT_ONLY, [(*change, backfill_id, position) for position, change in changes.items()]
        )
