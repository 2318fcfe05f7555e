"""Numbers that are given once and never again, whatever has been deleted meanwhile (CAT-3)."""

from __future__ import annotations

import sqlite3


def reserve(connection: sqlite3.Connection, name: str, count: int = 1) -> int:
    """The first of `count` ids of a table that nobody else will get; within a write transaction.

    Args:
        name: of a table of ours whose key is `id`. What it has already counts the first time.
    """
    connection.execute(
        f"INSERT INTO counter (name, value) SELECT ?1, coalesce(max(id), 0) + ?2 FROM {name} WHERE true "
        "ON CONFLICT (name) DO UPDATE SET value = value + ?2",
        (name, count),
    )
    row = connection.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
    return int(row[0]) - count + 1
