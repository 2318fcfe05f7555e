"""Why there is nothing to see, and where to go from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from retrofill.api.errors import STATUSES
from retrofill.domain.errors import Kind, RetrofillError
from retrofill.domain.texts import Text
from retrofill.web.rendering import Page

_REASONS = (
    "The address has a typing mistake.",
    "It was removed by retention.",
    "It belongs to a workspace that you are not a member of. Then it looks like this as well.",
)


@dataclass(frozen=True, kw_only=True)
class RefusalPage(Page):
    """One refusal.

    Attributes:
        code: the status and its code, for who reports it.
        details: what is wrong one by one, where it is several things.
        reasons: what may be so, where that is not known.
    """

    template: ClassVar[str] = "refusal.html"
    code: str
    message: Text | str
    hint: Text | str
    details: Sequence[tuple[str, str]] = ()
    reasons: Sequence[str] = ()
    path: str = ""


@dataclass(frozen=True, kw_only=True)
class SignedOutPage(Page):
    """A form came from somebody who is not signed in any more: what they typed is kept here.

    Attributes:
        address: where it was sent.
        fields: what it held.
    """

    template: ClassVar[str] = "signed_out.html"
    title: str = "You have been signed out"
    address: str
    fields: Sequence[tuple[str, str]]


def refusal_of(error: RetrofillError, path: str = "") -> RefusalPage:
    """An error of the core as a page."""
    return RefusalPage(
        title=error.message[:80],
        code=f"{STATUSES[error.kind]} {error.code.replace('_', ' ')}",
        message=error.text,
        hint=error.hint,
        details=[(one.at, one.message) for one in error.details],
        reasons=_REASONS if error.kind is Kind.UNKNOWN else (),
        path=path,
    )
