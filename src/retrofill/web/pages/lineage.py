"""Tables, and the tasks that join them: found by name, and as a picture around one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from retrofill.domain.errors import UsageError
from retrofill.domain.words import many
from retrofill.web.drawing.graphs import Drawing, Edge, Node, draw_graph
from retrofill.web.drawing.layers import Sizes
from retrofill.web.looks import query
from retrofill.web.rendering import Page
from retrofill.web.visits import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.reading.documents import TableColumn, TablePicture, TableRow
    from retrofill.web.visits import PageVisit

_ROWS = 100
_MOST_LEVELS = 20
_SIZES = Sizes(width=200, height=36, gap_x=56, gap_y=10)


class Others(NamedTuple):
    """Columns of another table, and the task that joins them."""

    table: str
    columns: Sequence[str]
    task: str


class ColumnLine(NamedTuple):
    """A column of the table: where it comes from, and what is made of it."""

    column: str
    comes_from: Sequence[Others]
    goes_to: Sequence[Others]


class Around(NamedTuple):
    """How far a picture reaches, with the addresses of one that reaches further, or less far."""

    up: int
    down: int
    more_up: str | None
    less_up: str | None
    more_down: str | None
    less_down: str | None


@dataclass(frozen=True, kw_only=True)
class TablesPage(Page):
    """Tables by name.

    Attributes:
        search: what was searched for.
    """

    template: ClassVar[str] = "lineage.html"
    nav: ClassVar[str] = "lineage"
    title: str = "Lineage"
    tables: Sequence[TableRow]
    search: str
    following: str | None


@dataclass(frozen=True, kw_only=True)
class TablePage(Page):
    """What is around one table.

    Attributes:
        row: the table itself.
        words: how many tables lie above and below.
        too_large: whether there were too many within so many levels, and fewer levels are shown.
    """

    template: ClassVar[str] = "table.html"
    nav: ClassVar[str] = "lineage"
    picture: TablePicture
    row: TableRow
    drawing: Drawing
    around: Around
    columns: Sequence[ColumnLine]
    words: str
    too_large: bool


def lineage(visit: PageVisit) -> Response:
    """A table that is asked for, else those that there are."""
    if visit.query.get("table"):
        return _table(visit)
    search = visit.query.get("search", "").strip()
    found = visit.center.tables.list(search, _ROWS, visit.query.get("cursor") or None)
    following = found["next"]
    return visit.show(
        TablesPage(
            tables=found["items"],
            search=search,
            following=None
            if following is None
            else f"/lineage{query({'search': search, 'cursor': following})}",
        )
    )


def _table(visit: PageVisit) -> Response:
    name, connection = visit.query["table"], visit.query.get("connection") or None
    up, down = (_levels(visit.query.get(side)) for side in ("up", "down"))
    desk, too_large = visit.center.tables, False
    try:
        found = desk.show(name, connection, up, down)
    except UsageError as error:
        if error.code != "picture_too_large":
            raise
        too_large, up, down = True, min(up, 1), min(down, 1)
        found = desk.show(name, connection, up, down)
    row = next(one for one in found["tables"] if one["level"] == 0)
    return visit.show(
        TablePage(
            title=found["table"],
            picture=found,
            row=row,
            drawing=draw(found),
            around=_around(found, up, down),
            columns=[
                ColumnLine(one["column"], _grouped(one["comes_from"]), _grouped(one["goes_to"]))
                for one in found["columns"]
            ],
            words=f"{many(_count(found, -1), 'table')} above, {_count(found, 1):,} below",
            too_large=too_large,
        )
    )


def _grouped(columns: Sequence[TableColumn]) -> list[Others]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in columns:
        found.setdefault((one["table"], one["task"]), []).append(one["column"])
    return [Others(table, names, task) for (table, task), names in found.items()]


def _levels(text: str | None) -> int:
    """How many levels; 2 where none are asked for."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 4):
        return 2
    return min(int(text), _MOST_LEVELS)


def _count(picture: TablePicture, sign: int) -> int:
    return sum(one["level"] * sign > 0 for one in picture["tables"])


def _around(picture: TablePicture, up: int, down: int) -> Around:
    def address(more_up: int, more_down: int) -> str:
        own = {"table": picture["table"], "connection": picture["connection"]}
        return f"/lineage{query({**own, 'up': up + more_up, 'down': down + more_down})}"

    return Around(
        up,
        down,
        address(1, 0) if picture["more_above"] and up < _MOST_LEVELS else None,
        address(-1, 0) if up and _count(picture, -1) else None,
        address(0, 1) if picture["more_below"] and down < _MOST_LEVELS else None,
        address(0, -1) if down and _count(picture, 1) else None,
    )


def draw(picture: TablePicture) -> Drawing:
    """Tables as boxes that lead to their own pictures; below each name the task that writes it."""
    keys = [f"{place}" for place in range(len(picture["tables"]))]
    nodes = [
        Node(
            key=key,
            name=_short(one["table"]),
            full=_said(one),
            href=None if one["level"] == 0 else f"/lineage{query(_address_of(one))}",
            below=_writers(one),
            is_focus=one["level"] == 0,
        )
        for key, one in zip(keys, picture["tables"], strict=True)
    ]
    edges = {Edge(keys[one["upstream"]], keys[one["downstream"]]) for one in picture["edges"]}
    label = f"Tables around {picture['table']}"
    return draw_graph(nodes, sorted(edges), label, sizes=_SIZES, pad=12)


def _short(table: str) -> str:
    """The last part of a table's name, or of a file's path."""
    if "/" in table or table.startswith("file:"):
        return table.rstrip("/").rpartition("/")[2] or table
    return table.rpartition(".")[2] or table


def _address_of(one: TableRow) -> dict[str, object]:
    return {"table": one["table"], "connection": one["connection"]}


def _said(one: TableRow) -> str:
    where = f" in {one['connection']}" if one["connection"] else ""
    return f"{one['table']}{where}, {_writers(one) or 'written by no task'}"


def _writers(one: TableRow) -> str:
    writers = one["written_by"]
    if not writers:
        return ""
    more = f" and {len(writers) - 1} more" if len(writers) > 1 else ""
    return f"by {writers[0].rpartition('.')[2]}{more}"


ROUTES = [page("/lineage", lineage)]
