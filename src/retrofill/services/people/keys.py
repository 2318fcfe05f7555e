"""Keys with which programs act for a user: tokens, which are shown, and access keys, which sign (SEC-1).

A secret is answered once, when its key is made. Of a token the ledger holds a hash; the secret of an access key is
worked out from the server's key whenever a signature is compared (decision 0020).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.domain.errors import LimitError, UnknownNameError, UsageError, did_you_mean, shown
from retrofill.domain.people.contacts import MOST_CHARACTERS
from retrofill.domain.people.scopes import Scope
from retrofill.domain.people.visitors import WorkerRight
from retrofill.domain.texts import Text
from retrofill.services.people.clerks import Clerk, check_label
from retrofill.services.ports.records import AccessKeyRecord, TokenRecord

if TYPE_CHECKING:
    from retrofill.domain.people.server_keys import ServerKey

MOST_DAYS = 3_650
MOST_KEYS = 1_000  # of one user, of each kind
_DAY_MS = 86_400_000
_ONLY_WORKERS = Text("Leave {option.resource_group} out, or make one of scope worker.")
_NAME_GROUPS = Text("Name each with {option.resource_group}.")


class Keys(Clerk):
    """What one actor may do about tokens and access keys."""

    # Tokens

    def create_token(
        self,
        user: str,
        label: str = "",
        scope: Scope = Scope.ADMIN,
        days: int | None = None,
        resource_groups: Sequence[str] = (),
    ) -> tuple[TokenRecord, str]:
        """A new token and its secret, which cannot be had a second time.

        Args:
            days: after which it opens nothing any more; None: until it is revoked.
            resource_groups: of a worker's token: whose runs it may carry out.

        Raises:
            NotPermittedError: for somebody else, or a worker's, and the actor is no system administrator.
        """
        self._check_self(user, "make tokens for others")
        check_label(label, "a token")
        groups = self._groups(scope, resource_groups)
        now_ms = self._clock.now_ms()
        secret = new_secret()
        record = TokenRecord(0, user, label, now_ms, None, scope, _expiry(now_ms, days), None, groups)
        with self._store.transaction() as tx:
            _check_room(len(tx.people.tokens(user)), user, "tokens")
            record = record._replace(id=tx.people.add_token(hash_of(secret), record))
            tx.record(now_ms, self._actor.name, "token-create", comment=f"{user}: token {record.id}")
        return record, secret

    def _groups(self, scope: Scope, groups: Sequence[str]) -> str | None:
        """What a token of this scope is kept with: what runs in these groups hands over code and secrets."""
        if scope is not Scope.WORKER:
            if groups:
                raise UsageError(f"a token of scope {scope} is for no resource groups", _ONLY_WORKERS)
            return None
        self._check_administrator("make tokens for workers")
        if not groups:
            raise UsageError(
                "a worker's token names the resource groups whose runs it carries out", _NAME_GROUPS
            )
        known = None if self._catalog is None else self._catalog.resource_groups
        for name in groups:
            if known is not None and name not in known:
                raise UnknownNameError(
                    f'there is no resource group "{shown(name)}"{did_you_mean(name, known)}',
                    Text("{resource_group.list} shows all of them."),
                )
        return json.dumps(list(dict.fromkeys(groups)))

    def tokens(self, user: str | None = None) -> list[TokenRecord]:
        """Tokens, newest first: the actor's own; a system administrator may see everybody's."""
        user = self._whose(user, "see the tokens of others")
        with self._read() as reader:
            return [] if reader is None else reader.people.tokens(user)

    def revoke_token(self, token_id: int) -> TokenRecord:
        """Let a token open nothing any more; somebody else's is answered like an unknown one."""
        absent = UnknownNameError(f"there is no token {token_id}", Text("{token.list} shows all of yours."))
        if not self._has_store():
            raise absent
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            record = tx.people.find_token(token_id)
            if record is None or not self._is_self(record.user_name):
                raise absent
            if tx.people.revoke_token(token_id, now_ms):
                comment = f"{record.user_name}: token {token_id}"
                tx.record(now_ms, self._actor.name, "token-revoke", comment=comment)
                record = record._replace(revoked_ms=now_ms)
        return record

    # Access keys

    def create_access_key(
        self,
        server_key: ServerKey,
        user: str,
        label: str = "",
        scope: Scope = Scope.OPERATE,
        days: int | None = None,
    ) -> tuple[AccessKeyRecord, str]:
        """A new access key and its secret, which is shown this once.

        Args:
            days: after which it signs nothing any more; None: until it is revoked.
        """
        self._check_self(user, "make access keys for others")
        check_label(label, "an access key")
        now_ms = self._clock.now_ms()
        key_id = f"RF{secrets.token_hex(12)}"
        made_with = server_key.fingerprint
        expires_ms = _expiry(now_ms, days)
        record = AccessKeyRecord(0, key_id, user, label, scope, made_with, now_ms, expires_ms, None, None)
        with self._store.transaction() as tx:
            _check_room(len(tx.people.access_keys(user)), user, "access keys")
            record = record._replace(id=tx.people.add_access_key(record))
            tx.record(now_ms, self._actor.name, "access-key-create", comment=f"{user}: {key_id}")
        return record, server_key.secret_of(key_id)

    def access_keys(self, user: str | None = None) -> list[AccessKeyRecord]:
        """Access keys, newest first: the actor's own; a system administrator may see everybody's."""
        user = self._whose(user, "see the access keys of others")
        with self._read() as reader:
            return [] if reader is None else reader.people.access_keys(user)

    def revoke_access_key(self, key_id: str) -> AccessKeyRecord:
        """Let an access key sign nothing any more; somebody else's is answered like an unknown one."""
        absent = UnknownNameError(
            f'there is no access key "{shown(key_id)}"', Text("{access_key.list} shows all of yours.")
        )
        if not is_key_id(key_id) or not self._has_store():
            raise absent
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            record = tx.people.find_access_key(key_id)
            if record is None or not self._is_self(record.user_name):
                raise absent
            if tx.people.revoke_access_key(key_id, now_ms):
                tx.record(
                    now_ms, self._actor.name, "access-key-revoke", comment=f"{record.user_name}: {key_id}"
                )
                record = record._replace(revoked_ms=now_ms)
        return record


def is_key_id(text: str) -> bool:
    """Whether it has the form of an access key's id; no other text can be one."""
    return text.isascii() and text.isalnum() and len(text) <= MOST_CHARACTERS


def is_live(record: TokenRecord | AccessKeyRecord, now_ms: int) -> bool:
    """Whether a key still opens anything."""
    return record.revoked_ms is None and (record.expires_ms is None or now_ms < record.expires_ms)


def worker_right(record: TokenRecord) -> WorkerRight | None:
    """What a worker's token opens; None for those of people."""
    if record.resource_groups is None:
        return None
    return WorkerRight(record.id, tuple(json.loads(record.resource_groups)))


def new_secret() -> str:
    """256 random bits; the beginning is there so that scanners of code recognise one that was committed."""
    return f"retrofill_{secrets.token_urlsafe(32)}"


def hash_of(secret: str) -> str:
    """One round is enough for 256 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _expiry(now_ms: int, days: int | None) -> int | None:
    if days is None:
        return None
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(
            f"a key is good for 1 to {MOST_DAYS:,} days, not for {days}",
            Text("Choose another {option.expires}, or leave it out."),
        )
    return now_ms + days * _DAY_MS


def _check_room(count: int, user: str, what: str) -> None:
    if count >= MOST_KEYS:
        raise LimitError(
            f"{user} has {count:,} {what}, revoked ones among them, and that is the most",
            "Use one that is there.",
        )
