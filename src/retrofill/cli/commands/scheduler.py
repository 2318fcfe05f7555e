"""`retrofill scheduler`: the scheduler in the foreground, for as long as it is left alone."""

from __future__ import annotations

import signal
from types import FrameType

import click

from retrofill.bootstrap.project import Project
from retrofill.cli.driving import as_process
from retrofill.cli.grammar import Command
from retrofill.cli.session import Session, pass_session, say
from retrofill.domain.texts import Text
from retrofill.services.ports.leadership import NotLeadingError, SchedulerRunsError
from retrofill.services.running.scheduler import TickReport

_LEAVE_SECONDS = 5.0  # for a message that is just being sent


class _Stopped(Exception):
    """Somebody asked the scheduler to leave."""


@click.command(cls=Command)
@pass_session
def scheduler(session: Session) -> None:
    """Run the scheduler until interrupted.

    It makes auto triggered instances every night and runs them, and those of every unfinished backfill.
    TERM or Ctrl-C ends it; running instances go on, and the next scheduler takes them over.
    """
    project = session.project
    _ = project.store  # made where there is none yet; a deploy may come later
    leadership, engine = project.leadership, None
    try:
        # Before it leads: who sees the leader may ask it to leave.
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGINT, _leave)
        if not leadership.lead(auto=True):
            raise SchedulerRunsError(
                f"a scheduler runs already, {as_process(leadership.leader())}".rstrip(", ")
            )
        engine = project.engine
        say(
            f"The scheduler of {project.directory} runs; Ctrl-C ends it and leaves running instances running."
        )
        engine.run(_Reporter(project), auto=True)
        if _asked_to_leave:
            raise _Stopped
    except NotLeadingError as error:
        why = error.message
        say(f"{why[0].upper()}{why[1:]}, so this scheduler leaves. {error.hint}")
    except _Stopped:
        say("The scheduler has left.")
    finally:
        if engine is not None:
            engine.courier.leave(_LEAVE_SECONDS)
        leadership.resign()


# Also noted: what is raised within a callback of a library goes no further.
_asked_to_leave = False


def _leave(number: int, frame: FrameType | None) -> None:
    global _asked_to_leave
    _asked_to_leave = True
    # It leaves within seconds: who asks again changes nothing. A function, because of a signal that has come in
    # already Python complains when it is ignored since.
    signal.signal(signal.SIGTERM, _ignore)
    signal.signal(signal.SIGINT, _ignore)
    raise _Stopped


def _ignore(number: int, frame: FrameType | None) -> None:
    pass


class _Reporter:
    """Tells what happens; a trouble that lasts is told once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._trouble: str | None = None
        self._clock_trouble: Text | None = None
        self._is_first = True

    def __call__(self, ticked: TickReport) -> bool:
        if _asked_to_leave:
            return True
        if self._is_first or ticked.missed:
            self._is_first = False
            self._tell_missed()
        if ticked.trouble != self._trouble:
            say(f"{ticked.trouble}; waiting for room." if ticked.trouble else "There is room again.")
            self._trouble = ticked.trouble
        if (ticked.clock_trouble is None) != (self._clock_trouble is None):
            say(ticked.clock_trouble or "The clock can be believed again.")
            self._clock_trouble = ticked.clock_trouble
        return _report(ticked)

    def _tell_missed(self) -> None:
        """Nights that nobody makes (AUTO-3): at the start, and when they are found."""
        for sentence in self._project.anew().center.work.missed_nights():
            say(sentence)


def _report(ticked: TickReport) -> bool:
    for note in ticked.notes:
        say(note)
    for bizdate in ticked.nights:
        say(f"The instances of bizdate {bizdate} have been made.")
    for backfill_id in ticked.backfills_ended:
        say(f"Backfill {backfill_id} has ended.")
    return False


COMMANDS: dict[str, click.Command] = {"scheduler": scheduler}
