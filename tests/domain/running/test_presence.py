"""Whether a host is there, by what was heard of it."""

from __future__ import annotations

import pytest

from retrofill.domain.running.presence import Presence, presence_of

LOST_AFTER = 120_000


@pytest.mark.parametrize(
    ("left_ms", "expected"),
    [
        (120_000, Presence.THERE),
        (90_000, Presence.THERE),  # two beats of eight were missed
        (89_999, Presence.UNKNOWN),
        (0, Presence.UNKNOWN),
        (-1, Presence.LOST),
        (None, Presence.LOST),
    ],
)
def test_it_is_unknown_before_it_is_lost(left_ms: int | None, expected: Presence) -> None:
    """RUN-3: in between nobody may start its runs elsewhere."""
    assert presence_of(left_ms, LOST_AFTER, False, False) is expected


def test_a_long_patience_does_not_hide_a_silent_host() -> None:
    """RUN-3: hosts speak every 15 seconds at the least, however long they are waited for."""
    hour = 3_600_000
    assert presence_of(hour - 45_000, hour, False, False) is Presence.THERE
    assert presence_of(hour - 45_001, hour, False, False) is Presence.UNKNOWN


def test_what_it_and_people_have_said() -> None:
    """Draining is told of a host that is heard of; one that has left by itself is missed by nobody."""
    assert presence_of(LOST_AFTER, LOST_AFTER, True, False) is Presence.DRAINING
    assert presence_of(10, LOST_AFTER, True, False) is Presence.UNKNOWN
    assert presence_of(-10, LOST_AFTER, False, True) is Presence.LEFT
    assert [one.is_heard for one in Presence] == [True, True, False, False, False]
