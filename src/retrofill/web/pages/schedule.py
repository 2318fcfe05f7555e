"""The regular schedule: whether it goes on, its nights, and the auto triggered instances of one of them.

Everything stands in the address: the night, which of its instances, where the page begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from retrofill.api.errors import STATUSES
from retrofill.domain.errors import RetrofillError
from retrofill.domain.running.searches import InstanceSearch
from retrofill.domain.running.states import State
from retrofill.web import looks
from retrofill.web.addresses import own_path
from retrofill.web.pages.nights import look_of, words_of
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import act, page
from retrofill.web.words import short_moment, slot

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from retrofill.services.operation_center.schedule import ScheduleDesk
    from retrofill.services.reading.documents import InstanceRow, NightRow, ScheduleDocument
    from retrofill.web.forms import Form
    from retrofill.web.visits import PageVisit

_NIGHTS = 14
_LIMIT = 100
_MOST_COMMENT = 1_000


class ShownNight(NamedTuple):
    """A night as a row of the table."""

    bizdate: str
    look: str
    words: str
    counts: Mapping[str, int]
    total: int
    failed: int
    complete: str
    is_chosen: bool
    path: str


class ShownInstance(NamedTuple):
    """An auto triggered instance as a row."""

    id: int
    task: str
    scheduled: str
    look: str
    word: str
    reason: str
    run: int
    started: str
    ended: str
    took: float | None


@dataclass(frozen=True, kw_only=True)
class SchedulePage(Page):
    """The schedule.

    Attributes:
        shown: whether it goes on, what was missed.
        nights: newest first; `older`: the address of those before them, empty where there are none.
        chosen: the bizdate whose instances follow; None: there is none.
        given: which of them; `error`: why there are none.
        following: where the next page of them begins.
    """

    template: ClassVar[str] = "schedule.html"
    nav: ClassVar[str] = "schedule"
    shown: ScheduleDocument
    nights: Sequence[ShownNight]
    older: str
    is_first: bool
    chosen: str | None
    given: Mapping[str, str]
    states: Sequence[tuple[str, str]]
    instances: Sequence[ShownInstance]
    following: str
    error: str


def schedule(visit: PageVisit) -> Response:
    """Nights, and the instances of one of them."""
    desk, query = visit.center.schedule, visit.query
    before = _date(query.get("before"))
    nights = desk.nights(_NIGHTS, before)
    rows, chosen = nights["items"], _date(query.get("night"))
    if chosen is None and rows:
        chosen = rows[0]["bizdate"]
    given = {name: text for name in ("state", "task") if (text := (query.get(name) or "").strip()[:1_000])}
    found, following, error = _instances(visit, chosen, given)
    shown = SchedulePage(
        title="Schedule",
        events="/api/v1/backfills/events",
        shown=desk.show(),
        nights=[_night(visit, row, chosen) for row in rows],
        older="" if nights["next"] is None else f"/schedule{looks.query({'before': nights['next']})}",
        is_first=before is None,
        chosen=chosen,
        given=given,
        states=[(state.value, state.words) for state in State],
        instances=[_instance(visit, row) for row in found],
        following="" if following is None else _address(visit, chosen, {**given, "after": str(following)}),
        error="" if error is None else sentence(error.text),
    )
    return visit.show(shown, 200 if error is None else STATUSES[error.kind])


def _instances(
    visit: PageVisit, chosen: str | None, given: Mapping[str, str]
) -> tuple[Sequence[InstanceRow], int | None, RetrofillError | None]:
    if chosen is None:
        return (), None, None
    after = visit.query.get("after")
    search = InstanceSearch(
        bizdates=(chosen,),
        tasks=tuple(filter(None, [given.get("task")])),
        states=tuple(filter(None, [given.get("state")])),
        auto=True,
        after=int(after) if after and after.isascii() and after.isdigit() and len(after) < 19 else None,
    )
    try:
        found = visit.center.instances.list(search, _LIMIT)
    except RetrofillError as error:
        return (), None, error
    following = found["next"]
    return found["items"], following if isinstance(following, int) else None, None


def _address(visit: PageVisit, night: str | None, more: Mapping[str, str]) -> str:
    return f"/schedule{looks.query({'before': visit.query.get('before'), 'night': night, **more})}"


def _date(text: str | None) -> str | None:
    """A bizdate of an address; what is none counts as not given."""
    try:
        return None if not text else date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _night(visit: PageVisit, row: NightRow, chosen: str | None) -> ShownNight:
    counts: Mapping[str, int] = row["counts"]  # type: ignore[assignment]
    is_complete = counts["successful"] == row["instance_count"] and row["ended_at"] is not None
    return ShownNight(
        row["bizdate"],
        look_of(row),
        words_of(row, visit.frame.zone),
        counts,
        row["instance_count"],
        counts["failed"],
        short_moment(row["ended_at"] or "", visit.frame.zone, visit.now) if is_complete else "",
        row["bizdate"] == chosen,
        _address(visit, row["bizdate"], {}),
    )


def _instance(visit: PageVisit, row: InstanceRow) -> ShownInstance:
    zone, now = visit.frame.zone, visit.now
    return ShownInstance(
        row["id"],
        row["task"],
        slot(row["scheduled_at"]),
        looks.look(row["state"], row["reason"]),
        looks.state_words(row["state"]),
        (row["reason"] or "").replace("_", " "),
        row["run_number"],
        "" if row["started_at"] is None else short_moment(row["started_at"], zone, now),
        "" if row["ended_at"] is None else short_moment(row["ended_at"], zone, now),
        row["run_seconds"],
    )


# Pausing it, letting it go on, believing the clock


class _Words(NamedTuple):
    title: str
    go: str
    stay: str
    placeholder: str
    done: str
    was_so: str


_WORDS: Mapping[str, _Words] = {
    "pause": _Words(
        "Pause the schedule?", "Pause the schedule", "Let it go on", "What is it to wait for?",
        "The schedule is paused.", "The schedule was paused already.",
    ),
    "resume": _Words(
        "Resume the schedule?", "Resume the schedule", "Leave it paused", "What has changed?",
        "The schedule goes on.", "The schedule went on already.",
    ),
    "accept-clock": _Words(
        "Is the clock of the server right?", "It is right: go on", "Not now", "How do you know?",
        "The clock is believed.", "Nobody had doubted the clock.",
    ),
}  # fmt: skip


class Effect(NamedTuple):
    """A consequence; without a number, a sentence alone."""

    number: int | None
    text: str


@dataclass(frozen=True, kw_only=True)
class ScheduleActPage(Page):
    """A question about the schedule.

    Attributes:
        refusal: why who looks may not.
    """

    template: ClassVar[str] = "schedule_act.html"
    nav: ClassVar[str] = "schedule"
    word: str
    go: str
    stay: str
    placeholder: str
    effects: Sequence[Effect]
    refusal: str
    back: str


def _asking(word: str) -> Callable[[PageVisit], Response]:
    def ask(visit: PageVisit) -> Response:
        words = _WORDS[word]
        may = visit.frame.is_administrator
        return visit.show(
            ScheduleActPage(
                title=words.title,
                word=word,
                go=words.go,
                stay=words.stay,
                placeholder=words.placeholder,
                effects=_effects(visit, word) if may else (),
                refusal="" if may else "Only a system administrator may: it concerns every workspace.",
                back="/schedule",
            )
        )

    ask.__name__ = f"ask_{word.replace('-', '_')}"
    return ask


def _effects(visit: PageVisit, word: str) -> list[Effect]:
    desk = visit.center.schedule
    shown = desk.show()
    if word == "accept-clock":
        return [Effect(None, "Nights are made, starts and deletions by age go on by it.")]
    counts = [night["counts"] for night in desk.nights(_NIGHTS)["items"]]
    if word == "pause":
        running = sum(one["running"] for one in counts)
        waiting = sum(one["waiting_time"] + one["waiting_resources"] for one in counts)
        found = [Effect(running, _noun(running, "that runs comes to its end", "that run come to their end"))]
        found.append(Effect(waiting, _noun(waiting, "does not start", "do not start")))
        return [
            *(one for one in found if one.number),
            Effect(
                None,
                "No night is made until it is resumed; the first seven that come meanwhile are made then.",
            ),
        ]
    missed = shown["missed"]
    found = [Effect(None, "Nights that came meanwhile are made, oldest first, at most seven nights back.")]
    if missed is not None:
        number = len(missed["bizdates"])
        found.append(
            Effect(
                number,
                f"{'night was' if number == 1 else 'nights were'} missed and are made up for by a backfill",
            )
        )
    return found


def _noun(number: int, one: str, several: str) -> str:
    return f"instance {one}" if number == 1 else f"instances {several}"


_DO: Mapping[str, Callable[[ScheduleDesk, str], bool]] = {
    "pause": lambda desk, comment: desk.pause(comment)["unchanged"],
    "resume": lambda desk, comment: desk.resume(comment)["unchanged"],
    "accept-clock": lambda desk, comment: desk.accept_clock(comment)["unchanged"],
}


def _doing(word: str) -> Callable[[PageVisit, Form], Response]:
    def do(visit: PageVisit, form: Form) -> Response:
        unchanged = _DO[word](visit.center.schedule, form.one("comment")[:_MOST_COMMENT])
        words = _WORDS[word]
        said = words.was_so if unchanged else words.done
        return visit.goes_to(own_path(form.one("back") or "/schedule"), said=said)

    do.__name__ = f"do_{word.replace('-', '_')}"
    return do


ROUTES: list[Route] = [
    page("/schedule", schedule),
    *(
        route
        for word in _WORDS
        for route in (page(f"/schedule/{word}", _asking(word)), act(f"/schedule/{word}", _doing(word)))
    ),
]
