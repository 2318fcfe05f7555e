"""What somebody may do about the ways in which people sign in: passwords, links, sessions (SEC-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.errors import UnknownNameError, UsageError, shown
from retrofill.domain.people.passwords import normal_form, parse_password
from retrofill.domain.texts import Text
from retrofill.services.people.clerks import Clerk
from retrofill.services.people.keys import hash_of, new_secret
from retrofill.services.people.throttle import Throttle
from retrofill.services.ports.records import LinkRecord, PasswordRecord, SessionRecord

if TYPE_CHECKING:
    from retrofill.services.ports.identities import PasswordHasher

LINK_MINUTES = 60
MOST_LINK_MINUTES = 7 * 24 * 60
_MINUTE_MS = 60_000


class WrongPasswordError(UsageError):
    """Give the password that is used until now; an administrator can set another one without it."""

    code = "wrong_password"


class SignIns(Clerk):
    """What one actor may do about passwords, links and sessions."""

    # Passwords

    def set_password(
        self,
        hasher: PasswordHasher,
        user: str,
        password: str,
        current: str | None = None,
        stays: int | None = None,
    ) -> list[int]:
        """Let somebody sign in with this password from now on, and end their sessions.

        Args:
            current: the one that is used until now, where the actor's own is changed; None: the actor need not know it.
            stays: the session that does not end, because it is the one in which this is asked.

        Returns:
            The sessions that have ended.

        Raises:
            PasswordError: it is too easy to guess.
            WrongPasswordError: `current` is not the one.
        """
        self._check_self(user, "set the passwords of others")
        form = parse_password(password, user)
        if current is not None:
            self._check_current(hasher, user, current)
        now_ms = self._clock.now_ms()
        record = PasswordRecord(user, hasher.hash(form), now_ms)
        with self._store.transaction() as tx:
            tx.signing_in.put_password(record)
            tx.signing_in.withdraw_links(user)
            tx.record(now_ms, self._actor.name, "password-set", comment=user)
            return tx.signing_in.end_sessions_of(user, now_ms, but=stays)

    def _check_current(self, hasher: PasswordHasher, user: str, current: str) -> None:
        throttle = Throttle(self._store, self._clock)
        throttle.begin(user)
        with self._store.read() as reader:
            record = reader.signing_in.find_password(user)
        if not hasher.matches(record and record.hash, normal_form(current)):
            raise WrongPasswordError("this is not the password that is used until now")
        throttle.succeed(user)

    def has_password(self, user: str) -> bool:
        """Whether somebody can sign in with a password."""
        self._check_self(user, "look at others")
        with self._read() as reader:
            return reader is not None and reader.signing_in.find_password(user) is not None

    def remove_password(self, hasher: PasswordHasher, user: str, current: str | None = None) -> list[int]:
        """Let somebody sign in with no password any more, and end their sessions; those that have ended.

        Args:
            current: as for `set_password`.

        Raises:
            WrongPasswordError: `current` is not the one.
        """
        self._check_self(user, "remove the passwords of others")
        if not self.has_password(user):
            return []
        if current is not None:
            self._check_current(hasher, user, current)
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            if not tx.signing_in.remove_password(user):
                return []
            tx.record(now_ms, self._actor.name, "password-remove", comment=user)
            return tx.signing_in.end_sessions_of(user, now_ms)

    # Links

    def create_link(self, user: str, minutes: int = LINK_MINUTES) -> tuple[LinkRecord, str]:
        """A link that signs somebody in once, and its secret; those before it open nothing any more."""
        self._check_self(user, "make links for others")
        if not 1 <= minutes <= MOST_LINK_MINUTES:
            raise UsageError(
                f"a link is good for 1 to {MOST_LINK_MINUTES:,} minutes, not for {minutes}",
                Text("Choose another {option.minutes}, or leave it out."),
            )
        secret, now_ms = new_secret(), self._clock.now_ms()
        record = LinkRecord(user, now_ms, now_ms + minutes * _MINUTE_MS, None)
        with self._store.transaction() as tx:
            tx.signing_in.withdraw_links(user)
            tx.signing_in.add_link(hash_of(secret), record)
            tx.record(now_ms, self._actor.name, "link-create", comment=user)
        return record, secret

    # Sessions

    def sessions(self, user: str | None = None) -> list[SessionRecord]:
        """Open sessions, newest first: the actor's own; a system administrator may see everybody's."""
        user = self._whose(user, "see the sessions of others")
        with self._read() as reader:
            return [] if reader is None else reader.signing_in.open_sessions(self._clock.now_ms(), user)

    def end_session(self, session_id: int) -> SessionRecord:
        """Sign a browser out; somebody else's session is answered like an unknown one."""
        absent = UnknownNameError(
            f"there is no session {session_id}", Text("{session.list} shows all of yours.")
        )
        if not self._has_store():
            raise absent
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            record = tx.signing_in.session(session_id)
            if record is None or not self._is_self(record.user_name):
                raise absent
            if tx.signing_in.end_session(session_id, now_ms):
                comment = f"{record.user_name}: session {session_id}"
                tx.record(now_ms, self._actor.name, "session-end", comment=comment)
                record = record._replace(ended_ms=now_ms)
        return record

    def end_sessions(self, user: str) -> list[int]:
        """Sign all browsers of somebody out; the sessions that have ended."""
        self._check_self(user, "end the sessions of others")
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            ended = tx.signing_in.end_sessions_of(user, now_ms)
            if ended:
                tx.record(now_ms, self._actor.name, "session-end", comment=f"{shown(user)}: all sessions")
        return ended
