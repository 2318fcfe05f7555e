"""The ledger's users and tokens."""

from __future__ import annotations

from typing import Protocol

from retrofill.services.ports.records import TokenRecord, UserRecord


class PeopleReader(Protocol):
    """Users that somebody has written something down about, and tokens."""

    def find_user(self, name: str) -> UserRecord | None: ...

    def users(self) -> list[UserRecord]:
        """All of them, by name."""
        ...

    def find_token(self, token_id: int) -> TokenRecord | None: ...

    def find_live_token(self, secret_hash: str) -> TokenRecord | None:
        """The token with this hash, unless it was revoked."""
        ...

    def tokens(self, user: str | None = None) -> list[TokenRecord]:
        """Tokens of one user or of all, newest first, revoked ones too."""
        ...


class PeopleTables(PeopleReader, Protocol):
    """Users and tokens inside a write transaction."""

    def put_user(self, record: UserRecord) -> None:
        """Insert with a new id, or replace what is known about the user of this name."""
        ...

    def add_token(self, user: str, label: str, secret_hash: str, at_ms: int) -> int:
        """A new token's id."""
        ...

    def revoke_token(self, token_id: int, at_ms: int) -> bool:
        """False where it was revoked before."""
        ...
