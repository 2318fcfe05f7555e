"""What people have typed into the forms of pages and keep: drafts, and what they have given a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from retrofill.services.ports.records import SavedFormRecord


class SavedFormReader(Protocol):
    """What is kept; whose it is, is judged by who asks."""

    def find(self, form_id: int) -> SavedFormRecord | None: ...

    def of(self, user: str, page: str) -> list[SavedFormRecord]:
        """A user's for a page: those with a name by name, then drafts, what was saved last first."""
        ...

    def drafts_before(self, before_ms: int) -> int:
        """How many drafts were saved last before that."""
        ...


class SavedForms(SavedFormReader, Protocol):
    """Saved forms inside a write transaction."""

    def put(self, record: SavedFormRecord) -> int:
        """Keep it: in place of the one with its id, or of the user's one of its name for the page, or as a new one.

        A new one gets an id that none has had before; that of the record, 0, does not count.
        """
        ...

    def remove(self, form_id: int) -> None: ...

    def remove_of(self, user: str) -> None:
        """All that a user keeps."""
        ...

    def forget_drafts(self, before_ms: int) -> int:
        """Remove drafts that were saved last before that; how many."""
        ...
