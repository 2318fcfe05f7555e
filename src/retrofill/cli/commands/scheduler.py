"""`retrofill scheduler`: the scheduler in the foreground, for as long as it is left alone."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

import click

from retrofill.bootstrap.centers import Call
from retrofill.cli.driving import as_process
from retrofill.cli.grammar import Command
from retrofill.cli.session import Session, pass_session, say
from retrofill.domain.errors import StoreUnavailableError, shown
from retrofill.domain.texts import Text
from retrofill.services.ports.leadership import NotLeadingError, SchedulerRunsError
from retrofill.services.running.tick_report import TickReport

_LEAVE_SECONDS = 5.0  # for a message that is just being sent
LOOK_MS = 1_000  # after so long who stands by looks whether anybody leads


class _Stopped(Exception):
    """Somebody asked the scheduler to leave."""


@click.command(cls=Command)
@click.option(
    "--serve-logs",
    default="",
    metavar="HOST:PORT",
    help="On a PostgreSQL server: let servers read the logs of this machine at this address, with the key that they "
    "share (RETROFILL_SERVER_KEY).",
)
@click.option(
    "--logs-at",
    default="",
    metavar="URL",
    help="How servers reach that address, where they call it otherwise.",
)
@pass_session
def scheduler(session: Session, serve_logs: str, logs_at: str) -> None:
    """Run the scheduler until interrupted.

    It makes auto triggered instances every night and runs them, and those of every unfinished backfill.
    TERM or Ctrl-C ends it; running instances go on, and the next scheduler takes them over.
    On a PostgreSQL server any number may run, on any machines: one leads, the others stand by.
    """
    with session.call.deployment.logs.serving(serve_logs, logs_at):
        schedule(session.call)


def schedule(call: Call, on_ready: Callable[[], None] = lambda: None) -> None:
    """Schedule, or stand by, until TERM or an interrupt.

    Args:
        on_ready: called when nothing stands in the way any more.
    """
    _ = call.store  # made where there is none yet; a deploy may come later
    leadership = call.leadership
    try:
        # Before it leads: who sees the leader may ask it to leave.
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGINT, _leave)
        if call.deployment.host is not None:
            on_ready()
            _lead_or_stand_by(call)
        elif not leadership.lead(auto=True):
            raise SchedulerRunsError(
                f"a scheduler runs already, {as_process(leadership.leader())}".rstrip(", ")
            )
        else:
            on_ready()
            _lead(call)
        raise _Stopped
    except _Stopped:
        say("The scheduler has left.")
    finally:
        leadership.resign()


def _lead_or_stand_by(call: Call) -> None:
    """One of several on a server: until somebody asks it to leave, however long the server cannot be reached."""
    has_begun, trouble = False, ""
    while not _asked_to_leave:
        try:
            if call.leadership.lead(auto=True):
                has_begun = True
                _lead(call)
            else:
                has_begun = True
                _stand_by(call)
            trouble = ""
        except StoreUnavailableError as error:
            if not has_begun:
                raise
            if error.message != trouble:
                say(f"{error.message}; trying again.")
            trouble = error.message
            time.sleep(LOOK_MS / 1000)


def _lead(call: Call) -> None:
    """Schedule until somebody asks it to leave, or it may not lead any more."""
    engine = call.make_engine()
    try:
        say(f"The scheduler of {call.directory} runs; Ctrl-C ends it and leaves running instances running.")
        engine.run(_Reporter(call), auto=True)
    except NotLeadingError as error:
        why = f"{error.message[0].upper()}{error.message[1:]}"
        if call.deployment.host is None:
            say(f"{why}, so this scheduler leaves. {error.hint}")
            raise _Stopped from None
        say(f"{why}, so this scheduler stands by. {error.hint}")
    finally:
        engine.courier.leave(_LEAVE_SECONDS)
        call.leadership.step_down()


def _stand_by(call: Call) -> None:
    """Until this process leads: another one of several machines on one store does (RUN-1).

    What runs on this machine is seen to meanwhile, unless another process here does so.
    """
    leadership = call.leadership
    leader = leadership.leader()
    who = f"The scheduler on {shown(leader.host)} leads" if leader is not None else "Another scheduler leads"
    say(f"{who}; this one stands by. Ctrl-C ends it and leaves running instances running.")

    def is_over(_: TickReport) -> bool:
        leads = leadership.leader()
        if leads is not None and not leads.starts_auto:
            leadership.wish()  # a command that waits gives way, and goes on waiting
        return _asked_to_leave or leads is None

    if leadership.serve():
        call.make_engine().run(is_over, LOOK_MS, stands_by=True)
    else:
        time.sleep(LOOK_MS / 1000)  # who is just about to lead here has no term yet
        while not is_over(TickReport()):
            time.sleep(LOOK_MS / 1000)


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

    def __init__(self, call: Call) -> None:
        self._call = call
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
        missed = self._call.anew().center.schedule.show()["missed"]
        for sentence in () if missed is None else missed["sentences"]:
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
