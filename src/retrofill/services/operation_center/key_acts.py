"""Tokens and access keys: what programs act with for a user (SEC-1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from retrofill.domain.people.scopes import PERSONAL, Scope, parse_scope
from retrofill.services.operation_center.desk import Desk
from retrofill.services.people.clerks import Clerk
from retrofill.services.people.keys import Keys
from retrofill.services.reading.people import access_key_row, token_row

if TYPE_CHECKING:
    from retrofill.services.reading.documents import AccessKeyRow, NewAccessKey, NewToken, TokenRow

_Clerk = TypeVar("_Clerk", bound=Clerk)


class PeoplesDesk(Desk):
    """What all have in common who see to people."""

    def _clerk(self, kind: type[_Clerk]) -> _Clerk:
        parts = self._parts
        return kind(parts.store, parts.in_force, parts.clock, self._actor, lambda: parts.has_store)


class KeyActs(PeoplesDesk):
    @property
    def _keys(self) -> Keys:
        return self._clerk(Keys)

    def create_token(
        self,
        user: str,
        label: str = "",
        scope: str = Scope.ADMIN,
        days: int | None = None,
        resource_groups: Sequence[str] = (),
    ) -> NewToken:
        """Make a token; its secret is told this once.

        Args:
            scope: how far it reaches: `read`, `operate` or `admin`; `worker` for a worker, which does nothing else.
            days: after which it opens nothing any more; None: until it is revoked.
            resource_groups: whose runs a worker may carry out.
        """
        record, secret = self._keys.create_token(user, label, parse_scope(scope), days, resource_groups)
        return {**token_row(record), "token": secret}

    def tokens(self, user: str | None = None) -> list[TokenRow]:
        """Tokens, newest first: the actor's own; a system administrator may see everybody's."""
        return list(map(token_row, self._keys.tokens(user)))

    def revoke_token(self, token_id: int) -> TokenRow:
        """Let a token open nothing any more; somebody else's is answered like an unknown one."""
        return token_row(self._keys.revoke_token(token_id))

    def create_access_key(
        self, user: str, label: str = "", scope: str = Scope.OPERATE, days: int | None = None
    ) -> NewAccessKey:
        """Make an access key; its secret is told this once.

        Args:
            scope: how far it reaches: `read`, `operate` or `admin`.
            days: after which it signs nothing any more; None: until it is revoked.
        """
        key = self._parts.server_key
        record, secret = self._keys.create_access_key(key, user, label, parse_scope(scope, PERSONAL), days)
        return {**access_key_row(record), "access_key_id": record.key_id, "access_key_secret": secret}

    def access_keys(self, user: str | None = None) -> list[AccessKeyRow]:
        """Access keys, newest first: the actor's own; a system administrator may see everybody's."""
        return list(map(access_key_row, self._keys.access_keys(user)))

    def revoke_access_key(self, key_id: str) -> AccessKeyRow:
        """Let an access key sign nothing any more; somebody else's is answered like an unknown one."""
        return access_key_row(self._keys.revoke_access_key(key_id))
