"""To a provider of identities and back: what goes along in a cookie, and who is let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from retrofill.api.origins import origin_of
from retrofill.api.sign_in import caller_of, keep_cookie
from retrofill.bootstrap.deployment import Deployment

if TYPE_CHECKING:
    from retrofill.domain.people.visitors import Admission

BACK = "/sign-in/oidc"
_COOKIE = "retrofill-oidc"
_SECONDS = 600


def send_off(request: Request, deployment: Deployment, goes_to: str) -> Response:
    """To the provider."""
    origin = origin_of(request, deployment)
    leaving = deployment.referral.send_off(f"{origin}{BACK}", goes_to)
    answer = RedirectResponse(leaving.url, 303)
    keep_cookie(answer, origin, _COOKIE, leaving.ticket, _SECONDS)
    return answer


def come_back(request: Request, deployment: Deployment) -> tuple[Admission, str]:
    """Who has come back, and where they wanted to be.

    Raises:
        NotSignedInError: nobody was sent off in this browser, or the provider names nobody.
        IdentityError: the provider refuses, or what it says does not hold.
    """
    back_to = f"{origin_of(request, deployment)}{BACK}"
    ticket = request.cookies.get(_COOKIE, "")
    found = deployment.referral.receive(back_to, ticket, request.query_params, caller_of(request, deployment))
    return found.admission, found.goes_to


def forget_errand(answer: Response, request: Request, deployment: Deployment) -> None:
    """They are back."""
    keep_cookie(answer, origin_of(request, deployment), _COOKIE, "", seconds=0)
