"""Acts on several backfills: the question with what would come of each, and the act, each by itself (BF-3, OPS-3).

`/backfills/<act>?id=1&id=2` asks; a list of boxes named `id` leads there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from retrofill.domain.errors import InvalidValueError, LimitError, RetrofillError
from retrofill.domain.words import many
from retrofill.web.addresses import own_path
from retrofill.web.forms import Form
from retrofill.web.rendering import Page
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from retrofill.domain.texts import Text
    from retrofill.services.operation_center.backfills import BackfillDesk
    from retrofill.services.reading.documents import ActEffects
    from retrofill.web.visits import PageVisit

_MOST = 100
_MOST_COMMENT = 1_000
_SAID = 2  # refusals that are told in one line


class Effect(NamedTuple):
    """A consequence: of how many instances, and what becomes of them."""

    number: int
    text: str


class Words(NamedTuple):
    """How one act is spoken of: before a count, done, the answer that leaves all as it is."""

    verb: str
    done: str
    stay: str
    placeholder: str
    effects: Sequence[tuple[str, str, str]]


WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "stop": Words(
            "Stop", "Stopped", "Keep them running", "Who should know why?",
            (
                ("acts_on", "running instance is ended with all its processes and becomes Failed",
                 "running instances are ended with all their processes and become Failed"),
                ("not_started", "instance does not start until its backfill is resumed",
                 "instances do not start until each is resumed"),
                ("successful", "successful instance stays successful", "successful instances stay successful"),
            ),
        ),
        "pause": Words(
            "Pause", "Paused", "Let them go on", "What is it to wait for?",
            (
                ("running", "running instance comes to its end", "running instances come to their end"),
                ("not_started", "instance does not start until its backfill is resumed",
                 "instances do not start until each is resumed"),
            ),
        ),
        "resume": Words(
            "Resume", "Resumed", "Leave them held", "What has changed?",
            (
                ("going_on", "instance can go on", "instances can go on"),
                ("held_up", "instance waits for what failed or is frozen", "instances wait for what failed or is frozen"),
            ),
        ),
        "rerun": Words(
            "Rerun the failed of", "Reran what had failed of", "Not now", "Why now?",
            (
                ("acts_on", "failed instance runs again, in order", "failed instances run again, in order"),
                ("going_on", "instance goes on by itself after that", "instances go on by themselves after that"),
            ),
        ),
        "freeze": Words(
            "Freeze", "Froze", "Leave them as they are", "Why are they not needed?",
            (
                ("acts_on", "instance is frozen and does not run", "instances are frozen and do not run"),
                ("running", "running instance comes to its end", "running instances come to their end"),
            ),
        ),
        "unfreeze": Words(
            "Unfreeze", "Unfroze", "Leave them frozen", "What has changed?",
            (("acts_on", "instance goes back to what it was", "instances go back to what they were"),),
        ),
    }
)  # fmt: skip


class Named(NamedTuple):
    """A backfill, with what would come of it, or why nothing."""

    id: int
    name: str
    said: str
    refusal: Text | None


@dataclass(frozen=True, kw_only=True)
class SeveralPage(Page):
    """The question.

    Attributes:
        word: of the act, as in its address.
        fits, unchanged, refused: backfills that it is done to, those that are so already, and others.
        effects: over all that fit.
        commands: that do the same in a terminal.
        go, stay: the answers.
    """

    template: ClassVar[str] = "several_backfills.html"
    nav: ClassVar[str] = "backfills"
    word: str
    fits: Sequence[Named]
    unchanged: Sequence[Named]
    refused: Sequence[Named]
    effects: Sequence[Effect]
    commands: Sequence[str]
    go: str
    stay: str
    placeholder: str
    comment: str
    back: str


def _asking(word: str) -> Callable[[PageVisit], Response]:
    def ask(visit: PageVisit) -> Response:
        return _question(visit, word, Form(visit.query.multi_items()))

    ask.__name__ = f"ask_{word}"
    return ask


def _question(visit: PageVisit, word: str, form: Form) -> Response:
    ids, words = _ids(form), WORDS[word]
    found = [_named(visit.center.backfills, number, word) for number in ids]
    able = [(named, effects) for named, effects in found if named.refusal is None and effects is not None]
    fits = [(named, effects) for named, effects in able if not effects["unchanged"]]
    number = len(fits) or len(found)
    return visit.show(
        SeveralPage(
            title=f"{words.verb} {many(number, 'backfill')}?",
            word=word,
            fits=[named for named, _ in fits],
            unchanged=[named for named, effects in able if effects["unchanged"]],
            refused=[named for named, _ in found if named.refusal is not None],
            effects=[*_summed(words, [effects for _, effects in fits])],
            commands=_commands(word, [named.id for named, _ in fits]),
            go=f"{words.verb} {many(len(fits), 'backfill')}",
            stay=words.stay,
            placeholder=words.placeholder,
            comment=form.one("comment")[:_MOST_COMMENT],
            back=own_path(form.one("back")) if form.has("back") else "/backfills",
        )
    )


def _commands(word: str, ids: Sequence[int]) -> list[str]:
    if word not in ("stop", "rerun"):
        return [f"retrofill backfill {word} {number}" for number in ids]
    return [
        " ".join(["retrofill backfill", word, *(["--failed"] if word == "rerun" else []), *map(str, ids)])
    ]


def _named(desk: BackfillDesk, number: int, word: str) -> tuple[Named, ActEffects | None]:
    """What is not there is told as a refusal, like all else that hinders."""
    try:
        row = desk.row(number)
        effects = desk.effects(number, word, only_failed=word == "rerun")
    except RetrofillError as error:
        return Named(number, "", "", error.text), None
    return Named(number, row["name"], _said(effects, word), effects["refusal"]), effects


def _said(effects: ActEffects, word: str) -> str:
    if word == "rerun":
        return f"{effects['acts_on']:,} failed"
    if word in ("freeze", "unfreeze"):
        return f"{effects['acts_on']:,} {'instance' if effects['acts_on'] == 1 else 'instances'}"
    running = effects["acts_on"] if word == "stop" else effects["running"]
    if word == "resume":
        return f"{effects['going_on']:,} can go on"
    return f"{running:,} running" if running else "nothing runs"


def _summed(words: Words, found: Sequence[ActEffects]) -> list[Effect]:
    shown = []
    for name, one, several in words.effects:
        number = sum(effects[name] for effects in found)  # type: ignore[literal-required]
        if number:
            shown.append(Effect(number, one if number == 1 else several))
    return shown


def _doing(word: str) -> Callable[[PageVisit, Form], Response]:
    def do(visit: PageVisit, form: Form) -> Response:
        return _done(visit, word, form)

    do.__name__ = f"do_{word}"
    return do


def _done(visit: PageVisit, word: str, form: Form) -> Response:
    """Each by itself: one refusal hinders no other."""
    comment = form.one("comment")[:_MOST_COMMENT]
    done, refused = 0, []
    for number in _ids(form):
        try:
            done += _act(visit.center.backfills, word, number, comment)
        except RetrofillError as error:
            refused.append(f"{number}: {error.message}")
    said = [f"{WORDS[word].done} {many(done, 'backfill')}."]
    if refused:
        more = f" (and {len(refused) - _SAID} more)" if len(refused) > _SAID else ""
        said.append(f"Left out: {'; '.join(refused[:_SAID])}{more}.")
    return visit.goes_to(own_path(form.one("back") or "/backfills"), said=" ".join(said))


def _act(desk: BackfillDesk, word: str, number: int, comment: str) -> bool:
    """Whether anything is new."""
    if word == "stop":
        desk.stop(number, comment)
        return True
    if word == "pause":
        return desk.pause(number, comment)
    if word == "resume":
        return desk.resume(number, comment)
    if word == "rerun":
        return any(one.ok for one in desk.rerun(number, only_failed=True, comment=comment))
    results = desk.freeze(number, comment) if word == "freeze" else desk.unfreeze(number, comment)
    return any(one.ok and not one.unchanged for one in results)


def _ids(form: Form) -> tuple[int, ...]:
    ids = form.numbers("id")
    if not ids:
        raise InvalidValueError("no backfill is chosen", "Choose at least one.")
    if len(ids) > _MOST:
        raise LimitError(
            f"{len(ids):,} backfills are more than the {_MOST} of one act", "Choose fewer of them."
        )
    return ids


ROUTES: list[Route] = [
    route
    for word in WORDS
    for route in (page(f"/backfills/{word}", _asking(word)), act(f"/backfills/{word}", _doing(word)))
]
