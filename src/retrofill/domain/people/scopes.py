"""How much of what a user may do is done with a key in hand, and how somebody has shown who he is (SEC-1)."""

from __future__ import annotations

from enum import StrEnum

from retrofill.domain.errors import InvalidValueError, did_you_mean, shown


class Scope(StrEnum):
    """How far a token or an access key reaches, within what the roles of its user allow; each includes the ones before."""

    READ = "read"  # look
    OPERATE = "operate"  # also backfill, and operate instances
    ADMIN = "admin"  # everything that its user may do

    def covers(self, needed: Scope) -> bool:
        """Whether what needs another scope may be done with this one."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


def parse_scope(text: str) -> Scope:
    """Raises:
    InvalidValueError: there is no scope of this name.
    """
    try:
        return Scope(text)
    except ValueError:
        raise InvalidValueError(
            f'"{shown(text)}" is no scope{did_you_mean(text, Scope)}', f"The scopes are {', '.join(Scope)}."
        ) from None


class Way(StrEnum):
    """How the user of a session was recognised."""

    PASSWORD = "password"  # noqa: S105  (a way, no secret)
    LINK = "link"
    OIDC = "oidc"
