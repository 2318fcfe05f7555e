"""What `doctor` asks of the ledger's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection


class Health:
    """One look; each question costs little, however much there is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def damage(self) -> list[str]:
        """What the database finds wrong with its files."""
        return self._connection.damage()

    def schema(self) -> str:
        return str(self._execute("SELECT version_num FROM alembic_version").fetchone()[0])

    def newest_ms(self) -> int | None:
        row = self._execute(
            "SELECT max(at_ms) FROM (SELECT max(created_ms) AS at_ms FROM catalog_version "
            "UNION ALL SELECT at_ms FROM (SELECT at_ms FROM operation ORDER BY id DESC LIMIT 1) o "
            "UNION ALL SELECT max(started_ms) FROM run INDEXED BY run_open WHERE ended_ms IS NULL "
            "UNION ALL SELECT value FROM counter WHERE name = 'retention_ms') moments"
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def oldest_open(self) -> tuple[int, int] | None:
        row = self._execute(
            "SELECT id, created_ms FROM backfill INDEXED BY backfill_open WHERE ended_ms IS NULL ORDER BY id LIMIT 1"
        ).fetchone()
        return (int(row[0]), int(row[1])) if row else None
