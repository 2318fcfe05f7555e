"""How people are recognised: hashes of passwords, and providers that know who somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from retrofill.domain.errors import Kind, RetrofillError, TooOftenError


class TooBusyError(TooOftenError):
    """Try again in a moment."""

    code = "too_busy"


class IdentityError(RetrofillError):
    """Begin again; if it stays so, look at the setting `oidc` and at the provider's side of it."""

    code = "identity_provider"
    kind = Kind.NOT_SIGNED_IN


class ProviderAwayError(IdentityError):
    """Sign in with a password, or try again later; the setting `oidc` says whom the server asks."""

    code = "identity_provider_away"
    kind = Kind.UNREACHABLE


class PasswordHasher(Protocol):
    """Hashes slowly, a few at a time."""

    def hash(self, password: str) -> str:
        """With the parameters of now, which stand in the hash.

        Raises:
            TooBusyError: too many wait for it already.
        """
        ...

    def matches(self, hashed: str | None, password: str) -> bool:
        """Whether it is the password; None never matches, and takes as long to say so.

        Raises:
            TooBusyError: too many wait for it already.
        """
        ...

    def is_outdated(self, hashed: str) -> bool:
        """Whether it was made with weaker parameters than those of now."""
        ...


class Errand(NamedTuple):
    """Somebody on the way to a provider: where to, and what must be remembered until they are back."""

    url: str
    memory: str


class Claims(NamedTuple):
    """Who somebody is, as a provider says."""

    issuer: str
    subject: str  # for good, unlike everything else
    values: Mapping[str, object]  # by name: preferred_username, email, email_verified...


class IdentityProvider(Protocol):
    """Knows who somebody is, and tells us when they come back from it."""

    @property
    def name(self) -> str:
        """What people are shown to choose it by."""
        ...

    @property
    def claim(self) -> str:
        """Which of its claims names users: their name, or for `email` their registered address."""
        ...

    def send_off(self, back_to: str) -> Errand:
        """Where to send somebody.

        Args:
            back_to: the address that they come back to.

        Raises:
            IdentityError: the provider cannot be reached, or is none.
        """
        ...

    def receive(self, back_to: str, memory: str, answer: Mapping[str, str]) -> Claims:
        """Who has come back.

        Args:
            memory: of the errand that they were sent on.
            answer: what they bring in the address.

        Raises:
            IdentityError: it is not the answer to this errand, the provider refuses, or what it says is not signed by it.
        """
        ...
