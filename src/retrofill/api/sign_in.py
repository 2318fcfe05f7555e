"""Who asks: a program with a token, or a browser with a session (SEC-1).

A token counts before a cookie, and one that opens nothing is refused whatever else there is. What a browser changes
must come from our own pages.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request, Response

from retrofill.api.origins import check_origin, origin_of
from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import NotPermittedError, NotSignedInError
from retrofill.domain.people.visitors import Caller, Visitor, address_behind

_USUAL_PORTS = {"http": 80, "https": 443}


class WorkerTokenError(NotPermittedError):
    """Ask with a token of scope read, operate or admin."""

    code = "worker_token"


def visitor_of(request: Request, deployment: Deployment, is_for_workers: bool = False) -> Visitor:
    """Who sends this request.

    Args:
        is_for_workers: what is asked is what workers ask.

    Raises:
        NotSignedInError: nobody says so, or with a token or a session that opens nothing.
        ForeignOriginError: it was sent by the page of somebody else.
        WorkerTokenError: a worker asks for something else.
    """
    shown = request.headers.get("Authorization")
    if shown is not None:
        bearer = _bearer(shown, deployment)
        if bearer.worker is not None and not is_for_workers:
            raise WorkerTokenError("a worker's token opens what workers ask, and nothing else")
        return bearer
    secret = session_secret(request, deployment)
    visitor = None if secret is None else deployment.reception.by_session(secret)
    if visitor is None:
        raise NotSignedInError("this needs a token" if secret is None else "the session has ended")
    check_origin(request, deployment)
    return visitor


def _bearer(shown: str, deployment: Deployment) -> Visitor:
    scheme, _, secret = shown.partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise NotSignedInError("this needs a token")
    visitor = deployment.reception.by_token(secret.strip())
    if visitor is None:
        raise NotSignedInError("the token is none that opens anything")
    return visitor


def caller_of(request: Request, deployment: Deployment) -> Caller:
    """From where the request comes; where there is a proxy that is believed, as that says."""
    address = request.client.host if request.client else ""
    settings = deployment.settings()
    if settings.public_origin:
        forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
        address = address_behind(address, forwarded, settings.trusted_proxies)
    return Caller(address, request.headers.get("User-Agent", ""))


# Cookies


def session_secret(request: Request, deployment: Deployment) -> str | None:
    """What the browser shows; None for one that shows nothing."""
    if not request.cookies:
        return None
    return request.cookies.get(_cookie_name(origin_of(request, deployment)))


def keep_session(answer: Response, request: Request, deployment: Deployment, secret: str) -> None:
    """Let the browser show it from now on."""
    origin = origin_of(request, deployment)
    keep_cookie(answer, origin, _cookie_name(origin), secret)


def forget_session(answer: Response, request: Request, deployment: Deployment) -> None:
    origin = origin_of(request, deployment)
    keep_cookie(answer, origin, _cookie_name(origin), "", seconds=0)


def keep_cookie(answer: Response, origin: str, name: str, value: str, seconds: int | None = None) -> None:
    """A cookie that no script reads and other sites' requests do not carry.

    Args:
        seconds: how long it is kept; None: until the browser is closed, 0: no longer.
    """
    is_secure = origin.startswith("https:")
    answer.set_cookie(name, value, max_age=seconds, secure=is_secure, httponly=True, samesite="lax")


def _cookie_name(origin: str) -> str:
    """Over https a name that only this very host can set; else one for each port, which cookies do not tell apart."""
    parts = urlsplit(origin)
    if parts.scheme == "https":
        return "__Host-retrofill"
    return f"retrofill-{parts.port or _USUAL_PORTS['http']}"
