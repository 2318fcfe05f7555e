"""Forms of pages that people keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.ports.records import SavedFormRecord
from retrofill.store.statements.counters import reserve
from retrofill.store.statements.rows import SAVED_FORM

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection

_OLD_DRAFTS = "saved_form WHERE name IS NULL AND saved_ms < ?"


class SavedFormReader:
    """What is kept."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def find(self, form_id: int) -> SavedFormRecord | None:
        row = self._execute(f"SELECT {SAVED_FORM} FROM saved_form WHERE id = ?", (form_id,)).fetchone()
        return SAVED_FORM.one(row)

    def of(self, user: str, page: str) -> list[SavedFormRecord]:
        rows = self._execute(
            f"SELECT {SAVED_FORM} FROM saved_form WHERE user_name = ? AND page = ? "
            "ORDER BY name IS NULL, name, saved_ms DESC, id DESC",
            (user, page),
        )
        return SAVED_FORM.all(rows)

    def drafts_before(self, before_ms: int) -> int:
        return int(self._execute(f"SELECT count(*) FROM {_OLD_DRAFTS}", (before_ms,)).fetchone()[0])


class SavedForms(SavedFormReader):
    """Saved forms inside a write transaction."""

    def put(self, record: SavedFormRecord) -> int:
        form_id = record.id or self._named(record) or reserve(self._connection, "saved_form")
        self._execute(
            f"{SAVED_FORM.insert('saved_form')} ON CONFLICT (id) DO UPDATE "
            "SET name = excluded.name, fields = excluded.fields, saved_ms = excluded.saved_ms",
            record._replace(id=form_id),
        )
        return form_id

    def _named(self, record: SavedFormRecord) -> int | None:
        row = self._execute(
            "SELECT id FROM saved_form WHERE user_name = ? AND page = ? AND name = ?",
            (record.user_name, record.page, record.name),
        ).fetchone()
        return int(row[0]) if row else None

    def remove(self, form_id: int) -> None:
        self._execute("DELETE FROM saved_form WHERE id = ?", (form_id,))

    def remove_of(self, user: str) -> None:
        self._execute("DELETE FROM saved_form WHERE user_name = ?", (user,))

    def forget_drafts(self, before_ms: int) -> int:
        return self._execute(f"DELETE FROM {_OLD_DRAFTS}", (before_ms,)).rowcount
