"""Numbers: ids that are given once and never again, whatever has been deleted (CAT-3); and what a change owes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection


def next_id(table: str) -> str:
    """An expression for the id of a new row, where ids that were deleted may be given again: writers are serial."""
    return f"(SELECT coalesce(max(id), 0) + 1 FROM {table})"


def reserve(connection: Connection, name: str, count: int = 1) -> int:
    """The first of `count` ids of a table that nobody else will get; within a write transaction.

    Args:
        name: of a table of ours whose key is `id`. What it has already counts the first time.
    """
    connection.execute(
        f"INSERT INTO counter (name, value) SELECT ?1, coalesce(max(id), 0) + ?2 FROM {name} WHERE true "
        "ON CONFLICT (name) DO UPDATE SET value = counter.value + ?2",
        (name, count),
    )
    row = connection.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
    return int(row[0]) - count + 1


_PLACES = "owed_places."  # and the id of a backfill


def owe_places(connection: Connection, backfill_id: int, at_ms: int) -> None:
    """Note that the ready instances of a backfill have still to move to where they queue since a change."""
    connection.execute(
        "INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (f"{_PLACES}{backfill_id}", at_ms),
    )


def owed_places(connection: Connection) -> list[tuple[int, int]]:
    """Backfills whose instances have still to move, each with the moment of the change."""
    rows = connection.execute(
        "SELECT name, value FROM counter WHERE name BETWEEN ? AND ?", (_PLACES, f"{_PLACES}:")
    )
    return [(int(name.removeprefix(_PLACES)), value) for name, value in rows]


def settle_places(connection: Connection, backfill_id: int, at_ms: int) -> None:
    """They have moved, unless there was another change since."""
    connection.execute("DELETE FROM counter WHERE name = ? AND value = ?", (f"{_PLACES}{backfill_id}", at_ms))
