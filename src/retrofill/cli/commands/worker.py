"""`retrofill worker`: carries out on this machine what the schedulers of a deployment offer to others."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from retrofill.cli.grammar import Command
from retrofill.cli.session import Session, pass_session, say
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.bootstrap.working import Wanted, Worker
    from retrofill.services.ports.hosting import HostStatus
    from retrofill.services.running.worker import Round


@click.command(cls=Command)
@click.option(
    "--executor",
    default="pull",
    show_default=True,
    metavar="NAME",
    help="How it hears of runs: pull, it looks for them; celery, through the setting `broker`.",
)
@click.option("--attended", is_flag=True, hidden=True)  # Celery was there first, and has started it
@click.option(
    "--resource-group",
    "groups",
    multiple=True,
    metavar="G",
    help="Whose runs it takes; several times for several. Default: all groups with its executor.",
)
@click.option(
    "--slots",
    type=click.IntRange(1, 10_000),
    default=None,
    help="Runs that it carries out at once; default: two for each processor.",
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Its folder, of no other worker; default: .retrofill/worker in the project, for a server .retrofill-worker here.",
)
@click.option(
    "--drain-seconds",
    type=click.IntRange(0, 604_800),
    default=0,
    show_default=True,
    help="When asked to leave: take no more, and wait so long for what runs here.",
)
@click.option(
    "--serve-logs",
    default="",
    metavar="HOST:PORT",
    help="Let servers read its logs at this address, with the key that they share (RETROFILL_SERVER_KEY). "
    "Default: on this machine only.",
)
@click.option(
    "--logs-at",
    default="",
    metavar="URL",
    help="How servers reach that address, where they call it otherwise.",
)
@pass_session
def worker(
    session: Session,
    executor: str,
    attended: bool,
    groups: tuple[str, ...],
    slots: int | None,
    home: Path | None,
    drain_seconds: int,
    serve_logs: str,
    logs_at: str,
) -> None:
    """Carry out runs of resource groups that have an `executor`, until interrupted.

    Any number may run, on any machines that reach the store on its PostgreSQL server; or, with RETROFILL_URL and a
    token of scope worker, that reach a server only. Each takes what its slots allow, the most urgent first. TERM or
    Ctrl-C ends it; what runs goes on, and the next worker with this home takes it over; asked twice, it does not wait
    for anything. With Celery it starts a Celery worker and looks after it.
    """
    from retrofill.bootstrap.working import Wanted

    wanted = Wanted(executor, groups, slots or 0, serve_logs=serve_logs, logs_at=logs_at)
    made = _worker_of(session, wanted, home, is_attended=attended)
    leaving = Leaving(drain_seconds)
    made.run(leaving.observe, _tell_ready, lambda: leaving.takes)
    say("The worker has left.")


def _worker_of(session: Session, wanted: Wanted, home: Path | None, *, is_attended: bool) -> Worker:
    """Beside the store, or for a server."""
    if session.server is None:
        from retrofill.bootstrap.working import worker_of

        return worker_of(session.call.deployment, wanted, home, is_attended=is_attended)
    from retrofill.bootstrap.hearing import refuse_celery
    from retrofill.client.working import remote_worker

    refuse_celery(wanted.executor)
    return remote_worker(os.environ, wanted, home, session.directory)


def _tell_ready(status: HostStatus) -> None:
    takes = ", ".join(status.groups)
    say(
        f"The worker {status.name} takes up to {many(status.slots, 'run')} of {takes} at once; "
        "Ctrl-C ends it and leaves running instances running."
    )


class Leaving:
    """When a worker is to leave: asked by a signal, at once or when what runs here has ended.

    Args:
        drain_seconds: how long it waits for that.
    """

    def __init__(self, drain_seconds: float) -> None:
        self._drain_seconds = drain_seconds
        self._asked = 0
        self._asked_at = 0.0
        self._trouble: str | None = None
        self._is_draining = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1
        self._asked_at = self._asked_at or time.monotonic()

    def observe(self, done: Round) -> bool:
        """After a round: tell what people should know; whether to leave now."""
        if done.trouble != self._trouble:
            say(
                f"{done.trouble}; what runs here goes on."
                if done.trouble
                else "The deployment answers again."
            )
            self._trouble = done.trouble
        if done.cut_off:
            say(f"Ended {many(done.cut_off, 'run')} that may start elsewhere, because nobody answers.")
        return self._asked > 0 and self._is_over(done)

    @property
    def takes(self) -> bool:
        return self._asked == 0

    def _is_over(self, done: Round) -> bool:
        if self._asked > 1 or not done.running:
            return True
        if time.monotonic() - self._asked_at >= self._drain_seconds:
            return True
        if not self._is_draining:
            self._is_draining = True
            say(f"Waiting for {many(done.running, 'run')}; asked again, it leaves at once.")
        return False


COMMANDS: dict[str, click.Command] = {"worker": worker}
