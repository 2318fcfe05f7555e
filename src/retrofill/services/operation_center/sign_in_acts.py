"""How people sign in: passwords, links that open once, sessions (SEC-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.people.passwords import PasswordNeededError
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
            PasswordNeededError: `current` is asked for.
            WrongPasswordError: `current` is not the one.
        """
        given = self._needed(name, current)
        ended = self._sign_ins.set_password(self._parts.passwords, name, password, given, session)
        return {"user": name, "has_password": True, "ended_sessions": ended}

    def remove_password(self, name: str, current: str | None = None) -> PasswordDocument:
        """Let somebody sign in with no password any more, and sign their browsers out.

        Args:
            current: asked for as by `set_password`, so that nobody gets around it by removing first.

        Raises:
            PasswordNeededError: `current` is asked for.
            WrongPasswordError: `current` is not the one.
        """
        given = self._needed(name, current)
        ended = self._sign_ins.remove_password(self._parts.passwords, name, given)
        return {"user": name, "has_password": False, "ended_sessions": ended}

    def _needed(self, name: str, current: str | None) -> str | None:
        """The password until now where it has to be said, else None."""
        is_own = name == self._actor.name
        if not is_own or self._parts.owns_folder or not self._sign_ins.has_password(name):
            return None
        if current is None:
            raise PasswordNeededError
        return current

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
