"""Acts on one instance or on many: the question with its consequences, and the act itself.

`/instances/<act>?id=1&id=2` asks, for the acts of `domain.running.acts`: a page, or above another page a dialog
(`<a data-dialog href=...>`). A list of boxes asks for any number with a form: `<form method="post">`, boxes `id`, and
`<button name="ask" value="1" formaction="/instances/stop">`. `back` is where one comes back to; without it, the
page from which one came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from urllib.parse import urlsplit

from retrofill.api.errors import STATUSES
from retrofill.domain.errors import InvalidValueError, LimitError, RetrofillError
from retrofill.domain.planning.policy import PRIORITIES
from retrofill.domain.running.acts import Act
from retrofill.domain.running.results import ItemResult
from retrofill.web.addresses import own_path
from retrofill.web.forms import Form
from retrofill.web.pages import act_words
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from retrofill.services.operation_center.instances import InstanceDesk
    from retrofill.services.reading.documents import Foresight, GroupRow
    from retrofill.web.visits import PageVisit

MOST_IDS = 10_000
_MOST_COMMENT = 1_000
_LAST_MS = 253_402_300_799_000  # of the year 9999


class Asked(NamedTuple):
    """What somebody wants to do, as the question or its form says.

    Attributes:
        tasks: those whose instances run again; `has_tasks`: whether they could be chosen.
        upstream: waits to remove; None for all of them. `ticked`: the boxes.
        back: where to go afterwards.
        as_of: when the question was asked to which this answers; None: it answers to none.
    """

    ids: tuple[int, ...]
    comment: str = ""
    at_once: bool = False
    latest: bool = False
    with_self: bool = False
    tasks: tuple[str, ...] = ()
    has_tasks: bool = False
    upstream: tuple[int, ...] | None = None
    ticked: tuple[int, ...] = ()
    priority: int | None = None
    group: str = ""
    back: str = "/"
    as_of: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class InstanceActPage(Page):
    """A question about instances.

    Attributes:
        word: of the act, as in its address.
        found: the consequences.
        groups: resource groups to choose from.
        running: ids of what runs below and hinders a rerun of descendants.
        asked_ms: when it was looked at what would come of it.
        error: why it was not done.
    """

    template: ClassVar[str] = "instance_act.html"
    nav: ClassVar[str] = "backfills"
    word: str
    found: Foresight
    asked: Asked
    effects: Sequence[act_words.Effect]
    scope: str
    go: str
    stay: str
    placeholder: str
    groups: Sequence[GroupRow] = ()
    priorities: Sequence[int] = PRIORITIES
    running: Sequence[int] = ()
    asked_ms: int
    error: str = ""


# The acts themselves


def _rerun(desk: InstanceDesk, asked: Asked) -> Sequence[ItemResult]:
    return desk.as_of(asked.as_of).rerun(asked.ids, asked.comment, asked.at_once, asked.latest)


def _rerun_descendants(desk: InstanceDesk, asked: Asked) -> Sequence[ItemResult]:
    if asked.has_tasks and not asked.tasks:
        raise InvalidValueError("no task is chosen", "Choose at least one.")
    return desk.rerun_descendants(asked.ids, asked.comment, asked.with_self, asked.tasks, asked.latest)


def _remove_waits(desk: InstanceDesk, asked: Asked) -> Sequence[ItemResult]:
    if asked.upstream == ():
        raise InvalidValueError("no wait is chosen", "Choose at least one.")
    return desk.remove_waits(asked.ids, asked.upstream, asked.comment)


def _set_priority(desk: InstanceDesk, asked: Asked) -> Sequence[ItemResult]:
    if asked.priority is None:
        raise InvalidValueError("no priority is chosen", "Choose one.")
    return desk.set_priority(asked.ids, asked.priority, asked.comment)


def _set_group(desk: InstanceDesk, asked: Asked) -> Sequence[ItemResult]:
    if not asked.group:
        raise InvalidValueError("no resource group is chosen", "Choose one.")
    return desk.set_resource_group(asked.ids, asked.group, asked.comment)


DO: Mapping[Act, Callable[[InstanceDesk, Asked], Sequence[ItemResult]]] = MappingProxyType(
    {
        Act.STOP: lambda desk, asked: desk.stop(asked.ids, asked.comment),
        Act.RERUN: _rerun,
        Act.RERUN_DESCENDANTS: _rerun_descendants,
        Act.SET_SUCCESSFUL: lambda desk, asked: desk.set_successful(asked.ids, asked.comment),
        Act.FREEZE: lambda desk, asked: desk.freeze(asked.ids, asked.comment),
        Act.UNFREEZE: lambda desk, asked: desk.unfreeze(asked.ids, asked.comment),
        Act.REMOVE_WAITS: _remove_waits,
        Act.PRIORITY: _set_priority,
        Act.RESOURCE_GROUP: _set_group,
    }
)


# Asking


def _question(visit: PageVisit, wanted: Act, asked: Asked, error: RetrofillError | None = None) -> Response:
    """The page; with an error, its status."""
    desk, asked_ms = visit.center.instances, round(visit.now.timestamp() * 1000)
    found = desk.foresee(
        wanted,
        asked.ids,
        latest=asked.latest,
        with_self=asked.with_self,
        tasks=asked.tasks,
        upstream=asked.upstream or None,
        priority=asked.priority,
        group=asked.group or None,
    )
    is_rerun_below = wanted is Act.RERUN_DESCENDANTS
    has_running = is_rerun_below and any(one["running"] for one in found["below_tasks"])
    running = desk.running_below(asked.ids, asked.with_self, asked.tasks) if has_running else []
    title = act_words.question(wanted, found)
    shown = InstanceActPage(
        title=title,
        word=wanted.value,
        found=found,
        asked=asked,
        effects=act_words.effects(wanted, found),
        scope=act_words.scope(found) if len(found["fits"]) > 1 else "",
        go=act_words.answer(wanted, found),
        stay=act_words.stay(wanted, found),
        placeholder=act_words.WORDS[wanted].placeholder,
        groups=visit.center.groups.list() if wanted is Act.RESOURCE_GROUP else (),
        running=running[:MOST_IDS],
        asked_ms=asked_ms,
        error="" if error is None else sentence(error.text),
    )
    return visit.show(shown, 200 if error is None else STATUSES[error.kind])


def _asking(wanted: Act) -> Callable[[PageVisit], Response]:
    def ask(visit: PageVisit) -> Response:
        form = Form(visit.query.multi_items())
        return _question(visit, wanted, _asked(visit, form, is_answer=False))

    ask.__name__ = f"ask_{wanted.name.lower()}"
    return ask


def _doing(wanted: Act) -> Callable[[PageVisit, Form], Response]:
    def do(visit: PageVisit, form: Form) -> Response:
        is_question = form.has("ask")
        asked = _asked(visit, form, is_answer=not is_question)
        if is_question:
            return _question(visit, wanted, asked)
        try:
            results = DO[wanted](visit.center.instances, asked)
            return _told(visit, wanted, asked, results)
        except RetrofillError as error:
            return _question(visit, wanted, asked, error)

    do.__name__ = f"do_{wanted.name.lower()}"
    return do


def _told(visit: PageVisit, wanted: Act, asked: Asked, results: Sequence[ItemResult]) -> Response:
    """What has become of it; where nothing has, why, on the same page."""
    refused = [one.error for one in results if one.error is not None]
    if refused and len(refused) == len(results):
        raise refused[0]
    return visit.goes_to(asked.back, said=act_words.done(wanted, results))


def _asked(visit: PageVisit, form: Form, is_answer: bool) -> Asked:
    """What a query or a form says.

    Raises:
        InvalidValueError, LimitError: it names no instances, or too many.
    """
    ids = form.numbers("id")
    if not ids:
        raise InvalidValueError("no instance is chosen", "Choose at least one.")
    if len(ids) > MOST_IDS:
        raise LimitError(
            f"{len(ids):,} instances are more than the {MOST_IDS:,} of one act", "Choose fewer of them."
        )
    return Asked(
        ids=ids,
        comment=form.one("comment")[:_MOST_COMMENT],
        at_once=form.has("at_once"),
        latest=form.has("latest"),
        with_self=form.has("with_self"),
        tasks=form.all("task"),
        has_tasks=form.has("of_tasks"),
        upstream=None if form.has("every_wait") or not is_answer else form.numbers("upstream"),
        ticked=form.numbers("upstream"),
        priority=form.number("priority"),
        group=form.one("group"),
        back=own_path(form.one("back")) if form.has("back") else _came_from(visit, ids),
        as_of=_moment(form.number("as_of")) if is_answer else None,
    )


def _moment(ms: int | None) -> datetime | None:
    """Of a field of ours; what somebody has made up is no moment."""
    return None if ms is None or ms > _LAST_MS else datetime.fromtimestamp(ms / 1000, UTC)


def _came_from(visit: PageVisit, ids: Sequence[int]) -> str:
    """The page from which one came, if it is ours and asks nothing; else the instance's, or all backfills."""
    referer = urlsplit(visit.request.headers.get("Referer", ""))
    here = visit.request.url
    if referer.netloc == here.netloc and referer.path and not referer.path.startswith(_QUESTIONS):
        return own_path(f"{referer.path}?{referer.query}" if referer.query else referer.path)
    return f"/instances/{ids[0]}" if len(ids) == 1 else "/backfills"


_QUESTIONS = tuple(f"/instances/{word}" for word in Act)
ROUTES: list[Route] = [
    route
    for word in Act
    for route in (page(f"/instances/{word}", _asking(word)), act(f"/instances/{word}", _doing(word)))
]
