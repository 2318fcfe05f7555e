"""Why is it not running? One sentence that names the binding constraint (OPS-9).

The conditions are asked in the order in which an instance meets them on its way to a slot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrofill.domain.findings import many
from retrofill.domain.states import Reason, State
from retrofill.services.contexts import BackfillContext, Contexts
from retrofill.services.holds import holds_of
from retrofill.services.records import BackfillRecord, InstanceRecord
from retrofill.services.times import instant_of, scheduled_at

if TYPE_CHECKING:
    from retrofill.services.ports import Reader

_NAMED = 3  # blockers named in a sentence; all of them are listed


@dataclass(frozen=True, slots=True)
class Why:
    """The sentence, and what it is about."""

    text: str
    blockers: tuple[dict[str, object], ...] = field(default=())


_FAILURES = {
    Reason.STOPPED: "Somebody stopped it",
    Reason.TIMEOUT: "It ran longer than its timeout",
    Reason.LOST: "Its supervisor was killed, so it is not known whether its work was done",
    Reason.NOT_STARTED: "It could not be started",
    Reason.SIBLING_FAILED: "Another instance of the same task and bizdate failed before this one started",
}


def why(reader: Reader, contexts: Contexts, row: InstanceRecord, now_ms: int, has_scheduler: bool) -> Why:
    """Explain the state of an instance of a backfill."""
    assert row.backfill_id is not None
    record = reader.find_backfill(row.backfill_id)
    assert record is not None
    context = contexts.get(reader, row.backfill_id)
    if row.state == State.RUNNING:
        suffix = " and is being stopped" if row.reason == Reason.STOPPING else ""
        return Why(f"It is running (run {row.run_number}){suffix}.")
    if row.state == State.SUCCESSFUL:
        return Why(_succeeded(row))
    if row.state == State.FAILED:
        return _failed(reader, context, row)
    if row.state == State.FROZEN:
        return Why(f"It is frozen; `retrofill instance unfreeze {row.id}` lets it go on.")
    return _waiting(reader, contexts, record, row, now_ms, has_scheduler)


def _succeeded(row: InstanceRecord) -> str:
    how = {
        Reason.DRY_RUN.value: "It succeeded as a dry run, without running its code.",
        Reason.OFF_DAY.value: "It succeeded without running: its schedule leaves this date out.",
        Reason.SET_SUCCESSFUL.value: "Somebody set it successful.",
    }
    return how.get(row.reason or "", "It has succeeded.")


def _failed(reader: Reader, context: BackfillContext, row: InstanceRecord) -> Why:
    if row.reason == Reason.SIBLING_FAILED:
        own = [
            sibling
            for sibling in reader.instances(context.siblings(row.id))
            if sibling.state == State.FAILED and sibling.reason != Reason.SIBLING_FAILED
        ]
        names = ", ".join(_name(context, s) for s in own[:_NAMED]) or "none is left"
        return Why(f"{_FAILURES[Reason.SIBLING_FAILED]}: {names}.", tuple(_blocker(context, s) for s in own))
    runs = reader.runs(row.id)
    message = runs[-1].message if runs else None
    start = _FAILURES.get(Reason(row.reason), "Its code failed") if row.reason else "It failed"
    rerun = f"`retrofill instance log {row.id}` shows what it printed, `retrofill instance rerun {row.id}` runs it again"
    return Why(f"{start}{f': {message}' if message else ''}; {rerun}.")


def _waiting(
    reader: Reader,
    contexts: Contexts,
    record: BackfillRecord,
    row: InstanceRecord,
    now_ms: int,
    has_scheduler: bool,
) -> Why:
    context = contexts.get(reader, record.id)
    if record.stopped:
        return Why(f"Backfill {record.id} is stopped; `retrofill backfill resume {record.id}` lets it go on.")
    if record.paused:
        return Why(f"Backfill {record.id} is paused; `retrofill backfill resume {record.id}` lets it go on.")
    if row.state == State.NOT_RUN:
        found = _not_ready(reader, context, row)
        if found is not None:
            return found
    holds = holds_of([record], instant_of(now_ms))
    if row.state == State.WAITING_TIME:
        return Why(_time(row))
    if record.id in holds.closed and row.resource_group:
        opens = instant_of(holds.next_ms or now_ms)
        return Why(
            f"The execution window of backfill {record.id} is closed; it opens at {opens:%Y-%m-%d %H:%M} UTC."
        )
    if not has_scheduler:
        return Why(
            f"Nothing hinders it but that no scheduler runs: `retrofill backfill wait {record.id}` runs one "
            "until the backfill has ended."
        )
    return _resources(reader, contexts, context, row)


def _not_ready(reader: Reader, context: BackfillContext, row: InstanceRecord) -> Why | None:
    if row.reason == Reason.ISOLATED:
        missing = ", ".join(context.isolated_from(row.id))
        return Why(
            f"It is isolated: every instance of {missing} that it waits for was left out of the backfill, "
            "so it can never run."
        )
    if row.ignores_waits:
        return None
    position = context.position(row.id)
    if not context.has_reached(reader, row.id):
        return _earlier_date(reader, context, position)
    waits = reader.instances(context.upstream(row.id))
    open_waits = [up for up in waits if up.state != State.SUCCESSFUL]
    if not open_waits:
        return None
    # What failed or stands still explains more than what merely has not had its turn.
    open_waits.sort(key=lambda up: (_WEIGHT.get(up.state, 9), up.id))
    named = ", ".join(f"{_name(context, up)} ({State(up.state).words})" for up in open_waits[:_NAMED])
    more = f" and {len(open_waits) - _NAMED} more" if len(open_waits) > _NAMED else ""
    return Why(f"It waits for {named}{more}.", tuple(_blocker(context, up) for up in open_waits))


_WEIGHT: dict[str, int] = {
    State.FAILED: 0,
    State.FROZEN: 1,
    State.RUNNING: 2,
    State.WAITING_RESOURCES: 3,
    State.WAITING_TIME: 4,
}


def _earlier_date(reader: Reader, context: BackfillContext, position: int) -> Why:
    """Name the date that the group stands at, and what holds it up."""
    dates = reader.dates(context.backfill_id)
    earlier = context.plan.previous_in_group(position)
    while earlier is not None and not dates[earlier].reached:
        earlier = context.plan.previous_in_group(earlier)
    if earlier is None:
        return Why("Its group of bizdates has not started.")
    date = dates[earlier]
    ids = context.ids_of_date(earlier)
    stuck = list(
        reader.instance_range(ids.start, ids.stop - 1, ["state IN ('failed', 'frozen')"], limit=_NAMED)
    )
    left = date.total - date.successful
    of_all = f"{left:,} of {many(date.total, 'instance')} {'has' if left == 1 else 'have'} not succeeded"
    text = f"Group {date.group_number} is at bizdate {date.bizdate}, where {of_all}"
    if stuck:
        text += ": " + ", ".join(f"{_name(context, s)} ({State(s.state).words})" for s in stuck)
    return Why(f"{text}.", tuple(_blocker(context, s) for s in stuck))


def _time(row: InstanceRecord) -> str:
    at = f"{instant_of(row.start_ms):%Y-%m-%d %H:%M:%S} UTC"
    if row.reason == Reason.RERUN_INTERVAL:
        return f"Run {row.run_number - 1} failed; run {row.run_number} starts by itself at {at}."
    return f"It waits for its time, {at}."


def _resources(reader: Reader, contexts: Contexts, context: BackfillContext, row: InstanceRecord) -> Why:
    running = [other for other, _ in reader.running()]
    own = [other for other in running if other.task_id == row.task_id]
    most = context.task(row.id).max_parallel_instances
    if most is not None and len(own) >= most:
        return Why(
            f"Its task runs at most {many(most, 'instance')} at a time (max_parallel_instances); now {_ids(own)}.",
            tuple({"id": other.id, "state": other.state} for other in own),
        )
    taken = [other for other in running if other.resource_group == row.resource_group]
    current = contexts.current(reader)
    group = current.resource_groups.get(row.resource_group) if current is not None else None
    if group is None:
        return Why(
            f"The resource group {row.resource_group} is gone from the project; declare it again and deploy."
        )
    slots = group.slots
    if len(taken) < slots:
        return Why(f"It is about to start in resource group {row.resource_group}.")
    which = "The only slot" if slots == 1 else f"All {slots} slots"
    verb = "is" if slots == 1 else "are"
    return Why(
        f"{which} of resource group {row.resource_group} {verb} taken, by {_ids(taken)}.",
        tuple({"id": other.id, "state": other.state} for other in taken),
    )


def _ids(rows: list[InstanceRecord]) -> str:
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return ", ".join(f"instance {row.id}" for row in rows[:_NAMED]) + more


def _name(context: BackfillContext, row: InstanceRecord) -> str:
    return f"{context.task(row.id).name} {scheduled_at(row):%Y-%m-%d %H:%M}"


def _blocker(context: BackfillContext, row: InstanceRecord) -> dict[str, object]:
    return {
        "id": row.id,
        "task": context.task(row.id).name,
        "scheduled_at": scheduled_at(row).isoformat(),
        "state": row.state,
        "reason": row.reason,
    }
