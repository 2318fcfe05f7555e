"""`retrofill instance rerun`, `rerun-descendants` and `retrofill backfill rerun`: in order, unless somebody asks otherwise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from retrofill.cli.driving import say_who_starts
from retrofill.cli.exit_statuses import exit_status, first_exit_status
from retrofill.cli.folder import folder_differs
from retrofill.cli.grammar import Command
from retrofill.cli.looking import row_of
from retrofill.cli.printing.backfills import print_backfill
from retrofill.cli.printing.results import (
    comment_option,
    done,
    ids_argument,
    numbers_of,
    print_results,
    refusal,
)
from retrofill.cli.session import Session, pass_session, say
from retrofill.domain.errors import Kind, RetrofillError
from retrofill.domain.inputs import integer_id
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.domain.running.results import ItemResult

_NOT_CONFIRMED = 1
_CONSEQUENCE = (
    "At once: {what} as soon as there are slots, whatever they wait for and whatever bizdate it is the turn of. "
    "What needs the output of another one reads what was there before."
)
_at_once = click.option(
    "--ignore-dependencies",
    is_flag=True,
    help="All at once, whatever they wait for and whatever date it is the turn of; asks first on a terminal.",
)
_latest = click.option(
    "--latest",
    is_flag=True,
    help="With the code, parameters, connection, timeout and rerun setting of the deployed version, from now on.",
)
_yes = click.option("--yes", is_flag=True, help="With --ignore-dependencies: do not ask.")


@click.command("rerun", cls=Command)
@ids_argument
@_latest
@_at_once
@_yes
@comment_option
@pass_session
def rerun_instances(
    session: Session,
    instance_ids: tuple[str, ...],
    latest: bool,
    ignore_dependencies: bool,
    yes: bool,
    comment: str,
) -> int:
    """Run ended instances again, in order.

    Each waits for what it depends on, as far as that was chosen too or has not succeeded. Several
    keep the order of their bizdates as well. What has succeeded and depends on them stays as it is.
    """
    numbers = numbers_of(instance_ids)
    count = len(set(numbers))
    which = f"{many(count, 'instance')} {'starts' if count == 1 else 'start'}"
    if ignore_dependencies and not _agrees(which, yes):
        return _NOT_CONFIRMED
    if latest:
        _say_version(session)
    results = session.center.instances.rerun(numbers, comment, ignore_dependencies, latest)
    _say_notes(results)
    return done(session, results)


@click.command("rerun-descendants", cls=Command)
@ids_argument
@click.option("--with-self", is_flag=True, help="The instance itself too.")
@click.option("--task", "tasks", multiple=True, metavar="T", help="Only descendants of this task (repeat).")
@_latest
@click.option(
    "--stop-running", is_flag=True, help="Stop those that run first; without it they are a refusal."
)
@comment_option
@pass_session
def rerun_descendants(
    session: Session,
    instance_ids: tuple[str, ...],
    with_self: bool,
    tasks: tuple[str, ...],
    latest: bool,
    stop_running: bool,
    comment: str,
) -> int:
    """Run the descendants again, in dependency order.

    Refused while one of them runs, because it and what follows would be built from old data.
    """
    numbers = numbers_of(instance_ids)
    if latest:
        _say_version(session)
    if stop_running:
        refused = _stop_below(session, numbers, with_self, tasks, comment)
        if refused:
            return done(session, refused)
    instances = session.center.instances
    results = instances.rerun_descendants(numbers, comment, with_self, tasks, latest)
    _say_notes(results)
    for hint in dict.fromkeys(item.error.hint for item in results if item.error and item.state is not None):
        say(hint)
    return done(session, results)


def _stop_below(
    session: Session, numbers: Sequence[int], with_self: bool, tasks: Sequence[str], comment: str
) -> list[ItemResult]:
    """Stop what runs below, again and again, because others may get its slots; what may not be stopped."""
    from retrofill.cli.stopping import finish_stops, with_errors

    instances = session.center.instances
    while running := instances.running_below(numbers, with_self, tasks):
        say(f"Stopping {many(len(running), 'instance')}: {', '.join(map(str, running))}.")
        results = instances.stop(running, comment)
        # What has ended by itself in the meantime is as good as stopped; what is not to be seen is left to
        # the rerun, which is refused without naming it.
        refused = [
            item
            for item in results
            if item.error is not None and item.error.kind not in (Kind.UNKNOWN, Kind.WRONG_STATE)
        ]
        if refused or not any(item.ok or item.state is not None for item in results):
            return refused
        unended = finish_stops(session, [item.id for item in results if item.ok])
        if unended:
            return [item for item in with_errors(results, unended) if not item.ok]
    return []


@click.command("rerun", cls=Command)
@click.argument("backfill_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--failed", is_flag=True, help="Only what failed, and what failed with it.")
@_latest
@_at_once
@_yes
@comment_option
@pass_session
def rerun_backfills(
    session: Session,
    backfill_ids: tuple[str, ...],
    failed: bool,
    latest: bool,
    ignore_dependencies: bool,
    yes: bool,
    comment: str,
) -> int:
    """Rerun all ended instances of backfills, or what failed, in order.

    Each waits for what it depends on, and bizdates come in the order in which they did. A stop is
    taken back. Several backfills are rerun each by itself.
    """
    numbers = list(dict.fromkeys(integer_id(text, "a backfill") for text in backfill_ids))
    if ignore_dependencies:
        which = "all that failed starts" if failed else "all that has ended starts"
        if not _agrees(which, yes):
            return _NOT_CONFIRMED
    if latest:
        _say_version(session)
    backfills = session.center.backfills
    statuses = {}
    errors: dict[int, RetrofillError] = {}
    for number in numbers:
        try:
            _say_running(session, number)
            results = backfills.rerun(number, failed, comment, ignore_dependencies, latest)
        except RetrofillError as error:
            if len(numbers) == 1:
                raise
            errors[number] = error
            continue
        statuses[number] = say_counted(number, results, "rerun")
        _say_notes(results)
    for number in [n for n in numbers if n not in errors][:1]:
        say_who_starts(session.center, number)
    if len(numbers) == 1:
        print_backfill(session, numbers[0])
        return statuses[numbers[0]]
    rows = [
        {
            "id": number,
            "ok": number not in errors and not statuses[number],
            "state": None if number in errors else str(row_of(session, number)["status"]),
            **refusal(errors.get(number)),
        }
        for number in numbers
    ]
    print_results(session, rows)
    found = [exit_status(errors[n]) if n in errors else statuses[n] for n in numbers]
    return next((status for status in found if status), 0)


def say_counted(number: int, results: Sequence[ItemResult], done: str) -> int:
    """Say how many were done and which were refused; the exit status."""
    refused = [item.error for item in results if item.error is not None]
    for error in refused:
        say(error.text)
    counted = many(len(results) - len(refused), "instance")
    say(f"Backfill {number}: {counted} {done}{f', {len(refused):,} refused' if refused else ''}.")
    return first_exit_status(refused)


def _say_running(session: Session, number: int) -> None:
    running = row_of(session, number)["counts"]["running"]
    if running:
        these = "1 instance runs and is" if running == 1 else f"{running:,} instances run and are"
        say(f"Backfill {number}: {these} left alone; what runs has read what was there before.")


def _say_notes(results: Sequence[ItemResult]) -> None:
    for note in dict.fromkeys(item.note for item in results if item.note):
        say(note)


def _say_version(session: Session) -> None:
    """Which version `--latest` means; a folder that was changed and not deployed is not it."""
    number = session.center.deployed_version
    if number is None:
        return
    if not folder_differs(session):
        say(f"With version {number}.")
    else:
        say(
            f"With version {number}, the deployed one; the folder differs from it: `retrofill deploy` publishes that."
        )


def _agrees(what: str, yes: bool) -> bool:
    """Say what an order that is not kept leads to, and let it be confirmed where somebody can be asked."""
    say(_CONSEQUENCE.format(what=what))
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True  # elsewhere it was asked for by name
    agrees = click.confirm("Rerun at once?", err=True)
    if not agrees:
        say("Nothing was rerun.")
    return agrees


COMMANDS: tuple[click.Command, ...] = (rerun_instances, rerun_descendants)  # of `retrofill instance`
