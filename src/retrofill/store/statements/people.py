"""Users and tokens in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.ports.records import TokenRecord, UserRecord
from retrofill.store.statements.counters import next_id
from retrofill.store.statements.rows import TOKEN, USER

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection


class PeopleReader:
    """Users that somebody has written something down about, and tokens."""

    def __init__(self, connection: Connection) -> None:
        self._execute = connection.execute

    def find_user(self, name: str) -> UserRecord | None:
        row = self._execute(f'SELECT {USER} FROM "user" WHERE name = ?', (name,)).fetchone()
        return USER.one(row)

    def users(self) -> list[UserRecord]:
        return USER.all(self._execute(f'SELECT {USER} FROM "user" ORDER BY name'))

    def find_token(self, token_id: int) -> TokenRecord | None:
        row = self._execute(f"SELECT {TOKEN} FROM token WHERE id = ?", (token_id,)).fetchone()
        return TOKEN.one(row)

    def find_live_token(self, secret_hash: str) -> TokenRecord | None:
        row = self._execute(
            f"SELECT {TOKEN} FROM token WHERE secret_hash = ? AND revoked_ms IS NULL", (secret_hash,)
        ).fetchone()
        return TOKEN.one(row)

    def tokens(self, user: str | None = None) -> list[TokenRecord]:
        where, values = ("", ()) if user is None else ("WHERE user_name = ? ", (user,))
        rows = self._execute(f"SELECT {TOKEN} FROM token {where}ORDER BY id DESC", values)
        return TOKEN.all(rows)


class PeopleTables(PeopleReader):
    """Users and tokens inside a write transaction."""

    def put_user(self, record: UserRecord) -> None:
        self._execute(
            'INSERT INTO "user" (id, name, email, phone, is_administrator, created_ms) '
            f"VALUES ({next_id('user')}, ?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET email = excluded.email, phone = excluded.phone, "
            "is_administrator = excluded.is_administrator",
            record[1:],
        )

    def add_token(self, user: str, label: str, secret_hash: str, at_ms: int) -> int:
        row = self._execute(
            "INSERT INTO token (id, user_name, label, secret_hash, created_ms) "
            f"VALUES ({next_id('token')}, ?, ?, ?, ?) RETURNING id",
            (user, label, secret_hash, at_ms),
        ).fetchone()
        return int(row[0])

    def revoke_token(self, token_id: int, at_ms: int) -> bool:
        cursor = self._execute(
            "UPDATE token SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL", (at_ms, token_id)
        )
        return cursor.rowcount == 1
