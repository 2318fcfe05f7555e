"""Hosts: the machines that carry out runs, what runs on each, and what a system administrator asks of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from urllib.parse import quote

from retrofill.api.links import PREFIX
from retrofill.domain.words import many
from retrofill.web.pages.host_rows import ShownHost, shown_host
from retrofill.web.pages.resource_groups import Place, held
from retrofill.web.rendering import Page
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from retrofill.services.operation_center.hosts import HostDesk
    from retrofill.services.reading.documents import HostAct, HostPage, HostRow
    from retrofill.web.forms import Form
    from retrofill.web.visits import PageVisit

_MOST_COMMENT = 1_000
_LIVE = f"{PREFIX}/backfills/events"


@dataclass(frozen=True, kw_only=True)
class HostsPage(Page):
    """All hosts; `gone`: those that have left, and lost ones where nothing lives."""

    template: ClassVar[str] = "hosts.html"
    nav: ClassVar[str] = "groups"
    title: str = "Hosts"
    hosts: Sequence[ShownHost]
    gone: Sequence[ShownHost]
    words: str


@dataclass(frozen=True, kw_only=True)
class OneHostPage(Page):
    """One of them, with what it carries out."""

    template: ClassVar[str] = "host.html"
    nav: ClassVar[str] = "groups"
    host: HostPage
    row: ShownHost
    places: Sequence[Place]
    offers: Sequence[tuple[str, str]]


def hosts(visit: PageVisit) -> Response:
    """Those that matter, and behind them those that are gone."""
    desk = visit.center.hosts
    near = desk.list()
    names = {row["name"] for row in near}
    gone = [row for row in desk.list(everything=True) if row["name"] not in names]
    shown = [*map(shown_host, near)]
    return visit.show(HostsPage(hosts=shown, gone=[*map(shown_host, gone)], words=_words(near), events=_LIVE))


def host(visit: PageVisit, host: str) -> Response:
    """One host by its name."""
    found = visit.center.hosts.show(host)
    return visit.show(
        OneHostPage(
            title=found["label"],
            host=found,
            row=shown_host(found),
            places=[held(one, visit.now) for one in found["instances"]],
            offers=_offers(found) if visit.frame.is_administrator else (),
            events=_LIVE,
        )
    )


def _words(rows: Sequence[HostRow]) -> str:
    heard = sum(row["state"] in ("there", "draining") for row in rows)
    silent = len(rows) - heard
    running = sum(row["running"] for row in rows)
    parts = [f"{many(heard, 'host')} {'is' if heard == 1 else 'are'} heard of"]
    if silent:
        parts.append(f"{silent:,} {'is' if silent == 1 else 'are'} not")
    runs = f"{many(running, 'run')} {'goes' if running == 1 else 'go'} on"
    return f"{', '.join(parts)}; {runs if running else 'nothing runs on any'}."


def _offers(found: HostPage) -> list[tuple[str, str]]:
    """Acts that fit it, with their words."""
    if found["executor"] == "local":
        return []
    acts = ["undrain" if found["state"] == "draining" else "drain"]
    if found["state"] in ("left", "lost"):
        acts = [] if found["running"] else ["forget"]
    return [(word, f"{_WORDS[word].label}…") for word in acts]


# Draining, and forgetting


class _Words(NamedTuple):
    label: str
    question: str
    effect: str
    stay: str
    placeholder: str
    done: str
    was_so: str


_WORDS: Mapping[str, _Words] = {
    "drain": _Words(
        "Drain", "Let {host} take no more?",
        "It takes no more until somebody lets it, also when its worker is started anew; what is offered goes to "
        "other hosts.",
        "Leave it at work", "What is it to be spared for?", "{host} takes no more.", "{host} took no more already.",
    ),
    "undrain": _Words(
        "Let it take work again", "Let {host} take work again?", "It takes what its resource groups offer.",
        "Leave it", "What has changed?", "{host} takes work again.", "{host} took work already.",
    ),
    "forget": _Words(
        "Forget it", "Forget {host}?",
        "It stands in no list any more. Its name stays with the runs that it has carried out; should it come back, "
        "it is known again.",
        "Keep it", "What became of it?", "{host} is forgotten.", "{host} is forgotten.",
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class HostActPage(Page):
    """A question about a host.

    Attributes:
        refusal: why who looks may not.
        running: how many runs go on there.
    """

    template: ClassVar[str] = "host_act.html"
    nav: ClassVar[str] = "groups"
    path: str
    go: str
    stay: str
    placeholder: str
    effect: str
    running: int
    refusal: str
    back: str


def _asking(word: str) -> Callable[[PageVisit, str], Response]:
    def ask(visit: PageVisit, host: str) -> Response:
        found, words = visit.center.hosts.show(host), _WORDS[word]
        path = f"/hosts/{quote(found['name'], safe='')}"
        return visit.show(
            HostActPage(
                title=words.question.format(host=found["label"]),
                path=f"{path}/{word}",
                go=words.label,
                stay=words.stay,
                placeholder=words.placeholder,
                effect=words.effect,
                running=found["running"] if word == "drain" else 0,
                refusal=""
                if visit.frame.is_administrator
                else "Only a system administrator may: it concerns every workspace.",
                back=path,
            )
        )

    ask.__name__ = f"ask_{word}"
    return ask


_DO: Mapping[str, Callable[[HostDesk, str, str], HostAct]] = {
    "drain": lambda desk, host, comment: desk.drain(host, comment),
    "undrain": lambda desk, host, comment: desk.undrain(host, comment),
    "forget": lambda desk, host, comment: desk.forget(host, comment),
}


def _doing(word: str) -> Callable[[PageVisit, Form, str], Response]:
    def do(visit: PageVisit, form: Form, host: str) -> Response:
        found = _DO[word](visit.center.hosts, host, form.one("comment")[:_MOST_COMMENT])
        words = _WORDS[word]
        said = (words.was_so if found["unchanged"] else words.done).format(host=found["label"])
        path = "/hosts" if word == "forget" else f"/hosts/{quote(found['name'], safe='')}"
        return visit.goes_to(path, said=said)

    do.__name__ = f"do_{word}"
    return do


ROUTES: list[Route] = [
    page("/hosts", hosts),
    page("/hosts/{host}", host),
    *(
        route
        for word in _WORDS
        for route in (
            page(f"/hosts/{{host}}/{word}", _asking(word)),
            act(f"/hosts/{{host}}/{word}", _doing(word)),
        )
    ),
]
