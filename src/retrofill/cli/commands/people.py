"""`retrofill user ...`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from retrofill.cli.grammar import Group
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.tables import cell
from retrofill.domain.errors import UsageError, did_you_mean, shown
from retrofill.domain.inputs import integer_id
from retrofill.domain.people.passwords import PasswordNeededError
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import PasswordDocument, UserRow

_USER_COLUMNS = ["user", "administrator", "roles", "email", "phone"]
_SESSION_COLUMNS = ["id", "user", "way", "address", "browser", "used_at", "expires_at"]
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


@user.command("remove")
@click.argument("name", metavar="NAME")
@pass_session
def user_remove(session: Session, name: str) -> None:
    """Forget a user: contacts, password, sessions, tokens and access keys.

    Backfills of theirs run on, and what they have done stays on record. Members of a workspace are taken out of its file
    first.
    """
    row = session.center.people.remove(name)
    session.document(row, lambda: click.echo(f"{row['user']} is no user any more."))


@user.command("list")
@pass_session
def user_list(session: Session) -> None:
    """List users with roles and contacts; system administrators only."""
    rows = session.center.people.users()
    shown = [{**row, "roles": _role_words(row)} for row in rows] if session.is_text else rows
    session.rows(shown, _USER_COLUMNS, "There are no users.")


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
        for kind, address in (("e-mail", row["email"]), ("text message", row["phone"])):
            click.echo(f"{kind:<14}{cell(address) if address else 'not registered'}")

    if not test:
        session.document(row, text)
        return 0
    tests = people.send_test(name)
    session.document({**row, "tests": tests}, text)
    if session.is_text:
        for result in tests:
            how = "sent" if result["ok"] else f"not sent: {cell(result['error'])}"
            click.echo(f"test by {result['method']} to {cell(result['address'])}: {how}")
    return 0 if all(result["ok"] for result in tests) else 1


def _print_user(row: UserRow) -> None:
    click.echo(f"{row['user']}: {', '.join(_role_words(row)) or 'no roles yet'}")
    for name, value in (("email", row["email"]), ("phone", row["phone"])):
        if value:
            click.echo(f"  {name} {cell(value)}")


def _role_words(row: UserRow) -> list[str]:
    own = [f"{role} of {workspace}" for workspace, role in row["roles"].items()]
    return ["system administrator", *own] if row["administrator"] else own


@user.command("link")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--minutes", type=int, default=60, metavar="N", help="How long it is good for (default 60).")
@pass_session
def user_link(session: Session, name: str | None, minutes: int) -> None:
    """Make a link that signs somebody in once, by default yourself; those before it open nothing any more."""
    row = session.center.people.create_link(name or session.center.user, minutes)
    session.document(row, lambda: click.echo(row["link"]))
    say(f"It signs {row['user']} in once, until {row['expires_at']}.")


@user.command("password")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--remove", is_flag=True, help="Let them sign in with no password any more.")
@pass_session
def user_password(session: Session, name: str | None, remove: bool) -> None:
    """Set the password with which somebody signs in, by default yours, and sign their browsers out.

    It is asked for; without a terminal it is the first line of standard input. Where the one until now has to be said,
    it is asked for next, or is the line after that.
    """
    people, user = session.center.people, name or session.center.user
    new = None if remove else _new_password(user)

    def act(current: str | None) -> PasswordDocument:
        return (
            people.remove_password(user, current) if new is None else people.set_password(user, new, current)
        )

    try:
        row = act(None)
    except UsageError as error:
        current = _current_password(user) if error.code == PasswordNeededError.code else ""
        if not current:
            raise
        row = act(current)

    def text() -> None:
        click.echo(f"{row['user']} has {'a' if row['has_password'] else 'no'} password.")
        if row["ended_sessions"]:
            click.echo(f"{many(len(row['ended_sessions']), 'session')} ended.")

    session.document(row, text)


def _current_password(user: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline(2_000).rstrip("\r\n")
    found: str = click.prompt(f"Password of {user} until now", hide_input=True, err=True)
    return found


def _new_password(user: str) -> str:
    """Typed twice in a terminal, so that nobody is locked out by a slip."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(2_000).rstrip("\r\n")
    found: str = click.prompt(f"New password of {user}", hide_input=True, confirmation_prompt=True, err=True)
    return found


@user.command("sessions")
@click.option("--user", "name", metavar="NAME", help="Only this user's.")
@pass_session
def user_sessions(session: Session, name: str | None) -> None:
    """List the browsers in which you have signed in; a system administrator sees everybody's."""
    session.rows(session.center.people.sessions(name), _SESSION_COLUMNS, "Nobody has signed in.")


@user.command("sign-out")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--session", "session_id", metavar="ID", help="This one only.")
@pass_session
def user_sign_out(session: Session, name: str | None, session_id: str | None) -> None:
    """End all sessions of somebody, by default yours, or one of them."""
    people = session.center.people
    if session_id is None:
        ended = people.end_sessions(name or session.center.user)
    else:
        row = people.end_session(integer_id(session_id, "a session"))
        ended = [row["id"]]
    session.document({"ended_sessions": ended}, lambda: click.echo(f"{many(len(ended), 'session')} ended."))


COMMANDS: dict[str, click.Command] = {"user": user}
