"""How a backfill is shown: one line of a list, or a few lines of its own."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.looking import row_of
from retrofill.cli.printing.alerts import print_alerts
from retrofill.cli.printing.estimates import end_of, outlook, to_seconds
from retrofill.cli.printing.failures import first_lines
from retrofill.cli.printing.findings import print_findings
from retrofill.cli.session import Session, say, say_json
from retrofill.cli.tables import cell, coloured, state_cell
from retrofill.domain.planning.tallies import kinds_in_words, runs_in_words
from retrofill.domain.running.status import STATUS_WORDS, Status
from retrofill.domain.words import many
from retrofill.services.instances.stored import analysis_of

if TYPE_CHECKING:
    from retrofill.services.reading.documents import BackfillRow


def listed(row: BackfillRow) -> dict[str, Any]:
    done, dates = row["counts"]["successful"], row["bizdates"]
    return {
        **row,
        "check": row["check_status"],
        "status": state_cell(row["status"], _short_words(row)),
        "progress": f"{done}/{row['instance_count']}{_of_which(row)}",
        "tasks": row["task_count"],
        "bizdates": _span(dates),
        "started_at": to_seconds(row["started_at"]),
        "ended_at": end_of(row),
    }


def _of_which(row: BackfillRow) -> str:
    """How many instances really run, where some do not."""
    runs = row["run_count"]
    return "" if runs in (None, row["instance_count"]) else f" ({runs:,} run{'s' if runs == 1 else ''})"


def _span(dates: Sequence[str]) -> str:
    if len(dates) < 2:
        return dates[0] if dates else "-"
    return f"{min(dates)}..{max(dates)} ({len(dates)})"


def _status_words(row: BackfillRow) -> str:
    words = STATUS_WORDS[Status(row["status"])]
    if row["held"] and row["status"] == Status.RUNNING:
        why = f" ({row['failures']:,} failed)" if row["paused_by"] else ""
        return f"{words}, {row['held']}{why}"  # nothing new starts, and what runs has not ended
    if row["paused_by"]:
        return f"{words} ({row['failures']:,} failed)"  # by itself (POL-14)
    return f"{words} ({', '.join(row['blocked_by'])})" if row["blocked_by"] else words


def _short_words(row: BackfillRow) -> str:
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
    if with_dates:
        more = {**more, **_asked_for(session, backfill_id)}
    if not session.is_text:
        say_json(row | more)
        return
    click.echo(f"Backfill {row['id']} {cell(row['name'])}: {coloured(row['status'], _status_words(row))}")
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in row["counts"].items() if count)
    click.echo(
        f"  {many(row['task_count'], 'task')}, {many(row['instance_count'], 'instance')}"
        f"{_what_they_do(row, more)}"
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
        from retrofill.services.backfills.asked_for import in_words

        for line in in_words(more["request"]):
            click.echo(f"  {cell(line)}")
        _print_dates(session, backfill_id, more["runs_by_bizdate"] or {})
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


def _asked_for(session: Session, backfill_id: int) -> dict[str, Any]:
    """Everything that it was asked for, and what its instances do (BF-2, VER-1)."""
    from retrofill.services.backfills.asked_for import request_row

    with session.project.store.read() as reader:
        access = session.project.access(reader)
        record = access.get_backfill(backfill_id)
        listed = access.listed_tasks(record)
        request = request_row(
            record, lambda task: listed is None or task in listed or access.sees(task), access.sees
        )
    analysis = analysis_of(record)
    return {name: analysis.get(name) for name in ("kinds", "runs_by_bizdate")} | {"request": request}


def _what_they_do(row: BackfillRow, more: dict[str, Any]) -> str:
    kinds = kinds_in_words(more.get("kinds") or {})
    return f" ({kinds})" if kinds else _of_which(row)


def _print_dates(session: Session, backfill_id: int, runs: Mapping[str, int]) -> None:
    from retrofill.cli.printing.progress import bar

    with session.project.store.read() as reader:
        for date in reader.dates(backfill_id):
            failed = f", {date.failed} failed" if date.failed else ""
            frozen = f", {date.frozen} frozen" if date.frozen else ""
            real = runs.get(date.bizdate, date.total)
            idle = "" if real == date.total else f", {runs_in_words(real)}"
            drawn = bar([date]) if sys.stdout.isatty() else ""
            click.echo(
                f"    group {date.group_number}  {date.bizdate}  {drawn}  {date.successful}/{date.total}{failed}{frozen}{idle}"
            )
