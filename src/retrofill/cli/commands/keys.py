"""`retrofill token ...` and `retrofill access-key ...`: what programs act with for a user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from retrofill.cli.grammar import Group
from retrofill.cli.session import Session, pass_session, say
from retrofill.domain.errors import UsageError
from retrofill.domain.inputs import integer_id
from retrofill.domain.people.scopes import PERSONAL, Scope

_Command = TypeVar("_Command", bound=Callable[..., Any])
_COLUMNS = ["id", "user", "label", "scope", "created_at", "expires_at", "used_at", "revoked_at"]
_EXPENDABLE = ("created_at", "used_at", "expires_at")

_name = click.argument("user", metavar="[USER]", required=False)
_user = click.option("--user", "name", metavar="NAME", help="For whom, like USER (default: for yourself).")
_only = click.option("--user", "name", metavar="NAME", help="Only this user's.")
_label = click.option("--label", default="", metavar="TEXT", help="What it is for.")
_expires = click.option(
    "--expires",
    "days",
    type=int,
    metavar="DAYS",
    help="When it ends by itself (default: when it is revoked).",
)


_groups = click.option(
    "--resource-group",
    "groups",
    multiple=True,
    metavar="NAME",
    help="Of scope worker: whose runs it may carry out; several times for several.",
)


def _scope(default: Scope, scopes: Sequence[Scope]) -> Callable[[_Command], _Command]:
    return click.option(
        "--scope",
        type=click.Choice([scope.value for scope in scopes]),
        default=default.value,
        help=f"How far it reaches, within what its user may do (default {default}).",
    )


def _owner(session: Session, user: str | None, name: str | None, what: str) -> str:
    if user is not None and name is not None and user != name:
        raise UsageError(f"USER is {user} and --user is {name}: {what} is for one of them")
    return user or name or session.center.user


@click.group(cls=Group)
def token() -> None:
    """Tokens with which programs act for a user."""


@token.command("create")
@_name
@_user
@_label
@_scope(Scope.ADMIN, tuple(Scope))
@_expires
@_groups
@pass_session
def token_create(
    session: Session,
    user: str | None,
    name: str | None,
    label: str,
    scope: str,
    days: int | None,
    groups: tuple[str, ...],
) -> None:
    """Make a token and print it; it is shown this once.

    With `--scope worker` it is for workers that reach the server and not the database: it opens what they ask, and
    nothing else.
    """
    owner = _owner(session, user, name, "a token")
    row = session.center.people.create_token(owner, label, scope, days, groups)
    session.document(row, lambda: click.echo(row["token"]))
    say(f"Token {row['id']} of {owner}. Keep it now: it cannot be shown again.")


@token.command("list")
@_only
@pass_session
def token_list(session: Session, name: str | None) -> None:
    """List your tokens; a system administrator sees everybody's."""
    session.rows(session.center.people.tokens(name), _COLUMNS, "There are no tokens.", _EXPENDABLE)


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@pass_session
def token_revoke(session: Session, token_id: str) -> None:
    """Let a token open nothing any more."""
    row = session.center.people.revoke_token(integer_id(token_id, "a token"))
    session.document(row, lambda: click.echo(f"Token {row['id']} of {row['user']} is revoked."))


@click.group("access-key", cls=Group)
def access_key() -> None:
    """Access keys with which the SDK of DataWorks signs its requests for a user."""


@access_key.command("create")
@_name
@_user
@_label
@_scope(Scope.OPERATE, PERSONAL)
@_expires
@pass_session
def access_key_create(
    session: Session, user: str | None, name: str | None, label: str, scope: str, days: int | None
) -> None:
    """Make an access key and print its id and its secret, which is shown this once."""
    owner = _owner(session, user, name, "an access key")
    row = session.center.people.create_access_key(owner, label, scope, days)
    session.document(row, lambda: click.echo(f"{row['access_key_id']} {row['access_key_secret']}"))
    say(f"Access key of {owner}. Keep the secret now: it cannot be shown again.")


@access_key.command("list")
@_only
@pass_session
def access_key_list(session: Session, name: str | None) -> None:
    """List your access keys; a system administrator sees everybody's."""
    keys = session.center.people.access_keys(name)
    session.rows(keys, _COLUMNS, "There are no access keys.", _EXPENDABLE)


@access_key.command("revoke")
@click.argument("key_id", metavar="ID")
@pass_session
def access_key_revoke(session: Session, key_id: str) -> None:
    """Let an access key sign nothing any more."""
    row = session.center.people.revoke_access_key(key_id)
    session.document(row, lambda: click.echo(f"Access key {row['id']} of {row['user']} is revoked."))


COMMANDS: dict[str, click.Command] = {"token": token, "access-key": access_key}
