"""Users, where they can be reached, how they sign in, and the keys of programs, at a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.client.desk import Desk
from retrofill.client.transport import part

if TYPE_CHECKING:
    from retrofill.services.reading.documents import (
        AccessKeyRow,
        ContactRow,
        LinkDocument,
        Me,
        NewAccessKey,
        NewToken,
        PasswordDocument,
        SessionRow,
        TestMessage,
        TokenRow,
        UserRow,
    )


class PeopleDesk(Desk):
    """A secret is answered once, and so nothing that has one is asked for a second time."""

    # Users

    def me(self) -> Me:
        """Who asks, with roles and contacts."""
        found: Me = self._server.get("me")
        return found

    def users(self) -> list[UserRow]:
        """Every user with contacts and roles, by name."""
        return list(self._server.get("users")["items"])

    def add(self, name: str, email: str | None = None, phone: str | None = None) -> UserRow:
        """A new user, or the first contacts of a member who has none."""
        made: UserRow = self._server.act("POST", "users", {"name": name, "email": email, "phone": phone})
        return made

    def remove(self, name: str) -> UserRow:
        """Forget a user, with how they sign in and what they keep; what was known."""
        row: UserRow = self._server.act("DELETE", f"users/{part(name)}")
        return row

    def set_administrator(self, name: str, is_administrator: bool) -> UserRow:
        """Make somebody system administrator, or no longer."""
        row: UserRow = self._server.act(
            "PATCH", f"users/{part(name)}", {"is_administrator": is_administrator}
        )
        return row

    def contact(self, name: str) -> ContactRow:
        """Whether somebody's address and number are registered."""
        found: ContactRow = self._server.get(f"users/{part(name)}/contact")
        return found

    def set_contact(self, name: str, email: str | None = None, phone: str | None = None) -> ContactRow:
        """Register an address or a number; an empty text removes it, None leaves it."""
        row: ContactRow = self._server.act(
            "PATCH", f"users/{part(name)}/contact", {"email": email, "phone": phone}
        )
        return row

    def send_test(self, name: str) -> list[TestMessage]:
        """Send a test message by every method by which somebody is registered; what became of each."""
        return list(self._server.act("POST", f"users/{part(name)}/test-message")["items"])

    # Signing in

    def set_password(
        self, name: str, password: str, current: str | None = None, session: int | None = None
    ) -> PasswordDocument:
        """Let somebody sign in with this password from now on, and sign their other browsers out."""
        body = {"password": password, "current": current, "session": session}
        found: PasswordDocument = self._server.act("POST", f"users/{part(name)}/password", body)
        return found

    def remove_password(self, name: str, current: str | None = None) -> PasswordDocument:
        """Let somebody sign in with no password any more, and sign their browsers out."""
        found: PasswordDocument = self._server.act(
            "DELETE", f"users/{part(name)}/password", {"current": current}
        )
        return found

    def create_link(self, name: str, minutes: int = 60) -> LinkDocument:
        """Make a link that signs somebody in once; it is told this once, and those before it open nothing any more."""
        made: LinkDocument = self._server.act("POST", f"users/{part(name)}/link", {"minutes": minutes})
        return made

    def sessions(self, user: str | None = None) -> list[SessionRow]:
        """Open sessions, newest first: the actor's own; a system administrator may see everybody's."""
        return list(self._server.get("sessions", {"user": user})["items"])

    def end_session(self, session_id: int) -> SessionRow:
        """Sign a browser out."""
        row: SessionRow = self._server.act("DELETE", f"sessions/{session_id}")
        return row

    def end_sessions(self, user: str) -> list[int]:
        """Sign all browsers of somebody out; the sessions that have ended."""
        return list(self._server.act("DELETE", f"users/{part(user)}/sessions")["items"])

    # Keys of programs

    def create_token(
        self,
        user: str,
        label: str = "",
        scope: str = "admin",
        days: int | None = None,
        resource_groups: Sequence[str] = (),
    ) -> NewToken:
        """Make a token; its secret is told this once."""
        groups = list(resource_groups)
        body = {"user": user, "label": label, "scope": scope, "days": days, "resource_groups": groups}
        made: NewToken = self._server.act("POST", "tokens", body)
        return made

    def tokens(self, user: str | None = None) -> list[TokenRow]:
        """Tokens, newest first."""
        return list(self._server.get("tokens", {"user": user})["items"])

    def revoke_token(self, token_id: int) -> TokenRow:
        """Let a token open nothing any more."""
        row: TokenRow = self._server.act("DELETE", f"tokens/{token_id}")
        return row

    def create_access_key(
        self, user: str, label: str = "", scope: str = "operate", days: int | None = None
    ) -> NewAccessKey:
        """Make an access key; its secret is told this once."""
        body = {"user": user, "label": label, "scope": scope, "days": days}
        made: NewAccessKey = self._server.act("POST", "access-keys", body)
        return made

    def access_keys(self, user: str | None = None) -> list[AccessKeyRow]:
        """Access keys, newest first."""
        return list(self._server.get("access-keys", {"user": user})["items"])

    def revoke_access_key(self, key_id: str) -> AccessKeyRow:
        """Let an access key sign nothing any more."""
        row: AccessKeyRow = self._server.act("DELETE", f"access-keys/{part(key_id)}")
        return row
