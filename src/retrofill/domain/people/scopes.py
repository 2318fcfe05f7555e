"""How much of what a user may do is done with a key in hand, and how somebody has shown who he is (SEC-1)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from retrofill.domain.errors import InvalidValueError, did_you_mean, shown


class Scope(StrEnum):
    """How far a token or an access key reaches, within what the roles of its user allow.

    Each includes the ones before, but for that of workers: it is no part of any other, and includes none.
    """

    READ = "read"  # look
    OPERATE = "operate"  # also backfill, and operate instances
    ADMIN = "admin"  # everything that its user may do
    WORKER = "worker"  # carry out what is offered to some resource groups, and nothing else

    def covers(self, needed: Scope) -> bool:
        """Whether what needs another scope may be done with this one."""
        if Scope.WORKER in (self, needed):
            return self is needed
        order = list(Scope)
        return order.index(self) >= order.index(needed)


PERSONAL: Sequence[Scope] = (Scope.READ, Scope.OPERATE, Scope.ADMIN)
"""Those with which something is asked or done for a user."""


def parse_scope(text: str, scopes: Sequence[Scope] = tuple(Scope)) -> Scope:
    """One of these scopes by its name.

    Raises:
        InvalidValueError: none of them is called so.
    """
    if text in scopes:
        return Scope(text)
    raise InvalidValueError(
        f'"{shown(text)}" is no scope{did_you_mean(text, scopes)}', f"The scopes are {', '.join(scopes)}."
    )


class Way(StrEnum):
    """How the user of a session was recognised."""

    PASSWORD = "password"  # noqa: S105  (a way, no secret)
    LINK = "link"
    OIDC = "oidc"
