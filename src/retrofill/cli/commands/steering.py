"""`retrofill backfill stop`, `pause`, `change` and whatever else steers one that exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.commands.reruns import rerun_backfills, say_counted
from retrofill.cli.driving import say_who_starts
from retrofill.cli.exit_statuses import first_exit_status
from retrofill.cli.grammar import Command
from retrofill.cli.looking import row_of
from retrofill.cli.printing.backfills import print_backfill
from retrofill.cli.printing.results import print_results, refusal
from retrofill.cli.request_options import change_options
from retrofill.cli.session import Session, pass_session, say
from retrofill.domain.errors import RetrofillError
from retrofill.domain.inputs import integer_id

if TYPE_CHECKING:
    from retrofill.domain.running.results import ItemResult

_comment = click.option("--comment", default="", metavar="TEXT", help="Why; it is kept in the record.")


@click.command("stop", cls=Command)
@click.argument("backfill_ids", metavar="ID...", nargs=-1, required=True)
@_comment
@pass_session
def stop(session: Session, backfill_ids: tuple[str, ...], comment: str) -> int:
    """End all running instances of backfills.

    Nothing further starts until resumed or rerun.
    """
    from retrofill.cli.stopping import finish_stops

    backfills = session.center.backfills
    numbers = list(dict.fromkeys(integer_id(text, "a backfill") for text in backfill_ids))
    errors: dict[int, RetrofillError] = {}
    stopping: dict[int, int] = {}  # by instance: its backfill
    for number in numbers:
        try:
            stopped = backfills.stop(number, comment)
        except RetrofillError as error:
            errors[number] = error
            continue
        stopping |= {item.id: number for item in stopped.items if item.error is None}
        for item in stopped.items:
            if item.error is not None:
                say(item.error.text)
                errors.setdefault(number, item.error)
        if not stopped.is_whole:
            say(f"Backfill {number} goes on with what you may not operate.")
    unended = finish_stops(session, list(stopping))
    for one in unended.values():
        say(one.text)
    for instance_id, late in unended.items():
        errors.setdefault(stopping[instance_id], late)
    print_results(
        session,
        [
            {
                "id": number,
                "ok": number not in errors,
                "state": _state_of(session, number),
                **refusal(errors.get(number)),
            }
            for number in numbers
        ],
    )
    return first_exit_status(errors.values())


def _state_of(session: Session, number: int) -> str | None:
    try:
        return str(row_of(session, number)["status"])
    except RetrofillError:
        return None


@click.command("pause", cls=Command)
@click.argument("backfill_id", metavar="ID")
@_comment
@pass_session
def pause(session: Session, backfill_id: str, comment: str) -> None:
    """Start nothing new; what runs, ends."""
    number = integer_id(backfill_id, "a backfill")
    _say_steered(session, number, "pause", session.center.backfills.pause(number, comment))


@click.command("resume", cls=Command)
@click.argument("backfill_id", metavar="ID")
@_comment
@pass_session
def resume(session: Session, backfill_id: str, comment: str) -> None:
    """Take back a pause or a stop."""
    number = integer_id(backfill_id, "a backfill")
    _say_steered(session, number, "resume", session.center.backfills.resume(number, comment))
    say_who_starts(session.center, number)


def _say_steered(session: Session, number: int, action: str, is_changed: bool) -> None:
    if not is_changed:
        say(f"Backfill {number}: nothing to {action}, so nothing was changed.")
    print_backfill(session, number, {} if is_changed else {"unchanged": True})


@click.command("change", cls=Command)
@click.argument("backfill_id", metavar="ID")
@change_options
@_comment
@pass_session
def change(session: Session, /, backfill_id: str, comment: str, **given: Any) -> None:
    """Change how a backfill runs, also while it runs.

    What runs goes on as it is; bizdates that have begun stay so.
    """
    from retrofill.domain.planning.changes import read_changes

    number = integer_id(backfill_id, "a backfill")
    changed = session.center.backfills.change(number, read_changes(given), comment)
    if not changed.differences:
        say(f"Backfill {number}: all of this holds already, so nothing was changed.")
    for difference in changed.differences:
        say(f"Backfill {number}: {difference}.")
    for note in changed.notes:
        say(note)
    more: dict[str, Any] = {"changed": [asdict(difference) for difference in changed.differences]}
    print_backfill(session, number, more | ({} if changed.differences else {"unchanged": True}))


@click.command("freeze", cls=Command)
@click.argument("backfill_id", metavar="ID")
@_comment
@pass_session
def freeze(session: Session, backfill_id: str, comment: str) -> int:
    """Freeze every instance that is Not run."""
    return _on_whole(session, backfill_id, lambda service, number: service.freeze(number, comment), "frozen")


@click.command("unfreeze", cls=Command)
@click.argument("backfill_id", metavar="ID")
@_comment
@pass_session
def unfreeze(session: Session, backfill_id: str, comment: str) -> int:
    """Unfreeze every frozen instance."""
    status = _on_whole(
        session, backfill_id, lambda service, number: service.unfreeze(number, comment), "unfrozen"
    )
    say_who_starts(session.center, integer_id(backfill_id, "a backfill"))
    return status


def _on_whole(session: Session, text: str, apply: Callable[[Any, int], list[ItemResult]], done: str) -> int:
    number = integer_id(text, "a backfill")
    results = apply(session.center.backfills, number)
    status = say_counted(number, results, done)
    print_backfill(session, number)
    return status


COMMANDS: tuple[click.Command, ...] = (stop, pause, resume, change, rerun_backfills, freeze, unfreeze)
