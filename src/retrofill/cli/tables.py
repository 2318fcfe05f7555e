"""Tables and states as text: fitted to the terminal, the same words with and without colour.

Into a pipe, and with `--wide`, a table is as wide as its contents, so that nothing has to be
guessed. In a terminal (or where COLUMNS says how wide) it is fitted: instants become short,
long texts are shortened in the middle, and columns that matter least are left out and named.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click

from retrofill.cli.steps import told
from retrofill.domain.errors import shown
from retrofill.domain.texts import Text

Row = Mapping[str, Any]

_GAP = 2
_NAME, _SENTENCE = 20, 72  # columns of text are shortened so far before others are left out,
_STATE, _STUMP = 14, 8  # and so far after that
_NARROWEST = 80  # for narrower terminals nothing is fitted further: lines are broken there
_SHORT_HEADS = {
    "scheduled_at": "TIME",
    "started_at": "START UTC",
    "ended_at": "END UTC",
    "created_at": "CREATED UTC",
    "revoked_at": "REVOKED UTC",
    "at": "AT (UTC)",
    "run_number": "RUN",
    "run_seconds": "SECONDS",
    "reserved_for_auto": "RESERVED",
    "from_state": "FROM",
    "to_state": "TO",
}
EXPENDABLE = (
    "version", "kind", "group", "run_seconds", "region", "resource_group", "cycle", "priority", "tasks", "type", "owner",
    "from_state", "to_state", "instance", "backfill", "schedule", "run_number", "revoked_at", "created_at",
)  # fmt: skip
_NEVER_CUT = ("id", "bizdate", "bizdates", "action", "user")
_SENTENCES = ("comment", "error", "reason")  # for these, others are left out earlier
_LOOKS = {
    "successful": ("✓", "green"),
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
    "running": ("►", "bright_blue"),
    "not_run": ("○", "bright_black"),
    "waiting_time": ("◔", "yellow"),
    "waiting_resources": ("◌", "yellow"),
    "pending": ("◔", "yellow"),
    "paused": ("‖", "yellow"),
    "stopped": ("■", "red"),
    "frozen": ("✱", "magenta"),
    "there": ("●", "green"),
    "draining": ("◔", "yellow"),
    "unknown": ("?", "yellow"),
    "lost": ("✗", "red"),
    "left": ("○", "bright_black"),
}
"""Glyph and colour of the states of instances and hosts, and of the statuses of backfills; the word is always there too."""

_SAME_YEAR = re.compile(r"^([0-9]{4}-)([0-9]{2}-[0-9]{2})\.\.\1([0-9]{2}-[0-9]{2})")


class Styled(NamedTuple):
    """A cell that is coloured; the colour says nothing that the text does not."""

    text: str
    colour: str


def wants_colour() -> bool | None:
    """False where NO_COLOR or a dumb terminal ask for none; None leaves it to whether it is a terminal."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def state_cell(state: str, words: str | None = None) -> Styled:
    """A state with its glyph and colour.

    Args:
        words: what is printed for the state; its code by default.
    """
    glyph, colour = _LOOKS.get(state, ("", ""))
    mark = f"{glyph} " if glyph and _can_print(glyph) else ""
    return Styled(f"{mark}{words if words is not None else state}", colour)


def coloured(state: str, words: str) -> str:
    """Words for a state in its colour, as part of a sentence."""
    colour = _LOOKS.get(state, ("", ""))[1]
    return click.style(words, fg=colour) if colour else words


def _can_print(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def print_table(
    rows: Sequence[Row],
    columns: Sequence[str],
    empty: str,
    wide: bool = False,
    expendable: Sequence[str] = EXPENDABLE,
) -> None:
    """A head and one line a row, or `empty` on stderr where there is none.

    Args:
        expendable: columns that are left out where there is no room for all, the first ones first.
    """
    if not rows:
        click.echo(empty, err=True)
        return
    made = [_column(name, rows) for name in columns]
    width = None if wide else terminal_width()
    left_out: list[str] = []
    if width is not None:
        made, left_out = _fitted(made, max(width, _NARROWEST), expendable)
    click.echo(click.style(_line(made, [column.head for column in made]), bold=True))
    for i in range(len(rows)):
        click.echo(_line(made, [column.cells[i] for column in made], i))
    if left_out and sys.stderr.isatty():
        heads = ", ".join(name.replace("_", " ") for name in left_out)
        note = f"Not shown for want of room: {heads}; --wide shows everything."
        click.echo(click.style(note, dim=True), err=True)


def terminal_width() -> int | None:
    """Characters in a line of the terminal; None where there is none to fit to."""
    if not (os.environ.get("COLUMNS") or sys.stdout.isatty()):
        return None
    named = os.environ.get("COLUMNS", "")
    if named.isascii() and named.isdigit() and int(named):
        return int(named)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _NARROWEST
    except (OSError, ValueError):
        return _NARROWEST


# Columns


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    head: str
    cells: tuple[str, ...]
    colours: tuple[str, ...]
    width: int
    is_number: bool
    is_text: bool  # may be shortened
    values: tuple[Any, ...]


def _column(name: str, rows: Sequence[Row]) -> _Column:
    values = tuple(_value(name, row) for row in rows)
    is_number = all(_is_number(value) for value in values)
    cells = tuple(value.text if isinstance(value, Styled) else cell(value) for value in values)
    colours = tuple(value.colour if isinstance(value, Styled) else "" for value in values)
    head = name.replace("_", " ").upper()
    is_text = not is_number and name not in _NEVER_CUT and not any(map(_is_instant, values))
    return _Column(name, head, cells, colours, _width(head, cells), is_number, is_text, values)


def _value(name: str, row: Row) -> Any:
    value = row.get(name)
    if name != "state" or not isinstance(value, str):
        return value
    return state_cell(value, f"{value} ({row['reason']})" if row.get("reason") else None)


def _width(head: str, cells: Sequence[str]) -> int:
    return max(len(head), *(printed_width(text) for text in cells))


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_instant(value: object) -> bool:
    return isinstance(value, str) and len(value) >= 19 and value[10] == "T" and value[4] == value[7] == "-"


def cell(value: object) -> str:
    """A value as tables show it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value) or "-"
    if isinstance(value, float):
        return f"{value:.2f}"
    return shown(told(value) if isinstance(value, Text) else str(value))


# Fitting


def _fitted(columns: list[_Column], width: int, expendable: Sequence[str]) -> tuple[list[_Column], list[str]]:
    """Columns that fit into a line, and the names of those that were left out."""
    if _total(columns, _whole) <= width:
        return columns, []
    columns = [_with_short_cells(column) for column in columns]
    left_out: list[str] = []
    for name in expendable:
        if _total(columns, _wanted) <= width:
            break
        kept = [column for column in columns if column.name != name]
        if len(kept) < len(columns):
            columns = kept
            left_out.append(name)
    return _shortened(columns, width), left_out


def _total(columns: Sequence[_Column], width_of: Callable[[_Column], int]) -> int:
    return sum(map(width_of, columns)) + _GAP * (len(columns) - 1)


def _whole(column: _Column) -> int:
    return column.width


def _wanted(column: _Column) -> int:
    """For less than this, other columns are left out first."""
    if not column.is_text or any(column.colours):
        return column.width
    enough = _SENTENCE if column.name in _SENTENCES else _NAME
    return min(column.width, max(enough, len(column.head)))


def _least(column: _Column) -> int:
    """Less than this tells nothing."""
    if not column.is_text:
        return column.width
    return min(column.width, max(_STATE if any(column.colours) else _STUMP, len(column.head)))


def _shortened(columns: list[_Column], width: int) -> list[_Column]:
    """The widest texts are cut first, and below what they want only when that is not enough."""
    widest = max((column.width for column in columns if column.is_text), default=0)
    for floor_of in (_wanted, _least):
        for most in range(widest, 0, -1):
            widths = [min(column.width, max(most, floor_of(column))) for column in columns]
            if sum(widths) + _GAP * (len(columns) - 1) <= width:
                return [_cut(column, fit) for column, fit in zip(columns, widths, strict=True)]
    return [_cut(column, _least(column)) for column in columns]


def _cut(column: _Column, width: int) -> _Column:
    if width >= column.width:
        return column
    is_state = any(column.colours)
    cells = tuple((_from_end if is_state else shortened)(text, width) for text in column.cells)
    return replace(column, cells=cells, width=width)


def shortened(text: str, width: int) -> str:
    """A text of at most `width` characters: beginning and end stay, for that is where names differ."""
    if printed_width(text) <= width:
        return text
    mark = "…" if _can_print("…") else ".."
    room = width - len(mark)
    tail = room // 2
    while printed_width(text[: room - tail]) + printed_width(text[len(text) - tail :]) > room:
        room -= 1  # characters of double width
        tail = room // 2
    return f"{text[: room - tail]}{mark}{text[len(text) - tail :]}"


def _from_end(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    mark = "…" if _can_print("…") else ".."
    return text[: width - len(mark)] + mark


def _with_short_cells(column: _Column) -> _Column:
    head = _SHORT_HEADS.get(column.name, column.head)
    cells = column.cells
    if column.name == "scheduled_at":
        cells = tuple(text[11:16] if _is_instant(text) else text for text in cells)
    elif column.name == "bizdates":
        cells = tuple(_SAME_YEAR.sub(r"\1\2..\3", text) for text in cells)
    elif not column.is_text and not column.is_number:
        cells = _short_instants(cells)
    return replace(column, head=head, cells=cells, width=_width(head, cells))


def _short_instants(cells: tuple[str, ...]) -> tuple[str, ...]:
    """`06:36:22` where all are of today, `11-28 06:36` where all are of this year, else the date."""
    present = [text.lstrip("~") for text in cells if _is_instant(text.lstrip("~"))]
    if not present:
        return cells
    today = datetime.now(UTC).date().isoformat()
    if all(text[:10] == today for text in present):
        first, last = 11, 19
    elif all(text[:4] == today[:4] for text in present):
        first, last = 5, 16
    else:
        first, last = 0, 10
    return tuple(_part(text, first, last) for text in cells)


def _part(text: str, first: int, last: int) -> str:
    mark = "~" if text.startswith("~") else ""
    instant = text.lstrip("~")
    return mark + instant[first:last].replace("T", " ") if _is_instant(instant) else text


# Lines


def _line(columns: Sequence[_Column], cells: Sequence[str], row: int | None = None) -> str:
    parts = []
    for column, text in zip(columns, cells, strict=True):
        padding = " " * max(column.width - printed_width(text), 0)
        colour = column.colours[row] if row is not None else ""
        drawn = click.style(text, fg=colour) if colour else text
        parts.append(padding + drawn if column.is_number else drawn + padding)
    return (" " * _GAP).join(parts).rstrip()


def printed_width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
