"""What one keeps of the forms of pages, at a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from retrofill.client.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import SavedForm


class SavedDesk(Desk):
    # Questions

    def list(self, page: str) -> list[SavedForm]:
        """One's own for a page: those with a name by name, then drafts, what was saved last first."""
        return [*self._server.get("saved-forms", {"page": page})["items"]]

    def show(self, form_id: int) -> SavedForm:
        """One of one's own."""
        found: SavedForm = self._server.get(f"saved-forms/{form_id}")
        return found

    # Acts

    def save(
        self,
        page: str,
        fields: Mapping[str, Sequence[str]],
        name: str | None = None,
        form_id: int | None = None,
    ) -> SavedForm:
        """Keep what was typed: as a draft, or under a name, in place of what has it."""
        body = {"page": page, "fields": fields, "name": name, "id": form_id}
        kept: SavedForm = self._server.act("POST", "saved-forms", body)
        return kept

    def remove(self, form_id: int) -> SavedForm:
        """Keep it no longer; what it was."""
        removed: SavedForm = self._server.act("DELETE", f"saved-forms/{form_id}")
        return removed
