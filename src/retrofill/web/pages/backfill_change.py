"""Changing how a backfill runs while it runs: `/backfills/{id}/change`, with what would come of it (BF-3).

The form has every input that a change has, filled with what holds now; only what differs is a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from retrofill.api.errors import STATUSES
from retrofill.domain.errors import RetrofillError, UsageError
from retrofill.domain.planning.changes import Changes, read_changes
from retrofill.domain.planning.policy import MOST_GROUPS, PRIORITIES, OnFailure
from retrofill.domain.words import many
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.domain.running.results import ChangeReport
    from retrofill.services.reading.documents import BackfillPage, ChangePreview, GroupRow
    from retrofill.web.forms import Form
    from retrofill.web.visits import PageVisit

_MOST_COMMENT = 1_000
FIELDS = ("groups", "window", "weekends", "priority", "resource_group", "on_failure", "max_failures")


@dataclass(frozen=True, kw_only=True)
class ChangePage(Page):
    """The form, and what a change that it holds would come to.

    Attributes:
        shown: the backfill as it stands.
        typed: what the fields hold, by name.
        found: what would come of it; None: nothing differs yet.
        error: what is wrong with what was typed, or why it was not done.
    """

    template: ClassVar[str] = "backfill_change.html"
    nav: ClassVar[str] = "backfills"
    shown: BackfillPage
    typed: Mapping[str, str]
    found: ChangePreview | None
    resource_groups: Sequence[GroupRow]
    priorities: Sequence[int] = PRIORITIES
    most_groups: int = MOST_GROUPS
    failure_policies: Sequence[str] = tuple(OnFailure)
    comment: str = ""
    error: str = ""


def ask(visit: PageVisit, backfill_id: int) -> Response:
    """As it is; with values in the address, what these would come to."""
    query = dict(visit.query)
    if not any(name in query for name in FIELDS):
        return _asked(visit, backfill_id, None)
    return _asked(visit, backfill_id, {**_now(visit.center.backfills.show(backfill_id)), **query})


def change(visit: PageVisit, form: Form, backfill_id: int) -> Response:
    """Do it, or with `ask` show what would come of it."""
    typed = {name: form.one(name) for name in (*FIELDS, "comment")}
    if form.has("ask"):
        return _asked(visit, backfill_id, typed)
    backfills = visit.center.backfills
    try:
        changes = _changes(typed, _now(backfills.show(backfill_id)))
        if changes is None:
            return visit.goes_to(
                f"/backfills/{backfill_id}", said="Nothing differed, so nothing was changed."
            )
        desk = backfills.as_of(form.all("as_of") or None)
        report = desk.change(backfill_id, changes, typed["comment"][:_MOST_COMMENT])
    except RetrofillError as error:
        return _asked(visit, backfill_id, typed, error)
    return visit.goes_to(f"/backfills/{backfill_id}", said=_said(backfill_id, report))


ROUTES = [
    page("/backfills/{backfill_id:int}/change", ask),
    act("/backfills/{backfill_id:int}/change", change),
]


# Inside


def _asked(
    visit: PageVisit,
    backfill_id: int,
    typed: Mapping[str, str] | None,
    error: RetrofillError | None = None,
) -> Response:
    backfills = visit.center.backfills
    shown = backfills.show(backfill_id)
    now = _now(shown)
    found = None
    try:
        changes = None if typed is None else _changes(typed, now)
        found = None if changes is None else backfills.preview_change(backfill_id, changes)
    except UsageError as wrong:
        error = error or wrong
    answer = ChangePage(
        title=f"Change how backfill {backfill_id} {shown['name']} runs",
        shown=shown,
        typed=now if typed is None else {**dict.fromkeys(FIELDS, ""), **typed},
        found=found,
        resource_groups=visit.center.groups.list(),
        comment="" if typed is None else typed.get("comment", ""),
        error="" if error is None else sentence(error.text),
    )
    return visit.show(answer, 200 if error is None else STATUSES[error.kind])


def _now(shown: BackfillPage) -> dict[str, str]:
    """What the fields hold where nothing is changed."""
    request: Mapping[str, Any] = shown["request"]
    window = request["window"]
    return {
        "groups": str(request["groups"]),
        "window": "" if window is None else f"{window['period']}",
        "weekends": "1" if window is not None and window["weekends"] else "",
        "priority": "" if request["priority"] is None else str(request["priority"]),
        "resource_group": request["resource_group"] or "",
        "on_failure": request["on_failure"],
        "max_failures": "" if request["max_failures"] is None else str(request["max_failures"]),
    }


_TAKEN_AWAY = {
    "window": "no_window",
    "priority": "own_priority",
    "resource_group": "own_resource_group",
    "max_failures": "no_max_failures",
}


def _changes(typed: Mapping[str, str], now: Mapping[str, str]) -> Changes | None:
    """What differs; None where nothing does.

    Raises:
        UsageError: a value in a wrong form.
    """
    given: dict[str, object] = {}
    for name in FIELDS:
        value = typed.get(name, "").strip()
        if value == now[name] or name == "weekends":
            continue
        if value:
            given[name] = value
        elif name in _TAKEN_AWAY:
            given[_TAKEN_AWAY[name]] = True
    weekends = typed.get("weekends", "").strip()
    window = typed.get("window", "").strip()
    if window and (window != now["window"] or weekends != now["weekends"]):
        given |= {"window": window, **({"weekends": True} if weekends else {})}
    return read_changes(given) if given else None


def _said(backfill_id: int, report: ChangeReport) -> str:
    if not report.differences:
        return f"Backfill {backfill_id} ran so already; nothing has changed."
    lines = [f"{one.what} {one.before} → {one.after}" for one in report.differences]
    return " ".join([f"Changed {many(len(lines), 'setting')}: {', '.join(lines)}.", *report.notes])
