"""A new backfill: the form, its plan beside it, and what its buttons do.

The form is sent as a whole by every button. What it holds is kept as a draft, and the draft has an address: so that it
survives a reload, a closed window, a session that ends. Scripts send it as one types, and put in place what comes back.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from retrofill.api.errors import STATUSES
from retrofill.api.origins import origin_of
from retrofill.domain.catalog.task_types import TASK_TYPES
from retrofill.domain.errors import (
    LimitError,
    NotSignedInError,
    RetrofillError,
    StoreUnavailableError,
    UnknownNameError,
    WrongStateError,
)
from retrofill.domain.inputs import integer_id
from retrofill.domain.texts import Text
from retrofill.domain.time.cron import Cycle
from retrofill.domain.time.instants import local_date
from retrofill.domain.words import many
from retrofill.web.creating import asking, chosen
from retrofill.web.creating.commands import as_address, as_command, as_request
from retrofill.web.creating.edits import Around, edited
from retrofill.web.creating.faults import counted_dates, faults_of
from retrofill.web.creating.planned import PlanView, view_of
from retrofill.web.creating.strip import Strip, strip_of
from retrofill.web.creating.typed import PAGE, PICK, Typed
from retrofill.web.rendering import Page
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.domain.inputs import Given
    from retrofill.services.operation_center.previews import Preview
    from retrofill.services.reading.documents import AlertObstacle, ContactRow
    from retrofill.web.creating.asking import Below
    from retrofill.web.forms import Form
    from retrofill.web.visits import PageVisit

HOME = "/backfills/new"
_KINDS = tuple(TASK_TYPES)
_CYCLES = tuple(cycle.value for cycle in Cycle)
_MOST_DRAFTS = 5  # to go on with
_MOST_BYTES = 2_000_000  # of a form with 20,000 names of tasks
_LOOK, _CREATE = "look", "create"


@dataclass(frozen=True, kw_only=True)
class NewPage(Page):
    """The form with its plan.

    Attributes:
        draft: the number under which it is kept; None: it is not.
        key: of the request that creates it, so that sending it twice makes one backfill.
        faults: sentences by field.
        plan: None where there is none: `missing` says what it needs, `trouble` and `hint` why it cannot be.
        drafts: to go on with, where nothing is asked for yet; `kept`: forms with a name, to begin with.
        told: why nothing was done, of the button that was pressed.
        said: what was done.
    """

    template: ClassVar[str] = "new.html"
    nav: ClassVar[str] = "backfills"
    title: str = "New backfill"
    typed: Typed
    draft: int | None
    key: str
    picked: chosen.Picked
    between: chosen.Between
    found: Sequence[Mapping[str, object]]
    workspaces: Sequence[str]
    groups: Sequence[str]
    cycles: Sequence[str]
    kinds: Sequence[str]
    strip: Strip | None
    counts: Sequence[int | None]
    faults: Mapping[str, str]
    timezone: str
    contact: ContactRow
    obstacles: Sequence[AlertObstacle]
    plan: PlanView | None
    missing: str
    trouble: Text | None
    hint: Text | None
    command: str
    request: str
    address: str
    as_of: str
    version: int | None
    drafts: Sequence[Draft] = ()
    kept: Sequence[Draft] = ()
    told: Text | str = ""
    told_hint: Text | str = ""
    said: str = ""


class Draft(NamedTuple):
    """A form that was left, or is kept under a name."""

    id: int
    words: str
    saved_at: str


_WHERE_DRAFTS_GO = (
    "A draft goes when a backfill is made of it. To make another like that one, choose “Reuse the choice of tasks” at the "
    "backfill. What nobody touches goes by age."
)


# What is shown


def show(visit: PageVisit) -> Response:
    """A draft, the same as an earlier backfill, what an address asks for, or an empty form."""
    try:
        found = _page(visit, *_asked_for(visit))
    except UnknownNameError as error:
        if "draft" not in visit.query:
            raise
        return visit.show(_gone(visit, error), STATUSES[error.kind])
    return visit.show(found if visit.query else _with_drafts(visit, found))


def _gone(visit: PageVisit, error: UnknownNameError) -> NewPage:
    """An empty form for who comes back to a draft that is none any more: most have just made a backfill of it."""
    found = _page(visit, asking.typed_of_query({}), None, told=error.text, told_hint=_WHERE_DRAFTS_GO)
    return _with_drafts(visit, found)


def _with_drafts(visit: PageVisit, page: NewPage) -> NewPage:
    """With the newest ones, by what tells them apart, and all that have a name."""
    saved = visit.center.saved.list(PAGE)
    drafts = [one for one in saved if one["name"] is None][:_MOST_DRAFTS]
    return replace(
        page,
        drafts=[Draft(one["id"], _words_of(Typed(one["fields"])), one["saved_at"]) for one in drafts],
        kept=[Draft(one["id"], one["name"], one["saved_at"]) for one in saved if one["name"] is not None],
    )


def _words_of(typed: Typed) -> str:
    return typed.one("name") or _first_task(typed) or "no task yet"


def _asked_for(visit: PageVisit) -> tuple[Typed, int | None]:
    query = {name: visit.query.getlist(name) for name in visit.query}
    center = visit.center
    for word in ("draft", "form"):
        if word in query:
            number = integer_id(query[word][-1], f"a {word}")
            kept = center.saved.show(number)
            if kept["page"] != PAGE:
                raise UnknownNameError(f"there is no {word} {number}")
            return Typed(kept["fields"]), number if word == "draft" else None
    if "reuse" in query:
        request = center.backfills.show(integer_id(query["reuse"][-1], "a backfill"))["request"]
        return asking.typed_of_request(request, center.backfills.below), None
    typed = asking.typed_of_query(query)
    if query.get("descendants") and typed.all("task"):
        below, _ = chosen.below_of(center, typed.all("task"))
        typed = typed.added("only", *asking.descendants_in(query["descendants"][-1], below))
    return typed, None


def _page(
    visit: PageVisit,
    typed: Typed,
    draft: int | None,
    *,
    told: Text | str = "",
    told_hint: Text | str = "",
    said: str = "",
) -> NewPage:
    center, catalog = visit.center, visit.deployment.in_force()
    below, gone = chosen.below_of(center, typed.all("task") if typed.way == PICK else ())
    given = asking.given_of(typed, below)
    today = _today(visit)
    origin, reason = origin_of(visit.request, visit.deployment), typed.one("reason")
    planned = _planned(visit, typed, given)
    return NewPage(
        typed=typed,
        draft=draft,
        key=secrets.token_urlsafe(16),
        picked=chosen.picked_of(typed, below, gone),
        between=chosen.between_of(center, typed),
        found=chosen.found_for(center, typed),
        workspaces=center.names.workspaces(),
        groups=center.names.resource_groups(),
        cycles=_CYCLES,
        kinds=_KINDS,
        strip=strip_of(center, _first_task(typed), typed.rows, today),
        counts=counted_dates(typed, today),
        faults=faults_of(typed, today, catalog.timezone),
        timezone=catalog.timezone,
        contact=center.people.contact(visit.user),
        obstacles=planned.obstacles,
        plan=planned.view,
        missing=planned.missing,
        trouble=planned.trouble,
        hint=planned.hint,
        command=as_command(given, reason),
        request=as_request(given, origin, reason),
        address=as_address(given, origin, reason),
        as_of=visit.now.isoformat(),
        version=center.deployed_version,
        told=told,
        told_hint=told_hint,
        said=said,
    )


def _today(visit: PageVisit) -> date:
    """From which relative bizdates count."""
    return local_date(visit.now, visit.deployment.in_force().timezone)


@dataclass(frozen=True)
class _Planned:
    """The plan of what is typed, or why there is none."""

    view: PlanView | None = None
    obstacles: Sequence[AlertObstacle] = ()
    missing: str = ""
    trouble: Text | None = None
    hint: Text | None = None


def _planned(visit: PageVisit, typed: Typed, given: Given) -> _Planned:
    needs = [what for what, is_there in _needs(typed) if not is_there]
    if needs:
        return _Planned(missing=" and ".join(needs))
    try:
        preview = visit.center.backfills.plan(given)
        view = view_of(preview, typed, visit.frame.zone, visit.now)
    except _PASSED_ON:
        raise
    except RetrofillError as error:
        return _Planned(trouble=error.text, hint=error.hint)
    return _Planned(view, _obstacles(visit, preview))


def _needs(typed: Typed) -> tuple[tuple[str, bool], ...]:
    return ("tasks", asking.has_tasks(typed)), ("bizdates", asking.has_dates(typed))


def _obstacles(visit: PageVisit, preview: Preview) -> Sequence[AlertObstacle]:
    policy = preview.planned.request.policy
    return (
        ()
        if policy.alert is None and policy.notify is None
        else visit.center.backfills.alert_obstacles(preview)
    )


def _first_task(typed: Typed) -> str:
    """Whose dates the strip shows."""
    field = {"pick": "task", "link": "from", "workspace": "root", "all": "all_descendants"}[typed.way]
    return next((name for name in typed.all(field) if name.strip()), "")


# What is done


def do(visit: PageVisit, form: Form) -> Response:
    """What a button of the form does."""
    typed, draft = Typed.sent(form.fields), form.number("draft")
    word = form.one("do", _LOOK)
    if word == _CREATE and form.one("digest"):
        return _create(visit, form, typed, draft)
    typed = _with_levels(visit, typed, form)
    outcome = edited(Around(visit.center, _today(visit)), typed, word)
    draft = _kept(visit, outcome.typed, draft)
    if visit.part is not None or outcome.trouble or draft is None:
        found = _page(visit, outcome.typed, draft, told=outcome.trouble, said=outcome.said)
        return visit.show(found, 422 if outcome.trouble and visit.part is None else 200)
    return visit.goes_to(f"{HOME}?draft={draft}#{outcome.place or 'plan'}", said=outcome.said)


def _with_levels(visit: PageVisit, typed: Typed, form: Form) -> Typed:
    if typed.way != PICK or set(form.all("level")) == set(form.all("level_was")):
        return typed.replaced(level=())
    below, _ = chosen.below_of(visit.center, typed.all("task"))
    return asking.with_levels(typed, below, form.all("level_was"))


def _kept(visit: PageVisit, typed: Typed, draft: int | None) -> int | None:
    """The number of the draft that holds what is typed; a new one where the old one is gone, None where none can be."""
    try:
        return visit.center.saved.save(PAGE, typed.fields, None, draft)["id"]
    except UnknownNameError:
        return visit.center.saved.save(PAGE, typed.fields)["id"]
    except (LimitError, WrongStateError):  # too much to keep, or there is no store yet: the page holds it
        return None


def _create(visit: PageVisit, form: Form, typed: Typed, draft: int | None) -> Response:
    backfills = visit.center.backfills
    below: Below = chosen.below_of(visit.center, typed.all("task"))[0] if typed.way == PICK else ()
    given, comment = asking.given_of(typed, below), typed.one("reason")
    try:
        number = backfills.create_once(
            form.one("key") or secrets.token_urlsafe(16), given, form.one("digest"), comment
        )
    except _PASSED_ON:
        raise
    except RetrofillError as error:
        draft = _kept(visit, typed, draft)
        found = _page(visit, typed, draft, told=error.text, told_hint=error.hint)
        return visit.show(found, STATUSES[error.kind])
    if draft is not None:
        _forget(visit, draft)
    row = backfills.row(number)
    if row["check_status"] == "failed":
        return visit.goes_to(f"/backfills/{number}", said=f"Saved backfill {number} without running it.")
    what = many(row["run_count"] if row["run_count"] is not None else row["instance_count"], "instance")
    return visit.goes_to(f"/backfills/{number}", said=f"Created backfill {number}: {what} will run.")


def _forget(visit: PageVisit, draft: int) -> None:
    try:
        visit.center.saved.remove(draft)
    except UnknownNameError:  # it has gone already, with the same request in another tab
        return


_PASSED_ON = (NotSignedInError, StoreUnavailableError)
ROUTES = [page(HOME, show), act(HOME, do, _MOST_BYTES)]
