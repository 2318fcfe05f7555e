"""Users, for system administrators: who there is, where they are reached, how they sign in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from retrofill.api.errors import STATUSES
from retrofill.domain.errors import RetrofillError, UnknownNameError, did_you_mean, shown
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR
from retrofill.domain.texts import Text
from retrofill.domain.words import many
from retrofill.web.pages.account import Trouble
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.reading.documents import (
        AccessKeyRow,
        LinkDocument,
        SessionRow,
        TestMessage,
        TokenRow,
        UserRow,
    )
    from retrofill.web.forms import Form
    from retrofill.web.visits import PageVisit

_NO_TROUBLE = Trouble("", "", {})


@dataclass(frozen=True, kw_only=True)
class UsersPage(Page):
    """All of them, and a form for a new one.

    Attributes:
        search: what was searched for; `total`: how many there are without that.
    """

    template: ClassVar[str] = "users.html"
    title: str = "Users"
    users: Sequence[UserRow]
    search: str
    total: int
    trouble: Trouble = _NO_TROUBLE


@dataclass(frozen=True, kw_only=True)
class UserPage(Page):
    """One of them.

    Attributes:
        stays_administrator: whether it is the one that every deployment keeps.
        link: that was just made; it is shown this once.
    """

    template: ClassVar[str] = "user.html"
    row: UserRow
    sessions: Sequence[SessionRow]
    tokens: Sequence[TokenRow]
    keys: Sequence[AccessKeyRow]
    is_self: bool
    stays_administrator: bool
    link: LinkDocument | None = None
    told: Sequence[TestMessage] = ()
    trouble: Trouble = _NO_TROUBLE


def users(visit: PageVisit) -> Response:
    """By name."""
    return visit.show(_list(visit))


def added(visit: PageVisit, form: Form) -> Response:
    """A new one, or the first contacts of a member."""
    typed = {name: form.one(name).strip() for name in ("name", "email", "phone")}
    try:
        row = visit.center.people.add(typed["name"], typed["email"] or None, typed["phone"] or None)
    except RetrofillError as error:
        return visit.show(_list(visit, _trouble("add", error, typed)), STATUSES[error.kind])
    said = f"Added {row['user']}. A link signs them in for the first time."
    return visit.goes_to(_address(row["user"]), said=said)


def user(visit: PageVisit, user: str) -> Response:
    """One of them."""
    return visit.show(_page(visit, user))


def contact_set(visit: PageVisit, form: Form, user: str) -> Response:
    """Where they are reached."""
    typed = {name: form.one(name).strip() for name in ("email", "phone")}
    try:
        visit.center.people.set_contact(user, typed["email"], typed["phone"])
    except RetrofillError as error:
        return _refused(visit, user, "contact", error, typed)
    return visit.goes_to(_address(user), said=f"Alerts reach {user} there from now on.")


def test_sent(visit: PageVisit, form: Form, user: str) -> Response:
    """Try where they are reached."""
    try:
        told = visit.center.people.send_test(user)
    except RetrofillError as error:
        return _refused(visit, user, "contact", error, {})
    return visit.show(_page(visit, user, told=told), 200 if all(one["ok"] for one in told) else 502)


def link_made(visit: PageVisit, form: Form, user: str) -> Response:
    """A link that signs them in once."""
    try:
        link = visit.center.people.create_link(user)
    except RetrofillError as error:
        return _refused(visit, user, "link", error, {})
    return visit.show(_page(visit, user, link=link), 201)


def administrator_set(visit: PageVisit, form: Form, user: str) -> Response:
    """Make them system administrator, or no longer."""
    becomes = form.one("is_administrator") == "1"
    try:
        visit.center.people.set_administrator(user, becomes)
    except RetrofillError as error:
        return _refused(visit, user, "administrator", error, {})
    words = "is a system administrator from now on" if becomes else "is no system administrator any more"
    return visit.goes_to(_address(user), said=f"{user} {words}.")


def removed(visit: PageVisit, form: Form, user: str) -> Response:
    """Forget them."""
    try:
        visit.center.people.remove(user)
    except RetrofillError as error:
        return _refused(visit, user, "remove", error, {})
    return visit.goes_to("/users", said=f"{user} is no user any more.")


def signed_out(visit: PageVisit, form: Form, user: str) -> Response:
    """End all their sessions."""
    ended = visit.center.people.end_sessions(user)
    return visit.goes_to(_address(user), said=f"Signed out {many(len(ended), 'browser')} of {user}.")


def password_removed(visit: PageVisit, form: Form, user: str) -> Response:
    """Let them sign in by links only."""
    try:
        visit.center.people.remove_password(user)
    except RetrofillError as error:
        return _refused(visit, user, "password", error, {})
    return visit.goes_to(
        _address(user), said=f"{user} has no password any more, and was signed out everywhere."
    )


def key_revoked(visit: PageVisit, form: Form, user: str) -> Response:
    """Let a token or an access key of theirs open nothing any more."""
    people, token = visit.center.people, form.number("token")
    if token is not None:
        people.revoke_token(token)
    else:
        people.revoke_access_key(form.one("key"))
    return visit.goes_to(_address(user), said="It opens nothing any more.")


# Inside


def _address(user: str) -> str:
    return f"/users/{quote(user, safe='')}"


def _list(visit: PageVisit, trouble: Trouble = _NO_TROUBLE) -> UsersPage:
    found, search = visit.center.people.users(), visit.query.get("search", "").strip()
    fitting = [row for row in found if search.casefold() in f"{row['user']} {row['email'] or ''}".casefold()]
    return UsersPage(users=fitting, search=search, total=len(found), trouble=trouble)


def _page(
    visit: PageVisit,
    user: str,
    link: LinkDocument | None = None,
    told: Sequence[TestMessage] = (),
    trouble: Trouble = _NO_TROUBLE,
) -> UserPage:
    people = visit.center.people
    known = {row["user"]: row for row in people.users()}
    if user not in known:
        raise UnknownNameError(
            f'there is no user "{shown(user)}"{did_you_mean(user, known)}',
            Text("{user.list} shows all of them to a system administrator."),
        )
    return UserPage(
        title=user,
        row=known[user],
        sessions=[row for row in people.sessions(user) if row["ended_at"] is None],
        tokens=[row for row in people.tokens(user) if row["revoked_at"] is None],
        keys=[row for row in people.access_keys(user) if row["revoked_at"] is None],
        is_self=user == visit.user,
        stays_administrator=user == SYSTEM_ADMINISTRATOR,
        link=link,
        told=told,
        trouble=trouble,
    )


def _trouble(form: str, error: RetrofillError, typed: Mapping[str, str]) -> Trouble:
    return Trouble(form, f"{sentence(error.text)} {sentence(error.hint)}".strip(), typed)


def _refused(
    visit: PageVisit, user: str, form: str, error: RetrofillError, typed: Mapping[str, str]
) -> Response:
    """With what was typed; of somebody whom one may not look at, as any refusal."""
    return visit.show(_page(visit, user, trouble=_trouble(form, error, typed)), STATUSES[error.kind])


ROUTES = [
    page("/users", users),
    act("/users", added),
    page("/users/{user}", user),
    act("/users/{user}/contact", contact_set),
    act("/users/{user}/test-message", test_sent),
    act("/users/{user}/link", link_made),
    act("/users/{user}/administrator", administrator_set),
    act("/users/{user}/remove", removed),
    act("/users/{user}/sign-out", signed_out),
    act("/users/{user}/remove-password", password_removed),
    act("/users/{user}/revoke", key_revoked),
]
