"""Plans as people read them: counts, tasks, instances, findings, checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import click

from retrofill.cli.printing.estimates import expectation
from retrofill.cli.printing.findings import print_findings
from retrofill.cli.session import Session, say_json
from retrofill.cli.tables import cell
from retrofill.domain.planning.tallies import KINDS, kinds_in_words
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import PlannedTask, PlanSummary


def print_plan(document: PlanSummary) -> None:
    """The document of `backfill plan`, or of `backfill analysis` with what checks answered."""
    groups = document["groups"]
    counts = document["by_bizdate"].values()
    kinds = kinds_in_words(document.get("kinds", {}))  # the first version did not count them
    click.echo(
        f"{many(document['task_count'], 'task')}, {many(len(counts), 'bizdate')} in {many(len(groups), 'group')}, "
        f"{many(document['instance_count'], 'instance')}{': ' + kinds if kinds else ''}"
    )
    first, last = document["first_run_date"], document["last_run_date"]
    each = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
    click.echo(f"  scheduled on {first if first == last else f'{first} to {last}'}, {each} a bizdate")
    for number, group in enumerate(groups, start=1):
        span = group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}"
        click.echo(f"  group {number}: {span} ({many(len(group), 'bizdate')})")
    width = max((len(task["task"]) for task in document["tasks"]), default=0)
    for task in document["tasks"]:
        click.echo(
            f"  {task['task']:<{width}}  {task['instances']:>6} instance{'s' if task['instances'] != 1 else ''}"
            f"{_what_it_does(task)}"
        )
    estimate = document.get("estimate")
    if estimate is not None:
        for line in expectation(estimate):
            click.echo(line)
    print_findings(document["findings"])
    if document.get("checks_to_ask"):
        click.echo(f"`backfill create` will ask {checks_in_words(document['checks_to_ask'])}.")
    for answer in document.get("checks", []):
        message = f": {cell(answer['message'])}" if answer["message"] else ""
        click.echo(f"check {cell(answer['check'])}: {answer['result']}{message}")


def _what_it_does(task: PlannedTask) -> str:
    """Why instances of a task do not run, where some do not."""
    if task["dry_run"]:
        return f"  dry run: {task['dry_run']}"
    counts: Mapping[str, object] = task
    kinds = kinds_in_words({word: cast("int", counts[word]) for word in KINDS}) if "runs" in task else ""
    return f"  {kinds}" if kinds else ""


def checks_in_words(names: Sequence[str]) -> str:
    """As they stand in a sentence."""
    return f"the extension check{'s' if len(names) != 1 else ''} {', '.join(cell(name) for name in names)}"


def print_instances(session: Session, lines: Iterator[dict[str, Any]]) -> None:
    """Every instance in a line, in an order in which they may run."""
    if session.output == "json":
        say_json(list(lines))
        return
    for line in lines:
        if session.output == "jsonl":
            say_json(line)
            continue
        waits = ", ".join(f"{task} {at}" for task, at in line["waits_for"])
        kind = f"{line['kind']}{' (' + line['reason'] + ')' if line['reason'] else ''}"
        isolated = f"  isolated from {', '.join(line['isolated_from'])}" if line["isolated_from"] else ""
        click.echo(
            f"{line['bizdate']}  {line['scheduled_at']}  {line['task']}  {kind}  group {line['group']}"
            f"{'  waits for ' + waits if waits else ''}{isolated}"
        )
