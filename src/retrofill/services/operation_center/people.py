"""Users and where they can be reached (SEC-1, SEC-4, POL-9); with the keys of programs, and how people sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.errors import UsageError, shown
from retrofill.domain.texts import Text
from retrofill.services.operation_center.key_acts import KeyActs
from retrofill.services.operation_center.sign_in_acts import SignInActs
from retrofill.services.people.accounts import People
from retrofill.services.reading.people import contact_row, user_row

if TYPE_CHECKING:
    from retrofill.services.reading.documents import ContactRow, Me, TestMessage, UserRow


class PeopleDesk(KeyActs, SignInActs):
    @property
    def _people(self) -> People:
        return self._clerk(People)

    def me(self) -> Me:
        """Who asks, with roles and contacts."""
        row = user_row(self._people.account(self._actor.name))
        return {**row, "has_password": self._sign_ins.has_password(self._actor.name)}

    def users(self) -> list[UserRow]:
        """Every user with contacts and roles, by name.

        Raises:
            NotPermittedError: the actor is no system administrator.
        """
        return list(map(user_row, self._people.users()))

    def add(self, name: str, email: str | None = None, phone: str | None = None) -> UserRow:
        """A new user, or the first contacts of a member who has none.

        Raises:
            UserExistsError: there is a user of this name whom somebody has added.
            InvalidValueError: a name, an address or a number in a wrong form.
        """
        return user_row(self._people.add(name, email, phone))

    def remove(self, name: str) -> UserRow:
        """Forget a user, with how they sign in and what they keep; what was known.

        Their tokens and access keys open nothing any more. Their backfills run on, and what they have done stays on
        record under their name.

        Raises:
            LastAdministratorError: `admin`, whom every deployment keeps.
            StillMemberError: their roles come from the files of workspaces.
        """
        return user_row(self._people.remove(name))

    def set_administrator(self, name: str, is_administrator: bool) -> UserRow:
        """Make somebody system administrator, or no longer (SEC-4).

        Raises:
            LastAdministratorError: `admin` stays what it is, so that there always is one.
        """
        return user_row(self._people.set_administrator(name, is_administrator))

    def contact(self, name: str) -> ContactRow:
        """Whether somebody's address and number are registered (POL-9).

        Raises:
            NotPermittedError: somebody else's, and the actor is no system administrator.
        """
        return contact_row(name, self._people.contact(name))

    def set_contact(self, name: str, email: str | None = None, phone: str | None = None) -> ContactRow:
        """Register an address or a number; an empty text removes it, None leaves it.

        Raises:
            InvalidValueError: an address or a number in a wrong form.
        """
        self._people.set_contact(name, email, phone)
        return self.contact(name)

    def send_test(self, name: str) -> list[TestMessage]:
        """Send a test message by every method by which somebody is registered; what became of each.

        Raises:
            NotPermittedError: to somebody else, and the actor is no system administrator.
            UsageError: there is neither an address nor a number.
        """
        from retrofill.services.alerts.delivery import send_test

        contact = self._people.contact(
            name
        )  # who may not see where somebody is reached, may not try it either
        if not (contact.email or contact.phone):
            raise UsageError(
                f"{shown(name)} has neither an e-mail address nor a phone number, so nothing can be sent",
                Text("Register one with {option.email} or {option.phone}."),
            )
        return send_test(self._parts.notifier(), self._parts.in_force.project, name, contact)
