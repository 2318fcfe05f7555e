"""How a backfill is shown: one line of a list, or a few lines of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import click

from retrofill.cli.alerts import print_alerts
from retrofill.cli.estimates import end_of, outlook, to_seconds
from retrofill.cli.failures import first_lines
from retrofill.cli.findings import print_findings
from retrofill.cli.session import Session, cell, say, say_json
from retrofill.cli.tables import coloured, state_cell
from retrofill.cli.waiting import row_of
from retrofill.domain.findings import many
from retrofill.domain.policy import Policy
from retrofill.domain.readiness import STATUS_WORDS, Status


def listed(row: dict[str, Any]) -> dict[str, Any]:
    done, dates = row["counts"]["successful"], row["bizdates"]
    return {
        **row,
        "check": row["check_status"],
        "status": state_cell(row["status"], _short_words(row)),
        "progress": f"{done}/{row['instance_count']}",
        "tasks": row["task_count"],
        "bizdates": _span(dates),
        "started_at": to_seconds(row["started_at"]),
        "ended_at": end_of(row),
    }


def _span(dates: Sequence[str]) -> str:
    if len(dates) < 2:
        return dates[0] if dates else "-"
    return f"{min(dates)}..{max(dates)} ({len(dates)})"


def _status_words(row: dict[str, Any]) -> str:
    words = STATUS_WORDS[Status(row["status"])]
    if row["held"] and row["status"] == Status.RUNNING:
        why = f" ({row['failures']:,} failed)" if row["paused_by"] else ""
        return f"{words}, {row['held']}{why}"  # nothing new starts, and what runs has not ended
    if row["paused_by"]:
        return f"{words} ({row['failures']:,} failed)"  # by itself (POL-14)
    return f"{words} ({', '.join(row['blocked_by'])})" if row["blocked_by"] else words


def _short_words(row: dict[str, Any]) -> str:
    """Without what the status itself says."""
    return _status_words(row if row["blocked_by"] != ["failed"] else {**row, "blocked_by": []})


def print_backfill(
    session: Session,
    backfill_id: int,
    more: dict[str, Any] | None = None,
    with_dates: bool = False,
) -> None:
    """Print the row as it is now.

    Args:
        more: what JSON has besides; findings are printed as text too.
    """
    more = more or {}
    row = row_of(session.project, backfill_id)
    if not session.is_text:
        say_json(row | more)
        return
    click.echo(f"Backfill {row['id']} {cell(row['name'])}: {coloured(row['status'], _status_words(row))}")
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in row["counts"].items() if count)
    click.echo(
        f"  {many(row['task_count'], 'task')}, {many(row['instance_count'], 'instance')}"
        f"{': ' + counts if counts else ''}"
    )
    click.echo(
        f"  bizdates {_span(row['bizdates'])}, check {row['check_status']}, created by {row['created_by']}, "
        f"version {row['version']}"
    )
    times = [
        f"{name.removesuffix('_at')} {row[name]}"
        for name in ("created_at", "started_at", "ended_at")
        if row[name]
    ]
    click.echo(f"  {', '.join(times)}")
    for line in outlook(row):
        click.echo(f"  {line}")
    print_alerts(row["alerts"])
    if with_dates:
        _print_settings(session, backfill_id)
        _print_dates(session, backfill_id)
    if "findings" in more:
        print_findings(more["findings"])
    if row["paused_by"]:
        say(f"It has paused by itself; `retrofill backfill resume {backfill_id}` lets it go on.")
    if row["counts"]["failed"] and row["status"] in ("failed", "stopped", "paused"):
        for line in first_lines(session.project, backfill_id):
            say(f"  {line}")
    if row["status"] == "failed":
        for hint in _hints(backfill_id, row["blocked_by"]):
            say(hint)


def _hints(number: int, blocked_by: Collection[str]) -> Iterator[str]:
    """Where to look for each of the things that hold up a failed backfill."""
    if "failed" in blocked_by:
        yield f"`retrofill instance list --backfill {number} --state failed` lists what failed."
    if "frozen" in blocked_by:
        yield (
            f"`retrofill instance list --backfill {number} --state frozen` lists what is frozen; "
            f"`retrofill backfill unfreeze {number}` lets all of it go on."
        )
    if "isolated" in blocked_by or "loop" in blocked_by:
        yield f"`retrofill backfill analysis {number}` says what can never run."


def _print_settings(session: Session, backfill_id: int) -> None:
    from retrofill.domain.changes import in_words

    with session.project.store.read() as reader:
        record = session.project.access(reader).get_backfill(backfill_id)
    settings = in_words(Policy.from_json(json.loads(record.policy)))
    click.echo("  " + ", ".join(f"{what} {value}" for what, value in settings.items()))


def _print_dates(session: Session, backfill_id: int) -> None:
    from retrofill.cli.progress import bar

    with session.project.store.read() as reader:
        for date in reader.dates(backfill_id):
            failed = f", {date.failed} failed" if date.failed else ""
            frozen = f", {date.frozen} frozen" if date.frozen else ""
            drawn = bar([date]) if sys.stdout.isatty() else ""
            click.echo(
                f"    group {date.group_number}  {date.bizdate}  {drawn}  {date.successful}/{date.total}{failed}{frozen}"
            )
