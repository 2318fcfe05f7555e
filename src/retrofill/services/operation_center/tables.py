"""Tables that tasks read and write, and how tasks join them (OPS-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.errors import UnknownNameError, did_you_mean, shown
from retrofill.domain.texts import Text
from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.domain.catalog.lineage import TableGraph
    from retrofill.services.catalogs.lineage import Lineages
    from retrofill.services.reading.documents import Page, TablePicture, TableRow


class TableDesk(Desk):
    """Of tasks that the actor may not see, nothing is said, nor of tables that only those use."""

    # Questions

    def list(
        self, name_part: str | None = None, limit: int | None = None, after: str | None = None
    ) -> Page[TableRow]:
        """Tables by name.

        Args:
            name_part: is in the name, in whatever case.
            limit: None for all.
            after: only those that follow this name.
        """
        from retrofill.services.reading.tables import table_row

        graph, part = self._lineages.graph(), (name_part or "").casefold()
        found = [t for t in graph.tables if part in t.name.casefold() and (after is None or t.name > after)]
        shown_ones = found[:limit]
        # Tables of one name stand on one page: the cursor is a name.
        while (
            shown_ones and len(shown_ones) < len(found) and found[len(shown_ones)].name == shown_ones[-1].name
        ):
            shown_ones = found[: len(shown_ones) + 1]
        return {
            "items": [table_row(graph, table) for table in shown_ones],
            "next": shown_ones[-1].name if len(found) > len(shown_ones) else None,
        }

    def show(self, name: str, connection: str | None = None, up: int = 1, down: int = 1) -> TablePicture:
        """The tables around one, level by level, with the tasks that join them, and its columns.

        Args:
            connection: which one of this name; None for any.
            up: how many levels of what it is made from; `down`: of what is made of it.

        Raises:
            UnknownNameError: no task that the actor may see reads or writes a table of this name.
            PictureTooLargeError: there are too many.
        """
        from retrofill.services.reading.tables import picture_of

        lineages = self._lineages
        graph = lineages.graph()
        table = graph.find(name, connection or None)
        if table is None:
            raise _unknown(graph, name)
        return picture_of(lineages, graph, table, up, down)

    # Inside

    @property
    def _lineages(self) -> Lineages:
        return self._parts.lineages(self._parts.folder.catalog)


def _unknown(graph: TableGraph, name: str) -> UnknownNameError:
    near = did_you_mean(name, [table.name for table in graph.tables])
    return UnknownNameError(
        f'no task reads or writes a table "{shown(name)}"{near}', Text("{task.list} shows all tasks.")
    )
