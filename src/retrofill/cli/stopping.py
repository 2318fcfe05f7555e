"""Seeing a stop through to its end, also where no scheduler runs; never without a word, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.cli.session import say
from retrofill.domain.errors import Kind, RetrofillError
from retrofill.domain.words import many, names

if TYPE_CHECKING:
    from retrofill.cli.session import Session
    from retrofill.domain.running.results import ItemResult
    from retrofill.services.running.tick_report import TickReport

_LOOK_SECONDS = 0.05
_OBSERVE_MS = 200
LOOK_AROUND_SECONDS = 1.0
PATIENCE_SECONDS = 10.0  # beyond the grace


class NotEndedError(RetrofillError):
    """`retrofill doctor` names what stands still; the stop stays asked for, and happens when that goes on."""

    code = "not_ended"
    kind = Kind.TIMED_OUT


def finish_stops(session: Session, ids: Sequence[int]) -> dict[int, RetrofillError]:
    """Wait until the process trees of these runs have ended and the ledger says so (OPS-1).

    Where no scheduler runs, this process takes the scheduler's place, but starts nothing new. Where
    something stands still that should end them, that is said; after the grace and ten seconds more
    the wait is over.

    Returns:
        An error for each that has not ended by then.
    """
    patience, engine, work = _Patience(session), session.engine, session.center.work
    while running := work.still_running(ids):
        if patience.is_over(running):
            return patience.errors(running)
        if not engine.takes_over():
            time.sleep(_LOOK_SECONDS)
            continue
        try:

            def is_done(_: TickReport) -> bool:
                left = work.still_running(ids)
                return not left or patience.is_over(left)

            engine.run(is_done, _OBSERVE_MS, starts=False)
        finally:
            engine.resign()
    return {}


def with_errors(results: Sequence[ItemResult], errors: dict[int, RetrofillError]) -> list[ItemResult]:
    """Results in which those that have not ended are no success."""
    return [item._replace(error=errors[item.id]) if item.id in errors else item for item in results]


class _Patience:
    """How long it has been waited, and what stands still meanwhile."""

    def __init__(self, session: Session) -> None:
        self._work, self._engine = session.center.work, session.engine
        self._grace_seconds = session.engine.grace_seconds
        self._began = self._looked = time.monotonic()
        self._causes: dict[int | None, str] = {}  # by instance; None: of all
        self._said: set[str] = set()

    def is_over(self, running: Sequence[int]) -> bool:
        now = time.monotonic()
        if now - self._looked >= LOOK_AROUND_SECONDS:
            self._looked = now
            self._look_around(running)
        return now - self._began > self._grace_seconds + PATIENCE_SECONDS

    def errors(self, running: Sequence[int]) -> dict[int, RetrofillError]:
        waited = round(time.monotonic() - self._began)
        found: dict[int, RetrofillError] = {}
        for instance_id in running:
            cause = self._causes.get(instance_id) or self._causes.get(None)
            why = f": {cause}" if cause else ""
            found[instance_id] = NotEndedError(
                f"instance {instance_id} has not ended after {many(waited, 'second')}{why}"
            )
        return found

    def _look_around(self, running: Sequence[int]) -> None:
        self._causes = {}
        for one in self._work.standstills():
            if one["part"] == "supervisor" and one["instance"] not in running:
                continue
            text = self._causes[one["instance"]] = one["text"]
            if text in self._said:
                continue
            self._said.add(text)
            waiting = "Instance" if len(running) == 1 else "Instances"
            say(f"{waiting} {names([str(i) for i in running])} still running: {text}.")
            if one["part"] == "scheduler":  # what runs has a supervisor that does not need it
                self._engine.ask_to_end(running)
