"""Tables that tasks read and write, as they are deployed at a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.client.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Page, TablePicture, TableRow


class TableDesk(Desk):
    # Questions

    def list(
        self, name_part: str | None = None, limit: int | None = None, after: str | None = None
    ) -> Page[TableRow]:
        """Tables by name."""
        return self._page("tables", {"name": name_part, "cursor": after}, limit)

    def show(self, name: str, connection: str | None = None, up: int = 1, down: int = 1) -> TablePicture:
        """The tables around one, level by level, with the tasks that join them, and its columns."""
        asked = {"table": name, "connection": connection, "up": up, "down": down}
        return self._server.get("tables/picture", asked)
