"""`retrofill instance ...`"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from retrofill.cli.driving import say_alone
from retrofill.cli.grammar import Group
from retrofill.cli.paging import cursor_option
from retrofill.cli.printing.results import comment_option, done, ids_argument, numbers_of
from retrofill.cli.session import Session, pass_session, say, say_json
from retrofill.cli.steps import told
from retrofill.cli.tables import cell
from retrofill.domain.errors import UsageError
from retrofill.domain.inputs import integer_id
from retrofill.domain.running.searches import InstanceSearch
from retrofill.domain.running.states import Reason, State

if TYPE_CHECKING:
    from retrofill.services.reading.documents import InstancePage, RunRow

_COLUMNS = [
    "id",
    "task",
    "bizdate",
    "scheduled_at",
    "kind",
    "state",
    "group",
    "run_number",
    "version",
    "started_at",
    "ended_at",
    "run_seconds",
]
_AS_TEXT = 100  # rows


@click.group(cls=Group)
def instance() -> None:
    """One task at one scheduled time: look, stop, rerun."""


@instance.command("list")
@click.option(
    "--backfill", "backfills", metavar="ID", multiple=True, help="Only instances of this backfill (repeat)."
)
@click.option("--auto", is_flag=True, help="Only auto triggered instances.")
@click.option("--task", "tasks", metavar="T", multiple=True, help="Only instances of this task (repeat).")
@click.option(
    "--bizdate", "bizdates", metavar="D|D..D", multiple=True, help="Only these business dates (repeat)."
)
@click.option(
    "--state",
    "states",
    metavar="STATE",
    multiple=True,
    help=f"Only in this state (repeat): {', '.join(s.value for s in State)}.",
)
@click.option("--limit", type=click.IntRange(1), help="At most so many (default: 100 as text, else all).")
@cursor_option
@pass_session
def list_command(
    session: Session,
    backfills: tuple[str, ...],
    auto: bool,
    tasks: tuple[str, ...],
    bizdates: tuple[str, ...],
    states: tuple[str, ...],
    limit: int | None,
    cursor: str | None,
) -> None:
    """List instances by bizdate in running order, then scheduled time, then task.

    Those of backfills come first, newest first, then the auto triggered ones, newest bizdate first.
    Different options must all hold, the same one twice means either.
    """
    if auto and backfills:
        raise UsageError("--auto and --backfill do not go together")
    numbers = [integer_id(text, "a backfill") for text in backfills]
    after = None if cursor is None else integer_id(cursor, "an instance")
    search = InstanceSearch(numbers, tasks, bizdates, states, auto, after)
    center = session.center
    if not session.is_text:
        session.rows(center.instances.each(search, limit or -1), _COLUMNS, "")
        return
    page = center.instances.list(search, limit or _AS_TEXT)
    rows = page["items"]
    session.rows(
        rows,
        _COLUMNS,
        "There are no such instances." if center.is_deployed else "There are no instances yet.",
    )
    if page["next"] is not None:
        these = "this one" if len(rows) == 1 else f"these {len(rows):,}"
        say(
            f"There are more than {these}; --state, --task and --bizdate narrow it, --limit shows more, and "
            f"`--cursor {page['next']}` goes on after the last one."
        )
    say_alone(session.center, rows)


@instance.command("show")
@click.argument("instance_id", metavar="ID")
@pass_session
def show(session: Session, instance_id: str) -> None:
    """Show one instance: state, why, parameters, runs."""
    page = session.center.instances.show(integer_id(instance_id, "an instance"))
    session.document(page, lambda: _print_page(session, page))


def _print_page(session: Session, page: InstancePage) -> None:
    for key, value in page.items():
        if key not in ("runs", "parameters"):
            click.echo(f"{key.replace('_', ' '):<16}{cell(value)}")
    for name, value in page["parameters"].items():
        click.echo(f"{'parameter':<16}{name}={cell(value)}")
    for run, words in zip(page["runs"], _run_words(page["runs"]), strict=True):
        click.echo(f"{'run ' + str(run['run_number']):<16}{words}")
    say_alone(session.center, [page])


def _run_words(runs: Sequence[RunRow]) -> Iterator[str]:
    """Each run in words, with its version where they ran different ones."""
    is_mixed = len({run["version"] for run in runs}) > 1
    for run in runs:
        version = f", version {run['version']}" if is_mixed else ""
        host = "" if run["host_label"] is None else f" on {cell(run['host_label'])}"
        if run["offered"]:
            yield f"offered {run['started_at']}{version}"
            continue
        if not run["ended_at"]:
            yield f"started {run['started_at']}{host}{version}, running"
            continue
        how = run["message"] or ("exit status 0" if run["exit_code"] == 0 else run["outcome"])
        yield f"started {run['started_at']}{host}, ended {run['ended_at']}{version}: {how}"


@instance.command("log")
@click.argument("instance_id", metavar="ID")
@click.option(
    "--run", "run_number", type=click.IntRange(1), metavar="N", help="The log of run N (default: the last)."
)
@click.option("--follow", is_flag=True, help="Go on until the run has ended.")
@pass_session
def log(session: Session, instance_id: str, run_number: int | None, follow: bool) -> None:
    """Print the log of a run."""
    from retrofill.cli.printing.logs import follow_log, print_log

    number, center = integer_id(instance_id, "an instance"), session.center
    opened = center.instances.log(number, run_number)
    if not isinstance(opened, str) and follow:
        follow_log(session, number, run_number)
    elif not isinstance(opened, str):
        print_log(center, opened, follow, session.output)
    elif session.is_text:
        sys.stdout.write(opened)
    else:
        session.rows([{"offset": 0, "missing": 0, "text": opened}], (), "")


@instance.command("why")
@click.argument("instance_id", metavar="ID")
@pass_session
def why_command(session: Session, instance_id: str) -> None:
    """Say in one sentence why an instance is not running."""
    document = session.center.instances.why(integer_id(instance_id, "an instance"))
    session.document(document, lambda: click.echo(told(document["text"])))


@instance.command("history")
@click.argument("instance_id", metavar="ID")
@pass_session
def history(session: Session, instance_id: str) -> None:
    """Show what people did to an instance, and its runs."""
    document = session.center.instances.history(integer_id(instance_id, "an instance"))
    operations, runs = document["operations"], document["runs"]
    if not session.is_text:
        if session.output == "jsonl":
            for run in runs:
                say_json({"kind": "run", **run})
            for operation in operations:
                say_json({"kind": "operation", **operation})
        else:
            say_json(document)
        return
    for run, words in zip(runs, _run_words(runs), strict=True):
        click.echo(f"run {run['run_number']}: {words}")
    columns = ["at", "user", "action", "from_state", "to_state", "comment"]
    session.rows(operations, columns, f"Nobody has done anything to instance {document['id']}.")


@instance.command("lineage")
@click.argument("instance_id", metavar="ID")
@pass_session
def lineage(session: Session, instance_id: str) -> None:
    """Show the tables that an instance reads and writes, and the tasks at their other ends.

    By the version of the project whose code it runs.
    """
    from retrofill.cli.printing.lineage import print_lineage

    found = session.center.instances.lineage(integer_id(instance_id, "an instance"))

    def text() -> None:
        click.echo(f"Instance {found['id']}: {found['task']}, bizdate {found['bizdate']}")
        print_lineage(found)

    session.document(found, text)


@instance.command("dag")
@click.argument("instance_id", metavar="ID")
@click.option("--up", type=click.IntRange(0), default=1, metavar="N", help="Levels upstream (default: 1).")
@click.option(
    "--down", type=click.IntRange(0), default=1, metavar="N", help="Levels downstream (default: 1)."
)
@pass_session
def dag(session: Session, instance_id: str, up: int, down: int) -> None:
    """Show what an instance waits for and what waits for it, with states, level by level."""
    from retrofill.cli.printing.dags import print_dag

    document = session.center.instances.dag(integer_id(instance_id, "an instance"), up, down)
    session.document(document, lambda: print_dag(document, up, down))


@instance.command("stop")
@ids_argument
@comment_option
@pass_session
def stop(session: Session, instance_ids: tuple[str, ...], comment: str) -> int:
    """End running instances with their whole process trees; returns when they have ended."""
    from retrofill.cli.stopping import finish_stops, with_errors

    results = session.center.instances.stop(numbers_of(instance_ids), comment)
    results = with_errors(results, finish_stops(session, [item.id for item in results if item.ok]))
    return done(session, results)


@instance.command("set-successful")
@ids_argument
@comment_option
@pass_session
def set_successful(session: Session, instance_ids: tuple[str, ...], comment: str) -> int:
    """Take failed instances as successful, so that what waits for them goes on."""
    return done(session, session.center.instances.set_successful(numbers_of(instance_ids), comment))


@instance.command("freeze")
@ids_argument
@comment_option
@pass_session
def freeze(session: Session, instance_ids: tuple[str, ...], comment: str) -> int:
    """Freeze instances: they and what waits for them stand still."""
    return done(session, session.center.instances.freeze(numbers_of(instance_ids), comment))


@instance.command("unfreeze")
@ids_argument
@comment_option
@pass_session
def unfreeze(session: Session, instance_ids: tuple[str, ...], comment: str) -> int:
    """Let frozen instances go on from the state in which they were frozen."""
    return done(session, session.center.instances.unfreeze(numbers_of(instance_ids), comment))


instance.add_later("reruns", "rerun", "rerun-descendants")
instance.add_later("emergencies", "remove-wait", "set-priority", "set-resource-group")

COMMANDS: dict[str, click.Command] = {"instance": instance}
__all__ = ["COMMANDS", "Reason"]
