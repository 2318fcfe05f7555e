"""Who asks: the bearer of a token (SEC-1)."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import NotSignedInError
from retrofill.domain.people.scopes import Scope


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, as far as it is known before roles are looked at.

    Attributes:
        scope: as much as this sign-in can be used for, whatever the user may do.
    """

    user: str
    scope: Scope


def visitor_of(request: Request, deployment: Deployment) -> Visitor:
    """Who sends this request.

    Raises:
        NotSignedInError: nobody says so, or with a token that opens nothing.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise NotSignedInError("this needs a token")
    user = deployment.user_of_token(secret.strip())
    if user is None:
        raise NotSignedInError("the token is none that opens anything")
    return Visitor(user, Scope.ADMIN)
