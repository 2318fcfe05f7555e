"""How people sign in: passwords, links that open once, sessions (SEC-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.errors import UsageError
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.operation_center.key_acts import PeoplesDesk
from retrofill.services.people.sign_ins import LINK_MINUTES, SignIns
from retrofill.services.reading.people import session_row

if TYPE_CHECKING:
    from retrofill.services.reading.documents import LinkDocument, PasswordDocument, SessionRow


class SignInActs(PeoplesDesk):
    @property
    def _sign_ins(self) -> SignIns:
        return self._clerk(SignIns)

    def set_password(
        self, name: str, password: str, current: str | None = None, session: int | None = None
    ) -> PasswordDocument:
        """Let somebody sign in with this password from now on, and sign their other browsers out.

        Args:
            current: the one until now; asked for where one's own is changed from elsewhere than the deployment's folder.
            session: the one that stays, because this is asked in it.

        Raises:
            PasswordError: it is too easy to guess.
            WrongPasswordError: `current` is not the one.
        """
        sign_ins, is_own = self._sign_ins, name == self._actor.name
        is_needed = is_own and not self._parts.owns_folder and sign_ins.has_password(name)
        if is_needed and current is None:
            raise UsageError(
                "whoever changes a password of their own says the one until now", "Send `current` with it."
            )
        given = current if is_needed else None
        ended = sign_ins.set_password(self._parts.passwords, name, password, given, session)
        return {"user": name, "has_password": True, "ended_sessions": ended}

    def remove_password(self, name: str) -> PasswordDocument:
        """Let somebody sign in with no password any more, and sign their browsers out."""
        ended = self._sign_ins.remove_password(name)
        return {"user": name, "has_password": False, "ended_sessions": ended}

    def create_link(self, name: str, minutes: int = LINK_MINUTES) -> LinkDocument:
        """Make a link that signs somebody in once; it is told this once, and those before it open nothing any more."""
        record, secret = self._sign_ins.create_link(name, minutes)
        return {
            "user": name,
            "link": f"{self._parts.public_origin}/sign-in?link={secret}",
            "expires_at": shown_instant(record.expires_ms),
        }

    def sessions(self, user: str | None = None) -> list[SessionRow]:
        """Open sessions, newest first: the actor's own; a system administrator may see everybody's."""
        return list(map(session_row, self._sign_ins.sessions(user)))

    def end_session(self, session_id: int) -> SessionRow:
        """Sign a browser out; somebody else's session is answered like an unknown one."""
        return session_row(self._sign_ins.end_session(session_id))

    def end_sessions(self, user: str) -> list[int]:
        """Sign all browsers of somebody out; the sessions that have ended."""
        return self._sign_ins.end_sessions(user)
