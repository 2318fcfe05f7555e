"""One's own account: the password, where one can be reached, browsers that are signed in, and the keys of programs.

What is secret of a new key stands on the page that answers its making, and nowhere after that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from retrofill.api.errors import STATUSES
from retrofill.domain.errors import RetrofillError
from retrofill.domain.people.scopes import Scope
from retrofill.domain.words import many
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.operation_center.people import PeopleDesk
    from retrofill.services.reading.documents import (
        AccessKeyRow,
        ContactRow,
        Me,
        NewAccessKey,
        NewToken,
        SessionRow,
        TestMessage,
        TokenRow,
    )
    from retrofill.web.forms import Form
    from retrofill.web.visits import PageVisit

TOKEN, KEY = "token", "key"
SCOPES: Mapping[str, str] = {
    Scope.READ: "look",
    Scope.OPERATE: "also backfill, and operate instances",
    Scope.ADMIN: "everything that you may do",
}
_DAYS = ("30", "90", "365", "")  # after which a key ends; empty: never


class Trouble(NamedTuple):
    """Why something was not done: the form that it is of, in words, with what was typed."""

    form: str
    error: str
    typed: Mapping[str, str]


class Made(NamedTuple):
    """A key that was just made: its secret is shown this once."""

    token: NewToken | None = None
    key: NewAccessKey | None = None


_NO_TROUBLE, _NOTHING_MADE = Trouble("", "", {}), Made()


@dataclass(frozen=True, kw_only=True)
class AccountPage(Page):
    """Everything of one's own.

    Attributes:
        this_session: the one in which this page is looked at; None: by a token.
        told: what became of test messages.
    """

    template: ClassVar[str] = "account.html"
    title: str = "Your account"
    me: Me
    contact: ContactRow
    sessions: Sequence[SessionRow]
    this_session: int | None
    tokens: Sequence[TokenRow]
    keys: Sequence[AccessKeyRow]
    over: int
    shows_over: bool
    made: Made
    told: Sequence[TestMessage] = ()
    trouble: Trouble = _NO_TROUBLE
    scopes: Mapping[str, str]
    days: Sequence[str] = _DAYS


def account(visit: PageVisit) -> Response:
    """As it is."""
    return visit.show(_page(visit))


def password_set(visit: PageVisit, form: Form) -> Response:
    """One's own."""
    people, current = visit.center.people, form.one("current") or None
    try:
        found = people.set_password(visit.user, form.one("password"), current, visit.visitor.session)
    except RetrofillError as error:
        return _refused(visit, "password", error, {})
    ended = len(found["ended_sessions"])
    others = f" {many(ended, 'other browser')} {'was' if ended == 1 else 'were'} signed out." if ended else ""
    return visit.goes_to("/account", said=f"From now on you sign in with this password.{others}")


# Where one can be reached


def contact_set(visit: PageVisit, form: Form) -> Response:
    """Write down where one can be reached, or that one no longer can."""
    typed = {name: form.one(name).strip() for name in ("email", "phone")}
    try:
        visit.center.people.set_contact(visit.user, typed["email"], typed["phone"])
    except RetrofillError as error:
        return _refused(visit, "contact", error, typed)
    return visit.goes_to("/account#contact", said="Alerts of your backfills reach you there from now on.")


def test_sent(visit: PageVisit, form: Form) -> Response:
    """Send a message by every method by which one is registered, and tell what became of each."""
    try:
        told = visit.center.people.send_test(visit.user)
    except RetrofillError as error:
        return _refused(visit, "contact", error, {})
    return visit.show(_page(visit, told=told), 200 if all(one["ok"] for one in told) else 502)


# Browsers


def session_ended(visit: PageVisit, form: Form) -> Response:
    """Sign out a browser, or all but this one."""
    people, number = visit.center.people, form.number("id")
    if number is not None:
        people.end_session(number)
        return visit.goes_to("/account#sessions", said="That browser is signed out.")
    others = [one["id"] for one in people.sessions(visit.user) if one["id"] != visit.visitor.session]
    for other in others:
        people.end_session(other)
    return visit.goes_to("/account#sessions", said=f"Signed out {many(len(others), 'other browser')}.")


# Keys of programs


def token_made(visit: PageVisit, form: Form) -> Response:
    """A new token, with its secret."""
    return _made(visit, form, TOKEN)


def key_made(visit: PageVisit, form: Form) -> Response:
    """A new access key, with its secret."""
    return _made(visit, form, KEY)


def _made(visit: PageVisit, form: Form, kind: str) -> Response:
    typed = {name: form.one(name) for name in ("label", "scope", "days")}
    people = visit.center.people
    try:
        days = form.number("days")
        label, scope = typed["label"].strip(), typed["scope"] or Scope.READ
        if kind == TOKEN:
            made = Made(token=people.create_token(visit.user, label, scope, days))
        else:
            made = Made(key=people.create_access_key(visit.user, label, scope, days))
    except RetrofillError as error:
        return _refused(visit, kind, error, typed)
    return visit.show(_page(visit, made=made), 201)


@dataclass(frozen=True, kw_only=True)
class RevokePage(Page):
    """A question: is a key to open nothing any more.

    Attributes:
        kind: `token` or `key`; `id`: which one; None: it opens nothing already.
    """

    template: ClassVar[str] = "revoke.html"
    kind: str
    row: TokenRow | AccessKeyRow | None
    title: str = "Revoke"


def ask_revoke(visit: PageVisit) -> Response:
    """Whether to revoke a token or an access key."""
    kind = KEY if visit.query.get(KEY) else TOKEN
    row = _open_key(visit.center.people, visit.user, kind, visit.query.get(kind, ""))
    name = "" if row is None else f" {row['label'] or row['id']}"
    what = "token" if kind == TOKEN else "access key"
    return visit.show(RevokePage(title=f"Revoke {what}{name}?", kind=kind, row=row))


def _open_key(people: PeopleDesk, user: str, kind: str, number: str) -> TokenRow | AccessKeyRow | None:
    rows = people.tokens(user) if kind == TOKEN else people.access_keys(user)
    return next((row for row in rows if str(row["id"]) == number and row["revoked_at"] is None), None)


def revoked(visit: PageVisit, form: Form) -> Response:
    """From now on it opens nothing."""
    people = visit.center.people
    token = form.number(TOKEN)
    if token is not None:
        people.revoke_token(token)
        return visit.goes_to("/account#tokens", said="The token opens nothing any more.")
    people.revoke_access_key(form.one(KEY))
    return visit.goes_to("/account#access-keys", said="The access key signs nothing any more.")


# Inside


def _page(
    visit: PageVisit,
    made: Made = _NOTHING_MADE,
    told: Sequence[TestMessage] = (),
    trouble: Trouble = _NO_TROUBLE,
) -> AccountPage:
    people, shows_over = visit.center.people, "over" in visit.query
    tokens, keys = people.tokens(visit.user), people.access_keys(visit.user)
    now = visit.now
    ends = [(row["revoked_at"], row["expires_at"]) for row in tokens]
    ends += [(row["revoked_at"], row["expires_at"]) for row in keys]
    return AccountPage(
        me=visit.me,
        contact=people.contact(visit.user),
        sessions=[row for row in people.sessions(visit.user) if row["ended_at"] is None],
        this_session=visit.visitor.session,
        tokens=[row for row in tokens if shows_over or _is_open(row["revoked_at"], row["expires_at"], now)],
        keys=[row for row in keys if shows_over or _is_open(row["revoked_at"], row["expires_at"], now)],
        over=sum(not _is_open(*one, now) for one in ends),
        shows_over=shows_over,
        made=made,
        told=told,
        trouble=trouble,
        scopes=SCOPES,
    )


def _is_open(revoked_at: str | None, expires_at: str | None, now: datetime) -> bool:
    """Whether a key still opens anything."""
    return revoked_at is None and (expires_at is None or datetime.fromisoformat(expires_at) > now)


def _refused(visit: PageVisit, form: str, error: RetrofillError, typed: Mapping[str, str]) -> Response:
    words = f"{sentence(error.text)} {sentence(error.hint)}".strip()
    return visit.show(_page(visit, trouble=Trouble(form, words, typed)), STATUSES[error.kind])


ROUTES = [
    page("/account", account),
    page("/account/revoke", ask_revoke),
    act("/account/revoke", revoked),
    act("/account/contact", contact_set),
    act("/account/test-message", test_sent),
    act("/account/sessions", session_ended),
    act("/account/tokens", token_made),
    act("/account/keys", key_made),
    act("/password", password_set),
]
