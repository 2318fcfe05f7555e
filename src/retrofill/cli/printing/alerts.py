"""Alerts on the command line: what keeps them from being sent, what became of them (POL-9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from retrofill.cli.session import say
from retrofill.cli.tables import cell
from retrofill.domain.alerts import AlertState
from retrofill.domain.texts import Text
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.cli.session import Session
    from retrofill.services.reading.documents import Alert as AlertRow
    from retrofill.services.reading.documents import AlertObstacle

_PATIENCE_SECONDS = 15.0


def say_obstacles(obstacles: Sequence[AlertObstacle]) -> None:
    """Say at once where an alert that is asked for could not be sent as things are."""
    for one in obstacles:
        say(Text("As it is, the alert by {method} will not be sent: {reason}.", **one))


def deliver_before_leaving(session: Session, backfill_id: int) -> None:
    """Send what the backfill has queued, unless another scheduler does; say what is left to the next one."""
    if not _left(session, backfill_id):
        return
    fault = session.engine.deliver(_PATIENCE_SECONDS)
    if fault is None:
        return
    for row in _left(session, backfill_id):
        why = cell(row["reason"] or fault)
        say(f"The alert by {row['method']} is not sent yet ({why}); the next scheduler goes on trying.")


def _left(session: Session, backfill_id: int) -> list[AlertRow]:
    rows = session.center.backfills.alerts(backfill_id)
    return [row for row in rows if row["next_try_at"] is not None]


def print_alerts(rows: Sequence[AlertRow]) -> None:
    """One line for each message of a backfill."""
    for row in rows:
        click.echo(f"  alert of {row['event']} by {row['method']}: {_progress(row)}")


def _progress(row: AlertRow) -> str:
    if row["state"] == AlertState.SENT:
        return f"sent {row['sent_at']}"
    if row["state"] == AlertState.UNDELIVERABLE:
        return f"cannot be sent: {cell(row['reason'])}"
    if row["state"] == AlertState.GIVEN_UP:
        return f"given up, tried {many(row['tries'], 'time')}: {cell(row['reason'])}"
    if row["state"] == AlertState.SENDING:
        return "is being sent"
    if not row["tries"]:
        return "waits for a scheduler to send it"
    return f"tried {many(row['tries'], 'time')}, again at {row['next_try_at']}: {cell(row['reason'])}"
