"""Where a request comes from, as browsers say it: what is done with a cookie is done from our own pages (SEC-6).

`Sec-Fetch-Site` says so over https and on the own machine. Over plain http under another name browsers leave it out, and
send cookies from other ports of the same host whatever `SameSite` says: there `Origin` counts, port and all.
"""

from __future__ import annotations

from fastapi import Request

from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import NotPermittedError

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_USUAL_PORTS = {"http": ":80", "https": ":443"}


class ForeignOriginError(NotPermittedError):
    """Do it from a page of this server; behind a proxy the setting `public_origin` says under which address that is."""

    code = "foreign_origin"


def origin_of(request: Request, deployment: Deployment) -> str:
    """The server's own origin: the setting `public_origin`, else what this request was sent to."""
    public = deployment.settings().public_origin
    if public:
        return public
    scheme = request.url.scheme
    host = request.headers.get("Host", "").lower()
    return f"{scheme}://{host.removesuffix(_USUAL_PORTS.get(scheme, ''))}"


def check_origin(request: Request, deployment: Deployment) -> None:
    """Refuse what another page has sent, or nobody knows which.

    Raises:
        ForeignOriginError: it changes something and does not come from here.
    """
    if request.method in _SAFE:
        return
    if not _is_own(request, deployment):
        raise ForeignOriginError("this was not sent by a page of this server")


def _is_own(request: Request, deployment: Deployment) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    return request.headers.get("Origin") == origin_of(request, deployment)
