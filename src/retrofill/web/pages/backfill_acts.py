"""Acts on a whole backfill: `/backfills/{id}/stop` and the like ask with what would come of it, and do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from retrofill.api.errors import STATUSES
from retrofill.domain.errors import RetrofillError
from retrofill.web.forms import Form
from retrofill.web.pages import backfill_act_words as words
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from retrofill.services.operation_center.backfills import BackfillDesk
    from retrofill.services.reading.documents import ActEffects
    from retrofill.web.visits import PageVisit

_MOST_COMMENT = 1_000


@dataclass(frozen=True, kw_only=True)
class BackfillActPage(Page):
    """A question about a whole backfill.

    Attributes:
        found: what would come of it.
        only_failed, latest, at_once: how it would be rerun.
        version: that is deployed; `made_from`: from which the backfill was created.
        comment: what was typed.
        error: why it was not done.
    """

    template: ClassVar[str] = "backfill_act.html"
    nav: ClassVar[str] = "backfills"
    found: ActEffects
    effects: Sequence[words.Effect]
    go: str
    words: words.Words
    only_failed: bool
    latest: bool
    at_once: bool
    version: int | None
    made_from: int
    comment: str
    error: str


def _question(
    visit: PageVisit, backfill_id: int, name: str, form: Form, error: RetrofillError | None = None
) -> Response:
    """Counted anew each time; with an error, its status."""
    backfills = visit.center.backfills
    only_failed, latest, at_once = (form.has(one) for one in ("only_failed", "latest", "at_once"))
    found = backfills.effects(backfill_id, name, only_failed, latest)
    row = backfills.row(backfill_id)
    shown = BackfillActPage(
        title=words.question(found, row["name"], only_failed),
        found=found,
        effects=words.effects(found, at_once),
        go=words.answer(found),
        words=words.WORDS[name],
        only_failed=only_failed,
        latest=latest,
        at_once=at_once,
        version=visit.center.deployed_version,
        made_from=row["version"],
        comment=form.one("comment"),
        error="" if error is None else sentence(error.text),
    )
    return visit.show(shown, 200 if error is None else STATUSES[error.kind])


def _asking(name: str) -> Callable[..., Response]:
    def ask(visit: PageVisit, backfill_id: int) -> Response:
        return _question(visit, backfill_id, name, Form(visit.query.multi_items()))

    ask.__name__ = f"ask_{name}"
    return ask


def _doing(name: str) -> Callable[..., Response]:
    def do(visit: PageVisit, form: Form, backfill_id: int) -> Response:
        if form.has("ask"):
            return _question(visit, backfill_id, name, form)
        try:
            said = _done(visit.center.backfills, name, backfill_id, form)
        except RetrofillError as error:
            return _question(visit, backfill_id, name, form, error)
        return visit.goes_to(f"/backfills/{backfill_id}", said=said)

    do.__name__ = f"do_{name}"
    return do


def _done(backfills: BackfillDesk, name: str, backfill_id: int, form: Form) -> str:
    """Do it; what has become of it, in words."""
    desk = backfills.as_of(form.all("as_of") or None)
    comment = form.one("comment")[:_MOST_COMMENT]
    match name:
        case "pause":
            return words.steered(name, backfill_id, desk.pause(backfill_id, comment))
        case "resume":
            return words.steered(name, backfill_id, desk.resume(backfill_id, comment))
        case "stop":
            items, is_whole = desk.stop(backfill_id, comment)
            return words.stopped(backfill_id, items, is_whole)
        case "rerun":
            only_failed, at_once, latest = (form.has(one) for one in ("only_failed", "at_once", "latest"))
            return words.done(name, desk.rerun(backfill_id, only_failed, comment, at_once, latest))
        case "freeze":
            return words.done(name, desk.freeze(backfill_id, comment))
        case _:
            return words.done(name, desk.unfreeze(backfill_id, comment))


ROUTES: list[Route] = [
    route
    for name in words.WORDS
    for route in (
        page(f"/backfills/{{backfill_id:int}}/{name}", _asking(name)),
        act(f"/backfills/{{backfill_id:int}}/{name}", _doing(name)),
    )
]
