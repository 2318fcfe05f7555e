"""Removed waits and fixed places of single instances (OPS-7)."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.states import Reason
from retrofill.services.ports.interventions import FixedPlace

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.revisions import Changed


ANY_REMOVED_WAIT = "SELECT 1 FROM removed_wait LIMIT 1"


class InterventionReader:
    """What has been changed; next to nothing as a rule, so every question is asked of an index."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def removed_of(self, instance_id: int) -> frozenset[int]:
        rows = self._execute("SELECT upstream_id FROM removed_wait WHERE instance_id = ?", (instance_id,))
        return frozenset(row[0] for row in rows)

    def removed_from(self, upstream_ids: Sequence[int]) -> list[tuple[int, int]]:
        if self._execute(ANY_REMOVED_WAIT).fetchone() is None:
            return []  # the common case, on every tick
        return list(
            self._execute(
                "SELECT w.instance_id, w.upstream_id FROM json_each(?) j "
                "CROSS JOIN removed_wait w INDEXED BY removed_wait_upstream ON w.upstream_id = j.value",
                (json.dumps(list(upstream_ids)),),
            )
        )

    def removed_between(self, first_id: int, last_id: int) -> list[tuple[int, int]]:
        return list(
            self._execute(
                "SELECT instance_id, upstream_id FROM removed_wait WHERE instance_id BETWEEN ? AND ?",
                (first_id, last_id),
            )
        )

    def find_place(self, instance_id: int) -> FixedPlace | None:
        row = self._execute(
            "SELECT priority, resource_group FROM fixed_place WHERE instance_id = ?", (instance_id,)
        ).fetchone()
        return FixedPlace(*row) if row else None


class Interventions(InterventionReader):
    """Changing it."""

    def __init__(self, connection: Connection, changed: Changed) -> None:
        super().__init__(connection)
        self._changed = changed

    def remove_waits(self, instance_id: int, upstream_ids: Collection[int]) -> None:
        self._changed.instances.add(instance_id)
        self._connection.executemany(
            "INSERT INTO removed_wait (instance_id, upstream_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(instance_id, upstream_id) for upstream_id in upstream_ids],
        )

    def end_isolation(self, instance_id: int) -> None:
        self._changed.instances.add(instance_id)
        self._execute(
            f"UPDATE instance SET reason = NULL WHERE id = ? AND reason = '{Reason.ISOLATED}'", (instance_id,)
        )

    def set_priority(self, instance_id: int, priority: int) -> None:
        self._set(instance_id, "priority", priority)

    def set_resource_group(self, instance_id: int, resource_group: str) -> None:
        self._set(instance_id, "resource_group", resource_group)

    def _set(self, instance_id: int, column: str, value: object) -> None:
        self._changed.instances.add(instance_id)
        self._execute(
            f"INSERT INTO fixed_place (instance_id, {column}) VALUES (?1, ?2) "
            f"ON CONFLICT (instance_id) DO UPDATE SET {column} = excluded.{column}",
            (instance_id, value),
        )
        self._execute(f"UPDATE instance SET {column} = ?2 WHERE id = ?1", (instance_id, value))
