"""How a backfill is shown: one line of a list, or a few lines of its own."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.printing.alerts import print_alerts
from retrofill.cli.printing.estimates import end_of, outlook, to_seconds
from retrofill.cli.printing.failures import failure_lines
from retrofill.cli.printing.findings import print_findings
from retrofill.cli.session import Session, say, say_json
from retrofill.cli.tables import cell, coloured, state_cell
from retrofill.domain.planning.tallies import kinds_in_words, runs_in_words
from retrofill.domain.running.status import STATUS_WORDS, Status
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import BackfillPage, BackfillRow, DateRow, Finding


def listed(row: BackfillRow) -> dict[str, object]:
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
    more: Mapping[str, Any] | None = None,
    with_dates: bool = False,
) -> None:
    """Print a backfill as it is now.

    Args:
        more: what JSON has besides; findings are printed as text too.
        with_dates: and what it was asked for.
    """
    backfills, more = session.center.backfills, more or {}
    if session.is_text:
        _print_page(backfills.show(backfill_id), more.get("findings"), with_dates)
        return
    row = backfills.show(backfill_id) if with_dates else backfills.row(backfill_id)
    say_json({**row, **more})


def _print_page(page: BackfillPage, findings: Sequence[Finding] | None, with_dates: bool) -> None:
    _print_head(page, with_dates)
    if with_dates:
        from retrofill.cli.printing.requests import in_words

        for line in in_words(page["request"]):
            click.echo(f"  {cell(line)}")
        _print_dates(page["dates"], page["runs_by_bizdate"] or {})
    if findings is not None:
        print_findings(findings)
    if page["paused_by"]:
        say(f"It has paused by itself; `retrofill backfill resume {page['id']}` lets it go on.")
    if page["counts"]["failed"] and page["status"] in ("failed", "stopped", "paused"):
        for line in failure_lines(page["first_failures"], page["counts"]["failed"]):
            say(f"  {line}")
    if page["status"] == "failed":
        for hint in _hints(page["id"], page["blocked_by"]):
            say(hint)


def _print_head(page: BackfillPage, with_kinds: bool) -> None:
    click.echo(f"Backfill {page['id']} {cell(page['name'])}: {coloured(page['status'], _status_words(page))}")
    counted: Mapping[str, object] = page["counts"]
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counted.items() if count)
    click.echo(
        f"  {many(page['task_count'], 'task')}, {many(page['instance_count'], 'instance')}"
        f"{_what_they_do(page, with_kinds)}"
        f"{': ' + counts if counts else ''}"
    )
    click.echo(
        f"  bizdates {_span(page['bizdates'])}, check {page['check_status']}, created by {page['created_by']}, "
        f"version {page['version']}"
    )
    times = {"created": page["created_at"], "started": page["started_at"], "ended": page["ended_at"]}
    click.echo(f"  {', '.join(f'{name} {at}' for name, at in times.items() if at)}")
    for line in outlook(page):
        click.echo(f"  {line}")
    print_alerts(page["alerts"])


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


def _what_they_do(page: BackfillPage, with_kinds: bool) -> str:
    kinds = kinds_in_words(page["kinds"] or {}) if with_kinds else ""
    return f" ({kinds})" if kinds else _of_which(page)


def _print_dates(dates: Sequence[DateRow], runs: Mapping[str, int]) -> None:
    from retrofill.cli.printing.progress import bar

    for date in dates:
        failed = f", {date['failed']} failed" if date["failed"] else ""
        frozen = f", {date['frozen']} frozen" if date["frozen"] else ""
        real = runs.get(date["bizdate"], date["total"])
        idle = "" if real == date["total"] else f", {runs_in_words(real)}"
        drawn = bar([date]) if sys.stdout.isatty() else ""
        done = f"{date['successful']}/{date['total']}"
        click.echo(f"    group {date['group']}  {date['bizdate']}  {drawn}  {done}{failed}{frozen}{idle}")
