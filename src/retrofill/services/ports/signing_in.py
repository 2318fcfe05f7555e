"""What the ledger knows of how people sign in: passwords, links, sessions, failures, and what is accepted once.

Secrets come as hashes, and are kept as nothing else.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from retrofill.services.ports.records import LinkRecord, PasswordRecord, SessionRecord


class Failures(NamedTuple):
    """How often in a row sign-in failed, and when it did last."""

    times: int
    last_ms: int


class SignInReader(Protocol):
    """What there is; whether it still counts is judged by who asks."""

    def find_password(self, user: str) -> PasswordRecord | None: ...

    def find_session(self, secret_hash: str) -> SessionRecord | None:
        """The session with this hash, ended or not."""
        ...

    def session(self, session_id: int) -> SessionRecord | None: ...

    def open_sessions(self, now_ms: int, user: str | None = None) -> list[SessionRecord]:
        """Sessions of one user or of all that have not ended or expired, newest first."""
        ...

    def find_link(self, secret_hash: str) -> LinkRecord | None:
        """The link with this hash, used or not."""
        ...

    def user_of_subject(self, issuer: str, subject: str) -> str | None:
        """Who somebody that a provider of identities knows is here."""
        ...

    def has_subject(self, issuer: str, user: str) -> bool:
        """Whether a provider knows somebody who is this user here."""
        ...

    def failures(self, about: str) -> Failures:
        """How often sign-in failed for an account or an address; never: 0 times."""
        ...


class SignInTables(SignInReader, Protocol):
    """Signing in, inside a write transaction."""

    def put_password(self, record: PasswordRecord) -> None:
        """The only one that its user has from now on."""
        ...

    def remove_password(self, user: str) -> bool:
        """False where there was none."""
        ...

    def add_session(self, secret_hash: str, record: SessionRecord) -> int:
        """A new session's id, which no other ever has; that of the record does not count."""
        ...

    def see_session(self, session_id: int, at_ms: int, expires_ms: int) -> None:
        """It was used, and holds for longer."""
        ...

    def end_session(self, session_id: int, at_ms: int) -> bool:
        """False where it had ended before."""
        ...

    def end_sessions_of(self, user: str, at_ms: int, but: int | None = None) -> list[int]:
        """End all of a user's sessions, but perhaps one; those that were open, in order."""
        ...

    def add_link(self, secret_hash: str, record: LinkRecord) -> None: ...

    def use_link(self, secret_hash: str, at_ms: int) -> LinkRecord | None:
        """The link, for who uses it first and in time; None for everybody else."""
        ...

    def withdraw_links(self, user: str) -> None:
        """Links of a user that nobody has used open nothing any more."""
        ...

    def put_subject(self, issuer: str, subject: str, user: str, at_ms: int) -> None:
        """From now on who the provider knows by this subject is this user."""
        ...

    def remove_user(self, user: str, at_ms: int) -> None:
        """No password, link or provider of identities lets them in any more, and their sessions end."""
        ...

    def add_failure(self, about: str, at_ms: int) -> int:
        """Count one more; how many it are now."""
        ...

    def take_back_failure(self, about: str) -> None:
        """The last one was none."""
        ...

    def forget_failures(self, about: str) -> None: ...

    def spend(self, value: str, until_ms: int, now_ms: int) -> bool:
        """Accept a value that is accepted once; False where it was seen before. Forgets what is too old now.

        Args:
            until_ms: from then on it is refused for its age, and need not be remembered.
        """
        ...

    def clear(self, now_ms: int, failures_until_ms: int, sessions_before_ms: int) -> None:
        """Forget links whose time is over, old failures, and sessions that ended long ago."""
        ...
