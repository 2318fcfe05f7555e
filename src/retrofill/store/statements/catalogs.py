"""Versions, and the ids that names have for good."""

from __future__ import annotations

from collections.abc import Iterable

from retrofill.store.statements import counters
from retrofill.store.statements.revisions import Writer
from retrofill.store.statements.view import View


class CatalogReader(View):
    """Versions and names."""

    def current_version(self) -> tuple[int, str] | None:
        row = self._execute("SELECT id, document FROM catalog_version ORDER BY id DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else None

    def current_version_id(self) -> int | None:
        row = self._execute("SELECT max(id) FROM catalog_version").fetchone()
        return None if row[0] is None else int(row[0])

    def version(self, version_id: int) -> str:
        row = self._execute("SELECT document FROM catalog_version WHERE id = ?", (version_id,)).fetchone()
        return str(row[0])

    def first_deployed_ms(self) -> int | None:
        row = self._execute("SELECT created_ms FROM catalog_version ORDER BY id LIMIT 1").fetchone()
        return row[0] if row else None

    def task_ids(self) -> dict[str, int]:
        return dict(self._execute("SELECT name, id FROM task"))

    def workspace_ids(self) -> dict[str, int]:
        return dict(self._execute("SELECT name, id FROM workspace"))

    def task_name(self, task_id: int) -> str | None:
        row = self._execute("SELECT name FROM task WHERE id = ?", (task_id,)).fetchone()
        return row[0] if row else None


class CatalogWriter(Writer):
    """What a deploy writes."""

    def add_version(
        self,
        document: str,
        at_ms: int,
        user: str,
        task_count: int | None = None,
        published_from: int | None = None,
    ) -> int:
        self._changed.rights = True  # who is a member of what stands in it
        row = self._execute(
            "INSERT INTO catalog_version (id, document, created_ms, created_by, task_count, published_from) "
            f"VALUES ({counters.next_id('catalog_version')}, ?, ?, ?, ?, ?) RETURNING id",
            (document, at_ms, user, task_count, published_from),
        ).fetchone()
        return int(row[0])

    def set_deployed(self, table: str, names: Iterable[str]) -> None:
        if table not in ("task", "workspace"):
            raise ValueError(table)
        self._execute(f"UPDATE {table} SET deployed = 0")
        self._connection.executemany(
            f"INSERT INTO {table} (id, name, deployed) VALUES ({counters.next_id(table)}, ?, 1) "
            "ON CONFLICT (name) DO UPDATE SET deployed = 1",
            [(name,) for name in names],
        )
