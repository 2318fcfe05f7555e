"""A connection to the embedded store."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any


class SqliteConnection(sqlite3.Connection):
    """What statements ask for beside SQL, in SQLite's way (`dialects.Connection`)."""

    def later(self, statement: str, values: Sequence[Any] = (), /) -> Callable[[], Any]:
        row = self.execute(statement, values).fetchone()
        return lambda: row

    def write_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        marks = ", ".join("?" * len(columns))
        self.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    def referrers(self, table: str) -> list[tuple[str, str]]:
        return self.execute(
            'SELECT m.name, f."from" FROM sqlite_master m, pragma_foreign_key_list(m.name) f '
            "WHERE m.type = 'table' AND f.\"table\" = ? ORDER BY m.name",
            (table,),
        ).fetchall()

    def key_of(self, table: str) -> list[str]:
        rows = self.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,))
        return [row[0] for row in rows]

    def others_commits(self) -> int:
        return int(self.execute("PRAGMA data_version").fetchone()[0])

    def now_ms(self) -> int:
        """All who share it are on one machine."""
        return time.time_ns() // 1_000_000

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file, without its headlines."""
        found = [str(row[0]).strip() for row in self.execute("PRAGMA quick_check")]
        lines = [line for text in found for line in text.splitlines()]
        return [] if lines == ["ok"] else [line for line in lines if not line.startswith("***")] or lines
