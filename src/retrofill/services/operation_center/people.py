"""Users, where they can be reached, their tokens (SEC-1, SEC-4, POL-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.errors import UsageError, shown
from retrofill.domain.texts import Text
from retrofill.services.people.accounts import People, contact_of

if TYPE_CHECKING:
    from retrofill.domain.people.roles import Actor
    from retrofill.services.operation_center.parts import Parts
    from retrofill.services.reading.documents import TestMessage


class PeopleDesk(People):
    def __init__(self, parts: Parts, actor: Actor) -> None:
        super().__init__(parts.store, parts.in_force, parts.clock, actor, lambda: parts.has_store)
        self._parts = parts

    def send_test(self, name: str) -> list[TestMessage]:
        """Send a test message by every method by which somebody is registered; what became of each.

        Raises:
            NotPermittedError: to somebody else, and the actor is no system administrator.
            UsageError: there is neither an address nor a number.
        """
        from retrofill.services.alerts.delivery import send_test

        self.contact(name)  # who may not see where somebody is reached, may not try it either
        with self._people() as people:
            contact = contact_of(people, name)
        if not (contact.email or contact.phone):
            raise UsageError(
                f"{shown(name)} has neither an e-mail address nor a phone number, so nothing can be sent",
                Text("Register one with {option.email} or {option.phone}."),
            )
        return send_test(self._parts.notifier(), self._parts.in_force.project, name, contact)
