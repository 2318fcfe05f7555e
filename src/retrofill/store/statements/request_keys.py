"""Keys by which requests are known again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.ports.records import RequestKeyRecord
from retrofill.store.statements.rows import REQUEST_KEY

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection


class RequestKeyReader:
    """What was made with a key."""

    def __init__(self, connection: Connection) -> None:
        self._execute = connection.execute

    def find(self, user: str, key: str) -> RequestKeyRecord | None:
        statement = f"SELECT {REQUEST_KEY} FROM request_key WHERE user_name = ? AND name = ?"
        return REQUEST_KEY.one(self._execute(statement, (user, key)).fetchone())


class RequestKeys(RequestKeyReader):
    """Keys inside a write transaction."""

    def put(self, record: RequestKeyRecord) -> None:
        self._execute(
            "DELETE FROM request_key WHERE user_name = ? AND name = ?", (record.user_name, record.name)
        )
        self._execute(REQUEST_KEY.insert("request_key"), record)

    def forget(self, before_ms: int) -> None:
        self._execute("DELETE FROM request_key WHERE created_ms < ?", (before_ms,))
