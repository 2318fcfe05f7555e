"""One request of a browser: who looks, what it gets, and how refusals look.

A handler takes the visit and what stands in its path, asks the operation center, and answers with `show` or `goes_to`.
`page(path, show)` and `act(path, do)` make routes of handlers; a handler of an act takes what the form has sent besides.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor
from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from retrofill.api.errors import STATUSES, note_bug, waiting_headers
from retrofill.api.origins import check_origin
from retrofill.api.requests import call_of
from retrofill.api.sign_in import visitor_of
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import (
    NotPermittedError,
    NotSignedInError,
    RetrofillError,
    StoreUnavailableError,
    UnknownNameError,
)
from retrofill.domain.people.visitors import Visitor
from retrofill.web import cookies, looks
from retrofill.web.forms import MEDIA_TYPE, MOST_BYTES, MOST_FIELDS, Form
from retrofill.web.frame import Frame
from retrofill.web.refusals import RefusalPage, SignedOutPage, refusal_of
from retrofill.web.rendering import Page, UnknownPartError, html

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.reading.documents import HomeCounts, Me

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # without it browsers would say of forms that they come from nowhere
    "Cache-Control": "no-store",
    "Vary": "X-Part, Accept-Encoding",
}
PART_HEADER = "X-Part"  # by which scripts fetch a part of a page
OF_PARTS = ("part", "newest")  # what the address of a part holds besides that of its page
DIALOG = "dialog"  # the part of a question that a script shows above the page that asks it
_PACKED_FROM = 1_400  # bytes; less goes in one packet anyway
_MOST_STRANGE_BYTES = 20_000  # of a form of somebody whom nobody knows
_MOST_STRANGE_FIELDS = 10
_MOST_NUMBER = 2**63
_MOST_DIGITS = 30
_MAX_ADDRESS = 2_000  # characters of one that somebody comes back to
_log = logging.getLogger(__name__)


class TokenInFormError(NotPermittedError):
    """Send a request to the REST API instead, which holds what a token's scope allows."""

    code = "token_in_form"


class Visit:
    """Of one thread at a time. Nobody need have signed in."""

    def __init__(self, request: Request, deployment: Deployment) -> None:
        self.request = request
        self.deployment = deployment

    @cached_property
    def now(self) -> datetime:
        """The same for the whole page."""
        return datetime.fromtimestamp(self.deployment.clock.now_ms() / 1000, UTC)

    @property
    def query(self) -> QueryParams:
        """What stands behind the path."""
        return self.request.query_params

    @property
    def here(self) -> str:
        """The address as it was asked for, of this server; where a part is wanted, that of its page."""
        path, query = self.request.url.path, self.request.url.query
        if "part" in self.query:
            return path + looks.query([pair for pair in self.query.multi_items() if pair[0] not in OF_PARTS])
        return f"{path}?{query}" if query else path

    @property
    def part(self) -> str | None:
        """Which part of the page is wanted, by a header of scripts or `part` of the query; None: all of it."""
        return self.request.headers.get(PART_HEADER) or self.query.get("part") or None

    @property
    def block(self) -> str | None:
        """The template's block that holds it: `dialog`, or `part_` and its name."""
        return self.part if self.part in (None, DIALOG) else f"part_{self.part}"

    @property
    def project(self) -> str:
        return self.deployment.in_force().project

    def send(self, text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """A page that is ready; packed, if it is long and the browser takes it so."""
        body = text.encode(errors="replace")
        found = {**HEADERS, **(headers or {})}
        if len(body) > _PACKED_FROM and "gzip" in self.request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 5, mtime=0)
            found["Content-Encoding"] = "gzip"
        return HTMLResponse(body, status, found)

    def goes_to(self, path: str, said: str = "") -> Response:
        """To another page of ours.

        Args:
            said: what has become of what was done; the page says it once.
        """
        answer = RedirectResponse(path, 303, headers=HEADERS)
        if said:
            cookies.say_once(answer, self.request, said)
        return answer


class PageVisit(Visit):
    """Of somebody who has signed in."""

    def __init__(self, request: Request, deployment: Deployment, visitor: Visitor) -> None:
        super().__init__(request, deployment)
        self.visitor = visitor

    @cached_property
    def call(self) -> Call:
        """As of the version that is deployed when it is first asked."""
        return call_of(self.request, self.deployment, self.visitor)

    @property
    def center(self) -> OperationCenter:
        """Everything that who looks may ask and do."""
        return self.call.center

    @property
    def user(self) -> str:
        return self.visitor.user

    @cached_property
    def me(self) -> Me:
        """Who looks, with their roles."""
        return self.center.people.me()

    @cached_property
    def counts(self) -> HomeCounts:
        """How much needs somebody, and is under way."""
        return self.center.home.count()

    @cached_property
    def frame(self) -> Frame:
        """What stands around the page."""
        usual = self.deployment.in_force().timezone
        zone = cookies.zone_of(self.request, usual)
        return Frame(
            project=self.project,
            user=self.user,
            is_administrator=self.call.actor.is_system_administrator,
            path=self.here,
            now=self.now,
            zone=zone,
            zones=tuple(dict.fromkeys((usual, "UTC", zone.key))),
            theme=cookies.theme_of(self.request),
            version=self.center.deployed_version,
            beat=self.request.app.state.pulse.beat(self.center),
            counts={"home": self.counts["needs"]},
            said=cookies.said(self.request),
            revision=self.revision,
        )

    @cached_property
    def revision(self) -> str:
        """Of the store when it was first asked."""
        return self.center.feed.backfills()["revision"]

    def show(self, page: Page, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """A page, or the part of it that a script fetches.

        Raises:
            UnknownNameError: it has no such part.
        """
        try:
            text = html(page, self.frame, self.block)
        except UnknownPartError:
            raise UnknownNameError(f"this page has no part {self.part!r}") from None
        answer = self.send(text, status, headers)
        if self.part is None:
            cookies.forget_said(answer, self.request)
        return answer


Show = Callable[..., Response]


def page(path: str, show: Show) -> Route:
    """A page for who has signed in: `show(visit, **what stands in the path)`."""

    def answer(request: Request) -> Response:
        return _answered(request, lambda visit: show(visit, **_path_values(request)))

    return _route(path, answer, "GET", show)


def act(path: str, do: Show, most_bytes: int = MOST_BYTES) -> Route:
    """What a form does: `do(visit, form, **what stands in the path)`."""

    async def answer(request: Request) -> Response:
        form = await _form_of(request, most_bytes, MOST_FIELDS)
        if isinstance(form, Response):
            return form
        return await run_in_threadpool(
            _answered, request, lambda visit: do(visit, form, **_path_values(request)), form
        )

    return _route(path, answer, "POST", do)


def open_page(path: str, show: Show) -> Route:
    """A page for everybody: `show(visit)`."""
    return _route(path, lambda request: _guarded(request, show), "GET", show)


def open_act(path: str, do: Show) -> Route:
    """What a form does that everybody may send from our own page: `do(visit, form)`."""

    async def answer(request: Request) -> Response:
        form = await _form_of(request, _MOST_STRANGE_BYTES, _MOST_STRANGE_FIELDS)
        if isinstance(form, Response):
            return form
        return await run_in_threadpool(_guarded, request, lambda visit: do(visit, form))

    return _route(path, answer, "POST", do)


def unknown_page(request: Request, status: int = 404) -> Response:
    """Where there is nothing."""
    return refused(request, UnknownNameError("there is no such page", "Look at the address."), status)


def refused(request: Request, error: RetrofillError, status: int | None = None) -> Response:
    """A refusal as a page: within the frame, if who looks has signed in and the store can be used."""
    found = refusal_of(error, request.url.path)
    status, headers = status or STATUSES[error.kind], waiting_headers(error)
    deployment: Deployment = request.app.state.deployment
    if not isinstance(error, StoreUnavailableError):
        try:
            visit = PageVisit(request, deployment, visitor_of(request, deployment))
            return visit.send(html(found, visit.frame, _dialog(visit)), status, headers)
        except RetrofillError:
            pass
    return Visit(request, deployment).send(html(found), status, headers)


# Inside


def _dialog(visit: Visit) -> str | None:
    """A refusal has one part, for dialogs; whatever else was wanted, it is that one."""
    return None if visit.part is None else DIALOG


def _route(path: str, answer: Any, method: str, named: Show) -> Route:
    name = f"{named.__module__.rpartition('.')[2]}.{named.__name__}"
    route = Route(path, answer, methods=[method], name=name)
    for parameter, convertor in route.param_convertors.items():
        if isinstance(convertor, IntegerConvertor):
            route.param_convertors[parameter] = _Number()
    return route


class _Number(IntegerConvertor):
    """Python reads no number of thousands of digits."""

    def convert(self, value: str) -> int:
        return int(value) if len(value) < _MOST_DIGITS else _MOST_NUMBER


def _path_values(request: Request) -> dict[str, Any]:
    """What stands in the path; numbers that no store holds are unknown."""
    found = dict(request.path_params)
    if any(isinstance(value, int) and value >= _MOST_NUMBER for value in found.values()):
        raise UnknownNameError("there is no such page", "Look at the address.")
    return found


def _answered(
    request: Request, answer: Callable[[PageVisit], Response], form: Form | None = None
) -> Response:
    """By who has signed in; others are asked to, and keep what they have typed."""
    deployment: Deployment = request.app.state.deployment

    def signed_in(visit: Visit) -> Response:
        try:
            visitor = visitor_of(request, deployment)
            found = PageVisit(request, deployment, visitor)
            _ = found.call.actor  # who is nobody any more has not signed in either
        except NotSignedInError:
            return _asked_to_sign_in(visit, form)
        except NotPermittedError as error:
            if error.code == "foreign_origin":
                raise
            return _asked_to_sign_in(visit, form)
        if form is not None and visitor.session is None:
            raise TokenInFormError("a form is sent by a browser in which somebody has signed in")
        _ = found.revision  # before anything is looked up
        return answer(found)

    return _guarded(request, signed_in, checks_origin=False)  # `visitor_of` does


def _asked_to_sign_in(visit: Visit, form: Form | None) -> Response:
    """Forms of other sites are not kept: their words would be sent again from a page of ours (SEC-6)."""
    if form is not None:
        check_origin(visit.request, visit.deployment)
        return visit.send(html(SignedOutPage(address=visit.here, fields=form.fields)), 401)
    if visit.part is not None:
        return visit.send("", 401)
    here = visit.here
    wanted = "" if here == "/" or len(here) > _MAX_ADDRESS else f"?goes_to={quote(here, safe='')}"
    return visit.goes_to(f"/sign-in{wanted}")


def _guarded(request: Request, answer: Callable[[Visit], Response], checks_origin: bool = True) -> Response:
    """Refusals and faults as pages."""
    deployment: Deployment = request.app.state.deployment
    try:
        if checks_origin:
            check_origin(request, deployment)
        return answer(Visit(request, deployment))
    except StoreUnavailableError as error:  # where the store is, is not told
        _log.warning("a page cannot be shown: %s", error.message)
        told = StoreUnavailableError(
            "the store cannot be used now", "The server's log has the details; try again in a moment."
        )
        return refused(request, told)
    except RetrofillError as error:
        return refused(request, error)
    except Exception as error:
        note_bug(request, error)
        found = RefusalPage(
            title="Something broke",
            code="500 bug",
            message="Something broke in the server.",
            hint="Its log has the details; report them as a bug of Retrofill.",
        )
        return Visit(request, deployment).send(html(found), 500)


async def _form_of(request: Request, most_bytes: int, most_fields: int) -> Form | Response:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            return _misread(request, 413, "This form is too long.", "Send less at once.")
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        return _misread(request, 415, "This is no form.", f"Send {MEDIA_TYPE}.")
    try:
        return Form.read(body, most_fields)
    except RetrofillError as error:
        return refused(request, error)


def _misread(request: Request, status: int, message: str, hint: str) -> Response:
    found = RefusalPage(title=message, code=str(status), message=message, hint=hint)
    return Visit(request, request.app.state.deployment).send(html(found), status)
