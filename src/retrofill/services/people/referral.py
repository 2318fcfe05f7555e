"""People who are sent to a provider of identities, and come back from it.

What must be remembered meanwhile goes along with their browser: signed, good for ten minutes and once. So nobody is let
in with an answer that belongs to somebody else, and who never comes back leaves nothing behind.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, NamedTuple

from retrofill.domain.errors import NotSignedInError, UnknownNameError
from retrofill.domain.people.visitors import Admission, Caller
from retrofill.services.ports.identities import TooBusyError

if TYPE_CHECKING:
    from retrofill.domain.people.server_keys import ServerKey
    from retrofill.services.people.reception import Reception
    from retrofill.services.ports import Clock
    from retrofill.services.ports.identities import IdentityProvider

SECONDS = 600
_AT_ONCE = 8  # so that a provider that is slow does not hold up everybody else
_PURPOSE = "referral"


class Leaving(NamedTuple):
    """Where somebody is sent, and what their browser brings back."""

    url: str
    ticket: str


class Arriving(NamedTuple):
    """Who has come back, and where they wanted to be."""

    admission: Admission
    goes_to: str


class StaleTicketError(NotSignedInError):
    """Begin again at the page of signing in."""

    code = "stale_sign_in"


class Referral:
    """Sends people off and receives them; one a process, for all of its threads.

    Args:
        provider: the one of now; None: there is none.
    """

    def __init__(
        self,
        reception: Reception,
        clock: Clock,
        server_key: Callable[[], ServerKey],
        provider: Callable[[], IdentityProvider | None],
    ) -> None:
        self._reception = reception
        self._clock = clock
        self._server_key = server_key
        self._provider = provider
        self._turns = BoundedSemaphore(_AT_ONCE)

    def send_off(self, back_to: str, goes_to: str) -> Leaving:
        """Where to send somebody who wants to sign in.

        Args:
            back_to: the address that they come back to.
            goes_to: where they want to be afterwards.

        Raises:
            UnknownNameError: there is no provider.
            IdentityError: it cannot be reached, or is none.
        """
        provider = self._known_provider()
        errand = self._in_turn(lambda: provider.send_off(back_to))
        until_ms = self._clock.now_ms() + SECONDS * 1_000
        return Leaving(errand.url, self._ticket({"m": errand.memory, "g": goes_to, "u": until_ms}))

    def receive(self, back_to: str, ticket: str, answer: Mapping[str, str], caller: Caller) -> Arriving:
        """Let somebody in who has come back.

        Raises:
            StaleTicketError: nobody was sent with this ticket, they are back already, or took too long.
            IdentityError: the provider refuses, or what it says does not hold.
            SignInError: it names nobody who is anybody here.
        """
        provider = self._known_provider()
        known = self._read(ticket)
        if self._clock.now_ms() >= known["u"] or not self._reception.spend(ticket[-64:], known["u"]):
            raise StaleTicketError("this sign-in was begun too long ago, or is over")
        claims = self._in_turn(lambda: provider.receive(back_to, known["m"], answer))
        return Arriving(self._reception.recognise(claims, provider.claim, caller), known["g"])

    def _known_provider(self) -> IdentityProvider:
        provider = self._provider()
        if provider is None:
            raise UnknownNameError(
                "there is no provider of identities", "The setting `oidc` names one; sign in with a password."
            )
        return provider

    def _in_turn(self, ask: Callable[[], Any]) -> Any:
        if not self._turns.acquire(blocking=False):
            raise TooBusyError("too many people are being asked about at once")
        try:
            return ask()
        finally:
            self._turns.release()

    def _ticket(self, known: Mapping[str, object]) -> str:
        text = base64.urlsafe_b64encode(json.dumps(known).encode()).decode()
        return f"{text}.{self._server_key().sign(_PURPOSE, text)}"

    def _read(self, ticket: str) -> dict[str, Any]:
        text, _, signature = ticket.rpartition(".")
        if not text or not self._server_key().is_signed(_PURPOSE, text, signature):
            raise StaleTicketError("nobody was sent off with this ticket")
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text))
        return found
