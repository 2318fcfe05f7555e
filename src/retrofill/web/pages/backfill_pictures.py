"""Pictures of a backfill: its tabs grid, timeline and graph, what scripts show beside them, and the grid as a table.

Grid and timeline are drawn by scripts, which fetch the documents themselves; their tables are made here. The graph is
laid out here, and scripts only move it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from retrofill.api.links import PREFIX
from retrofill.domain.errors import WrongStateError
from retrofill.domain.running.searches import DateSearch, Numbered
from retrofill.web.looks import query
from retrofill.web.pages.backfill_frame import BackfillTab, Head, Tab
from retrofill.web.pages.backfill_graph import GraphView, graph_view
from retrofill.web.pages.instance_acts import MOST_IDS

if TYPE_CHECKING:
    from retrofill.services.reading.documents import (
        BackfillDate,
        CriticalPath,
        GridDocument,
        GridRow,
        InstancePage,
        LogLine,
        WhyDocument,
    )
    from retrofill.web.visits import PageVisit

ROWS, DATES = 60, 31  # of a table on one page
_LOG_LINES = 4
_PEEK = "peek"  # a part of the grid's page
_PATH = "path"  # a part of the timeline's page
LOOKS: Mapping[str, str] = {
    "n": "idle",
    "t": "wait",
    "w": "wait",
    "r": "run",
    "s": "ok",
    "f": "fail",
    "z": "frozen",
}
_WORDS: Mapping[str, str] = {
    "n": "Not run",
    "t": "Waiting (for scheduled time)",
    "w": "Waiting (for resources)",
    "r": "Running",
    "s": "Successful",
    "f": "Failed",
    "z": "Frozen",
}
_MARKED: Mapping[str, str] = {
    "d": "dry run",
    "o": "off day",
    "v": "virtual",
    "m": "set by a person",
    "h": "held up",
}


def look_of(letter: str, mark: str) -> str:
    """The class of the cell of an instance, from the letters of the grid."""
    if letter == "s" and mark in "dov":
        return "dry"
    if letter == "s" and mark == "m":
        return "hand"
    return "blocked" if letter == "n" and mark == "h" else LOOKS[letter]


def words_of(letter: str, mark: str) -> str:
    """What the letters of the grid say of an instance."""
    return f"{_WORDS[letter]}, {_MARKED[mark]}" if mark in _MARKED else _WORDS[letter]


# The grid


class TableCell(NamedTuple):
    """One instance; id 0: there is none."""

    id: int
    look: str
    words: str


class TableRow(NamedTuple):
    """A task at one time of the day."""

    task: str
    slot: str
    cells: Sequence[TableCell]


@dataclass(frozen=True, kw_only=True)
class Peek:
    """What one wants to know of an instance before opening it.

    Attributes:
        lines: the end of the log of what runs or has failed.
        held_up: instances that wait for it in the end.
    """

    shown: InstancePage
    why: WhyDocument
    lines: Sequence[LogLine]
    held_up: int


@dataclass(frozen=True, kw_only=True)
class GridTable:
    """Some tasks and some bizdates of the grid.

    Attributes:
        groups: of each bizdate.
        first_row, rows_of: which rows of how many; `first_date` and `dates_of` likewise.
    """

    bizdates: Sequence[str]
    groups: Sequence[int]
    rows: Sequence[TableRow]
    first_row: int
    rows_of: int
    first_date: int
    dates_of: int

    @property
    def pages(self) -> Mapping[str, tuple[int, int] | None]:
        """Where the pages around begin: row and date; None where there is none."""
        row, day = self.first_row, self.first_date
        return {
            "up": (max(row - ROWS, 0), day) if row else None,
            "down": (row + ROWS, day) if row + ROWS < self.rows_of else None,
            "back": (row, max(day - DATES, 0)) if day else None,
            "on": (row, day + DATES) if day + DATES < self.dates_of else None,
        }


@dataclass(frozen=True, kw_only=True)
class GridTab(BackfillTab):
    """Tasks by bizdate.

    Attributes:
        data: where scripts fetch the document.
        in_trouble: tasks that failed or are held up.
        only, find: what is left out.
        table: instead of the picture.
        peek: the instance that a script asks for beside it.
        most: instances that can be chosen for one act.
    """

    template: ClassVar[str] = "backfill_grid.html"
    data: str
    in_trouble: int
    only: str
    find: str
    table: GridTable | None = None
    peek: Peek | None = None
    most: int = MOST_IDS


def _grid(visit: PageVisit, head: Head, around: Mapping[str, Any]) -> GridTab:
    trouble = head.trouble
    only, find = visit.query.get("only", ""), visit.query.get("find", "")
    return GridTab(
        **around,
        data=f"{PREFIX}{head.address}/grid",
        in_trouble=trouble["held_up_tasks"] + len({cause["task"] for cause in trouble["causes"]}),
        only=only,
        find=find,
        table=_table(visit, head, only, find) if visit.query.get("as") == "table" else None,
        peek=_peek(visit, head) if visit.part == _PEEK else None,
    )


def _peek(visit: PageVisit, head: Head) -> Peek:
    instances = visit.center.instances
    shown = instances.show(_number(visit, "instance"))
    held = [cause["held_up"] for cause in head.trouble["causes"] if cause["id"] == shown["id"]]
    return Peek(
        shown=shown,
        why=instances.why(shown["id"]),
        lines=_last_lines(visit, shown),
        held_up=sum(held),
    )


def _table(visit: PageVisit, head: Head, only: str, find: str) -> GridTable:
    """Some of it, from the row and the date that the address names."""
    dates = len(head.shown["dates"])
    first_date = min(_number(visit, "date"), max(dates - 1, 0))
    positions = range(first_date, min(first_date + DATES, dates))
    found = visit.center.backfills.grid(head.id, positions)
    words = find.lower().split()
    rows = [
        row
        for row in found["rows"]
        if all(word in row["task"].lower() for word in words)
        and (only != "trouble" or {"f", "z"} & {*row["cells"]} or "h" in row["marks"])
    ]
    first_row = _number(visit, "row")
    shown = [
        TableRow(row["task"], row["slot"], _cells(found, row)) for row in rows[first_row : first_row + ROWS]
    ]
    return GridTable(
        bizdates=found["bizdates"],
        groups=found["groups"],
        rows=shown,
        first_row=first_row,
        rows_of=len(rows),
        first_date=first_date,
        dates_of=dates,
    )


def _cells(found: GridDocument, row: GridRow) -> Sequence[TableCell]:
    ids = [
        found["first_instance"] + position * found["stride"] + row["place"] for position in found["positions"]
    ]
    marks = row["marks"] or "-" * len(ids)
    return [
        TableCell(0, "", "")
        if letter == "."
        else TableCell(number, look_of(letter, mark), words_of(letter, mark))
        for number, letter, mark in zip(ids, row["cells"], marks, strict=True)
    ]


def _number(visit: PageVisit, name: str) -> int:
    text = visit.query.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


# The timeline


@dataclass(frozen=True, kw_only=True)
class TimelineTab(BackfillTab):
    """When what ran, and when what is left will.

    Attributes:
        at: where scripts fetch documents.
        rows: what a row is: `date`, `task` or `slot`.
        path: what its end hangs on, once a script asks for it.
        dates: instead of the picture, some bizdates; `first`: the first of them, of `dates_of`.
    """

    template: ClassVar[str] = "backfill_timeline.html"
    at: str
    rows: str
    path: CriticalPath | None = None
    dates: Sequence[BackfillDate] | None = None
    first: int = 0
    dates_of: int = 0
    step: int = DATES


def _timeline(visit: PageVisit, head: Head, around: Mapping[str, Any]) -> TimelineTab:
    rows = visit.query.get("rows", "date")
    whole = len(head.shown["dates"])
    tab = {**around, "at": f"{PREFIX}{head.address}", "rows": rows, "dates_of": whole}
    if visit.part == _PATH:
        return TimelineTab(**tab, path=visit.center.backfills.critical_path(head.id))
    if visit.query.get("as") != "table":
        return TimelineTab(**tab)
    first = min(_number(visit, "date"), max(whole - 1, 0))
    wanted = [(head.id, position) for position in range(first, min(first + DATES, whole))]
    found = visit.center.dates.list(DateSearch(dates=wanted), Numbered(limit=-1, by="id")) if wanted else None
    dates = sorted(found["items"], key=lambda one: one["position"]) if found else []
    return TimelineTab(**tab, dates=dates, first=first)


# The graph


@dataclass(frozen=True, kw_only=True)
class GraphTab(BackfillTab):
    """Who waits for whom."""

    template: ClassVar[str] = "backfill_dag.html"
    view: GraphView

    def link(self, **changed: object) -> str:
        """The address of another view of it."""
        kept = {"tab": "dag", "show": self.view.show, "task": self.view.task, "bizdate": self.view.bizdate}
        return query({**kept, **changed})


def _graph(visit: PageVisit, head: Head, around: Mapping[str, Any]) -> GraphTab:
    asked = visit.query
    view = graph_view(visit.center, head, asked.get("show", ""), asked.get("task", ""), asked.get("bizdate"))
    return GraphTab(**around, view=view)


def _last_lines(visit: PageVisit, shown: InstancePage) -> Sequence[LogLine]:
    """Of what runs or has failed; of the rest nobody asks."""
    if shown["state"] not in ("failed", "running"):
        return ()
    try:
        return visit.center.instances.log_lines(shown["id"], count=_LOG_LINES)["lines"]
    except WrongStateError:
        return ()


TABS: Sequence[Tab] = (
    Tab("grid", "Grid", _grid),
    Tab("timeline", "Timeline", _timeline),
    Tab("dag", "DAG", _graph),
)
