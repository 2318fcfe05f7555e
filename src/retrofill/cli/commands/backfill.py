"""`retrofill backfill ...`"""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.commands.publishing import (
    confirm_losing_everything,
    say_what_is_published,
)
from retrofill.cli.driving import say_alone_of, say_who_starts
from retrofill.cli.grammar import Command, Group
from retrofill.cli.paging import cursor_option, say_more
from retrofill.cli.printing.alerts import say_obstacles
from retrofill.cli.printing.backfills import listed, print_backfill
from retrofill.cli.printing.findings import say_findings
from retrofill.cli.printing.plans import checks_in_words, print_instances, print_plan
from retrofill.cli.request_options import request_options
from retrofill.cli.session import Session, pass_session, say
from retrofill.cli.tables import cell
from retrofill.cli.waiting import EXIT_CHECK_FAILED, wait_for
from retrofill.domain.errors import UsageError, WrongStateError
from retrofill.domain.inputs import integer_id
from retrofill.domain.running.searches import BackfillSearch
from retrofill.domain.running.status import Status
from retrofill.domain.texts import Text
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.operation_center.previews import Preview
    from retrofill.services.reading.documents import Publication

_COLUMNS = ["id", "name", "check", "status", "progress", "tasks", "bizdates", "started_at", "ended_at"]
_NOT_CONFIRMED = 1


@click.group(cls=Group)
def backfill() -> None:
    """Run any part of the graph again, for any business dates."""


@backfill.command("plan")
@request_options
@click.option("--instances", is_flag=True, help="List every instance, in the order in which they may run.")
@click.option("--strict", is_flag=True, help="Exit 3 where `create` would; extension checks are asked.")
@pass_session
def plan(session: Session, /, instances: bool, strict: bool, **options: Any) -> int:
    """Show what a backfill would do: tasks, counts, findings. Creates nothing."""
    preview = _plan(session, options)
    if instances:
        print_instances(session, preview.instances())
    else:
        document = preview.document
        session.document(document, lambda: print_plan(document))
    if not strict:
        return 0
    return EXIT_CHECK_FAILED if preview.is_refused or _checks_refuse(session, preview) else 0


def _checks_refuse(session: Session, preview: Preview) -> bool:
    """Whether extension checks would not let it run (VER-3); what they say goes to stderr."""
    if not preview.checks_to_ask:
        return False
    say(f"Asking {checks_in_words(preview.checks_to_ask)}.")
    found = session.center.backfills.ask_checks(preview)
    for finding in found["findings"]:
        say(f"{finding['level']} {finding['code']}: {cell(finding['message'])}")
    return not found["passed"]


def _plan(session: Session, options: dict[str, Any]) -> Preview:
    """Of the folder, or with --deployed of what is deployed.

    Raises:
        ProjectError: the folder has errors; says how to go on without it.
    """
    from retrofill.project.problems import ProjectError

    center = session.center
    if options["deployed"]:
        session.work_on_deployed()
    try:
        preview = center.backfills.plan(options, _now())
    except ProjectError as error:
        if center.deployed_version is None:
            raise
        hint = Text(
            "Correct them, or work on version {id}, which is deployed, with {option.deployed}.",
            id=str(center.deployed_version),
        )
        raise error.with_hint(hint) from None
    for note in preview.notes:
        say(note)
    return preview


def _now() -> datetime | None:
    """RETROFILL_NOW, which replaces the present in `plan`."""
    text = os.environ.get("RETROFILL_NOW")
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f'RETROFILL_NOW: "{text}" is no ISO instant, for example 2024-03-12T08:00:00Z'
        ) from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


@backfill.command("create")
@request_options
@click.option("--wait", is_flag=True, help="Run it and show progress until it has ended.")
@click.option("--timeout", metavar="DURATION", help="With --wait: stop waiting after this time; exit 124.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--comment", default="", metavar="TEXT", help="Why; it is kept in the record.")
@pass_session
def create(
    session: Session, /, wait: bool, timeout: str | None, yes: bool, comment: str, **options: Any
) -> int:
    """Create a backfill, and with --wait run it.

    Deploys the folder if it differs (a server works on what is deployed there), verifies, stores, prints the row.
    """
    seconds = _seconds(timeout)
    if timeout is not None and not wait:
        raise UsageError("--timeout goes with --wait")
    preview = _plan(session, options)
    if not (_may_publish(session, yes) and (yes or _confirm(preview))):
        say("Nothing was created.")
        return _NOT_CONFIRMED
    _publish(session)
    say_obstacles(session.center.backfills.alert_obstacles(preview))
    backfill_id = _create(session, preview, comment)
    row = session.center.backfills.analysis(backfill_id)
    findings = row["findings"]
    if row["check_status"] == "failed":
        who = "Verification found a risk" if preview.is_refused else "An extension check said no"
        say(f"{who}: the backfill is stored, and nothing of it runs.")
        print_backfill(session, backfill_id, {"findings": findings})
        return EXIT_CHECK_FAILED
    if yes and session.is_text:
        say_findings(findings)
    if wait:
        say(f"Backfill {backfill_id}: {many(preview.instance_count, 'instance')}.")
    else:
        say_who_starts(session.center, backfill_id)
    status = wait_for(session, backfill_id, seconds) if wait else 0
    print_backfill(session, backfill_id, {} if session.is_text else {"findings": findings})
    return status


def _may_publish(session: Session, yes: bool) -> bool:
    """Say what of the folder is published with it; whether it may be. With a server, that is left to `deploy`."""
    if session.server is not None:
        return True
    found = session.center.versions.about_to_publish()
    _refuse_undoing(session, found)
    say_what_is_published(found)
    return confirm_losing_everything(session, found, yes)


def _refuse_undoing(session: Session, found: Publication) -> None:
    """A folder that is older than what others have deployed over a server is published by `deploy` alone.

    Raises:
        WrongStateError: the deployed version did not come from this folder, which differs from it.
    """
    number = found["deployed"]
    if found["differs"] and number is not None and number == session.call.deployment.folder.brought_version:
        raise WrongStateError(
            f"version {number}, which is deployed, was published from elsewhere, and this folder differs from it",
            Text(
                "Work on what is deployed with {option.deployed}, or publish this folder with {project.deploy} first."
            ),
        )


def _publish(session: Session) -> None:
    if session.server is not None:
        return
    deployed = session.center.versions.deploy(lose_everything=True)  # `_may_publish` has asked
    if deployed["new"]:
        say(f"The folder differed from what was deployed: it is version {deployed['version']} now.")
    for note in deployed["notes"]:
        say(note)


def _create(session: Session, preview: Preview, comment: str) -> int:
    if preview.checks_to_ask and not preview.is_refused:
        say(f"Asking {checks_in_words(preview.checks_to_ask)}.")
    try:
        return session.center.backfills.create(preview, comment=comment)
    except KeyboardInterrupt:
        say("Interrupted: the backfill was not created.")
        raise


def _confirm(preview: Preview) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("creating a backfill asks for a yes, and this is no terminal", "Add --yes.")
    print_plan(preview.document)
    return click.confirm("Create this backfill?", err=True)


@backfill.command("wait")
@click.argument("backfill_id", metavar="ID")
@click.option(
    "--timeout", metavar="DURATION", help="Stop waiting after this time, for example 10m; exit 124."
)
@pass_session
def wait_command(session: Session, backfill_id: str, timeout: str | None) -> int:
    """Wait until a backfill has ended.

    Runs the scheduler here when none runs; with RETROFILL_URL it only follows what the server's scheduler does.
    """
    number = integer_id(backfill_id, "a backfill")
    status = wait_for(session, number, _seconds(timeout))
    print_backfill(session, number)
    return status


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,6})(s|m|h|d)", text)
    if match is None:
        raise UsageError(f'--timeout: "{text}" is no duration; write 30s, 5m, 2h or 3d')
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


@backfill.command("list")
@click.option("--name", metavar="TEXT", help="Names that contain this.")
@click.option("--creator", metavar="USER")
@click.option("--status", metavar="STATUS", help=f"One of {', '.join(s.value for s in Status)}.")
@click.option("--check-status", metavar="STATUS", help="checking, passed or failed.")
@click.option("--bizdate", metavar="D|D..D", help="Backfills that contain one of these business dates.")
@click.option("--task", metavar="T", help="Backfills in which this task takes part.")
@click.option("--type", "task_type", metavar="TYPE", help="Backfills with a task of this type.")
@click.option("--workspace", metavar="W", help="Backfills with a task of this workspace.")
@click.option("--created", metavar="D|D..D", help="Created on these days (UTC).")
@click.option("--about", "text", metavar="TEXT", help="In the name, the id, or in the name of a task of it.")
@click.option("--open/--ended", "is_open", default=None, help="Those that go on, or the others.")
@click.option("--needs", is_flag=True, help="Those that go on only once somebody has done something.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@cursor_option
@pass_session
def list_command(
    session: Session,
    /,
    limit: int,
    cursor: str | None,
    is_open: bool | None,
    needs: bool,
    **filters: str | None,
) -> None:
    """List backfills, newest first."""
    before = None if cursor is None else integer_id(cursor, "a backfill")
    center = session.center
    page = center.backfills.list(BackfillSearch(**filters, is_open=is_open, needs=needs), limit, before)
    rows = page["items"]
    session.rows(
        [listed(row) for row in rows] if session.is_text else rows,
        _COLUMNS,
        "There are no such backfills." if center.is_deployed else "There are no backfills yet.",
        ("check", "tasks", "started_at"),
    )
    if page["next"] is not None:
        say_more(page["next"])
    say_alone_of(center, {row["id"] for row in rows if row["counts"]["running"]})


@backfill.command("show")
@click.argument("backfill_id", metavar="ID")
@pass_session
def show(session: Session, backfill_id: str) -> None:
    """Show one backfill: state, counts, bizdates."""
    number = integer_id(backfill_id, "a backfill")
    print_backfill(session, number, with_dates=True)
    say_alone_of(session.center, {number})


@backfill.command("analysis")
@click.argument("backfill_id", metavar="ID")
@pass_session
def analysis(session: Session, backfill_id: str) -> None:
    """Show what verification found and what extension checks answered (task analysis results)."""
    document = session.center.backfills.analysis(integer_id(backfill_id, "a backfill"))
    session.document(document, lambda: print_plan(document))


@backfill.command("history")
@click.argument("backfill_id", metavar="ID")
@pass_session
def history(session: Session, backfill_id: str) -> None:
    """Show what people did to a backfill and its instances."""
    number = integer_id(backfill_id, "a backfill")
    rows = session.center.backfills.history(number)
    columns = ["at", "user", "action", "instance", "from_state", "to_state", "comment"]
    session.rows(rows, columns, f"Nobody has done anything to backfill {number}.")


backfill.add_later("steering", "stop", "pause", "resume", "change", "rerun", "freeze", "unfreeze")

COMMANDS: dict[str, click.Command] = {"backfill": backfill}
__all__ = ["COMMANDS", "Command"]
