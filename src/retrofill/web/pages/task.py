"""One task: a year of its bizdates, when it runs next, what is around it, its code, and how it came to be so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from retrofill.domain.errors import RetrofillError, UnknownNameError, UsageError
from retrofill.domain.people.roles import Role
from retrofill.domain.time.bizdates import EARLIEST
from retrofill.web.code_lines import Piece, code_lines
from retrofill.web.drawing.calendars import Stretch, Year, ranges_of, stretches, year_of
from retrofill.web.drawing.graphs import Drawing
from retrofill.web.forms import whole_number
from retrofill.web.looks import query
from retrofill.web.pages.task_graphs import around
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.reading.documents import (
        CurrentTask,
        OperationRow,
        RenderedRun,
        TaskCalendar,
        TaskDifference,
        TaskVersion,
    )
    from retrofill.web.visits import PageVisit

_DAYS = 366
_SPARK_HEIGHT = 54.0
_VERSIONS = 20


class Spark(NamedTuple):
    """The latest run times as bars in a box of 300 x 56."""

    bars: Sequence[tuple[float, float, float]]  # x, y, height
    mean_y: float
    mean: float
    least: float
    most: float


class Filled(NamedTuple):
    """The code of one bizdate.

    Attributes:
        run: what would run; None: `trouble` says why nothing.
    """

    bizdate: str
    run: RenderedRun | None
    trouble: str


@dataclass(frozen=True, kw_only=True)
class TaskPage(Page):
    """A task as it is deployed.

    Attributes:
        calendar: None before the first deploy.
        backfill: the address at which what is missing or failed is backfilled; None: nothing is.
        shows_states: whether anything in the picture has a last night.
        may_freeze: whether who looks may freeze it; `may_ask`: who may, in words.
        older, newer: addresses of the years before and after; None: there is none.
    """

    template: ClassVar[str] = "task.html"
    nav: ClassVar[str] = "tasks"
    task: CurrentTask
    calendar: TaskCalendar | None
    year: Year | None
    stretches: Sequence[Stretch]
    backfill: str | None
    older: str | None
    newer: str | None
    drawing: Drawing
    shown_around: str
    lines: Sequence[Sequence[Piece]]
    shows_states: bool
    filled: Filled | None
    usual: str
    spark: Spark | None
    operations: Sequence[OperationRow]
    may_freeze: bool


def task(visit: PageVisit, task: str) -> Response:
    """Everything about one."""
    found = visit.center.tasks.show(task)
    name = found["task"]
    calendar = _calendar(visit, name)
    drawing, words = around(visit.center, name)
    filled = _filled(visit, name)
    code = filled.run["code"] if filled and filled.run else found["code"]
    role = visit.me["roles"].get(name.partition(".")[0])
    return visit.show(
        TaskPage(
            title=name,
            task=found,
            calendar=calendar,
            year=None if calendar is None else _year(name, calendar),
            stretches=()
            if calendar is None
            else stretches(date.fromisoformat(calendar["first"]), calendar["cells"], calendar["instances"]),
            backfill=None
            if calendar is None or not calendar["to_backfill"]
            else f"/backfills/new{query({'task': name, 'bizdate': ranges_of(calendar['to_backfill'])})}",
            older=None if calendar is None else _year_before(name, calendar),
            newer=f"/tasks/{name}" if visit.query.get("until") else None,
            drawing=drawing,
            shown_around=words,
            lines=code_lines(code, found["type"]),
            shows_states=any(box.node.state != "plain" for box in drawing.boxes),
            filled=filled,
            usual=_usual_bizdate(found, calendar),
            spark=_spark(found["run_seconds"]),
            operations=visit.center.operations.of_task(name)[:5] if visit.center.is_deployed else (),
            may_freeze=visit.me["administrator"] or role == Role.ADMINISTRATOR,
        )
    )


def _calendar(visit: PageVisit, name: str) -> TaskCalendar | None:
    if not visit.center.is_deployed:
        return None
    until = visit.query.get("until")
    return visit.center.tasks.calendar(name, None if until is None else _bizdate(until), _DAYS)


def _bizdate(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text[:40]!r} is no bizdate", "Write a bizdate as 2026-09-12.") from None


def _year(name: str, calendar: TaskCalendar) -> Year:
    cells = calendar["cells"]
    parts = [
        f"{cells.count(letter):,} {words}"
        for letter, words in (("s", "successful"), ("f", "failed"), ("r", "running"), (".", "never made"))
        if letter in cells
    ]
    label = f"{name} on {len(cells):,} bizdates: {', '.join(parts) or 'nothing'}"
    first = date.fromisoformat(calendar["first"])
    return year_of(first, cells, calendar["instances"], calendar["backfills"], label)


def _year_before(name: str, calendar: TaskCalendar) -> str | None:
    before = date.fromisoformat(calendar["first"]) - timedelta(days=1)
    if before < EARLIEST:
        return None
    return f"/tasks/{name}{query({'until': str(before)})}"


def _usual_bizdate(task: CurrentTask, calendar: TaskCalendar | None) -> str:
    """For which its code is filled in where none is asked for: the newest one that is there."""
    if calendar is not None and calendar["latest"]:
        return calendar["latest"][0]["bizdate"]
    return task["next"][0]["bizdate"] if task["next"] else ""


def _filled(visit: PageVisit, name: str) -> Filled | None:
    bizdate = visit.query.get("bizdate", "").strip()
    if not bizdate:
        return None
    try:
        return Filled(bizdate, visit.center.tasks.render(name, _bizdate(bizdate)), "")
    except RetrofillError as error:
        return Filled(bizdate[:40], None, f"{sentence(error.text)} {sentence(error.hint)}")


def _spark(seconds: Sequence[float]) -> Spark | None:
    if not seconds:
        return None
    most, mean = max(seconds), sum(seconds) / len(seconds)
    scale = (_SPARK_HEIGHT - 2) / (most or 1)
    step = 300 / 32
    heights = [max(round(one * scale, 1), 1.0) for one in seconds]
    bars = [(round(n * step, 1), round(_SPARK_HEIGHT - h, 1), h) for n, h in enumerate(heights)]
    return Spark(bars, round(_SPARK_HEIGHT - mean * scale, 1), mean, min(seconds), most)


# Versions


@dataclass(frozen=True, kw_only=True)
class TaskVersionsPage(Page):
    """The versions that changed a task, and what differs between two of them.

    Attributes:
        name: the task's, also of one that is deployed no longer.
        pairs: of each version the one before, in which the task was otherwise; None: it was not there.
    """

    template: ClassVar[str] = "task_versions.html"
    nav: ClassVar[str] = "tasks"
    name: str
    versions: Sequence[TaskVersion]
    pairs: Mapping[int, int | None]
    following: str | None
    difference: TaskDifference | None
    type: str


def versions(visit: PageVisit, task: str) -> Response:
    """Newest first."""
    desk = visit.center.versions
    cursor = visit.query.get("cursor")
    before = None if not cursor else whole_number("cursor", cursor)
    found = desk.of_task(task, _VERSIONS, before)
    pairs = {
        one["version"]: None if one["change"] == "added" else one["version"] - 1 for one in found["items"]
    }
    difference = _difference(visit, task, pairs)
    name = difference["task"] if difference else _full_name(visit, task)
    following = None if found["next"] is None else query({"cursor": found["next"]})
    return visit.show(
        TaskVersionsPage(
            title=f"Versions of {name}",
            name=name,
            versions=found["items"],
            pairs=pairs,
            following=None if following is None else f"/tasks/{name}/versions{following}",
            difference=difference,
            type=_type_of(visit, name),
        )
    )


def _difference(visit: PageVisit, task: str, pairs: Mapping[int, int | None]) -> TaskDifference | None:
    """Between the two that are asked for; without that, what the newest change was."""
    asked = [visit.query.get(name) for name in ("older", "newer")]
    if all(asked):
        older, newer = (whole_number("version", text or "") for text in asked)
        return visit.center.versions.compare(task, older, newer)
    newest = next(((one, before) for one, before in pairs.items() if before is not None), None)
    return None if newest is None else visit.center.versions.compare(task, newest[1] or 0, newest[0])


def _full_name(visit: PageVisit, task: str) -> str:
    try:
        return visit.center.tasks.show(task)["task"]
    except UnknownNameError:
        return task  # deployed no longer; its versions were found under this name


def _type_of(visit: PageVisit, name: str) -> str:
    try:
        return visit.center.tasks.show(name)["type"]
    except UnknownNameError:
        return ""


ROUTES = [page("/tasks/{task}", task), page("/tasks/{task}/versions", versions)]
