"""A backfill that is open in the list: its groups as strips of bizdates, and of one bizdate what has not succeeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.running.searches import InstanceSearch
from retrofill.domain.running.states import State
from retrofill.domain.running.status import Status
from retrofill.web import looks
from retrofill.web.words import short_moment, slot

if TYPE_CHECKING:
    from retrofill.services.reading.documents import BackfillRow, DateRow, InstanceRow, Progress
    from retrofill.web.visits import PageVisit

_COLUMN = 28.0
_TALL = 26.0
_MOST_TICKS = 8
_SHOWN = 25
_UNFINISHED = tuple(state.value for state in State if state is not State.SUCCESSFUL)


class Piece(NamedTuple):
    """A part of a column."""

    look: str
    y: float
    height: float


class Column(NamedTuple):
    """A bizdate: its pieces from below, where it leads, what is said of it, and a label where there is room."""

    x: float
    pieces: Sequence[Piece]
    path: str
    words: str
    tick: str
    is_chosen: bool


class Strip(NamedTuple):
    """A group of bizdates."""

    number: int
    days: str
    percent: int
    columns: Sequence[Column]
    width: float


class ShownInstance(NamedTuple):
    """An instance of the chosen date."""

    id: int
    task: str
    scheduled: str
    look: str
    word: str
    reason: str
    run: int
    started: str
    took: float | None
    is_failed: bool


@dataclass(frozen=True)
class Opened:
    """What is beneath a row.

    Attributes:
        dates: bizdates to choose from; `chosen`: the one whose instances follow.
        words: how that one stands.
        instances: of it that have not succeeded; `more`: whether there are further ones.
        fields: what else stands in the address, for the form that chooses.
    """

    id: int
    strips: Sequence[Strip]
    dates: Sequence[str]
    chosen: str
    words: str
    instances: Sequence[ShownInstance]
    more: bool
    fields: Sequence[tuple[str, str]]


def opened(visit: PageVisit, row: BackfillRow, chosen: str | None, here: Sequence[tuple[str, str]]) -> Opened:
    """What is shown beneath the row of a backfill.

    Args:
        row: of a failed one nothing goes on by itself, so all that has not run is held up (BF-5).
        chosen: a bizdate of it; None or another text: the first one that has trouble, else that is under way.
        here: the address of the list.
    """
    backfill_id, is_stuck = row["id"], row["status"] == Status.FAILED
    progress = visit.center.backfills.progress(backfill_id)
    dates = progress["dates"]
    by_date = {one["bizdate"]: one for one in dates}
    if chosen not in by_date:
        chosen = _most_telling(dates)
    kept = [pair for pair in here if pair[0] != f"date-{backfill_id}"]
    date_row = by_date.get(chosen or "")
    rows, more = _instances(visit, backfill_id, date_row)
    return Opened(
        id=backfill_id,
        strips=_strips(progress, chosen, kept, is_stuck),
        dates=[*by_date],
        chosen=chosen or "",
        words="" if date_row is None else _words(date_row, is_stuck),
        instances=[_shown(visit, one, is_stuck) for one in rows],
        more=more,
        fields=kept,
    )


def _most_telling(dates: Sequence[DateRow]) -> str | None:
    for tells in ("failed", "frozen", "running"):
        found = next((one["bizdate"] for one in dates if one[tells]), None)
        if found is not None:
            return found
    open_ones = (one["bizdate"] for one in dates if one["successful"] < one["total"])
    return next(open_ones, dates[-1]["bizdate"] if dates else None)


def _instances(
    visit: PageVisit, backfill_id: int, date_row: DateRow | None
) -> tuple[Sequence[InstanceRow], bool]:
    if date_row is None or date_row["successful"] == date_row["total"]:
        return (), False
    search = InstanceSearch((backfill_id,), bizdates=(date_row["bizdate"],), states=_UNFINISHED)
    found = visit.center.instances.list(search, 1_000)
    rows = sorted(found["items"], key=lambda row: _WEIGHT.get(row["state"], 9))
    return rows[:_SHOWN], len(rows) > _SHOWN or found["next"] is not None


_WEIGHT: Mapping[str, int] = {
    state: place
    for place, state in enumerate(("failed", "frozen", "running", "waiting_resources", "waiting_time"))
}


def _shown(visit: PageVisit, row: InstanceRow, is_stuck: bool) -> ShownInstance:
    zone = visit.frame.zone
    return ShownInstance(
        row["id"],
        row["task"],
        slot(row["scheduled_at"]),
        looks.look(row["state"], row["reason"], is_held_up=is_stuck),
        looks.state_words(row["state"]),
        (row["reason"] or "").replace("_", " "),
        row["run_number"],
        "" if row["started_at"] is None else short_moment(row["started_at"], zone, visit.now),
        row["run_seconds"],
        row["state"] == State.FAILED,
    )


def _words(one: DateRow, is_stuck: bool) -> str:
    done, failed, total = one["successful"], one["failed"], one["total"]
    parts = [(done, "successful"), (failed, "failed"), (one["running"], "running"), (one["frozen"], "frozen")]
    left = total - sum(number for number, _ in parts)
    said = ", ".join(
        f"{number:,} {word}"
        for number, word in [*parts, (left, "held up" if is_stuck else "not run")]
        if number
    )
    return f"group {one['group']} · {total:,} {'instance' if total == 1 else 'instances'}: {said}"


def _strips(
    progress: Progress, chosen: str | None, here: Sequence[tuple[str, str]], is_stuck: bool
) -> list[Strip]:
    most = max((one["total"] for one in progress["dates"]), default=1)
    by_group = sorted(progress["dates"], key=lambda one: one["group"])
    return [
        _strip(number, [*dates], most, progress["id"], chosen, here, is_stuck)
        for number, dates in groupby(by_group, key=lambda one: one["group"])
    ]


def _strip(
    number: int,
    dates: Sequence[DateRow],
    most: int,
    backfill_id: int,
    chosen: str | None,
    here: Sequence[tuple[str, str]],
    is_stuck: bool,
) -> Strip:
    every = -(-len(dates) // _MOST_TICKS)
    total, done = sum(one["total"] for one in dates), sum(one["successful"] for one in dates)
    width = max(_COLUMN, 840 / max(len(dates), 1)) if len(dates) < 30 else 840 / len(dates)
    columns = [
        Column(
            round(place * width, 2),
            _pieces(one, most),
            f"/backfills{looks.query([*here, (f'date-{backfill_id}', one['bizdate'])])}",
            f"{looks.day(one['bizdate'])}: {_words(one, is_stuck)}",
            _tick(one["bizdate"], place) if place % every == 0 else "",
            one["bizdate"] == chosen,
        )
        for place, one in enumerate(dates)
    ]
    shown = looks.days(min(one["bizdate"] for one in dates), max(one["bizdate"] for one in dates))
    percent = 100 if done == total else min(99, 100 * done // (total or 1))
    return Strip(number, shown, percent, columns, round(width, 2))


def _tick(bizdate: str, place: int) -> str:
    day = date.fromisoformat(bizdate)
    return f"{day.day} {day:%b}" if place == 0 or day.day == 1 else str(day.day)


def _pieces(one: DateRow, most: int) -> list[Piece]:
    """From below: what is done, what runs, what is frozen, what failed; the rest is empty."""
    parts = (
        ("okq", one["successful"]),
        ("run", one["running"]),
        ("frozen", one["frozen"]),
        ("fail", one["failed"]),
    )
    found, y = [], 30.0
    for look, number in parts:
        if number:
            height = max(round(number / (most or 1) * _TALL, 1), 2.0)
            y -= height
            found.append(Piece(look, round(y, 1), height))
    return found
