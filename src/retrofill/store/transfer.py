"""A whole store copied into another one, whatever database each lies in: rows as they are, table by table.

Both sides are read back in the order of their keys, and count and checksum of each table compared before the
copy is committed. What belongs to the place and not to the data stays behind: leases, and the folder that an
embedded store is bound to; the word that names the store goes along, for the runs that are under way carry it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from retrofill.domain.errors import WrongStateError
from retrofill.store.schema.revision import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Table

    from retrofill.store.dialects import Connection

_STAYS = ("identity", "lease")
ROWS = 10_000  # read at once


class StoreInUseError(WrongStateError):
    """Copy into a database of its own, that holds nothing yet."""

    code = "store_in_use"


class CopyDiffersError(StoreError):
    """Nothing was copied; the store that was read is as it was."""

    code = "copy_differs"


class CopiedTable(NamedTuple):
    """A table of which both sides hold the same."""

    name: str
    rows: int
    checksum: str


def copy(source: Connection, target: Connection) -> list[CopiedTable]:
    """Copy all rows; within a transaction of each, which the caller ends.

    Raises:
        StoreInUseError: the target holds something already.
        CopyDiffersError: what was written is not what was read.
    """
    from retrofill.store.schema.tables import metadata

    tables = [table for table in metadata.sorted_tables if table.name not in _STAYS]
    for table in tables:
        if target.execute(f'SELECT 1 FROM "{table.name}" LIMIT 1').fetchone() is not None:
            raise StoreInUseError(f"there is a store already: its table {table.name} is not empty")
    return [_copy_table(source, target, table) for table in tables]


def _copy_table(source: Connection, target: Connection, table: Table) -> CopiedTable:
    names = [column.name for column in table.columns]
    for rows in _pages(source, table):
        target.write_rows(table.name, names, rows)
    found, copied = _digest(source, table), _digest(target, table)
    if found != copied:
        raise CopyDiffersError(
            f"the copy of {table.name} is not what was read: {copied.rows:,} of {found.rows:,} rows, "
            f"checksum {copied.checksum} instead of {found.checksum}"
        )
    return found


def _digest(connection: Connection, table: Table) -> CopiedTable:
    digest, count = hashlib.blake2b(digest_size=16), 0
    for rows in _pages(connection, table):
        count += len(rows)
        for row in rows:
            digest.update(repr(tuple(row)).encode())
    return CopiedTable(table.name, count, digest.hexdigest())


def _pages(connection: Connection, table: Table) -> Iterator[list[Any]]:
    """All rows in the order of their key, so many at a time."""
    keys = [column.name for column in table.primary_key.columns]
    names = [column.name for column in table.columns]
    places = [names.index(key) for key in keys]
    columns, key = (", ".join(f'"{name}"' for name in some) for some in (names, keys))
    select = f'SELECT {columns} FROM "{table.name}"'
    beyond = f" WHERE ({key}) > ({', '.join('?' * len(keys))})"
    last: list[Any] = []
    while True:
        where = beyond if last else ""
        rows = connection.execute(f"{select}{where} ORDER BY {key} LIMIT {ROWS}", last).fetchall()
        if rows:
            yield rows
        if len(rows) < ROWS:
            return
        last = [rows[-1][place] for place in places]
