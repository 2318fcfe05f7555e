"""Users, and where they can be reached (SEC-1, SEC-4, POL-9).

Members named in a catalog exist without a row of their own. `admin` is the system
administrator that every deployment has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from retrofill.domain.errors import WrongStateError
from retrofill.domain.people.contacts import parse_email, parse_phone, parse_user_name
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR, Role, actor_of
from retrofill.services.people.clerks import Clerk, user_names
from retrofill.services.ports.records import UserRecord

if TYPE_CHECKING:
    from retrofill.services.ports import PeopleReader


class UserExistsError(WrongStateError):
    """Change what is known of a user with {user.contact} and {user.role}."""

    code = "user_exists"


class LastAdministratorError(WrongStateError):
    """Make somebody else system administrator, and let `admin` be."""

    code = "last_administrator"


class StillMemberError(WrongStateError):
    """Take them out of `members` in the file of each workspace, and deploy it."""

    code = "still_member"


@dataclass(frozen=True, slots=True)
class Contact:
    """Where somebody can be reached; empty texts are not registered (POL-9)."""

    email: str = ""
    phone: str = ""


class Account(NamedTuple):
    """A user with contacts and roles; `created_ms` is None of whom nobody has added."""

    user: str
    is_administrator: bool
    roles: Mapping[str, Role]
    contact: Contact
    created_ms: int | None


def contact_of(people: PeopleReader, name: str) -> Contact:
    """Where a user can be reached; what sends alerts and test messages asks this."""
    record = people.find_user(name)
    return Contact() if record is None else Contact(record.email, record.phone)


class People(Clerk):
    """What one actor may do about users."""

    def users(self) -> list[Account]:
        """Every user with contacts and roles, by name.

        Raises:
            NotPermittedError: the actor is no system administrator.
        """
        self._check_administrator("list users")
        with self._read() as reader:
            people = None if reader is None else reader.people
            names = user_names(people, self._catalog)
            known = {} if people is None else {record.name: record for record in people.users()}
        return [self._account(name, known.get(name)) for name in sorted(names)]

    def add(self, name: str, email: str | None = None, phone: str | None = None) -> Account:
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
        return self._account(name, record)

    def remove(self, name: str) -> Account:
        """Forget a user: what was written down of them, how they sign in, and what they keep; keys open nothing any more.

        What they have done stays on record under their name, and so do their backfills, which run on. Who is added
        under that name later is taken for the same person.

        Returns:
            What was known.

        Raises:
            LastAdministratorError: `admin`, whom every deployment keeps.
            StillMemberError: their roles come from the files of workspaces, and would let them in again.
        """
        self._check_administrator("remove users")
        if name == SYSTEM_ADMINISTRATOR:
            raise LastAdministratorError(f"{name} is the system administrator that every deployment keeps")
        self._check_known(name)
        if roles := actor_of(name, self._catalog).roles:
            raise StillMemberError(f"{name} is a member of {', '.join(sorted(roles))}")
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            record = tx.people.remove_user(name, now_ms)
            tx.signing_in.remove_user(name, now_ms)
            tx.saved_forms.remove_of(name)
            if record is not None:  # else somebody was faster
                tx.record(now_ms, self._actor.name, "user-remove", comment=name)
        return self._account(name, record)

    def set_administrator(self, name: str, is_administrator: bool) -> Account:
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
            return self._account(name, self._find(name))
        action = "user-administrator" if is_administrator else "user-no-administrator"
        return self._change(name, action, is_administrator=int(is_administrator))

    def account(self, name: str) -> Account:
        """Somebody with contacts and roles.

        Raises:
            NotPermittedError: somebody else, and the actor is no system administrator.
        """
        self._check_self(name, "look at others")
        return self._account(name, self._find(name))

    def contact(self, name: str) -> Contact:
        """Where somebody can be reached (POL-9).

        Raises:
            NotPermittedError: somebody else, and the actor is no system administrator.
        """
        self._check_self(name, "see the contacts of others")
        with self._read() as reader:
            return Contact() if reader is None else contact_of(reader.people, name)

    def set_contact(self, name: str, email: str | None = None, phone: str | None = None) -> None:
        """Register an address or a number; an empty text removes it, None leaves it.

        Raises:
            InvalidValueError: an address or a number in a wrong form.
        """
        self._check_self(name, "change the contacts of others")
        given = _parsed(email, phone)  # what is wrong with it is said before anything is opened
        self._change(name, "user-contact", **given)

    # Inside

    def _find(self, name: str) -> UserRecord | None:
        with self._read() as reader:
            return None if reader is None else reader.people.find_user(name)

    def _fresh(self, name: str) -> UserRecord:
        return UserRecord(0, name, "", "", 0, self._clock.now_ms())

    def _change(self, name: str, action: str, **columns: Any) -> Account:
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            before = tx.people.find_user(name) or self._fresh(name)
            after = before._replace(**columns)
            if after != before:
                tx.people.put_user(after)
                tx.record(now_ms, self._actor.name, action, comment=name)
        return self._account(name, after)

    def _account(self, name: str, record: UserRecord | None) -> Account:
        is_administrator = name == SYSTEM_ADMINISTRATOR or bool(record and record.is_administrator)
        roles = actor_of(name, self._catalog).roles
        if record is None:
            return Account(name, is_administrator, roles, Contact(), None)
        contact = Contact(record.email, record.phone)
        return Account(name, is_administrator, roles, contact, record.created_ms)


def _parsed(email: str | None, phone: str | None) -> dict[str, Any]:
    """What was given, by columns; an empty text removes what is known, None leaves it."""
    found = {} if email is None else {"email": email and parse_email(email)}
    return found if phone is None else {**found, "phone": phone and parse_phone(phone)}
