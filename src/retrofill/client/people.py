"""Users, where they can be reached, and what they sign in with, at a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrofill.client.desk import Desk
from retrofill.client.transport import part

if TYPE_CHECKING:
    from retrofill.services.reading.documents import TestMessage

Row = dict[str, Any]


class PeopleDesk(Desk):
    # Users

    def users(self) -> list[Row]:
        """Every user with contacts and roles, by name."""
        return self._server.get("users")["items"]

    def add(self, name: str, email: str | None = None, phone: str | None = None) -> Row:
        """A new user, or the first contacts of a member who has none."""
        return self._server.create("users", {"name": name, "email": email, "phone": phone})

    def set_administrator(self, name: str, is_administrator: bool) -> Row:
        """Make somebody system administrator, or no longer."""
        return self._server.act("PATCH", f"users/{part(name)}", {"is_administrator": is_administrator})

    def contact(self, name: str) -> Row:
        """Whether somebody's address and number are registered."""
        return self._server.get(f"users/{part(name)}/contact")

    def set_contact(self, name: str, email: str | None = None, phone: str | None = None) -> None:
        """Register an address or a number; an empty text removes it, None leaves it."""
        self._server.act("PATCH", f"users/{part(name)}/contact", {"email": email, "phone": phone})

    def send_test(self, name: str) -> list[TestMessage]:
        """Send a test message by every method by which somebody is registered; what became of each."""
        return self._server.act("POST", f"users/{part(name)}/test-message")

    # Tokens

    def create_token(self, user: str, label: str = "") -> tuple[int, str]:
        """A new token's id and the secret, which cannot be had a second time."""
        made = self._server.create("tokens", {"user": user, "label": label})
        return made["id"], made["token"]

    def tokens(self, user: str | None = None) -> list[Row]:
        """Tokens, newest first."""
        return self._server.get("tokens", {"user": user})["items"]

    def revoke_token(self, token_id: int) -> Row:
        """Let a token open nothing any more."""
        return self._server.act("DELETE", f"tokens/{token_id}")
