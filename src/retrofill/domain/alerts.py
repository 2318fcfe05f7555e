"""What is told of a backfill, to whom and how, and when sending is tried again (POL-9)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from retrofill.domain.planning.policy import Alert, AlertMethod, AlertTrigger

WEBHOOK = "webhook"  # and for those of settings a colon and their name
_PAUSES_SECONDS = (
    60,
    120,
    300,
    900,
    1800,
    3600,
    7200,
    14_400,
    21_600,
    43_200,
)  # a day and two hours together


class Event(StrEnum):
    """What is told: that a backfill has succeeded, or that it will not without a person."""

    SUCCESS = "success"
    FAILURE = "failure"
    PAUSED = "paused"  # by itself, because too many instances failed (POL-14)


class AlertState(StrEnum):
    """How far an alert has come."""

    PENDING = "pending"  # to be sent, or to be tried again
    SENDING = "sending"  # claimed; pending again where the claim runs out
    SENT = "sent"
    UNDELIVERABLE = "undeliverable"  # there is nowhere to send it to
    GIVEN_UP = "given_up"  # every try failed


class Told(NamedTuple):
    """Who is told what becomes of a backfill.

    Attributes:
        alert: what its creator is told; None: nothing.
        notify: a web address; None: none.
        webhooks: names of settings, of what is told of every backfill.
    """

    alert: Alert | None
    notify: str | None = None
    webhooks: tuple[str, ...] = ()

    def methods(self, event: Event) -> tuple[str, ...]:
        """How an event is told: one message for each."""
        people = () if self.alert is None or not tells(self.alert, event) else methods(self.alert)
        own = () if self.notify is None else (WEBHOOK,)
        return (*people, *own, *(f"{WEBHOOK}:{name}" for name in self.webhooks))


def webhook_of(method: str) -> str | None:
    """The setting's name of a webhook, "" for the address of the backfill; None for what is no webhook."""
    kind, _, name = method.partition(":")
    return name if kind == WEBHOOK else None


def tells(alert: Alert, event: Event) -> bool:
    """Whether the alert's trigger includes the event."""
    wanted = AlertTrigger.SUCCESS if event is Event.SUCCESS else AlertTrigger.FAILURE
    return alert.trigger in (AlertTrigger.EITHER, wanted)


def methods(alert: Alert) -> tuple[str, ...]:
    """`email`, `sms` or both: one message for each."""
    if alert.method is AlertMethod.BOTH:
        return (AlertMethod.EMAIL.value, AlertMethod.TEXT_MESSAGE.value)
    return (alert.method.value,)


def pause_seconds(tries: int) -> int | None:
    """How long to wait after so many failed tries, growing; None: give up, after more than a day."""
    return _PAUSES_SECONDS[tries - 1] if tries <= len(_PAUSES_SECONDS) else None
