"""Deployed versions, and what the files that they include hold: each content once, by its SHA-256."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from retrofill.services.ports.records import VersionRecord
from retrofill.store.statements.rows import VERSION

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection

_ANY = 2**62  # above every id


class VersionsReader:
    """Looking."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def find(self, version_id: int) -> VersionRecord | None:
        row = self._execute(f"SELECT {VERSION} FROM catalog_version WHERE id = ?", (version_id,)).fetchone()
        return VERSION.one(row)

    def latest(self, limit: int, older_than: int | None = None) -> list[VersionRecord]:
        """Newest first."""
        rows = self._execute(
            f"SELECT {VERSION} FROM catalog_version WHERE id < ? ORDER BY id DESC LIMIT ?",
            (_ANY if older_than is None else older_than, limit),
        )
        return VERSION.all(rows)

    def before(self, version_id: int) -> int | None:
        row = self._execute("SELECT max(id) FROM catalog_version WHERE id < ?", (version_id,)).fetchone()
        return None if row[0] is None else int(row[0])

    def task(self, version_id: int, name: str) -> str | None:
        row = self._execute(
            "SELECT CAST(e.value AS text) FROM catalog_version v CROSS JOIN json_each(document, '$.tasks') e "
            "WHERE v.id = ? AND e.key = ?",
            (version_id, name),
        ).fetchone()
        return None if row is None else str(row[0])

    def content(self, sha256: str) -> bytes:
        row = self._execute("SELECT data FROM content WHERE sha256 = ?", (sha256,)).fetchone()
        if row is None:
            raise KeyError(sha256)
        return bytes(row[0])

    def missing(self, hashes: Iterable[str]) -> set[str]:
        wanted = set(hashes)
        found = "SELECT 1 FROM content WHERE sha256 = ?"
        return {sha256 for sha256 in wanted if self._execute(found, (sha256,)).fetchone() is None}


class Versions(VersionsReader):
    """Keeping."""

    def add_contents(self, contents: Mapping[str, bytes]) -> None:
        self._connection.executemany(
            "INSERT INTO content (sha256, data) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING",
            list(contents.items()),
        )
