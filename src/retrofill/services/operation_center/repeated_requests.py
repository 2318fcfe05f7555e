"""A backfill that is asked for again with the same key is the one that was made: for programs that heard no answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from retrofill.domain.errors import Kind, RetrofillError, UsageError, WrongStateError
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.operation_center.backfill_plans import BackfillPlans, noting, store_backfill
from retrofill.services.ports.records import RequestKeyRecord

if TYPE_CHECKING:
    from retrofill.domain.inputs import Given
    from retrofill.services.ports import Ledger, Reader

_NO_BACKFILL = 0  # what a key has made is something else
_KEPT_MS = 7 * 24 * 3600 * 1000


class KeyReusedError(UsageError):
    """Send another request with a key of its own."""

    code = "key_reused"


class AlreadyMadeError(WrongStateError):
    """Look at what it has made. What is told only once is not told again: make another one, with another key."""

    code = "already_made"


class StillCreatingError(RetrofillError):
    """Send it again, with the same key, in a moment."""

    code = "still_creating"
    kind = Kind.UNAVAILABLE


class _MadeMeanwhileError(Exception):
    """Another request with the same key was faster; nothing of this one is kept."""


def note_once(tx: Ledger, user: str, key: str, asked: str, now_ms: int) -> None:
    """Write down, in the transaction that makes something other than a backfill, that its key has made it.

    Raises:
        AlreadyMadeError: the same request has made it before.
        KeyReusedError: the key came with another request before.
    """
    record = tx.request_keys.find(user, key)
    if record is not None and record.request != asked:
        raise KeyReusedError("this key came with another request before")
    if record is not None:
        raise AlreadyMadeError(f"this request was done before, on {shown_instant(record.created_ms)}")
    tx.request_keys.forget(now_ms - _KEPT_MS)
    tx.request_keys.put(RequestKeyRecord(user, key, asked, _NO_BACKFILL, now_ms))


class RepeatedRequests(BackfillPlans):
    def create_once(self, key: str, given: Given, expected: str | None = None, comment: str = "") -> int:
        """What `plan` and then `create` do, unless the actor has made a backfill with this key: then that one's id.

        The key is written down in the transaction that adds the backfill, so that it stands for exactly one, whenever
        a process ends. It is known for a week.

        Raises:
            KeyReusedError: it came with another request before.
            StillCreatingError: what was asked for with it is being made.
        """
        import hashlib

        asked = hashlib.sha256(json.dumps([given, expected], sort_keys=True).encode()).hexdigest()
        with self._parts.store.read() as reader:
            made = self._made(reader, key, asked)
        if made is not None:
            return made
        preview = self.plan(given)

        def note(tx: Ledger, backfill_id: int) -> None:
            if self._made(tx, key, asked) is not None:
                raise _MadeMeanwhileError
            now_ms = self._parts.clock.now_ms()
            tx.request_keys.forget(now_ms - _KEPT_MS)
            tx.request_keys.put(RequestKeyRecord(self._actor.name, key, asked, backfill_id, now_ms))
            noting(self._parts, self._actor, comment)(tx, backfill_id)

        try:
            return store_backfill(self._parts, self._actor, preview, expected, note)
        except _MadeMeanwhileError:
            return self.create_once(key, given, expected, comment)

    def _made(self, reader: Reader, key: str, asked: str) -> int | None:
        """The backfill that stands for a key; None where there is none, or none any more."""
        record = reader.request_keys.find(self._actor.name, key)
        if record is None:
            return None
        if record.request != asked:
            raise KeyReusedError("this key came with another request before")
        if reader.find_backfill(record.backfill_id) is not None:
            return record.backfill_id
        if self._parts.store.is_being_created(record.backfill_id):  # else a crash has left it half made
            raise StillCreatingError("what was asked for with this key is being made")
        return None
