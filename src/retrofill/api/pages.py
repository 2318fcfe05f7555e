"""What browsers see: signing in and out, and a plain home. Refusals are pages here, not problems.

Forms are read here, without a parser of multipart bodies: there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from retrofill.api.errors import STATUSES, waiting_headers
from retrofill.api.oidc import come_back, forget_errand, send_off
from retrofill.api.origins import check_origin
from retrofill.api.sign_in import caller_of, forget_session, keep_session, session_secret, visitor_of
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import Kind, NotPermittedError, NotSignedInError, RetrofillError
from retrofill.web import pages
from retrofill.web.pages import HomePage, LinkPage, RefusalPage, SignInPage

if TYPE_CHECKING:
    from retrofill.domain.people.visitors import Admission

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # without it browsers would say of forms that they come from nowhere
    "Cache-Control": "no-store",
}
_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 20_000
_MOST_FIELDS = 10
Form = Mapping[str, str]


def mount(app: FastAPI) -> None:
    """Let an application answer browsers."""
    for path, page in (("/", home), ("/sign-in", sign_in), *_OIDC):
        app.add_route(path, _page(page), methods=["GET"], include_in_schema=False)
    for path, act in (
        ("/sign-in", signed_in),
        ("/sign-in/link", link_confirmed),
        ("/sign-out", signed_out),
        ("/password", password_set),
    ):
        app.add_route(path, _form(act), methods=["POST"], include_in_schema=False)
    app.mount("/static", StaticFiles(directory=pages.STATIC))


# Pages


def home(request: Request, deployment: Deployment) -> Response:
    """Who one is, or where to say so."""
    try:
        return _home(request, deployment)
    except (NotSignedInError, NotPermittedError):
        return _to("/sign-in")


def sign_in(request: Request, deployment: Deployment) -> Response:
    """A form; with a link that signs somebody in, whom. Looking at it uses nothing up."""
    secret = request.query_params.get("link")
    if secret is None:
        return _answer(_sign_in_page(deployment, _local(request.query_params.get("goes_to"))))
    user = deployment.reception.user_of_link(secret)
    if user is None:
        error = "This link opens nothing: it was used, or is too old."
        return _answer(_sign_in_page(deployment, error=error), 401)
    return _answer(LinkPage(_project(deployment), user, secret))


def oidc_begun(request: Request, deployment: Deployment) -> Response:
    """To the provider of identities."""
    answer = send_off(request, deployment, _local(request.query_params.get("goes_to")))
    answer.headers.update(_HEADERS)
    return answer


def oidc_ended(request: Request, deployment: Deployment) -> Response:
    """Back from the provider of identities."""
    admission, goes_to = come_back(request, deployment)
    answer = _let_in(request, deployment, admission, _to(_local(goes_to)))
    forget_errand(answer, request, deployment)
    return answer


_OIDC = (("/sign-in/oidc/start", oidc_begun), ("/sign-in/oidc", oidc_ended))


# Forms


def signed_in(request: Request, deployment: Deployment, form: Form) -> Response:
    """By a password."""
    user, goes_to = form.get("user", ""), _local(form.get("goes_to"))
    try:
        found = deployment.reception.sign_in(user, form.get("password", ""), caller_of(request, deployment))
    except RetrofillError as error:
        pause = " After 5 tries there is a pause of a minute." if error.kind is Kind.NOT_SIGNED_IN else ""
        page = _sign_in_page(deployment, goes_to, user[:64], f"{_sentence(error)}{pause}")
        return _answer(page, STATUSES[error.kind], waiting_headers(error))
    return _let_in(request, deployment, found, _to(goes_to))


def link_confirmed(request: Request, deployment: Deployment, form: Form) -> Response:
    """By a link."""
    found = deployment.reception.open_link(form.get("link", ""), caller_of(request, deployment))
    return _let_in(request, deployment, found, _to("/"))


def signed_out(request: Request, deployment: Deployment, form: Form) -> Response:
    """The session ends, wherever else it may be shown."""
    secret = session_secret(request, deployment)
    if secret is not None:
        deployment.reception.sign_out(secret)
    answer = _to("/sign-in")
    forget_session(answer, request, deployment)
    return answer


def password_set(request: Request, deployment: Deployment, form: Form) -> Response:
    """One's own."""
    visitor = visitor_of(request, deployment)
    people = Call(deployment, visitor.user, is_remote=True).center.people
    try:
        people.set_password(visitor.user, form.get("password", ""), form.get("current"), visitor.session)
    except RetrofillError as error:
        return _home(request, deployment, error=_sentence(error), status=STATUSES[error.kind])
    return _home(request, deployment, notice="From now on you sign in with this password.")


# Inside


def _home(request: Request, deployment: Deployment, status: int = 200, **said: str) -> Response:
    visitor = visitor_of(request, deployment)
    person = Call(deployment, visitor.user, is_remote=True).center.people.me()
    return _answer(HomePage(_project(deployment), person, **said), status)


def _let_in(request: Request, deployment: Deployment, admission: Admission, answer: Response) -> Response:
    """Under a new secret; the session that the browser had until now ends."""
    before = session_secret(request, deployment)
    if before is not None:
        deployment.reception.sign_out(before)
    keep_session(answer, request, deployment, admission.secret)
    return answer


def _sign_in_page(deployment: Deployment, goes_to: str = "/", user: str = "", error: str = "") -> SignInPage:
    provider = deployment.identity_provider()
    name = None if provider is None else provider.name
    return SignInPage(_project(deployment), name, goes_to, user, error)


def _project(deployment: Deployment) -> str:
    return deployment.in_force().project


def _local(path: str | None) -> str:
    """A path of ours; anything that leads elsewhere becomes the first page."""
    if path is None or not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return "/"
    return path


def _sentence(error: RetrofillError) -> str:
    text = error.message
    return f"{text[:1].upper()}{text[1:]}."


def _to(path: str) -> Response:
    return RedirectResponse(path, 303, headers=_HEADERS)


def _answer(page: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return HTMLResponse(pages.html(page), status, {**_HEADERS, **(headers or {})})


def _refused(error: RetrofillError) -> Response:
    return _answer(
        RefusalPage(_sentence(error), str(error.hint)), STATUSES[error.kind], waiting_headers(error)
    )


def _page(show: Callable[[Request, Deployment], Response]) -> Callable[[Request], Response]:
    @wraps(show)
    def answer(request: Request) -> Response:
        try:
            return show(request, request.app.state.deployment)
        except RetrofillError as error:
            return _refused(error)

    return answer


def _form(act: Callable[[Request, Deployment, Form], Response]) -> Callable[[Request], Any]:
    @wraps(act)
    async def answer(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST_BYTES:
                return _answer(RefusalPage("This form is too long.", "Write less."), 413)
        if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
            return _answer(RefusalPage("This is no form.", f"Send {_FORM}."), 415)
        return await run_in_threadpool(_acted, act, request, body)

    return answer


def _acted(act: Callable[[Request, Deployment, Form], Response], request: Request, body: bytes) -> Response:
    deployment: Deployment = request.app.state.deployment
    try:
        check_origin(request, deployment)
        text = body.decode(errors="replace")
        form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        return act(request, deployment, form)
    except RetrofillError as error:
        return _refused(error)
    except ValueError:
        return _answer(RefusalPage("This form has too many fields.", "Send those of the page."), 422)
