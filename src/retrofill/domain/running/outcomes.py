"""How a run ended, and what becomes of its instance (RUN-3, RUN-4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from retrofill.domain.running.states import Reason, State

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Rerun


class Outcome(StrEnum):
    """How a run ended, as its supervisor saw it."""

    EXITED = "exited"
    STOPPED = "stopped"
    TIMEOUT = "timeout"
    LOST = "lost"
    NOT_STARTED = "not_started"


@dataclass(frozen=True, slots=True)
class Ending:
    """What becomes of an instance whose run did not succeed."""

    state: State
    reason: Reason | None


_REASONS = {Outcome.STOPPED: Reason.STOPPED, Outcome.TIMEOUT: Reason.TIMEOUT, Outcome.LOST: Reason.LOST}


def ending(outcome: Outcome, signal: int | None, rerun: Rerun, reruns: int, reason: str | None) -> Ending:
    """Decide between an automatic rerun and failure for good (RUN-3, RUN-4).

    Args:
        signal: that ended the main process, if one did.
        reruns: automatic reruns so far, since a person's rerun.
        reason: the instance's reason; `stopping` when somebody asked to stop it, `yielded_to_auto`
            when it makes way for an auto triggered instance (RUN-5).
    """
    if reason == Reason.STOPPING:
        return Ending(State.FAILED, Reason.STOPPED)
    if reason == Reason.YIELDED_TO_AUTO:
        return Ending(State.NOT_RUN, Reason.YIELDED_TO_AUTO)
    if outcome is Outcome.NOT_STARTED:
        return Ending(State.NOT_RUN, Reason.NOT_STARTED)
    may = {Outcome.EXITED: True, Outcome.LOST: rerun.on_lost}.get(outcome, False)
    if may and rerun.mode != "never" and reruns < rerun.times:
        return Ending(State.NOT_RUN, Reason.RERUN_INTERVAL)
    own = Reason.SIGNAL if signal is not None else Reason.EXIT_CODE
    return Ending(State.FAILED, _REASONS.get(outcome, own))


_START_PAUSES_SECONDS = (0, 1, 2, 5, 10, 30, 60)


def start_pause_seconds(tries: int) -> int:
    """How long to wait after so many tries to start an instance, growing (RUN-3).

    The first try may have been lost with a process of ours, and is repeated at once.
    """
    return _START_PAUSES_SECONDS[min(tries, len(_START_PAUSES_SECONDS)) - 1]
