"""Sending a message to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

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
