"""What the pieces of a view and of a transaction have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection


class View:
    """Asks through an open connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
