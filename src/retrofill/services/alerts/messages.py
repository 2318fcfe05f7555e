"""What alerts say: title and body of a message about a backfill, and of a test message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from retrofill.domain.alerts import Event
from retrofill.domain.errors import shown
from retrofill.domain.running.filters import FAILED_BY_THEMSELVES
from retrofill.domain.running.states import Reason, State
from retrofill.domain.running.status import STATUS_WORDS, Status
from retrofill.domain.texts import Step, Text
from retrofill.domain.words import many
from retrofill.services.ports.notifying import Message
from retrofill.services.ports.records import AlertRecord, BackfillRecord, InstanceRecord

if TYPE_CHECKING:
    from retrofill.services.people.access import Access
    from retrofill.services.ports import Reader
    from retrofill.services.reading.documents import BackfillRow

Command = Callable[[Step], str]

_MOST_FAILURES = 5
_LONGEST_NAME = 60  # in one sentence


def about_clock(trouble: Text, project: str, command: Command) -> Message:
    """For system administrators: the clock of the scheduler's machine is not believed (TIME-8)."""
    told = trouble.with_commands(command)
    return Message(f"[{project}] The clock is doubted", f"{told}\n", f"{project}: {told}")


def about_backfill(
    reader: Reader,
    access: Access,
    record: BackfillRecord,
    alert: AlertRecord,
    row: BackfillRow,
    project: str,
    command: Command,
) -> Message:
    """The backfill as it is when the message is sent, however long that took.

    Args:
        access: what whoever gets the message may see (SEC-2).
        row: the backfill's row as its creator sees it.
        project: what the deployment calls itself.
        command: a step in the words of the message.
    """
    failures = [_failure(reader, failed) for failed in failed_first(reader, access, record, alert)]
    name = shown(access.shown_name(record))
    named = f'Backfill {record.id} "{name}"'
    what = _what(alert, row, failures)
    lines = ["", *_facts(row), *_failure_lines(failures, command), "", *_how_to_go_on(row, command)]
    body = "\n".join([f"{named}{what}.", *lines])
    short_name = name[:_LONGEST_NAME]
    counted = f"{row['counts']['successful']} of {many(row['instance_count'], 'instance')} successful"
    short = f'{project}: backfill {record.id} "{short_name}"{what}. {counted}.'
    return Message(f"[{project}] {named}{what}", body, short)


def test_message(project: str, user: str) -> Message:
    """What shows somebody that alerts arrive."""
    sentence = f"This is a test message of Retrofill for {user}: alerts about backfills reach you here."
    return Message(f"[{project}] Test message", sentence, f"{project}: {sentence}")


def _what(alert: AlertRecord, row: BackfillRow, failures: list[tuple[str, str, int]]) -> str:
    """How it stands, as the end of a sentence that begins with the backfill."""
    status = Status(row["status"])
    if row["check_status"] == "failed":
        return " failed its verification and does not run"
    if status is Status.SUCCEEDED and alert.event == Event.SUCCESS:
        return " succeeded"
    if status is Status.STOPPED:
        return " was stopped"
    if alert.event == Event.PAUSED:
        now = "" if row["paused_by"] else f" (now: {STATUS_WORDS[status].lower()})"
        return f" has paused by itself, because too many instances failed{now}"
    if status is Status.FAILED:
        return f" cannot go on: {', '.join(row['blocked_by'])}" if not failures else " failed"
    if failures and failures[0][2] == alert.instance_id:
        return f": {failures[0][0]} failed"
    if alert.event == Event.FAILURE:
        return f" had a failure (now: {STATUS_WORDS[status].lower()})"
    return f" had succeeded (now: {STATUS_WORDS[status].lower()})"


def _facts(row: BackfillRow) -> Iterator[str]:
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in row["counts"].items() if count)
    dates = row["bizdates"]
    blocked = f" ({', '.join(row['blocked_by'])})" if row["blocked_by"] else ""
    yield f"Status     {STATUS_WORDS[Status(row['status'])]}{blocked}"
    if dates:
        span = dates[0] if len(dates) == 1 else f"{min(dates)} to {max(dates)} ({len(dates)})"
        yield f"Bizdates   {span}"
    yield f"Instances  {row['instance_count']}{': ' + counts if counts else ''}"
    for name, at in (("started", row["started_at"]), ("ended", row["ended_at"])):
        if at:
            yield f"{name.capitalize():<10} {at}"


def failed_first(
    reader: Reader, access: Access, record: BackfillRecord, alert: AlertRecord
) -> list[InstanceRecord]:
    """Instances that are Failed for a reason of their own: the first one if it still is, then by id."""
    last = record.first_instance_id + record.stride * len(reader.dates(record.id)) - 1
    failed = reader.instance_range(record.first_instance_id, last, FAILED_BY_THEMSELVES)
    rows = list(islice(filter(access.sees_instance, failed), _MOST_FAILURES))
    first = reader.find_instance(alert.instance_id) if alert.instance_id is not None else None
    if first is None or first.state != State.FAILED or not access.sees_instance(first):
        return rows
    return [first, *(row for row in rows if row.id != first.id)][:_MOST_FAILURES]


def _failure(reader: Reader, row: InstanceRecord) -> tuple[str, str, int]:
    """The instance in words, why it failed, and its id."""
    why = (row.reason or "").replace("_", " ")
    if row.reason == Reason.EXIT_CODE:
        runs = [run for run in reader.runs(row.id) if run.number == row.run_number]
        codes = [run.exit_code for run in runs if run.exit_code is not None]
        told = [run.message for run in runs if run.message]
        # A run that a signal has ended has no exit code.
        why = f"exit code {codes[0]}" if codes else (told or ["exit code not 0"])[0]
    task = reader.task_name(row.task_id) or f"task {row.task_id}"
    return f"{task} of {row.bizdate} {row.scheduled_at:%H:%M}", why, row.id


def _failure_lines(failures: list[tuple[str, str, int]], command: Command) -> Iterator[str]:
    if failures:
        yield ""
        yield "Failed:"
    for what, why, instance_id in failures:
        yield f"  {what}: {why}"
        yield f"    {command(Step('instance.log', id=instance_id))}"


def _how_to_go_on(row: BackfillRow, command: Command) -> Iterator[str]:
    number = row["id"]
    yield "To look further:"
    yield f"  {command(Step('backfill.show', id=number))}"
    if row["check_status"] == "failed":
        yield f"  {command(Step('backfill.analysis', id=number))}"
    if row["paused_by"]:
        yield "To let it go on:"
        yield f"  {command(Step('backfill.resume', id=number))}"
    if row["counts"]["failed"]:
        yield f"  {command(Step('instance.list', backfill=number, state='failed'))}"
        yield "To run again what failed:"
        yield f"  {command(Step('backfill.rerun', id=number, failed=True))}"
