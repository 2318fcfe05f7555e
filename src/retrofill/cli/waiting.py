"""Waiting for a backfill: running the scheduler here when none runs, and showing progress."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from retrofill.cli.absences import is_away, say_away, still_away_from
from retrofill.cli.printing.alerts import deliver_before_leaving
from retrofill.cli.printing.failures import Failures
from retrofill.cli.printing.progress import Progress
from retrofill.cli.session import say
from retrofill.domain.errors import RetrofillError
from retrofill.domain.texts import Step
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.cli.session import Session
    from retrofill.services.reading.documents import Progress as ProgressDocument
    from retrofill.services.reading.documents import StandstillRow, TimeLeft
    from retrofill.services.running.tick_report import TickReport

_OBSERVE_MS = 500
_LOOK_AROUND_SECONDS = 2.0
EXIT_FAILED, EXIT_CHECK_FAILED, EXIT_TIMED_OUT = 1, 3, 124


def wait_for(session: Session, backfill_id: int, timeout_seconds: float | None = None) -> int:
    """Wait until the backfill has ended; the exit status that its end means.

    Raises:
        UnknownNameError: there is no such backfill.
    """
    waiting = _Waiting(session, backfill_id, timeout_seconds)
    try:
        with still_away_from(session, Step("backfill.wait", id=backfill_id)):
            waiting.run()
    except KeyboardInterrupt:
        waiting.progress.end()
        _say_how_to_go_on(session, backfill_id)
        raise
    except RetrofillError as error:
        if not (is_away(session, error) and waiting.is_out_of_time):
            raise
        from retrofill.client import NotInTimeError

        raise NotInTimeError(f"timed out: {error.message}", error.hint) from None
    finally:
        waiting.progress.end()
    deliver_before_leaving(session, backfill_id)
    return waiting.status()


class _Waiting:
    def __init__(self, session: Session, backfill_id: int, timeout_seconds: float | None) -> None:
        self._session = session
        self._engine = session.engine
        self._id = backfill_id
        self._deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        self._looked_at = 0.0
        self._timed_out = False
        self._trouble: str | None = None
        self._was_paused = False
        self._was_scheduled = True
        self._looked_around = time.monotonic()
        self._standstill: StandstillRow | None = None
        self._engine.check_place()
        session.center.backfills.progress(backfill_id)  # who cannot be asked at all is not waited for
        self._center = session.waiting_center(timeout_seconds, self._say_away)
        self._backfills = self._center.backfills
        self.progress = Progress()
        self._failures = Failures()
        self._failed = 0

    def run(self) -> None:
        try:
            self._wait()
        except OSError:
            self._engine.check_place()  # where the folder has just been moved, that is why
            raise

    def _wait(self) -> None:
        while not self._is_over(force=True):
            if self._engine.takes_over():
                try:
                    self._engine.check_place()
                    self._engine.run(self._observe, _OBSERVE_MS)
                finally:
                    self._engine.resign()
            else:
                # Somebody else runs the scheduler; look now and then whether that is still so.
                self._say_standstill()
                self._engine.follow(self._observe, _OBSERVE_MS)

    def _observe(self, ticked: TickReport) -> bool:
        if ticked.trouble != self._trouble:
            say(f"{ticked.trouble}; waiting for room." if ticked.trouble else "There is room again.")
            self._trouble = ticked.trouble
        for note in ticked.notes:
            say(note)
        return self._is_over(force=self._id in ticked.backfills_ended)

    def _is_over(self, force: bool) -> bool:
        """Whether to end; looks at the ledger twice a second, or at once where `force` says so."""
        now = time.monotonic()
        if not force and (now - self._looked_at) * 1000 < _OBSERVE_MS:
            return False
        self._looked_at = now
        self._engine.check_place()
        progress = self._look()
        failed_now = self._failures_of(progress)
        if progress["ended_at"] is not None:
            self.progress.tell(self._id, failed_now)
            return True
        self._say_paused(progress)
        self.progress.show(progress, self._time_left, self._failures.lines, failed_now)
        self._timed_out = self._deadline is not None and now >= self._deadline
        return self._timed_out

    def _look(self) -> ProgressDocument:
        return self._backfills.progress(self._id)

    def _time_left(self) -> TimeLeft | None:
        return self._backfills.time_left(self._id)

    def _failures_of(self, progress: ProgressDocument) -> list[str]:
        """Lines about failures that are new; looks again only when more has failed."""
        failed = sum(date["failed"] for date in progress["dates"])
        if failed == self._failed:
            return []
        self._failed = failed
        return self._failures.look(self._backfills.first_failures(self._id))

    def _say_standstill(self) -> None:
        """Once, where the scheduler that is followed has been stopped by a signal."""
        now = time.monotonic()
        if now - self._looked_around < _LOOK_AROUND_SECONDS:
            return
        self._looked_around = now
        self._say_unscheduled()
        standstills = self._center.work.standstills()
        found = next((one for one in standstills if one["part"] != "supervisor"), None)
        if found is not None and found != self._standstill:
            self.progress.end()
            say(f"Nothing goes on: {found['text']}.")
        self._standstill = found

    def _say_unscheduled(self) -> None:
        """Once for each time that nobody schedules, where this process will not either."""
        if self._engine.may_take_over:
            return
        is_scheduled = self._center.work.scheduler()["runs"]
        if not is_scheduled and self._was_scheduled:
            self.progress.end()
            say(
                "No scheduler runs, so nothing starts until one is up: `retrofill scheduler`, beside the store."
            )
        self._was_scheduled = is_scheduled

    def _say_paused(self, progress: ProgressDocument) -> None:
        """Once for each pause: only a person ends it."""
        is_paused = progress["held"] == "paused"
        if is_paused and not self._was_paused:
            self.progress.end()
            itself = f"has paused by itself, because {many(progress['failures'], 'instance')} failed"
            say(
                f"Backfill {self._id} {itself if progress['paused_by'] else 'is paused'}, so nothing of it starts: "
                f"`retrofill backfill resume {self._id}` lets it go on; this waits until it has ended."
            )
        self._was_paused = is_paused

    def _say_away(self) -> None:
        self.progress.end()
        say_away()

    @property
    def is_out_of_time(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def status(self) -> int:
        row = self._backfills.row(self._id)
        if row["ended_at"] is None:
            say(
                f"Timed out: {_what_goes_on(self._session, self._id)}. `retrofill backfill wait {self._id}` goes on."
            )
            return EXIT_TIMED_OUT
        if row["check_status"] == "failed":
            return EXIT_CHECK_FAILED
        return 0 if row["status"] == "succeeded" else EXIT_FAILED


def _say_how_to_go_on(session: Session, backfill_id: int) -> None:
    say(
        f"\nInterrupted: {_what_goes_on(session, backfill_id)}. `retrofill backfill wait {backfill_id}` goes on, "
        f"`retrofill backfill stop {backfill_id}` stops it."
    )


def _what_goes_on(session: Session, backfill_id: int) -> str:
    """What becomes of the backfill when this process leaves."""
    try:
        running = session.center.backfills.progress(backfill_id)["running_count"]
        elsewhere = session.center.work.scheduler()["runs"]
    except RetrofillError as error:
        if not is_away(session, error):
            raise
        return "the server is away"
    what_runs = (
        f"{many(running, 'running instance')} {'goes' if running == 1 else 'go'} on; " if running else ""
    )
    return f"{what_runs}{'another scheduler goes on' if elsewhere else 'nothing new starts'}"
