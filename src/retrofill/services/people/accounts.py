"""Users, their contacts and their tokens; who somebody is when they act (SEC-1, SEC-4).

Members named in a catalog exist without a row of their own. `admin` is the system
administrator that every deployment has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrofill.domain.errors import (
    NotPermittedError,
    UnknownNameError,
    UsageError,
    WrongStateError,
    did_you_mean,
    shown,
)
from retrofill.domain.people.contacts import MOST_CHARACTERS, parse_email, parse_phone, parse_user_name
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR, Actor, actor_of, system_administrator
from retrofill.domain.people.scopes import Scope
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.ports.records import AccessKeyRecord, TokenRecord, UserRecord

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.services.ports import Clock, PeopleReader, Store

Row = dict[str, Any]


class UserExistsError(WrongStateError):
    """Change what is known of a user with {user.contact} and {user.role}."""

    code = "user_exists"


class LastAdministratorError(WrongStateError):
    """Make somebody else system administrator, and let `admin` be."""

    code = "last_administrator"


@dataclass(frozen=True, slots=True)
class Contact:
    """Where somebody can be reached; empty texts are not registered (POL-9)."""

    email: str = ""
    phone: str = ""


class _Nobody:
    """What is written down about people where there is no store."""

    def find_user(self, name: str) -> None:
        return None

    def users(self) -> list[UserRecord]:
        return []

    def find_token(self, token_id: int) -> None:
        return None

    def find_live_token(self, secret_hash: str) -> None:
        return None

    def tokens(self, user: str | None = None) -> list[TokenRecord]:
        return []

    def find_access_key(self, key_id: str) -> None:
        return None

    def access_keys(self, user: str | None = None) -> list[AccessKeyRecord]:
        return []


def find_actor(people: PeopleReader, catalog: Catalog | None, name: str) -> Actor | None:
    """Who acts under this name, with the roles of now; None where nobody has it."""
    if name == SYSTEM_ADMINISTRATOR:
        return system_administrator(name)
    record = people.find_user(name)
    if record is None and name not in members_of(catalog):
        return None
    return actor_of(name, catalog, record is not None and bool(record.is_administrator))


def user_names(people: PeopleReader, catalog: Catalog | None) -> set[str]:
    """Everybody who exists: the system administrator, members, and whom somebody has added."""
    return {SYSTEM_ADMINISTRATOR, *members_of(catalog), *(record.name for record in people.users())}


def contact_of(people: PeopleReader, name: str) -> Contact:
    """Where a user can be reached; what sends alerts and test messages asks this."""
    record = people.find_user(name)
    return Contact() if record is None else Contact(record.email, record.phone)


def user_of_token(people: PeopleReader, secret: str) -> str | None:
    """Whose token this is, None for one that nobody made or that was revoked."""
    record = people.find_live_token(_hash(secret))
    return None if record is None else record.user_name


class People:
    """What one actor may do about users and tokens.

    Args:
        catalog: the deployed one, whose `members` are users; None before the first deploy.
        has_store: whether there is a store by now; looking at people makes none.
    """

    def __init__(
        self,
        store: Store,
        catalog: Catalog | None,
        clock: Clock,
        actor: Actor,
        has_store: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store, self._has_store = store, has_store
        self._catalog = catalog
        self._clock = clock
        self._actor = actor

    # Users

    def users(self) -> list[Row]:
        """Every user with contacts and roles, by name.

        Raises:
            NotPermittedError: the actor is no system administrator.
        """
        self._check_administrator("list users")
        with self._people() as people:
            names = user_names(people, self._catalog)
            known = {record.name: record for record in people.users()}
        return [self._row(name, known.get(name)) for name in sorted(names)]

    def add(self, name: str, email: str | None = None, phone: str | None = None) -> Row:
        """A new user, or the first contacts of a member who has none.

        Raises:
            UserExistsError: there is a user of this name whom somebody has added.
            InvalidValueError: a name, an address or a number in a wrong form.
        """
        self._check_administrator("add users")
        record = self._fresh(parse_user_name(name))._replace(**_parsed(email, phone))
        with self._store.transaction() as tx:
            if name == SYSTEM_ADMINISTRATOR or tx.people.find_user(name) is not None:
                raise UserExistsError(f"there is a user {name} already")
            tx.people.put_user(record)
            tx.record(record.created_ms, self._actor.name, "user-add", comment=name)
        return self._row(name, record)

    def set_administrator(self, name: str, is_administrator: bool) -> Row:
        """Make somebody system administrator, or no longer (SEC-4).

        Raises:
            LastAdministratorError: `admin` stays what it is, so that there always is one.
        """
        self._check_administrator("change roles")
        self._check_known(name)
        if name == SYSTEM_ADMINISTRATOR:
            if not is_administrator:
                raise LastAdministratorError(
                    f"{name} is the system administrator that every deployment keeps"
                )
            return self._row(name, self._find(name))
        action = "user-administrator" if is_administrator else "user-no-administrator"
        return self._change(name, action, is_administrator=int(is_administrator))

    def contact(self, name: str) -> Row:
        """Whether somebody's address and number are registered (POL-9).

        Raises:
            NotPermittedError: somebody else's, and the actor is no system administrator.
        """
        self._check_self(name, "see the contacts of others")
        self._check_known(name)
        with self._people() as people:
            contact = contact_of(people, name)
        return {
            "user": name,
            "email": contact.email or None,
            "phone": contact.phone or None,
            "email_registered": bool(contact.email),
            "phone_registered": bool(contact.phone),
        }

    def set_contact(self, name: str, email: str | None = None, phone: str | None = None) -> None:
        """Register an address or a number; an empty text removes it, None leaves it.

        Raises:
            InvalidValueError: an address or a number in a wrong form.
        """
        self._check_self(name, "change the contacts of others")
        self._check_known(name)
        given = _parsed(email, phone)  # what is wrong with it is said before anything is opened
        self._change(name, "user-contact", **given)

    # Tokens

    def create_token(self, user: str, label: str = "") -> tuple[int, str]:
        """A new token's id and the secret, which cannot be had a second time (SEC-1)."""
        self._check_self(user, "make tokens for others")
        self._check_known(user)
        if len(label) > MOST_CHARACTERS or not (label.isprintable()):
            raise UsageError(
                f"a token's label has at most {MOST_CHARACTERS} printable characters, this one has {len(label)}",
                Text("Choose another {option.label}, or leave it out."),
            )
        secret = _new_secret()
        now_ms = self._clock.now_ms()
        record = TokenRecord(0, user, label, now_ms, None, Scope.ADMIN, None, None)
        with self._store.transaction() as tx:
            token_id = tx.people.add_token(_hash(secret), record)
            tx.record(now_ms, self._actor.name, "token-create", comment=f"{user}: token {token_id}")
        return token_id, secret

    def tokens(self, user: str | None = None) -> list[Row]:
        """Tokens, newest first: the actor's own; a system administrator may see everybody's."""
        if user is not None:
            self._check_self(user, "see the tokens of others")
            self._check_known(user)
        elif not self._actor.is_system_administrator:
            user = self._actor.name
        with self._people() as people:
            return [_token_row(record) for record in people.tokens(user)]

    def revoke_token(self, token_id: int) -> Row:
        """Let a token open nothing any more; somebody else's is answered like an unknown one."""
        absent = UnknownNameError(f"there is no token {token_id}", Text("{token.list} shows all of yours."))
        if not self._has_store():
            raise absent
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            record = tx.people.find_token(token_id)
            if record is None or not self._is_self(record.user_name):
                raise absent
            if tx.people.revoke_token(token_id, now_ms):
                comment = f"{record.user_name}: token {token_id}"
                tx.record(now_ms, self._actor.name, "token-revoke", comment=comment)
                record = record._replace(revoked_ms=now_ms)
        return _token_row(record)

    # Inside

    def _is_self(self, name: str) -> bool:
        return self._actor.is_system_administrator or name == self._actor.name

    def _check_self(self, name: str, what: str) -> None:
        if not self._is_self(name):
            self._check_administrator(what)

    def _check_administrator(self, what: str) -> None:
        if not self._actor.is_system_administrator:
            raise NotPermittedError(
                f"{self._actor.name} may not {what}", "Only a system administrator may do this."
            )

    def _check_known(self, name: str) -> None:
        with self._people() as people:
            known = user_names(people, self._catalog)
        if name in known:
            return
        raise UnknownNameError(
            f'there is no user "{shown(name)}"{did_you_mean(name, known)}',
            Text("{user.list} shows all of them."),
        )

    def _find(self, name: str) -> UserRecord | None:
        with self._people() as people:
            return people.find_user(name)

    @contextmanager
    def _people(self) -> Iterator[PeopleReader]:
        """What is written down about people; nothing where there is no store yet."""
        if not self._has_store():
            yield _Nobody()
            return
        with self._store.read() as reader:
            yield reader.people

    def _fresh(self, name: str) -> UserRecord:
        return UserRecord(0, name, "", "", 0, self._clock.now_ms())

    def _change(self, name: str, action: str, **columns: Any) -> Row:
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            before = tx.people.find_user(name) or self._fresh(name)
            after = before._replace(**columns)
            if after != before:
                tx.people.put_user(after)
                tx.record(now_ms, self._actor.name, action, comment=name)
        return self._row(name, after)

    def _row(self, name: str, record: UserRecord | None) -> Row:
        is_administrator = name == SYSTEM_ADMINISTRATOR or bool(record and record.is_administrator)
        return {
            "user": name,
            "administrator": is_administrator,
            "roles": {
                workspace: role.value for workspace, role in actor_of(name, self._catalog).roles.items()
            },
            "email": record.email or None if record else None,
            "phone": record.phone or None if record else None,
            "created_at": shown_instant(record.created_ms) if record else None,
        }


def members_of(catalog: Catalog | None) -> set[str]:
    """Names of the members of any workspace."""
    if catalog is None:
        return set()
    return {name for workspace in catalog.workspaces.values() for name in workspace.members}


def _parsed(email: str | None, phone: str | None) -> dict[str, Any]:
    """What was given, by columns; an empty text removes what is known, None leaves it."""
    found = {} if email is None else {"email": email and parse_email(email)}
    return found if phone is None else {**found, "phone": phone and parse_phone(phone)}


def _new_secret() -> str:
    """256 random bits; the beginning is there so that scanners of code recognise one that was committed."""
    import secrets

    return f"retrofill_{secrets.token_urlsafe(32)}"


def _hash(secret: str) -> str:
    """One round is enough for 256 random bits: there is nothing to guess."""
    import hashlib

    return hashlib.sha256(secret.encode()).hexdigest()


def _token_row(record: TokenRecord) -> Row:
    return {
        "id": record.id,
        "user": record.user_name,
        "label": record.label or None,
        "created_at": shown_instant(record.created_ms),
        "revoked_at": shown_instant(record.revoked_ms),
    }
