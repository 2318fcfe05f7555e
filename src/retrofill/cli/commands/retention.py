"""`retrofill retention ...`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from retrofill.cli.grammar import Group
from retrofill.cli.session import Session, pass_session, say
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import RetentionReport


@click.group(cls=Group)
def retention() -> None:
    """What is let go of by age and size: backfills, instances, logs."""


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@pass_session
def run(session: Session, dry_run: bool) -> None:
    """Remove what is older than the settings allow; a scheduler does it daily by itself.

    The settings are retention_days, log_days and auto_log_cap.
    """
    document = session.center.upkeep.remove_old(dry_run)
    session.document(document, lambda: _print(document, "would go" if dry_run else "removed"))


def _print(report: RetentionReport, done: str) -> None:
    lines = [
        (report["backfills"], "backfill", ""),
        (
            report["instances"],
            "instance",
            f" with {many(report['runs'], 'run')} and {many(report['operations'], 'record')} of operations",
        ),
        (report["logs"], "log", f", {_size(report['log_bytes'])}"),
        (report["unknown_files"], "file", f" of unknown runs, {_size(report['unknown_bytes'])}"),
        (report["journals"], "journal", ""),
        (report["drafts"], "draft", " of forms"),
        (report["code_folders"], "folder", " of included files that no run needs"),
        (report["cut_logs"], "log", f" of which the middle was cut, {_size(report['cut_bytes'])}"),
    ]
    if not any(count for count, *_ in lines):
        say("Nothing is old or large enough to go.")
        return
    click.echo(f"{done}:")
    for count, noun, more in lines:
        if count:
            click.echo(f"  {many(count, noun)}{more}")


def _size(count: int) -> str:
    return f"{count} bytes" if count < 10_000 else f"{count / 1e6:.1f} MB"


COMMANDS: dict[str, click.Command] = {"retention": retention}
