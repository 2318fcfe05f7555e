"""Users and how they sign in: people, the keys of programs, sessions."""

from __future__ import annotations

from typing import TypedDict


class UserRow(TypedDict):
    """A user (SEC-1)."""

    user: str
    administrator: bool  #: of the system
    roles: dict[str, str]  #: by workspace: `administrator`, `operator`, `developer` or `visitor`
    email: str | None
    phone: str | None
    created_at: str | None  #: null of a member whom nobody has added


class Me(UserRow):
    """Who asks."""

    has_password: bool  #: whether they can sign in with one


class ContactRow(TypedDict):
    """Where somebody can be reached (POL-9)."""

    user: str
    email: str | None
    phone: str | None
    email_registered: bool
    phone_registered: bool


class TokenRow(TypedDict):
    """A token, with which a program acts for a user (SEC-1)."""

    id: int
    user: str
    label: str | None
    scope: str  #: `read`, `operate` or `admin`: how far it reaches, within what its user may do; `worker`: a worker's
    resource_groups: list[str] | None  #: whose runs a worker may carry out; null for others
    created_at: str
    expires_at: str | None  #: null: when it is revoked
    used_at: str | None  #: last, to five minutes
    revoked_at: str | None


class NewToken(TokenRow):
    """A token that was just made."""

    token: str  #: its secret, shown this once


class AccessKeyRow(TypedDict):
    """An access key, with which a program signs its requests (SEC-1)."""

    id: str  #: what is shown with each request
    user: str
    label: str | None
    scope: str  #: `read`, `operate` or `admin`
    created_at: str
    expires_at: str | None
    used_at: str | None  #: last, to five minutes
    revoked_at: str | None


class NewAccessKey(AccessKeyRow):
    """An access key that was just made."""

    access_key_id: str  #: its id, as clients of the DataWorks API call it
    access_key_secret: str  #: what requests are signed with, shown this once


class SessionRow(TypedDict):
    """A browser in which somebody has signed in (SEC-1)."""

    id: int
    user: str
    way: str  #: `password`, `link` or `oidc`
    address: str
    browser: str  #: as it calls itself
    created_at: str
    used_at: str  #: last, to five minutes
    expires_at: str
    ended_at: str | None


class LinkDocument(TypedDict):
    """A link that signs somebody in once (SEC-1)."""

    user: str
    link: str  #: the address to open; under the setting `public_origin`, else where the server was reached
    expires_at: str


class PasswordDocument(TypedDict):
    """Whether somebody can sign in with a password, after that was changed."""

    user: str
    has_password: bool
    ended_sessions: list[int]  #: browsers that were signed out
