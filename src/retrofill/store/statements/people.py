"""Users, tokens and access keys in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.ports.records import AccessKeyRecord, TokenRecord, UserRecord
from retrofill.store.statements.counters import next_id
from retrofill.store.statements.rows import ACCESS_KEY, TOKEN, USER

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.revisions import Changed


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

    def find_token_by_secret(self, secret_hash: str) -> TokenRecord | None:
        row = self._execute(f"SELECT {TOKEN} FROM token WHERE secret_hash = ?", (secret_hash,)).fetchone()
        return TOKEN.one(row)

    def tokens(self, user: str | None = None) -> list[TokenRecord]:
        where, values = ("", ()) if user is None else ("WHERE user_name = ? ", (user,))
        rows = self._execute(f"SELECT {TOKEN} FROM token {where}ORDER BY id DESC", values)
        return TOKEN.all(rows)

    def find_access_key(self, key_id: str) -> AccessKeyRecord | None:
        row = self._execute(f"SELECT {ACCESS_KEY} FROM access_key WHERE key_id = ?", (key_id,)).fetchone()
        return ACCESS_KEY.one(row)

    def access_keys(self, user: str | None = None) -> list[AccessKeyRecord]:
        where, values = ("", ()) if user is None else ("WHERE user_name = ? ", (user,))
        rows = self._execute(f"SELECT {ACCESS_KEY} FROM access_key {where}ORDER BY id DESC", values)
        return ACCESS_KEY.all(rows)


class PeopleTables(PeopleReader):
    """Users and tokens inside a write transaction."""

    def __init__(self, connection: Connection, changed: Changed) -> None:
        super().__init__(connection)
        self._changed = changed

    def put_user(self, record: UserRecord) -> None:
        self._changed.rights = True
        self._execute(
            'INSERT INTO "user" (id, name, email, phone, is_administrator, created_ms) '
            f"VALUES ({next_id('user')}, ?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET email = excluded.email, phone = excluded.phone, "
            "is_administrator = excluded.is_administrator",
            record[1:],
        )

    def remove_user(self, name: str, at_ms: int) -> UserRecord | None:
        self._changed.rights = True
        for table in ("token", "access_key"):
            self._execute(
                f"UPDATE {table} SET revoked_ms = ? WHERE user_name = ? AND revoked_ms IS NULL", (at_ms, name)
            )
        row = self._execute(f'DELETE FROM "user" WHERE name = ? RETURNING {USER}', (name,)).fetchone()
        return USER.one(row)

    def add_token(self, secret_hash: str, record: TokenRecord) -> int:
        return self._add("token", TOKEN.names, record, secret_hash=secret_hash)

    def revoke_token(self, token_id: int, at_ms: int) -> bool:
        self._changed.rights = True
        cursor = self._execute(
            "UPDATE token SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL", (at_ms, token_id)
        )
        return cursor.rowcount == 1

    def see_token(self, token_id: int, at_ms: int) -> None:
        self._execute("UPDATE token SET seen_ms = ? WHERE id = ?", (at_ms, token_id))

    def add_access_key(self, record: AccessKeyRecord) -> int:
        return self._add("access_key", ACCESS_KEY.names, record)

    def revoke_access_key(self, key_id: str, at_ms: int) -> bool:
        cursor = self._execute(
            "UPDATE access_key SET revoked_ms = ? WHERE key_id = ? AND revoked_ms IS NULL", (at_ms, key_id)
        )
        return cursor.rowcount == 1

    def see_access_key(self, key_id: str, at_ms: int) -> None:
        self._execute("UPDATE access_key SET seen_ms = ? WHERE key_id = ?", (at_ms, key_id))

    def _add(self, table: str, names: tuple[str, ...], record: tuple[object, ...], **more: str) -> int:
        """The id of a new row; the record's own, its first field, does not count."""
        columns = [*names[1:], *more]
        row = self._execute(
            f"INSERT INTO {table} (id, {', '.join(columns)}) "
            f"VALUES ({next_id(table)}{', ?' * len(columns)}) RETURNING id",
            (*record[1:], *more.values()),
        ).fetchone()
        return int(row[0])
