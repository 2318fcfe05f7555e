"""What needs somebody, in sentences, with the acts that mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from retrofill.domain.texts import Step, Text
from retrofill.web.words import since

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Blockage, Need


class ShownAct(NamedTuple):
    """A button: where it leads; `asks`: whether a question is shown above this page."""

    label: str
    path: str
    asks: bool = False


@dataclass(frozen=True)
class ShownNeed:
    """One thing.

    Attributes:
        look: of its cell.
        path: of what it is about; empty: of nothing that has a page.
        excerpt: what it left behind; `is_output`: as a program printed it.
        text: a sentence, with what can be done.
        by, at: who did it, and when.
        backfill, name: that it is part of.
        facts: what else is to be known, in a few words each.
        number: how much waits; `of_what`: of what, and `beside`: what more can be said of that.
        command: that mends it in a terminal; empty where a page does.
    """

    look: str
    title: str
    path: str
    excerpt: str
    is_output: bool
    text: Text | None
    by: str | None
    at: str | None
    ago: str
    backfill: int | None
    name: str | None
    facts: Sequence[str]
    number: int | None
    of_what: str
    beside: str
    acts: Sequence[ShownAct]
    command: str = ""


_LOOKS = {
    "failed": "fail", "frozen": "frozen", "isolated": "blocked", "loop": "blocked", "refused": "stopped",
    "no_scheduler": "stopped", "clock": "stopped", "no_worker": "stopped", "unknown_host": "stopped",
}  # fmt: skip
_NO_SCHEDULER = "Nothing starts until one does. On the server's machine, in the folder of the project:"
_PLACES = {"no_worker": "/resource-groups/{name}", "unknown_host": "/hosts/{name}"}
_WITHOUT_INSTANCES = ("refused", "no_scheduler", "clock", *_PLACES)
_ACTS = {
    "instance.log": ("Read the log", "/instances/{id}?tab=log", False),
    "instance.rerun": ("Rerun…", "/instances/rerun?id={id}&back=/", True),
    "instance.set_successful": ("Set successful…", "/instances/set-successful?id={id}&back=/", True),
    "instance.unfreeze": ("Unfreeze…", "/instances/unfreeze?id={id}&back=/", True),
    "instance.why": ("See why", "/instances/{id}", False),
    "instance.remove_wait": ("Remove the wait…", "/instances/remove-waits?id={id}&back=/", True),
    "backfill.resume": ("Resume…", "/backfills/{id}/resume", True),
    "backfill.analysis": ("Read the findings", "/backfills/{id}?tab=analysis", False),
    "backfill.create": ("Reuse with changes", "/backfills/new?reuse={reuse}", False),
    "schedule.accept_clock": ("Accept the clock…", "/schedule/accept-clock", True),
    "host.show": ("See what runs there", "/hosts/{name}", False),
    "host.undrain": ("Let it take work again…", "/hosts/{name}/undrain", True),
}


def shown_need(need: Need, now: datetime) -> ShownNeed:
    """The sentence, what it left behind, and the buttons of a document."""
    cause = need["cause"]
    output = None if cause is None else cause["last_line"] or cause["message"]
    comment = None if cause is None else cause["comment"]
    number, of_what = _damage(need)
    tasks = need["held_up_tasks"]
    return ShownNeed(
        look=_LOOKS.get(need["kind"], "fail"),
        title=_title(need, cause, now),
        path=_path(need, cause),
        excerpt=(f"“{comment}”" if comment else output) or "",
        is_output=not comment and bool(output),
        text=need["text"] if need["kind"] != "no_scheduler" else Text(_NO_SCHEDULER),
        by=None if cause is None else cause["by"],
        at=need["since"],
        ago="" if need["since"] is None else since(need["since"], now),
        backfill=need["backfill"] if need["kind"] != "refused" else None,
        name=None if need["kind"] in _PLACES else need["name"],
        facts=_facts(need, cause),
        number=number,
        of_what=of_what,
        beside=f"{tasks:,} {'task' if tasks == 1 else 'tasks'}" if tasks and number else "",
        acts=[one for step in need["steps"] if (one := _act(step)) is not None],
        command="retrofill scheduler" if need["kind"] == "no_scheduler" else "",
    )


def _title(need: Need, cause: Blockage | None, now: datetime) -> str:
    kind = need["kind"]
    if kind == "no_scheduler":
        return "No scheduler runs"
    if kind == "clock":
        return "The clock of the server is doubted"
    if kind == "no_worker":
        return f"No host takes what {need['name']} offers"
    if kind == "unknown_host":
        return f"Host {need['name']} is not heard of"
    if kind == "refused":
        return f"{need['backfill']} {need['name']} was not started"
    if cause is None:
        what = f"{need['backfill']} {need['name']}" if need["backfill"] else "The schedule"
        return f"{what}: instances wait for each other" if kind == "loop" else f"{what} cannot go on"
    if cause["state"] == "frozen":
        return f"{cause['task']} stands frozen for {_dates(need, cause, now)}"
    if cause["state"] == "not_run":
        return f"{cause['task']} can never run for {_dates(need, cause, now)}: it is isolated"
    how = "was stopped" if cause["reason"] == "stopped" else "failed"
    return f"{cause['task']} {how} for {_dates(need, cause, now)}"


def _dates(need: Need, cause: Blockage, now: datetime) -> str:
    """`12 September`, or how many nights, to the last one."""
    day = date.fromisoformat(need["bizdates"][0] if need["bizdates"] else cause["bizdate"])
    named = f"{day.day} {day:%B}" + ("" if day.year == now.year else f" {day.year}")
    count = len(need["bizdates"])
    return named if count < 2 else f"{count} nights, the last of {named}"


def _path(need: Need, cause: Blockage | None) -> str:
    if cause is not None:
        return f"/instances/{cause['id']}"
    if need["kind"] in _PLACES:
        return _PLACES[need["kind"]].format(name=quote(need["name"] or "", safe=""))
    return "" if need["backfill"] is None else f"/backfills/{need['backfill']}"


def _facts(need: Need, cause: Blockage | None) -> list[str]:
    found = []
    if need["backfill"] is None and need["bizdates"]:
        found.append("auto triggered")
    if cause is not None and cause["run_number"] > 1:
        found.append(f"run {cause['run_number']}")
    if need["failed"] > 1:
        found.append(f"and {need['failed'] - 1:,} more failed")
    if need["paused"]:
        found.append("so the backfill has paused by itself")
    return found


def _damage(need: Need) -> tuple[int | None, str]:
    if need["kind"] in _WITHOUT_INSTANCES:
        return None, ""
    count = need["held_up"]
    if not count:
        return None, ""
    return count, "instance held up" if count == 1 else "instances held up"


def _act(step: Step) -> ShownAct | None:
    if step.name not in _ACTS:
        return None
    label, path, asks = _ACTS[step.name]
    for name, value in step.arguments:
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    return ShownAct(label, path, asks)
