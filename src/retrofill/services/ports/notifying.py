"""Sending a message to a person, and a document to a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from retrofill.domain.errors import RetrofillError


class NotSentError(RetrofillError):
    """Nothing needs to be done if it was for a moment: it is tried again by itself."""

    code = "not_sent"


class UndeliverableError(NotSentError):
    """Mend what the message names; what could not be delivered is not sent later."""

    code = "undeliverable"


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: title and body, and one sentence for where there is little room."""

    title: str
    body: str
    short: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """What is posted to a webhook; its id stays over tries."""

    id: str
    document: Mapping[str, Any]


class Poster(Protocol):
    """Posts to webhooks. Their names are those of the setting `webhooks`; "" is the address of a backfill."""

    def obstacle(self, name: str) -> str | None:
        """Why nothing can be posted there, a sentence; None where it can be tried."""
        ...

    def post(self, name: str, address: str | None, delivered: Delivered) -> None:
        """Post one document, once; waits until it is taken, a minute at most.

        Args:
            address: where to, for the address of a backfill.

        Raises:
            NotSentError: it was not taken now, as far as is known; says why, and holds no secret.
            UndeliverableError: no later try can succeed.
        """
        ...


class Notifier(Protocol):
    """Sends messages by the methods that the deployment has set up."""

    def obstacle(self, method: str) -> str | None:
        """Why nothing can be sent by this method (`email` or `sms`), a sentence; None where it can be tried."""
        ...

    def send(self, method: str, address: str, message: Message) -> None:
        """Send one message; waits until it is accepted, a minute at most.

        Raises:
            NotSentError: it was not accepted now; says why, and holds no secret.
            UndeliverableError: no later try can succeed.
        """
        ...
