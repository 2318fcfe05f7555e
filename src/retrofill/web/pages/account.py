"""One's own account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from retrofill.api.errors import STATUSES
from retrofill.domain.errors import RetrofillError
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.reading.documents import Me
    from retrofill.web.forms import Form
    from retrofill.web.visits import PageVisit


@dataclass(frozen=True, kw_only=True)
class AccountPage(Page):
    """Who one is, and one's password.

    Attributes:
        error: why a new one was not taken.
    """

    template: ClassVar[str] = "account.html"
    title: str = "Your account"
    me: Me
    error: str = ""


def account(visit: PageVisit) -> Response:
    """As it is."""
    return visit.show(AccountPage(me=visit.me))


def password_set(visit: PageVisit, form: Form) -> Response:
    """One's own."""
    people, current = visit.center.people, form.one("current") or None
    try:
        people.set_password(visit.user, form.one("password"), current, visit.visitor.session)
    except RetrofillError as error:
        return visit.show(AccountPage(me=visit.me, error=sentence(error.text)), STATUSES[error.kind])
    return visit.goes_to("/account", said="From now on you sign in with this password.")


ROUTES = [page("/account", account), act("/password", password_set)]
