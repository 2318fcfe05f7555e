"""How people sign in, in the ledger; secrets are there as hashes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.ports.records import LinkRecord, PasswordRecord, SessionRecord
from retrofill.services.ports.signing_in import Failures
from retrofill.store.statements.counters import reserve
from retrofill.store.statements.rows import LINK, PASSWORD, SESSION

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.revisions import Changed

_OPEN = "ended_ms IS NULL AND expires_ms > ?"


class SignInReader:
    """What there is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def find_password(self, user: str) -> PasswordRecord | None:
        row = self._execute(f"SELECT {PASSWORD} FROM password WHERE user_name = ?", (user,)).fetchone()
        return PASSWORD.one(row)

    def find_session(self, secret_hash: str) -> SessionRecord | None:
        row = self._execute(f"SELECT {SESSION} FROM session WHERE secret_hash = ?", (secret_hash,)).fetchone()
        return SESSION.one(row)

    def session(self, session_id: int) -> SessionRecord | None:
        row = self._execute(f"SELECT {SESSION} FROM session WHERE id = ?", (session_id,)).fetchone()
        return SESSION.one(row)

    def open_sessions(self, now_ms: int, user: str | None = None) -> list[SessionRecord]:
        whose, values = ("", ()) if user is None else (" AND user_name = ?", (user,))
        rows = self._execute(
            f"SELECT {SESSION} FROM session WHERE {_OPEN}{whose} ORDER BY id DESC", (now_ms, *values)
        )
        return SESSION.all(rows)

    def find_link(self, secret_hash: str) -> LinkRecord | None:
        row = self._execute(
            f"SELECT {LINK} FROM sign_in_link WHERE secret_hash = ?", (secret_hash,)
        ).fetchone()
        return LINK.one(row)

    def user_of_subject(self, issuer: str, subject: str) -> str | None:
        row = self._execute(
            "SELECT user_name FROM subject WHERE issuer = ? AND subject = ?", (issuer, subject)
        ).fetchone()
        return row[0] if row else None

    def has_subject(self, issuer: str, user: str) -> bool:
        row = self._execute(
            "SELECT 1 FROM subject WHERE user_name = ? AND issuer = ?", (user, issuer)
        ).fetchone()
        return row is not None

    def failures(self, about: str) -> Failures:
        row = self._execute("SELECT count, last_ms FROM sign_in_failure WHERE about = ?", (about,)).fetchone()
        return Failures(*row) if row else Failures(0, 0)


class SignInTables(SignInReader):
    """Signing in, inside a write transaction."""

    def __init__(self, connection: Connection, changed: Changed) -> None:
        super().__init__(connection)
        self._changed = changed

    def put_password(self, record: PasswordRecord) -> None:
        self._execute(
            f"{PASSWORD.insert('password')} ON CONFLICT (user_name) "
            "DO UPDATE SET hash = excluded.hash, set_ms = excluded.set_ms",
            record,
        )

    def remove_password(self, user: str) -> bool:
        return self._execute("DELETE FROM password WHERE user_name = ?", (user,)).rowcount == 1

    def add_session(self, secret_hash: str, record: SessionRecord) -> int:
        number = reserve(self._connection, "session")
        self._execute(
            f"INSERT INTO session (secret_hash, {SESSION}) VALUES (?{', ?' * len(record)})",
            (secret_hash, *record._replace(id=number)),
        )
        return number

    def see_session(self, session_id: int, at_ms: int, expires_ms: int) -> None:
        self._execute(
            "UPDATE session SET seen_ms = ?, expires_ms = ? WHERE id = ?", (at_ms, expires_ms, session_id)
        )

    def end_session(self, session_id: int, at_ms: int) -> bool:
        self._changed.rights = True
        cursor = self._execute(
            "UPDATE session SET ended_ms = ? WHERE id = ? AND ended_ms IS NULL", (at_ms, session_id)
        )
        return cursor.rowcount == 1

    def end_sessions_of(self, user: str, at_ms: int, but: int | None = None) -> list[int]:
        self._changed.rights = True
        rows = self._execute(
            "UPDATE session SET ended_ms = ?1 WHERE user_name = ?2 AND ended_ms IS NULL AND expires_ms > ?1 "
            "AND id <> ?3 RETURNING id",
            (at_ms, user, but or 0),
        )
        return sorted(row[0] for row in rows)

    def add_link(self, secret_hash: str, record: LinkRecord) -> None:
        self._execute(
            f"INSERT INTO sign_in_link (secret_hash, {LINK}) VALUES (?{', ?' * len(record)})",
            (secret_hash, *record),
        )

    def use_link(self, secret_hash: str, at_ms: int) -> LinkRecord | None:
        row = self._execute(
            "UPDATE sign_in_link SET used_ms = ?2 WHERE secret_hash = ?1 AND used_ms IS NULL "
            f"AND expires_ms > ?2 RETURNING {LINK}",
            (secret_hash, at_ms),
        ).fetchone()
        return LINK.one(row)

    def withdraw_links(self, user: str) -> None:
        self._execute("DELETE FROM sign_in_link WHERE user_name = ? AND used_ms IS NULL", (user,))

    def put_subject(self, issuer: str, subject: str, user: str, at_ms: int) -> None:
        self._execute(
            "INSERT INTO subject (issuer, subject, user_name, created_ms) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (issuer, subject) DO UPDATE SET user_name = excluded.user_name",
            (issuer, subject, user, at_ms),
        )

    def remove_user(self, user: str, at_ms: int) -> None:
        self.remove_password(user)
        self.withdraw_links(user)
        self._execute("DELETE FROM subject WHERE user_name = ?", (user,))
        self.end_sessions_of(user, at_ms)

    def add_failure(self, about: str, at_ms: int) -> int:
        row = self._execute(
            "INSERT INTO sign_in_failure (about, count, last_ms) VALUES (?, 1, ?) ON CONFLICT (about) "
            "DO UPDATE SET count = sign_in_failure.count + 1, last_ms = excluded.last_ms RETURNING count",
            (about, at_ms),
        ).fetchone()
        return int(row[0])

    def take_back_failure(self, about: str) -> None:
        self._execute("UPDATE sign_in_failure SET count = count - 1 WHERE about = ? AND count > 0", (about,))

    def forget_failures(self, about: str) -> None:
        self._execute("DELETE FROM sign_in_failure WHERE about = ?", (about,))

    def spend(self, value: str, until_ms: int, now_ms: int) -> bool:
        self._execute("DELETE FROM nonce WHERE until_ms <= ?", (now_ms,))
        cursor = self._execute(
            "INSERT INTO nonce (value, until_ms) VALUES (?, ?) ON CONFLICT DO NOTHING", (value, until_ms)
        )
        return cursor.rowcount == 1

    def clear(self, now_ms: int, failures_until_ms: int, sessions_before_ms: int) -> None:
        self._execute("DELETE FROM sign_in_link WHERE expires_ms <= ?", (now_ms,))
        self._execute("DELETE FROM sign_in_failure WHERE last_ms <= ?", (failures_until_ms,))
        self._execute(
            "DELETE FROM session WHERE expires_ms < ?1 OR ended_ms < ?1",
            (sessions_before_ms,),
        )
