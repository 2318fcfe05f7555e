"""Users, where they can be reached, and how they sign in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Once
from retrofill.api.results import page_of
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import (
    ContactRow,
    LinkDocument,
    Page,
    PasswordDocument,
    TestMessage,
    UserRow,
)

routes = Routes("users")
_Short = Annotated[str, Field(max_length=1_000)]


class NewUser(Asked):
    """A user, or the first contacts of a member (SEC-1)."""

    name: _Short = Field(description="Who it is, as everybody names them.")
    email: _Short | None = Field(None, description="Where e-mail reaches them.")
    phone: _Short | None = Field(None, description="With its country code: +15551234567.")


class ChangedUser(Asked):
    """What a user is (SEC-4)."""

    is_administrator: bool = Field(description="Of the system.")


class Contacts(Asked):
    """Where somebody can be reached; an empty text removes, null leaves (POL-9)."""

    email: _Short | None = Field(None, description="Where e-mail reaches them.")
    phone: _Short | None = Field(None, description="With its country code: +15551234567.")


class LinkTime(Asked):
    """How long a link is good for."""

    minutes: int = Field(60, ge=1, le=10_080, description="From now on.")


class NewPassword(Asked):
    """A password (SEC-6)."""

    password: str = Field(max_length=10_000, description="The new one.")
    current: str | None = Field(
        None, max_length=10_000, description="The one until now, where you change your own."
    )
    session: int | None = Field(
        None, ge=1, lt=2**63, description="One that stays; the one in which you ask stays anyway."
    )


class OldPassword(Asked):
    """Said by who removes a password of their own (SEC-6)."""

    current: str | None = Field(
        None, max_length=10_000, description="The one until now, where it is your own."
    )


# Users


@routes.get("", "people.users", Page[UserRow])
def list_users(visit: Asking) -> Page[UserRow]:
    """Every user with contacts and roles, by name."""
    return page_of(visit.center.people.users())


@routes.post("", "people.add", UserRow, scope=Scope.ADMIN, status=201)
def add(visit: Asking, body: NewUser, once: Once = None) -> UserRow:
    """Add a user, or write down the first contacts of a member."""
    return visit.center.people.add(body.name, body.email, body.phone)


@routes.delete("/{name}", "people.remove", UserRow, scope=Scope.ADMIN)
def remove(visit: Asking, name: str) -> UserRow:
    """Forget a user who is a member of no workspace, with how they sign in; answered is what was known."""
    return visit.center.people.remove(name)


@routes.patch("/{name}", "people.set_administrator", UserRow, scope=Scope.ADMIN)
def set_administrator(visit: Asking, name: str, body: ChangedUser) -> UserRow:
    """Make somebody system administrator, or no longer."""
    return visit.center.people.set_administrator(name, body.is_administrator)


@routes.get("/{name}/contact", "people.contact", ContactRow)
def contact(visit: Asking, name: str) -> ContactRow:
    """Whether somebody's address and number are registered."""
    return visit.center.people.contact(name)


@routes.patch("/{name}/contact", "people.set_contact", ContactRow, scope=Scope.ADMIN)
def set_contact(visit: Asking, name: str, body: Contacts) -> ContactRow:
    """Register an address or a number."""
    return visit.center.people.set_contact(name, body.email, body.phone)


@routes.post("/{name}/test-message", "people.send_test", Page[TestMessage])
def send_test(visit: Asking, name: str) -> Page[TestMessage]:
    """Send a test message by every method by which somebody is registered."""
    return page_of(visit.center.people.send_test(name))


# Signing in


@routes.post("/{name}/link", "people.create_link", LinkDocument, scope=Scope.ADMIN, status=201)
def create_link(visit: Asking, name: str, body: LinkTime, once: Once = None) -> LinkDocument:
    """Make a link that signs somebody in once; those before it open nothing any more."""
    return visit.center.people.create_link(name, body.minutes)


@routes.post("/{name}/password", "people.set_password", PasswordDocument, scope=Scope.ADMIN)
def set_password(visit: Asking, name: str, body: NewPassword) -> PasswordDocument:
    """Let somebody sign in with this password from now on, and sign their other browsers out."""
    stays = body.session or visit.visitor.session
    return visit.center.people.set_password(name, body.password, body.current, stays)


@routes.delete("/{name}/password", "people.remove_password", PasswordDocument, scope=Scope.ADMIN)
def remove_password(visit: Asking, name: str, body: OldPassword | None = None) -> PasswordDocument:
    """Let somebody sign in with no password any more, and sign their browsers out."""
    return visit.center.people.remove_password(name, body.current if body else None)


@routes.delete("/{name}/sessions", "people.end_sessions", Page[int], scope=Scope.ADMIN)
def end_sessions(visit: Asking, name: str) -> Page[int]:
    """Sign all browsers of somebody out; answered are the ids of the sessions that have ended."""
    return page_of(visit.center.people.end_sessions(name))
