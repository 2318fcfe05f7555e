"""One instance: why it stands as it does, its runs and log, its code, what lies around it, what people did.

What changes while one looks are parts of the page; a part asks the center for no more than it shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from markupsafe import Markup
from starlette.datastructures import QueryParams

from retrofill.domain.errors import RetrofillError, UnknownNameError
from retrofill.domain.running.acts import Act
from retrofill.domain.words import many
from retrofill.web import looks
from retrofill.web.drawing.graphs import Drawing
from retrofill.web.forms import whole_number
from retrofill.web.pages.instance_around import HOLDING, around
from retrofill.web.rendering import Page, sentence
from retrofill.web.steps import place_of
from retrofill.web.visits import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.domain.texts import Text
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.reading.documents import (
        ChainLink,
        CodePart,
        DateState,
        Foresight,
        InstanceDetail,
        InstanceHistory,
        InstanceLineage,
        LogFinds,
        LogWindow,
        OperationRow,
        RunCode,
        RunRow,
        WhyChain,
    )
    from retrofill.web.visits import PageVisit

_LINES = 200  # of a log that come with the page
_ROOM, _LEAST_DATES = 10, 60  # of one bizdate in the strip; as wide it is at least
_ENDS: Mapping[str, str] = {
    "failed": "failed",
    "frozen": "is frozen",
    "running": "is running",
    "waiting_resources": "waits for a slot",
    "waiting_time": "waits for its time",
}
_CONDITIONS: Mapping[str, tuple[str, str]] = {
    "held": ("Not held", "not paused"),
    "turn": ("Its date’s turn", "has come"),
    "upstream": ("Upstream", "has succeeded"),
    "time": ("Time", "has come"),
    "window": ("Window", "is open"),
    "scheduler": ("Scheduler", "runs"),
    "slot": ("Slot", "is free"),
}
_DONE: Mapping[str, str] = {
    "stop": "stopped it",
    "rerun": "reran it",
    "rerun-descendants": "reran it with others that depend on an instance",
    "set-successful": "set it successful",
    "freeze": "froze it",
    "unfreeze": "unfroze it",
    "remove-wait": "let it wait no longer",
    "set-priority": "set its priority",
    "set-resource-group": "moved it to another resource group",
    "set-place": "set its place in the queue",
}
_ACTS = (
    (Act.RERUN, "Rerun…"),
    (Act.RERUN_DESCENDANTS, "Rerun what depends on it…"),
    (Act.SET_SUCCESSFUL, "Set successful…"),
    (Act.STOP, "Stop…"),
    (Act.FREEZE, "Freeze…"),
    (Act.UNFREEZE, "Unfreeze…"),
    (Act.REMOVE_WAITS, "Remove waits…"),
    (Act.PRIORITY, "Set priority…"),
    (Act.RESOURCE_GROUP, "Move to another resource group…"),
)


class OnDate(NamedTuple):
    """The same task on another bizdate, as a mark in the strip."""

    id: int
    bizdate: str
    state: str
    look: str
    x: int
    y: int
    width: int
    height: int
    is_own: bool


class ShownRun(NamedTuple):
    """A run with how it came to be."""

    run: RunRow
    how: str
    look: str
    seconds: float | None


class Offer(NamedTuple):
    """An act that is offered, or why it is not."""

    act: str
    words: str
    refusal: Markup | None


class Link(NamedTuple):
    """A link of the chain to the cause."""

    one: ChainLink
    look: str


class Need(NamedTuple):
    """Something that it needs before it runs; `holds` None: not asked yet."""

    name: str
    text: str
    holds: bool | None


class Log(NamedTuple):
    """The log as the page shows it.

    Attributes:
        at: the byte whose line is marked.
        text: that was looked for; `finds`: where it was found.
        absent: why there is none.
    """

    run: int | None
    window: LogWindow | None
    at: int | None
    text: str
    finds: LogFinds | None
    absent: Markup | str


@dataclass(frozen=True, kw_only=True)
class InstancePage(Page):
    """One instance. What its part does not show is None.

    Attributes:
        backfill: name of its backfill.
        held: what waits below it, or below the cause.
        levels: how far one looks around: up, down.
    """

    template: ClassVar[str] = "instance.html"
    nav: ClassVar[str] = "backfills"
    it: InstanceDetail
    look: str
    backfill: str
    dates: Sequence[OnDate] = ()
    strip_width: int = 0
    before: OnDate | None = None
    after: OnDate | None = None
    chain: WhyChain | None = None
    sentence: Markup | str = ""
    steps: Sequence[tuple[str, str]] = ()
    links: Sequence[Link] = ()
    offers: Sequence[Offer] = ()
    needs: Sequence[Need] = ()
    held: Foresight | None = None
    runs: Sequence[ShownRun] = ()
    code: RunCode | None = None
    code_lines: Sequence[Sequence[CodePart]] = ()
    is_sql: bool = False
    around: Drawing | None = None
    around_absent: str = ""
    levels: tuple[int, int] = (1, 1)
    lineage: InstanceLineage | None = None
    record: Sequence[tuple[OperationRow, str]] = ()
    log: Log | None = None


def instance(visit: PageVisit, number: int) -> Response:
    """Its page, or a part of it."""
    center, part = visit.center, visit.part
    it = center.dates.instance(number)
    found: dict[str, Any] = {"it": it, "backfill": _name_of_backfill(center, it)}
    held_up = False
    if part in (None, "head", "why", "around"):
        chain = center.instances.chain(number)
        held_up = _is_held_up(chain)
        found |= {"chain": chain, "offers": list(_offers(chain)), "needs": list(_needs(chain))}
        found |= {"links": _links(chain), "sentence": _waiting(chain) or _sentence(chain["text"])}
        found["steps"] = list(_steps(chain))
    if part in (None, "head"):
        found |= _strip(center.instances.over_dates(number)["items"], number, held_up)
    if part in (None, "why"):
        history = center.instances.history(number)
        found |= {"held": _held(center, found["chain"]), "runs": list(_runs(history, visit.now))}
        found["record"] = [(one, _DONE.get(one["action"], one["action"])) for one in history["operations"]]
    if part in (None, "around"):
        levels = (_number(visit.query, "up") or 1, _number(visit.query, "down") or 1)
        found |= around(center, number, levels, held_up)
    if part is None:
        code = center.instances.code(number)
        found |= {"code": code, "code_lines": _lines_of(code), "is_sql": code["type"] == "sql"}
        found |= {"lineage": center.instances.lineage(number), "log": _log(center, it, visit.query)}
    look = looks.look(it["state"], it["reason"], is_held_up=held_up)
    whose = (
        f"/{it['backfill']}" if it["backfill"] is not None else ""
    )  # of the schedule, the stream of all tells
    events = f"/api/v1/backfills{whose}/events"
    return visit.show(
        InstancePage(title=f"{it['task']} of {looks.day(it['bizdate'])}", look=look, events=events, **found)
    )


# Above


def _name_of_backfill(center: OperationCenter, it: InstanceDetail) -> str:
    return "" if it["backfill"] is None else center.backfills.row(it["backfill"])["name"]


def _strip(items: Sequence[DateState], number: int, held_up: bool) -> dict[str, Any]:
    """The bizdates around its own, and its neighbours."""
    marks = [_mark(at, one, number, held_up) for at, one in enumerate(items)]
    own = next(at for at, one in enumerate(marks) if one.is_own)
    return {
        "dates": marks,
        "strip_width": max(len(marks), _LEAST_DATES) * _ROOM,
        "before": marks[own - 1] if own else None,
        "after": marks[own + 1] if own + 1 < len(marks) else None,
    }


def _mark(at: int, one: DateState, number: int, held_up: bool) -> OnDate:
    look = looks.look(one["state"], one["reason"], is_held_up=held_up and one["id"] == number)
    x = at * _ROOM
    if look in ("ok", "dry", "hand"):
        y, height, width = 10, 6, _ROOM - 1
    elif look == "idle":
        y, height, width, x = 12, 2, 2, x + 4
    else:
        y, height, width = 4, 18, _ROOM - 1
    return OnDate(one["id"], one["bizdate"], one["state"], look, x, y, width, height, one["id"] == number)


def _offers(chain: WhyChain) -> Iterator[Offer]:
    for act, words in _ACTS:
        refusal = chain["refusals"].get(act)
        yield Offer(act.value, words, None if refusal is None else sentence(refusal))


# Why


def _is_held_up(chain: WhyChain) -> bool:
    return chain["state"] == "not_run" and len(chain["links"]) > 1 and chain["links"][-1]["state"] in HOLDING


def _sentence(text: Text) -> Markup | str:
    """Without the steps that it offers, which become buttons."""
    at = next((i for i, part in enumerate(text.parts) if not isinstance(part, str)), None)
    if at is None:
        return sentence(text)
    said = str(text.parts[0]) if at else ""
    head = said.rpartition("; ")[0] or said.rpartition(", ")[0] or said
    last = text.parts[-1]
    rest = last.partition(". ")[2] if isinstance(last, str) else ""  # what stands still besides
    return Markup(" ").join(sentence(part) for part in (head, rest) if part)


def _waiting(chain: WhyChain) -> Markup | None:
    """Of one that waits for others: for which, and in the end for what."""
    if chain["code"] != "upstream" or len(chain["links"]) < 2:
        return None
    own, first, *_, cause = [*chain["links"], chain["links"][-1]]
    others = own["open"] - 1
    also = f" and {many(others, 'other')}" if others > 0 else ""
    of = "" if first["bizdate"] == own["bizdate"] else f" of {looks.day(first['bizdate'])}"
    end = _ENDS.get(cause["state"], "has not had its turn yet")
    if first["id"] == cause["id"]:
        return Markup("It waits for <b>{}</b>{}{}, which {}.").format(first["task"], of, also, end)
    form = "It waits for <b>{}</b>{}{}, and in the end for <b>{}</b>, which {}."
    return Markup(form).format(first["task"], of, also, cause["task"], end)  # noqa: S704  (values are escaped)


def _steps(chain: WhyChain) -> Iterator[tuple[str, str]]:
    """Address and words of each step that the sentence offers and that the page does not offer anyway."""
    for step in chain["steps"]:
        place = place_of(step)
        own = dict(step.arguments).get("id") == chain["id"] and step.name != "instance.remove_wait"
        if place is not None and not (own and step.name.startswith("instance.")):
            yield place[0], f"{place[1]}…" if place[1][:1].isupper() else place[1]


def _links(chain: WhyChain) -> list[Link]:
    """With looks: what waits for a failure is held up."""
    last = chain["links"][-1]
    return [
        Link(
            one,
            looks.look(one["state"], one["reason"], is_held_up=one is not last and last["state"] in HOLDING),
        )
        for one in chain["links"]
    ]


def _needs(chain: WhyChain) -> Iterator[Need]:
    for one in chain["conditions"]:
        yield Need(*_CONDITIONS[one["name"]], one["holds"])


def _held(center: OperationCenter, chain: WhyChain) -> Foresight | None:
    """What waits for the cause, if a person has to look after that."""
    cause = chain["links"][-1]
    if cause["state"] not in HOLDING:
        return None
    act = Act.SET_SUCCESSFUL if cause["state"] == "failed" else Act.UNFREEZE
    return center.instances.foresee(act, [cause["id"]])


def _runs(history: InstanceHistory, now: datetime) -> Iterator[ShownRun]:
    """The last one first."""
    runs = history["runs"]
    shown = []
    for at, run in enumerate(runs):
        earlier = runs[at - 1] if at else None
        shown.append(
            ShownRun(run, _how(run, earlier, history["operations"]), _look_of(run), _seconds(run, now))
        )
    yield from reversed(shown)


def _how(run: RunRow, earlier: RunRow | None, operations: Sequence[OperationRow]) -> str:
    """What made it run."""
    begin = "" if earlier is None else earlier["ended_at"] or ""
    asked = [
        one
        for one in operations
        if one["action"] in ("rerun", "rerun-descendants")
        and begin <= one["at"] <= (run["started_at"] or "~")
    ]
    if asked:
        return f"rerun by {asked[-1]['user']}"
    return "first run" if earlier is None else f"by itself, after run {earlier['run_number']}"


def _look_of(run: RunRow) -> str:
    if run["ended_at"] is None:
        return "run"
    return "ok" if run["outcome"] == "exited" and run["exit_code"] == 0 else "fail"


def _seconds(run: RunRow, now: datetime) -> float | None:
    """Of one that runs, so far."""
    if run["started_at"] is None:
        return None
    end = now if run["ended_at"] is None else datetime.fromisoformat(run["ended_at"])
    return max((end - datetime.fromisoformat(run["started_at"])).total_seconds(), 0.0)


# Code


def _lines_of(code: RunCode) -> list[list[CodePart]]:
    """Parts by the line that they stand in; a value of several lines stays in one."""
    lines: list[list[CodePart]] = [[]]
    for part in code["parts"]:
        if part["value"] is not None:
            lines[-1].append(part)
            continue
        first, *more = part["text"].split("\n")
        for at, text in enumerate([first, *more]):
            if at:
                lines.append([])
            lines[-1].append({**part, "text": text})
    return lines[:-1] if not any(part["text"] for part in lines[-1]) else lines


# Log


def _log(center: OperationCenter, it: InstanceDetail, query: QueryParams) -> Log:
    desk, number = center.instances, it["id"]
    run, at = _number(query, "run"), _number(query, "at")
    text = query.get("find", "")[:1_000]
    try:
        finds = desk.find_in_log(number, text, run) if text else None
        if "error" in query:
            first = desk.find_in_log(number, "", run, is_error=True, limit=1)["items"]
            at = first[0]["offset"] if first else at
        elif finds is not None and at is None and finds["items"]:
            at = finds["items"][0]["offset"]
        where = {name: _number(query, name) for name in ("since", "until", "line")}
        window = desk.log_lines(number, run, at=at, count=_LINES, **where)
    except RetrofillError as error:
        if isinstance(error, UnknownNameError) and run is not None and error.code == "unknown":
            raise
        return Log(run, None, None, text, None, sentence(error.text))
    return Log(window["run_number"] or None, window, at, text, finds, "")


def _number(query: QueryParams, name: str) -> int | None:
    text = query.get(name, "")
    return whole_number(name, text) if text else None


ROUTES = [page("/instances/{number:int}", instance)]
