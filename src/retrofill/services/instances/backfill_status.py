"""A backfill's status from what the ledger holds, and the moment at which it ended (BF-5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.alerts import Event
from retrofill.domain.running.status import ENDED, Progress, Status, status_of
from retrofill.domain.running.steering import BackfillSituation, situation_of
from retrofill.services.instances.alert_queue import tell
from retrofill.services.instances.holds import HeldBackfills
from retrofill.services.instances.stored import analysis_of, told_of
from retrofill.services.ports.records import BackfillRecord

if TYPE_CHECKING:
    from retrofill.services.ports import Ledger, Reader


class Counted(NamedTuple):
    """The instances of a backfill by state: what `progress` and `waiting` say."""

    ended_or_running: tuple[int, int, int, int, int]
    waiting: tuple[int, int]


def status(
    reader: Reader,
    record: BackfillRecord,
    window_is_closed: bool,
    counted: Counted | None = None,
) -> tuple[Status, tuple[str, ...]]:
    """Status and `blocked_by` of a visible backfill.

    Args:
        counted: its instances, where who asks has counted them in this view.
    """
    total, successful, failed, running, frozen = (
        reader.progress(record.id) if counted is None else counted.ended_or_running
    )
    for_resources, for_time = reader.has_waiting(record.id) if counted is None else map(bool, counted.waiting)
    progress = Progress(
        total=total,
        successful=successful,
        failed=failed,
        running=running,
        frozen=frozen,
        is_waiting_for_resources=for_resources,
        is_waiting_for_time=for_time,
        is_paused=bool(record.paused),
        is_stopped=bool(record.stopped),
        check_failed=record.phase == "refused",
        is_planned=record.phase in ("checking", "planned", "creating"),
        window_is_closed=window_is_closed,
    )
    found, blocked_by = status_of(progress)
    if found is Status.PAUSED and record.paused_by:
        # It has paused by itself, and nothing of it could go on after that: so it has ended (POL-14).
        unpaused = replace(progress, is_paused=False)
        if status_of(unpaused)[0] is Status.FAILED:
            progress = unpaused
            found, blocked_by = status_of(progress)
    if found is Status.FAILED and _has_isolated(reader, record):
        return status_of(replace(progress, has_isolated=True))
    return found, blocked_by


def standing(reader: Reader, record: BackfillRecord, window_is_closed: bool) -> BackfillSituation:
    """Where a visible backfill stands for those who steer it (BF-3)."""
    found, _ = status(reader, record, window_is_closed)
    return situation_of(found, record.phase, bool(record.paused), bool(record.stopped))


def _has_isolated(reader: Reader, record: BackfillRecord) -> bool:
    if '"isolated"' not in record.analysis:
        return False  # without opening a long text
    findings = analysis_of(record).get("findings", [])
    if not any(finding["code"] == "isolated" for finding in findings):
        return False
    last = record.first_instance_id + record.stride * len(reader.dates(record.id)) - 1
    return reader.has_isolated(record.first_instance_id, last)


def note_end(
    tx: Ledger, record: BackfillRecord, now_ms: int, holds: HeldBackfills, is_reopened: bool = False
) -> bool:
    """Set or clear `ended_ms` as the status asks, and queue alerts; whether the backfill has just ended.

    A pause or a stop ends with the last success: else it would hold back a rerun long after. So does a
    pause by itself with the last failure.

    Args:
        is_reopened: a person has let it go on, so that an end that it still has is one of now (BF-5).
    """
    found, _ = status(tx, record, record.id in holds.window_closed)
    has_ended = found in ENDED
    is_over = found is Status.SUCCEEDED or (found is Status.FAILED and record.paused_by is not None)
    if is_over and (record.paused or record.stopped):
        tx.set_backfill(record.id, paused=0, stopped=0, paused_by=None)
    is_new = has_ended != (record.ended_ms is not None)
    if is_new or (has_ended and is_reopened):
        tx.set_backfill(record.id, ended_ms=now_ms if has_ended else None)
    is_idle = has_ended or found is Status.PAUSED
    _note_idleness(tx, record, is_idle, has_just_ended=is_new or is_reopened, now_ms=now_ms)
    # A failed one whose last failure is set successful has never left its end, and yet is told.
    if found is Status.SUCCEEDED:
        tell(tx, record.id, told_of(record), Event.SUCCESS, now_ms)
    elif has_ended and is_new:
        tell(tx, record.id, told_of(record), Event.FAILURE, now_ms)
    elif is_new:
        tx.outbox.new_round(record.id)
    return has_ended and is_new


def _note_idleness(
    tx: Ledger, record: BackfillRecord, is_idle: bool, has_just_ended: bool, now_ms: int
) -> None:
    """Keep how long nothing of it could go on before somebody stepped in (BF-2).

    What passes after an end belongs to nobody until it goes on again; a pause that ends with the
    backfill has passed before its end.
    """
    since = record.idle_since_ms
    if since is not None and (has_just_ended or not is_idle):
        tx.set_backfill(record.id, idle_ms=record.idle_ms + max(now_ms - since, 0))
    if is_idle != (since is not None) or (is_idle and has_just_ended):
        tx.set_backfill(record.id, idle_since_ms=now_ms if is_idle else None)


def took_seconds(record: BackfillRecord) -> float | None:
    """From its first start to its end, without the time in which nothing could go on until somebody stepped in."""
    if record.started_ms is None or record.ended_ms is None:
        return None
    return max(record.ended_ms - record.started_ms - record.idle_ms, 0) / 1000
