"""What an alert tells, by which methods, and when it is tried again (POL-9)."""

from __future__ import annotations

import itertools

import pytest

from retrofill.domain.alerts import Event, methods, pause_seconds, tells
from retrofill.domain.planning.policy import Alert, AlertMethod, AlertTrigger


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        (AlertTrigger.SUCCESS, {Event.SUCCESS}),
        (AlertTrigger.FAILURE, {Event.FAILURE, Event.PAUSED}),
        (AlertTrigger.EITHER, {Event.SUCCESS, Event.FAILURE, Event.PAUSED}),
    ],
)
def test_the_trigger_says_what_is_told(trigger: AlertTrigger, told: set[Event]) -> None:
    """POL-9, POL-14: a backfill that pauses by itself is told to whoever wants to know of failures."""
    assert {event for event in Event if tells(Alert(trigger), event)} == told


def test_one_message_for_each_method() -> None:
    """POL-9."""
    found = {method: methods(Alert(AlertTrigger.EITHER, method)) for method in AlertMethod}
    assert found == {
        AlertMethod.EMAIL: ("email",),
        AlertMethod.TEXT_MESSAGE: ("sms",),
        AlertMethod.BOTH: ("email", "sms"),
    }


def test_pauses_grow_and_last_for_more_than_a_day() -> None:
    """POL-9: a mail server that is down over night loses nothing."""
    pauses = list(
        itertools.takewhile(lambda pause: pause is not None, map(pause_seconds, itertools.count(1)))
    )
    assert pauses[0] == 60
    assert pauses == sorted(set(pauses), key=lambda pause: pause or 0)
    assert sum(pause or 0 for pause in pauses) > 86_400
