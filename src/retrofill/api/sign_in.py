"""Who asks: the bearer of a token (SEC-1)."""

from __future__ import annotations

from fastapi import Request

from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import NotSignedInError
from retrofill.domain.people.visitors import Visitor


def visitor_of(request: Request, deployment: Deployment) -> Visitor:
    """Who sends this request.

    Raises:
        NotSignedInError: nobody says so, or with a token that opens nothing.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise NotSignedInError("this needs a token")
    visitor = deployment.reception.by_token(secret.strip())
    if visitor is None:
        raise NotSignedInError("the token is none that opens anything")
    return visitor
