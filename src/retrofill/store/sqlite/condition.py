"""How an embedded store is: its SQLite, its log, its pages."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from retrofill.domain.texts import Text
from retrofill.services.ports.health import Found

if TYPE_CHECKING:
    from retrofill.services.ports import Reader

_WAL_BYTES = 256 << 20  # a checkpoint comes every few MiB


def condition(path: Path, reader: Reader) -> Iterator[Found]:
    """What was found, the cheapest first.

    Args:
        path: of the store's file.
    """
    version = sqlite3.sqlite_version_info
    is_fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    race = "" if is_fixed else "; its WAL race cannot occur, because every write holds one lock"
    yield Found("sqlite", True, f"version {sqlite3.sqlite_version}{race}")
    wal = _bytes_of(f"{path}-wal")
    yield Found("wal", wal < _WAL_BYTES, f"{wal >> 10} KiB wait to be copied into the store")
    damage = reader.health.damage()
    if not damage:
        yield Found("store", True, f"{path.name} is sound, schema {reader.health.schema()}")
        return
    more = f" and {len(damage) - 1} more" if len(damage) > 1 else ""
    told = Text(
        "{path} is damaged: {first}{more}; {store.restore} puts a backup in its place",
        path=str(path),
        first=damage[0],
        more=more,
    )
    yield Found("store", False, told)


def _bytes_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
