"""Signing in and out: by a password, by a link, by a provider of identities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from retrofill.api.errors import STATUSES, waiting_headers
from retrofill.api.oidc import come_back, forget_errand, send_off
from retrofill.api.sign_in import caller_of, forget_session, keep_session, session_secret
from retrofill.domain.errors import Kind, RetrofillError, StoreUnavailableError
from retrofill.web.addresses import own_path
from retrofill.web.rendering import Page, html, sentence
from retrofill.web.visits import HEADERS, PageVisit, Visit, open_act, open_page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.domain.people.visitors import Admission
    from retrofill.web.forms import Form

_MOST_SHOWN = 64  # characters of a name that is shown again


@dataclass(frozen=True, kw_only=True)
class SignInPage(Page):
    """What somebody sees who has not signed in.

    Attributes:
        provider: what a provider of identities is called; None: there is none.
        goes_to: the path at which they want to be.
        user: whom they have named already.
        error: why that came to nothing.
    """

    template: ClassVar[str] = "sign_in.html"
    title: str = "Sign in"
    project: str
    provider: str | None
    goes_to: str = "/"
    user: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class LinkPage(Page):
    """What somebody sees who has opened a link that signs them in, and who confirms it."""

    template: ClassVar[str] = "link.html"
    title: str = "Sign in"
    project: str
    user: str
    secret: str


# Pages


def sign_in(visit: Visit) -> Response:
    """A form; with a link that signs somebody in, whom. Looking at it uses nothing up."""
    secret = visit.query.get("link")
    if secret is None:
        return visit.send(html(_form(visit, own_path(visit.query.get("goes_to")))))
    user = visit.deployment.reception.user_of_link(secret)
    if user is None:
        error = "This link opens nothing: it was used, or is too old."
        return visit.send(html(_form(visit, error=error)), 401)
    return visit.send(html(LinkPage(project=visit.project, user=user, secret=secret)))


def oidc_begun(visit: Visit) -> Response:
    """To the provider of identities."""
    answer = send_off(visit.request, visit.deployment, own_path(visit.query.get("goes_to")))
    answer.headers.update(HEADERS)
    return answer


def oidc_ended(visit: Visit) -> Response:
    """Back from the provider of identities."""
    admission, goes_to = come_back(visit.request, visit.deployment)
    answer = _let_in(visit, admission, own_path(goes_to))
    forget_errand(answer, visit.request, visit.deployment)
    return answer


# Forms


def signed_in(visit: Visit, form: Form) -> Response:
    """By a password."""
    user, goes_to = form.one("user"), own_path(form.one("goes_to"))
    try:
        caller = caller_of(visit.request, visit.deployment)
        found = visit.deployment.reception.sign_in(user, form.one("password"), caller)
    except StoreUnavailableError:
        raise  # says where the store is, which nobody is told here
    except RetrofillError as error:
        pause = " After 5 tries there is a pause of a minute." if error.kind is Kind.NOT_SIGNED_IN else ""
        page = _form(visit, goes_to, user[:_MOST_SHOWN], f"{sentence(error.text)}{pause}")
        return visit.send(html(page), STATUSES[error.kind], waiting_headers(error))
    return _let_in(visit, found, goes_to)


def link_confirmed(visit: Visit, form: Form) -> Response:
    """By a link; who has no password is where one is set."""
    caller = caller_of(visit.request, visit.deployment)
    found = visit.deployment.reception.open_link(form.one("link"), caller)
    me = PageVisit(visit.request, visit.deployment, found.visitor).me
    return _let_in(visit, found, "/" if me["has_password"] else "/account")


def signed_out(visit: Visit, form: Form) -> Response:
    """The session ends, wherever else it may be shown."""
    secret = session_secret(visit.request, visit.deployment)
    if secret is not None:
        visit.deployment.reception.sign_out(secret)
    answer = visit.goes_to("/sign-in")
    forget_session(answer, visit.request, visit.deployment)
    return answer


ROUTES = [
    open_page("/sign-in", sign_in),
    open_page("/sign-in/oidc/start", oidc_begun),
    open_page("/sign-in/oidc", oidc_ended),
    open_act("/sign-in", signed_in),
    open_act("/sign-in/link", link_confirmed),
    open_act("/sign-out", signed_out),
]


# Inside


def _let_in(visit: Visit, admission: Admission, goes_to: str) -> Response:
    """Under a new secret; the session that the browser had until now ends."""
    answer = visit.goes_to(goes_to)
    before = session_secret(visit.request, visit.deployment)
    if before is not None:
        visit.deployment.reception.sign_out(before)
    keep_session(answer, visit.request, visit.deployment, admission.secret)
    return answer


def _form(visit: Visit, goes_to: str = "/", user: str = "", error: str = "") -> SignInPage:
    provider = visit.deployment.identity_provider()
    name = None if provider is None else provider.name
    return SignInPage(project=visit.project, provider=name, goes_to=goes_to, user=user, error=error)
