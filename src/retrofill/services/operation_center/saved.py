"""What somebody has typed into a form and keeps: a draft, or a view or a form with a name. Everybody sees their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.errors import InvalidValueError, LimitError, UnknownNameError, WrongStateError, shown
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.operation_center.desk import Desk
from retrofill.services.ports.records import SavedFormRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger
    from retrofill.services.reading.documents import SavedForm

MOST_NAMED = 200  # of a user, for a page
_MOST_DRAFTS = 50
_MOST_BYTES = 512 * 1024
_MOST_NAME = 128


class NameTakenError(WrongStateError):
    """Choose another name, or remove what has it."""

    code = "name_taken"


class SavedActs(Desk):
    def save(
        self,
        page: str,
        fields: Mapping[str, Sequence[str]],
        name: str | None = None,
        form_id: int | None = None,
    ) -> SavedForm:
        """Keep what was typed.

        Args:
            page: whose form it is, in a word: `new`, `backfills`.
            fields: all values of each field, as a form sends them.
            name: under which it is found again, in place of what has the name; None: a draft, which goes by age (RET-1).
            form_id: in place of this one of one's own.

        Raises:
            UnknownNameError: the actor has none with this id.
            NameTakenError: another one than that has the name.
            LimitError: it is too large, or there are too many with a name.
            WrongStateError: nothing is deployed.
        """
        if self._parts.deployed is None:
            raise WrongStateError("nothing is deployed yet", Text("{project.deploy} publishes the folder."))
        record = SavedFormRecord(
            form_id or 0,
            self._actor.name,
            _word(page),
            _name(name),
            _text(fields),
            self._parts.clock.now_ms(),
        )
        with self._parts.store.transaction() as tx:
            self._make_room(tx, record)
            return _document(record._replace(id=tx.saved_forms.put(record)))

    def remove(self, form_id: int) -> SavedForm:
        """Keep it no longer; what it was.

        Raises:
            UnknownNameError: the actor has none with this id.
        """
        if self._parts.deployed is None:
            raise _unknown(form_id)
        with self._parts.store.transaction() as tx:
            record = self._own(tx.saved_forms.find(form_id), form_id)
            tx.saved_forms.remove(form_id)
        return _document(record)

    # Inside

    def _own(self, record: SavedFormRecord | None, form_id: int) -> SavedFormRecord:
        if record is None or record.user_name != self._actor.name:
            raise _unknown(form_id)
        return record

    def _make_room(self, tx: Ledger, record: SavedFormRecord) -> None:
        """For one more; the oldest draft gives way, what has a name does not."""
        others = [one for one in tx.saved_forms.of(record.user_name, record.page) if one.id != record.id]
        if record.id:
            if self._own(tx.saved_forms.find(record.id), record.id).page != record.page:
                raise _unknown(record.id)
            if record.name is not None and any(one.name == record.name for one in others):
                raise NameTakenError(f'there is one called "{shown(record.name)}" already')
        if record.name is None:
            for one in [one for one in others if one.name is None][_MOST_DRAFTS - 1 :]:
                tx.saved_forms.remove(one.id)
            return
        names = {one.name for one in others} - {None, record.name}
        if len(names) >= MOST_NAMED:
            raise LimitError(
                f"you keep {MOST_NAMED} of this page already", "Remove one that you do not need."
            )


class SavedDesk(SavedActs):
    # Questions

    def list(self, page: str) -> list[SavedForm]:
        """One's own for a page: those with a name by name, then drafts, what was saved last first."""
        with self.view_if_deployed() as view:
            records = [] if view is None else view.reader.saved_forms.of(self._actor.name, page)
        return [_document(one) for one in records]

    def show(self, form_id: int) -> SavedForm:
        """One of one's own.

        Raises:
            UnknownNameError: the actor has none with this id; somebody else's is answered alike.
        """
        with self.view(_unknown(form_id)) as view:
            return _document(self._own(view.reader.saved_forms.find(form_id), form_id))


def _word(page: str) -> str:
    if not (page.isascii() and page.replace("-", "").isalnum() and len(page) <= 40):
        raise InvalidValueError(
            f"{shown(page[:40])} names no page; write a word of letters, digits and hyphens"
        )
    return page


def _name(name: str | None) -> str | None:
    if name is None:
        return None
    if not name.strip() or len(name.strip()) > _MOST_NAME:
        raise InvalidValueError(f"a name has 1 to {_MOST_NAME} characters")
    return name.strip()


def _text(fields: Mapping[str, Sequence[str]]) -> str:
    text = json.dumps({name: list(values) for name, values in fields.items()}, ensure_ascii=False)
    if len(text.encode()) > _MOST_BYTES:
        raise LimitError(f"this is more than {_MOST_BYTES // 1024} KB", "Keep less of it.")
    return text


def _document(record: SavedFormRecord) -> SavedForm:
    return {
        "id": record.id,
        "page": record.page,
        "name": record.name,
        "fields": json.loads(record.fields),
        "saved_at": shown_instant(record.saved_ms),
    }


def _unknown(form_id: int) -> UnknownNameError:
    return UnknownNameError(
        f"you keep nothing under the number {form_id}", "Drafts go by age, as ended backfills do."
    )
