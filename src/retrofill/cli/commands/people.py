"""`retrofill user ...` and `retrofill token ...`"""

from __future__ import annotations

from typing import Any

import click

from retrofill.cli.grammar import Group
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.tables import cell
from retrofill.domain.errors import UsageError, did_you_mean, shown
from retrofill.domain.inputs import integer_id

_USER_COLUMNS = ["user", "administrator", "roles", "email", "phone"]
_TOKEN_COLUMNS = ["id", "user", "label", "created_at", "revoked_at"]
_ROLES = {"administrator": True, "none": False}


@click.group(cls=Group)
def user() -> None:
    """Users, and where they can be reached.

    Members of a workspace exist without being added; their roles come from its file.
    """


_email = click.option("--email", metavar="ADDRESS", help="Where e-mail reaches them.")
_phone = click.option("--phone", metavar="NUMBER", help="With country code, for example +15551234567.")


@user.command("add")
@click.argument("name", metavar="NAME")
@_email
@_phone
@pass_session
def user_add(session: Session, name: str, email: str | None, phone: str | None) -> None:
    """Add a user, or write down the contacts of a member."""
    row = session.center.people.add(name, email, phone)
    session.document(row, lambda: _print_user(row))


@user.command("list")
@pass_session
def user_list(session: Session) -> None:
    """List users with roles and contacts; system administrators only."""
    rows = session.center.people.users()
    if session.is_text:
        rows = [row | {"roles": _role_words(row)} for row in rows]
    session.rows(rows, _USER_COLUMNS, "There are no users.")


@user.command("role")
@click.argument("name", metavar="NAME")
@click.argument("role", metavar="administrator|none")
@pass_session
def user_role(session: Session, name: str, role: str) -> None:
    """Make somebody a system administrator, or no longer.

    Roles in a workspace stand under `members` in its file.
    """
    if role not in _ROLES:
        near = did_you_mean(role, _ROLES)
        raise UsageError(
            f'"{shown(role)}" is neither administrator nor none{near}',
            "Here are only system administrators made; other roles stand under `members` of a workspace.",
        )
    row = session.center.people.set_administrator(name, _ROLES[role])
    session.document(row, lambda: _print_user(row))


@user.command("contact")
@click.argument("name", metavar="NAME")
@_email
@_phone
@click.option("--test", is_flag=True, help="Send a test message by every method that is registered.")
@pass_session
def user_contact(session: Session, name: str, email: str | None, phone: str | None, test: bool) -> int:
    """Tell whether address and number are registered.

    With --email or --phone, register them first; an empty text removes one.
    With --test, exits 1 where a test message was not sent.
    """
    people = session.center.people
    if email is not None or phone is not None:
        people.set_contact(name, email, phone)
    row = people.contact(name)

    def text() -> None:
        for way, kind in (("email", "e-mail"), ("phone", "text message")):
            address = cell(row[way]) if row[way] else "not registered"
            click.echo(f"{kind:<14}{address}")

    if not test:
        session.document(row, text)
        return 0
    tests = people.send_test(name)
    session.document(row | {"tests": tests}, text)
    if session.is_text:
        for result in tests:
            how = "sent" if result["ok"] else f"not sent: {cell(result['error'])}"
            click.echo(f"test by {result['method']} to {cell(result['address'])}: {how}")
    return 0 if all(result["ok"] for result in tests) else 1


def _print_user(row: dict[str, Any]) -> None:
    click.echo(f"{row['user']}: {', '.join(_role_words(row)) or 'no roles yet'}")
    for name in ("email", "phone"):
        if row[name]:
            click.echo(f"  {name} {cell(row[name])}")


def _role_words(row: dict[str, Any]) -> list[str]:
    own = [f"{role} of {workspace}" for workspace, role in row["roles"].items()]
    return ["system administrator", *own] if row["administrator"] else own


@click.group(cls=Group)
def token() -> None:
    """Tokens with which programs act for a user."""


@token.command("create")
@click.argument("user", metavar="[USER]", required=False)
@click.option("--user", "name", metavar="NAME", help="For whom, like USER (default: for yourself).")
@click.option("--label", default="", metavar="TEXT", help="What it is for.")
@pass_session
def token_create(session: Session, user: str | None, name: str | None, label: str) -> None:
    """Make a token and print it; it is shown this once."""
    if user is not None and name is not None and user != name:
        raise UsageError(f"USER is {user} and --user is {name}: a token is for one of them")
    name = user if name is None else name
    center = session.center
    owner = center.user if name is None else name
    token_id, secret = center.people.create_token(owner, label)
    row = {"id": token_id, "user": owner, "label": label or None, "token": secret}
    session.document(row, lambda: click.echo(secret))
    say(f"Token {token_id} of {owner}. Keep it now: it cannot be shown again.")


@token.command("list")
@click.option("--user", "name", metavar="NAME", help="Only this user's.")
@pass_session
def token_list(session: Session, name: str | None) -> None:
    """List your tokens; a system administrator sees everybody's."""
    session.rows(session.center.people.tokens(name), _TOKEN_COLUMNS, "There are no tokens.")


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@pass_session
def token_revoke(session: Session, token_id: str) -> None:
    """Let a token open nothing any more."""
    row = session.center.people.revoke_token(integer_id(token_id, "a token"))
    session.document(row, lambda: click.echo(f"Token {row['id']} of {row['user']} is revoked."))


COMMANDS: dict[str, click.Command] = {"user": user, "token": token}
