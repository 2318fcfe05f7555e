"""Instances that could not be started: tried again with growing pauses, and told of (RUN-3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from retrofill.domain.running.outcomes import start_pause_seconds
from retrofill.domain.texts import Text

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger, Reader


class NotStarted:
    """What a scheduler knows of them; the tries themselves are in the ledger."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self._is_told = False
        self._notes: list[str | Text] = []

    def load(self, reader: Reader) -> None:
        """Go on where an earlier scheduler, or a transaction that was rolled back, had come to."""
        self._ids = set(reader.failed_starts.ids())

    def put_off(self, tx: Ledger, instance_id: int, message: str, now_ms: int) -> None:
        """Let it wait; people are told once, when it is more than a start that got lost with a process of ours."""
        tries = tx.failed_starts.note(instance_id, message, now_ms)
        tx.start_later(instance_id, now_ms + 1000 * start_pause_seconds(tries))
        self._ids.add(instance_id)
        if tries > 1 and not self._is_told:
            self._is_told = True
            self._notes.append(
                Text(
                    "Instance {id} could not be started: {why}; what cannot be started is tried again with growing pauses, "
                    "and {deployment.examine} counts it.",
                    id=instance_id,
                    why=message,
                )
            )

    def forget(self, tx: Ledger, ids: Iterable[int]) -> None:
        """Of these, some could not be started before; now they have, or never will."""
        known = self._ids.intersection(ids)
        if not known:
            return
        tx.failed_starts.forget(known)
        self._ids -= known
        if self._is_told and not self._ids:
            self._is_told = False
            self._notes.append("All that could not be started has started.")

    def take_notes(self) -> list[str | Text]:
        """Sentences that people are told."""
        notes, self._notes = self._notes, []
        return notes
