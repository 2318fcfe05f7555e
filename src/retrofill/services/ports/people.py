"""The ledger's users, and the keys with which programs act for them: tokens and access keys."""

from __future__ import annotations

from typing import Protocol

from retrofill.services.ports.records import AccessKeyRecord, TokenRecord, UserRecord


class PeopleReader(Protocol):
    """Users that somebody has written something down about, and the keys of programs."""

    def find_user(self, name: str) -> UserRecord | None: ...

    def users(self) -> list[UserRecord]:
        """All of them, by name."""
        ...

    def find_token(self, token_id: int) -> TokenRecord | None: ...

    def find_token_by_secret(self, secret_hash: str) -> TokenRecord | None:
        """The token whose secret has this hash, revoked or not."""
        ...

    def tokens(self, user: str | None = None) -> list[TokenRecord]:
        """Tokens of one user or of all, newest first, revoked ones too."""
        ...

    def find_access_key(self, key_id: str) -> AccessKeyRecord | None:
        """The access key with this id, revoked or not."""
        ...

    def access_keys(self, user: str | None = None) -> list[AccessKeyRecord]:
        """Access keys of one user or of all, newest first, revoked ones too."""
        ...


class PeopleTables(PeopleReader, Protocol):
    """Users and keys inside a write transaction."""

    def put_user(self, record: UserRecord) -> None:
        """Insert with a new id, or replace what is known about the user of this name."""
        ...

    def remove_user(self, name: str, at_ms: int) -> UserRecord | None:
        """Forget a user, and revoke their tokens and access keys; what was known, None where nothing was."""
        ...

    def add_token(self, secret_hash: str, record: TokenRecord) -> int:
        """A new token's id; that of the record does not count."""
        ...

    def revoke_token(self, token_id: int, at_ms: int) -> bool:
        """False where it was revoked before."""
        ...

    def see_token(self, token_id: int, at_ms: int) -> None:
        """It was used."""
        ...

    def add_access_key(self, record: AccessKeyRecord) -> int:
        """A new access key's number; that of the record does not count."""
        ...

    def revoke_access_key(self, key_id: str, at_ms: int) -> bool:
        """False where it was revoked before."""
        ...

    def see_access_key(self, key_id: str, at_ms: int) -> None:
        """It was used."""
        ...
