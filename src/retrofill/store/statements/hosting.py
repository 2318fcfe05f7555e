"""Runs that are offered to other machines: who claims them, what machines say of themselves and of their runs' ends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.states import LEAVING
from retrofill.services.ports.hosting import Offer
from retrofill.store import filters
from retrofill.store.statements.revisions import Writer
from retrofill.store.statements.rows import HOST, REPORTED_END, RUN
from retrofill.store.statements.view import View

if TYPE_CHECKING:
    from retrofill.services.ports.records import HostRecord, ReportedEnd, RunRecord
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.revisions import Changed

_IS_OFFERED = "r.ended_ms IS NULL AND r.host IS NULL AND r.executor IS NOT NULL"
_IS_LEAVING = filters.one_of("coalesce(i.reason, '')", LEAVING)
_MAY_GO = f"i.state = 'running' AND i.run_number = r.number AND NOT {_IS_LEAVING}"
_OFFERS = (
    "SELECT r.instance_id, r.number, r.token FROM run r INDEXED BY run_offered "
    f"CROSS JOIN instance i ON i.id = r.instance_id WHERE {_IS_OFFERED} AND {_MAY_GO}"
)
_NAMED = (
    "SELECT r.instance_id, r.number, r.token FROM json_each(?) j CROSS JOIN instance i ON i.id = j.value "
    f"JOIN run r ON r.instance_id = i.id AND r.number = i.run_number WHERE {_IS_OFFERED} AND {_MAY_GO}"
)
_CALLED_GROUPS = (
    "SELECT i.resource_group, max(r.started_ms) FROM run r INDEXED BY run_offered "
    f"CROSS JOIN instance i ON i.id = r.instance_id WHERE {_IS_OFFERED} AND {_MAY_GO} GROUP BY i.resource_group"
)
_CALLED_HOSTS = (
    "SELECT DISTINCT r.host FROM run r INDEXED BY run_open CROSS JOIN instance i ON i.id = r.instance_id "
    "WHERE r.ended_ms IS NULL AND r.host IS NOT NULL AND r.executor IS NOT NULL AND i.state = 'running' "
    f"AND {filters.one_of('i.reason', LEAVING)}"
)
_IN_ORDER = "ORDER BY i.priority DESC, (i.backfill_id IS NOT NULL), i.due_ms, i.id LIMIT ?"
_CLAIM = (
    "UPDATE run SET host = ?4, boot_id = ?5, started_ms = ?6 WHERE instance_id = ?1 AND number = ?2 AND token = ?3 "
    "AND ended_ms IS NULL AND host IS NULL AND executor IS NOT NULL"
)
_REPORT = (
    f"INSERT INTO reported_end ({REPORTED_END}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS ("
    "SELECT 1 FROM run WHERE instance_id = ?1 AND number = ?2 AND token = ?3 AND host = ?10 AND ended_ms IS NULL) "
    "ON CONFLICT (instance_id, number, token) DO NOTHING"
)
_NOTE = (
    f"{HOST.insert('host')} ON CONFLICT (name) DO UPDATE SET label = excluded.label, executor = excluded.executor, "
    "groups = excluded.groups, slots = excluded.slots, version = excluded.version, logs_at = excluded.logs_at, left_ms = NULL"
)

_UNREPORTED = (
    "FROM run r INDEXED BY run_open WHERE r.ended_ms IS NULL AND r.host = ?1 AND NOT EXISTS (SELECT 1 FROM "
    "reported_end e WHERE e.instance_id = r.instance_id AND e.number = r.number AND e.token = r.token)"
)
_LEAVE = f"UPDATE host SET left_ms = ?2 WHERE name = ?1 AND NOT EXISTS (SELECT 1 {_UNREPORTED})"
_GONE = (
    "SELECT h.name FROM host h LEFT JOIN lease l ON l.name = 'host ' || h.name "
    "WHERE max(coalesce(h.left_ms, l.until_ms, h.since_ms), h.since_ms) < ? AND NOT EXISTS "
    "(SELECT 1 FROM run r INDEXED BY run_open WHERE r.ended_ms IS NULL AND r.host = h.name)"
)


class HostReader(View):
    """Looking at them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def now_ms(self) -> int:
        return self._connection.now_ms()

    def offers(self, groups: Sequence[str], before_ms: int, limit: int) -> list[Offer]:
        rows = self._execute(
            f"{_OFFERS} AND r.started_ms <= ? AND {_among(groups)} {_IN_ORDER}", [before_ms, *groups, limit]
        )
        return [Offer(*row) for row in rows]

    def named(self, offers: Iterable[Offer], groups: Sequence[str]) -> list[Offer]:
        asked = {offer.instance_id: offer for offer in offers}
        rows = self._execute(
            f"{_NAMED} AND {_among(groups)} {_IN_ORDER}", [json.dumps([*asked]), *groups, len(asked)]
        )
        return [found for row in rows if asked[row[0]] == (found := Offer(*row))]

    def open_runs(self, host: str) -> list[RunRecord]:
        rows = self._execute(f"SELECT {RUN.of('r')} {_UNREPORTED}", (host,))
        return RUN.all(rows)

    def waiting(self) -> list[RunRecord]:
        rows = self._execute(
            f"SELECT {RUN.of('r')} FROM run r INDEXED BY run_offered WHERE {_IS_OFFERED} ORDER BY r.started_ms"
        )
        return RUN.all(rows)

    def stopping(self, host: str) -> list[RunRecord]:
        rows = self._execute(
            f"SELECT {RUN.of('r')} FROM run r INDEXED BY run_open CROSS JOIN instance i ON i.id = r.instance_id "
            f"WHERE r.ended_ms IS NULL AND r.host = ? AND i.state = 'running' AND {filters.one_of('i.reason', LEAVING)}",
            (host,),
        )
        return RUN.all(rows)

    def called(self) -> tuple[dict[str, int], list[str]]:
        groups, hosts = self._execute(_CALLED_GROUPS).fetchall(), self._execute(_CALLED_HOSTS).fetchall()
        return {row[0]: row[1] for row in groups}, [row[0] for row in hosts]

    def with_token(self, token_id: int) -> int:
        return int(self._execute("SELECT count(*) FROM host WHERE token_id = ?", (token_id,)).fetchone()[0])

    def find(self, name: str) -> HostRecord | None:
        return HOST.one(self._execute(f"SELECT {HOST} FROM host WHERE name = ?", (name,)).fetchone())

    def all(self) -> list[HostRecord]:
        return HOST.all(self._execute(f"SELECT {HOST} FROM host ORDER BY label, name"))


class HostTables(HostReader, Writer):
    """The same within a write transaction."""

    def __init__(self, connection: Connection, changed: Changed) -> None:
        super().__init__(connection)
        self._changed = changed

    def claim(self, offers: Sequence[Offer], host: str, boot_id: str, at_ms: int) -> None:
        self._changed.elsewhere.update(offer.instance_id for offer in offers)
        self._connection.executemany(_CLAIM, [(*offer, host, boot_id, at_ms) for offer in offers])
        self._connection.executemany(
            "UPDATE instance SET started_ms = ? WHERE id = ? AND state = 'running'",
            [(at_ms, offer.instance_id) for offer in offers],
        )

    def report(self, host: str, ends: Sequence[ReportedEnd]) -> None:
        self._connection.executemany(_REPORT, [(*end, host) for end in ends])

    def take_reports(self) -> list[ReportedEnd]:
        return REPORTED_END.all(self._execute(f"DELETE FROM reported_end RETURNING {REPORTED_END}"))

    def note(self, record: HostRecord) -> None:
        self._execute(_NOTE, record)

    def bind(self, name: str, token_id: int) -> None:
        self._execute("UPDATE host SET token_id = ? WHERE name = ?", (token_id, name))

    def forget_gone(self, before_ms: int) -> int:
        gone = [row[0] for row in self._execute(_GONE, (before_ms,))]
        return sum(map(self.forget, gone))

    def set_draining(self, name: str, draining: bool) -> bool:
        cursor = self._execute("UPDATE host SET draining = ? WHERE name = ?", (int(draining), name))
        return cursor.rowcount == 1

    def leave(self, name: str, at_ms: int) -> None:
        self._execute(_LEAVE, (name, at_ms))

    def forget(self, name: str) -> bool:
        self._execute("DELETE FROM lease WHERE name = 'host ' || ?", (name,))
        return self._execute("DELETE FROM host WHERE name = ?", (name,)).rowcount == 1


def _among(groups: Sequence[str]) -> str:
    return f"i.resource_group IN ({', '.join('?' * len(groups))})" if groups else "1 = 0"
