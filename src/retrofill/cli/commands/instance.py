"""`retrofill instance ...`"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.driving import say_alone, standstills
from retrofill.cli.grammar import Group
from retrofill.cli.paging import cursor_option
from retrofill.cli.printing.results import comment_option, done, ids_argument, numbers_of
from retrofill.cli.session import Session, integer_id, pass_session, say, say_json
from retrofill.cli.steps import told
from retrofill.cli.tables import cell
from retrofill.domain.errors import UnknownNameError, UsageError, WrongStateError
from retrofill.domain.running.states import Reason, State
from retrofill.domain.texts import Text
from retrofill.services.instances.as_run import as_run
from retrofill.services.instances.outlines import Outlines
from retrofill.services.people.access import unknown_instance
from retrofill.services.ports.records import InstanceRecord, RunRecord
from retrofill.services.reading.backfills import Views, log_line, operation_row, run_row
from retrofill.services.reading.redaction import shown_why
from retrofill.services.reading.searching import InstanceSearch, search_instances
from retrofill.services.reading.why import Why, why

if TYPE_CHECKING:
    from retrofill.bootstrap.project import Project
    from retrofill.services.ports import Reader

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
_FOLLOW_SECONDS = 0.2
_RESTING = frozenset({State.SUCCESSFUL, State.FAILED, State.FROZEN})


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
    from retrofill.domain.time.bizdates import parse_range

    if auto and backfills:
        raise UsageError("--auto and --backfill do not go together")
    numbers = [integer_id(text, "a backfill") for text in backfills]
    after = None if cursor is None else integer_id(cursor, "an instance")
    project = session.project
    if project.deployed is None:
        session.rows([], _COLUMNS, "There are no instances yet.")
        return
    most = limit if limit is not None else (100 if session.is_text else -1)
    with project.store.read() as reader:
        views = Views(reader, project.graphs, project.clock.now_ms())
        days = [parse_range(text, views.today()) for text in bizdates]
        wanted = InstanceSearch(numbers, tasks, days, states, auto, after)
        asked = most + 1 if session.is_text and most > 0 else most
        rows = search_instances(reader, views, project.access(reader), project.graphs, wanted, asked)
        if not session.is_text:
            session.rows(rows, _COLUMNS, "")
            return
        shown = list(rows)
        session.rows(shown[:most], _COLUMNS, "There are no such instances.")
    if len(shown) > most:
        these = "this one" if most == 1 else f"these {most:,}"
        say(
            f"There are more than {these}; --state, --task and --bizdate narrow it, --limit shows more, and "
            f"`--cursor {shown[most - 1]['id']}` goes on after the last one."
        )
    say_alone(project, shown[:most])


@instance.command("show")
@click.argument("instance_id", metavar="ID")
@pass_session
def show(session: Session, instance_id: str) -> None:
    """Show one instance: state, why, parameters, runs."""
    row = _find(session, instance_id)
    project = session.project
    with project.store.read() as reader:
        view = Views(reader, project.graphs, project.clock.now_ms()).instance(row)
        explained = _explained(session, reader, row)
        made_from = Outlines(reader, project.graphs).of(row).version_id(row.id)
        runs = [run_row(run, made_from) for run in reader.runs(row.id)]
    document = view | {"why": explained.text, "parameters": _parameters(session, row), "runs": runs}

    def text() -> None:
        for key, value in document.items():
            if key not in ("runs", "parameters"):
                click.echo(f"{key.replace('_', ' '):<16}{cell(value)}")
        for name, value in document["parameters"].items():
            click.echo(f"{'parameter':<16}{name}={cell(value)}")
        for run, words in zip(runs, _run_words(runs), strict=True):
            click.echo(f"{'run ' + str(run['run_number']):<16}{words}")
        say_alone(project, [view])

    session.document(document, text)


def _run_words(runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each run in words, with its version where they ran different ones."""
    is_mixed = len({run["version"] for run in runs}) > 1
    for run in runs:
        version = f", version {run['version']}" if is_mixed else ""
        if not run["ended_at"]:
            yield f"started {run['started_at']}{version}, running"
            continue
        how = run["message"] or ("exit status 0" if run["exit_code"] == 0 else run["outcome"])
        yield f"started {run['started_at']}, ended {run['ended_at']}{version}: {how}"


def _parameters(session: Session, row: InstanceRecord) -> dict[str, str]:
    """The instance's parameters; secrets stay names (SEC-3)."""
    from retrofill.services.instances.run_specs import RunSpecs, UnstartableError

    project = session.project
    specs = RunSpecs(project.directory, lambda name: f"${{secret:{name}}}", "")
    with project.store.read() as reader:
        context = Outlines(reader, project.graphs).of(row)
        try:
            return specs.values(row, context)
        except UnstartableError:
            return dict(as_run(row, context).parameters)


@instance.command("log")
@click.argument("instance_id", metavar="ID")
@click.option(
    "--run", "run_number", type=click.IntRange(1), metavar="N", help="The log of run N (default: the last)."
)
@click.option("--follow", is_flag=True, help="Go on until the run has ended.")
@pass_session
def log(session: Session, instance_id: str, run_number: int | None, follow: bool) -> None:
    """Print the log of a run."""
    row = _find(session, instance_id)
    run = _run_of(session, row, run_number)
    if run is None:
        text = _without_run(session, row)
        if session.is_text:
            sys.stdout.write(text)
        else:
            session.rows([{"offset": 0, "missing": 0, "text": text}], (), "")
        return
    from retrofill.cli.printing.logs import print_log

    print_log(session.project, row, run, follow, session.output)


def _run_of(session: Session, row: InstanceRecord, number: int | None) -> RunRecord | None:
    with session.project.store.read() as reader:
        runs = reader.runs(row.id)
    if number is None:
        return runs[-1] if runs else None
    for run in runs:
        if run.number == number:
            return run
    known = ", ".join(str(run.number) for run in runs) or "none"
    raise UnknownNameError(
        f"instance {row.id} has no run {number}; its runs are: {known}", "Leave --run out for the last."
    )


def _without_run(session: Session, row: InstanceRecord) -> str:
    project = session.project
    if row.state != State.SUCCESSFUL:
        raise WrongStateError(
            f"instance {row.id} has not run yet, so it has no log",
            f"`retrofill instance why {row.id}` says why.",
        )
    with project.store.read() as reader:
        plan = Outlines(reader, project.graphs).of(row).plan_of(row.id)
        task = reader.task_name(row.task_id) or ""
    return log_line(row, {name: str(reason) for name, reason in plan.dry_runs.items()}, task)


@instance.command("why")
@click.argument("instance_id", metavar="ID")
@pass_session
def why_command(session: Session, instance_id: str) -> None:
    """Say in one sentence why an instance is not running."""
    row = _find(session, instance_id)
    project = session.project
    with project.store.read() as reader:
        state = Views(reader, project.graphs, project.clock.now_ms()).instance(row)["state"]
        explained = _explained(session, reader, row)
    document = {
        "id": row.id,
        "state": state,
        "reason": row.reason,
        "text": explained.text,
        "blockers": list(explained.blockers),
        "steps": list(explained.text.steps),
    }
    session.document(document, lambda: click.echo(told(explained.text)))


def _explained(session: Session, reader: Reader, row: InstanceRecord) -> Why:
    project = session.project
    explained = why(reader, project.graphs, row, project.clock.now_ms(), _has_scheduler(session, row))
    still = "" if row.state in _RESTING else _standing_still(project, row)
    text = Text("{text}{still}", text=explained.text, still=still)
    return shown_why(project.access(reader), row, replace(explained, text=text))


def _standing_still(project: Project, row: InstanceRecord) -> str:
    """What stands still that would start it, or that carries it out."""
    found = [
        one
        for one in standstills(project)
        if one.instance_id in (None, row.id) and (row.state == State.RUNNING or not one.run)
    ]
    return "".join(f" {str(one)[0].upper()}{str(one)[1:]}." for one in found)


def _has_scheduler(session: Session, row: InstanceRecord) -> bool:
    return session.project.has_scheduler(auto=row.backfill_id is None)


@instance.command("history")
@click.argument("instance_id", metavar="ID")
@pass_session
def history(session: Session, instance_id: str) -> None:
    """Show what people did to an instance, and its runs."""
    row = _find(session, instance_id)
    project = session.project
    with project.store.read() as reader:
        operations = [operation_row(operation) for operation in reader.operations("instance_id", row.id)]
        made_from = Outlines(reader, project.graphs).of(row).version_id(row.id)
        runs = [run_row(run, made_from) for run in reader.runs(row.id)]
    if not session.is_text:
        if session.output == "jsonl":
            for kind, rows in (("run", runs), ("operation", operations)):
                for found in rows:
                    say_json({"kind": kind} | found)
        else:
            say_json({"id": row.id, "operations": operations, "runs": runs})
        return
    for run, words in zip(runs, _run_words(runs), strict=True):
        click.echo(f"run {run['run_number']}: {words}")
    columns = ["at", "user", "action", "from_state", "to_state", "comment"]
    session.rows(operations, columns, f"Nobody has done anything to instance {row.id}.")


@instance.command("lineage")
@click.argument("instance_id", metavar="ID")
@pass_session
def lineage(session: Session, instance_id: str) -> None:
    """Show the tables that an instance reads and writes, and the tasks at their other ends.

    By the version of the project whose code it runs.
    """
    from retrofill.cli.commands.lineage import print_lineage

    row = _find(session, instance_id)
    project = session.project
    with project.store.read() as reader:
        context = project.graphs.of(reader, row)
        run = as_run(row, context)
        name, catalog = run.task.name, run.catalog
    found = project.lineages(catalog).row(name)

    def text() -> None:
        click.echo(f"Instance {row.id}: {name}, bizdate {row.bizdate}")
        print_lineage(found)

    session.document({"id": row.id, "task": name} | found, text)


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
    from retrofill.services.reading.dag import dag_around

    row = _find(session, instance_id)
    project = session.project
    with project.store.read() as reader:
        found = dag_around(reader, project.graphs, row, up, down, project.actor.sees)
        views = Views(reader, project.graphs, project.clock.now_ms())
        nodes = {i: views.instance(found.rows[i]) | {"level": level} for i, level in found.levels.items()}
    document = {
        "id": row.id,
        "nodes": sorted(nodes.values(), key=lambda node: (node["level"], node["id"])),
        "edges": [
            {"upstream": above, "downstream": below, "removed": (above, below) in found.removed}
            for above, below in found.edges
        ],
    }
    session.document(document, lambda: print_dag(found, nodes, up, down))


def _find(session: Session, text: str) -> InstanceRecord:
    number = integer_id(text, "an instance")
    if session.project.deployed is None:  # there may be no store, and looking shall make none
        raise unknown_instance(number)
    with session.project.store.read() as reader:
        return session.project.access(reader).get_instance(number)


@instance.command("stop")
@ids_argument
@comment_option
@pass_session
def stop(session: Session, instance_ids: tuple[str, ...], comment: str) -> int:
    """End running instances with their whole process trees; returns when they have ended."""
    from retrofill.cli.stopping import finish_stops, with_errors

    project = session.project
    results = project.center.instances.stop(numbers_of(instance_ids), comment)
    results = with_errors(results, finish_stops(project, [item.id for item in results if item.ok]))
    return done(session, results)


@instance.command("set-successful")
@ids_argument
@comment_option
@pass_session
def set_successful(session: Session, instance_ids: tuple[str, ...], comment: str) -> int:
    """Take failed instances as successful, so that what waits for them goes on."""
    return done(session, session.project.center.instances.set_successful(numbers_of(instance_ids), comment))


@instance.command("freeze")
@ids_argument
@comment_option
@pass_session
def freeze(session: Session, instance_ids: tuple[str, ...], comment: str) -> int:
    """Freeze instances: they and what waits for them stand still."""
    return done(session, session.project.center.instances.freeze(numbers_of(instance_ids), comment))


@instance.command("unfreeze")
@ids_argument
@comment_option
@pass_session
def unfreeze(session: Session, instance_ids: tuple[str, ...], comment: str) -> int:
    """Let frozen instances go on from the state in which they were frozen."""
    return done(session, session.project.center.instances.unfreeze(numbers_of(instance_ids), comment))


instance.add_later("reruns", "rerun", "rerun-descendants")
instance.add_later("emergencies", "remove-wait", "set-priority", "set-resource-group")

COMMANDS: dict[str, click.Command] = {"instance": instance}
__all__ = ["COMMANDS", "Reason"]
