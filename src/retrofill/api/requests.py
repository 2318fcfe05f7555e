"""One request: who asks, and the operation center that answers in their name."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from retrofill.api.answers import PARTS_HEADER
from retrofill.api.operations import operation_of
from retrofill.api.sign_in import Visitor, visitor_of
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import NotPermittedError, NotSignedInError
from retrofill.domain.people.scopes import Scope

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter

MOST_ITEMS = 1_000


class ScopeError(NotPermittedError):
    """Make a token of a larger scope, or sign in."""

    code = "scope_too_small"


class Asked(BaseModel):
    """What a query or a body may hold; anything else is refused, so that no filter is overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Limit = Annotated[int, Field(ge=1, le=MOST_ITEMS, description="How many items at most.")]
Cursor = Annotated[int | None, Field(ge=1, lt=2**63, description="`next` of the page after which to go on.")]


Id = Annotated[int, Path(ge=1, lt=2**63)]


class Visit:
    """One request of somebody who has signed in; of one thread at a time.

    Attributes:
        deployment: that all requests share.
    """

    def __init__(self, request: Request, deployment: Deployment, visitor: Visitor) -> None:
        self.request = request
        self.deployment = deployment
        self.visitor = visitor

    @cached_property
    def call(self) -> Call:
        """As of the version that is deployed when it is first asked."""
        return Call(self.deployment, self.visitor.user, is_remote=True)

    @property
    def center(self) -> OperationCenter:
        """Everything that who asks may ask and do."""
        return self.call.center

    @property
    def wants_parts(self) -> bool:
        """Whether sentences are answered in parts."""
        return self.request.headers.get(PARTS_HEADER) == "parts"


def visit_of(request: Request) -> Visit:
    """The visit that a request is; judged before its parameters are looked at.

    Raises:
        NotSignedInError: it is not known who asks.
        ScopeError: their token was made for less.
    """
    deployment: Deployment = request.app.state.deployment
    needed = operation_of(request.scope["endpoint"]).scope or Scope.READ
    visit = Visit(request, deployment, visitor_of(request, deployment))
    if not visit.visitor.scope.covers(needed):
        raise ScopeError(f"this token is of scope {visit.visitor.scope}, and this needs {needed}")
    try:
        _ = visit.call.actor
    except NotPermittedError:  # whose token it is, is nobody any more
        raise NotSignedInError("the token's user is not known any more") from None
    return visit


Asking = Annotated[Visit, Depends(visit_of)]
