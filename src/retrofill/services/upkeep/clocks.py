"""What people are told of a clock that cannot be believed, and how they say that it is right (TIME-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.errors import WrongStateError
from retrofill.domain.texts import Text
from retrofill.domain.time.clocks import ClockCheck
from retrofill.domain.time.milliseconds import shown_instant

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Store

_DAY_MS = 24 * 60 * 60 * 1000
_CONSEQUENCE = "no night is made, nothing is deleted by age, and nothing starts before its time by either"
_WAY_OUT = Text("Set the clock right; if it is, {schedule.accept_clock} says so.")


class ClockDoubtedError(WrongStateError):
    """Set the clock of this machine right; if it is right, {schedule.accept_clock} says so."""

    code = "clock_doubted"


def trouble_with(check: ClockCheck) -> Text | None:
    """Why the clock cannot be believed and what that means; None where it can."""
    doubt = _doubt(check)
    if doubt is None:
        return None
    return Text("The {doubt}: {consequence}. {out}", doubt=doubt, consequence=_CONSEQUENCE, out=_WAY_OUT)


def _doubt(check: ClockCheck) -> str | None:
    """Why it cannot be believed, without its article."""
    if check.expected_ms is None:
        return None
    wall, expected = _shown(check.wall_ms), _shown(check.expected_ms)
    if check.is_behind:
        return f"clock shows {wall}, and the store knows of {expected}"
    return f"clock shows {wall}, and by the time that has passed it is {expected}"


def check_before_deleting(check: ClockCheck, retention_days: int) -> None:
    """See to it that what is old really is.

    Raises:
        ClockDoubtedError: the clock cannot be believed, or everything would be old at once.
    """
    doubt = _doubt(check)
    if doubt is not None:
        raise ClockDoubtedError(f"the {doubt}: {_CONSEQUENCE}")
    if check.gap_ms > retention_days * _DAY_MS:
        raise ClockDoubtedError(
            f"the clock shows {_shown(check.wall_ms)}, and when the machine was started everything in the store was "
            f"older than {retention_days} days: nothing is deleted before somebody has said that this is right"
        )


def accept_clock(store: Store, clock: Clock, user: str, comment: str = "") -> ClockCheck:
    """Believe the clock; what was wrong with it until now."""
    now_ms = clock.now_ms()
    with store.transaction() as tx:
        check = tx.clock.check(now_ms)
        tx.clock.accept(now_ms)
        tx.record(now_ms, user, "accept-clock", comment=comment)
    store.wake()
    return check


def _shown(ms: int) -> str:
    return shown_instant(ms // 1000 * 1000)
