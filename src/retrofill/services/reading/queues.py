"""Who holds the slots of resource groups, and who waits for them in which order (RUN-1)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from retrofill.domain.running.filters import BackfillFilter
from retrofill.domain.running.occupancy import in_use
from retrofill.domain.time.milliseconds import instant_of, shown_instant
from retrofill.services.ports.start_filter import StartFilter
from retrofill.services.reading.holding import held_slots
from retrofill.services.reading.hosts import host_row
from retrofill.services.reading.instances import InstanceReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retrofill.domain.catalog.definitions import ResourceGroup
    from retrofill.domain.running.occupancy import Span
    from retrofill.services.ports.records import BackfillRecord, InstanceRecord, RunRecord
    from retrofill.services.reading.documents import GroupRow, GroupUse, InstanceRow, Queue
    from retrofill.services.reading.known_hosts import KnownHost, KnownHosts
    from retrofill.services.reading.view import View

_HOUR_MS = 60 * 60 * 1000
_STEPS = 96
_MOST_RUNS = 20_000  # that are read for one picture
_MOST_BACKFILLS = 200
_REACH = timedelta(days=3)  # before which no bizdate lies whose night may run in these hours


def counts(view: View) -> dict[tuple[str, str], int]:
    """How many instances run, and wait for resources, by resource group and state."""
    found = view.reader.queues(view.held_backfills, auto=not view.schedule_is_held)
    return {(group, state): count for group, state, count in found}


def offered(view: View) -> Counter[str]:
    """How many instances no host has claimed yet, by resource group."""
    ids = [run.instance_id for run in view.reader.hosting.waiting()]
    return Counter(row.resource_group for row in view.reader.instances(ids))


def group_row(
    group: ResourceGroup,
    counted: dict[tuple[str, str], int],
    seen: Iterable[str] | None,
    waits: int = 0,
    serving: Sequence[KnownHost] = (),
) -> GroupRow:
    """A resource group in a list.

    Args:
        seen: of the workspaces that it is bound to, those that may be named; None where it is bound to none.
        waits: how many of its instances no host has claimed yet.
        serving: the hosts that take its instances.
    """
    return {
        "resource_group": group.name,
        "type": group.type,
        "slots": group.slots,
        "running": counted.get((group.name, "running"), 0),
        "waiting": counted.get((group.name, "waiting_resources"), 0),
        "reserved_for_auto": group.reserved_for_auto,
        "workspaces": None if seen is None else sorted(seen),
        "executor": group.executor,
        "offered": waits,
        "hosts": None if group.is_local else sum(host.presence.is_heard for host in serving),
    }


def queue_of(
    view: View | None, hosts: KnownHosts | None, group: ResourceGroup, limit: int, bound: Iterable[str] | None
) -> Queue:
    """What runs in a group and what only lacks a slot of it, first to start first.

    Limits of tasks and auto triggered instances that go first may let one further back start
    earlier; `why` of an instance tells.

    Args:
        view, hosts: None where nothing is deployed, and so nothing runs or waits.
        limit: of the queue.
        bound: of the workspaces that it is bound to, those that may be named; None where it is bound to none.
    """
    running, waiting = ([], []) if view is None else _rows(view, group.name, limit)
    held = [] if view is None else [pair for pair in running if view.access.sees_instance(pair[0])]
    queue = [] if view is None else _seen(view, waiting)
    row = group_row(group, {} if view is None else counts(view), bound)
    return {
        "resource_group": group.name,
        "type": group.type,
        "slots": group.slots,
        "reserved_for_auto": group.reserved_for_auto,
        "workspaces": row["workspaces"],
        "held": len(running),
        "waiting": row["waiting"],
        "running": [] if view is None or hosts is None else held_slots(view, hosts, held),
        "queue": queue,
        "hidden": len(running) + len(waiting) - len(held) - len(queue),
        "executor": group.executor,
        "offered": sum(run.is_offered for _, run in running),
        "hosts": [] if hosts is None or group.is_local else [*map(host_row, hosts.serving(group.name))],
    }


def _rows(
    view: View, group: str, limit: int
) -> tuple[list[tuple[InstanceRecord, RunRecord]], list[InstanceRecord]]:
    wanted = StartFilter(held=view.held_backfills, auto=not view.schedule_is_held)
    running = [pair for pair in view.reader.running() if pair[0].resource_group == group]
    return running, list(view.reader.candidates(group, wanted, limit))


def _seen(view: View, rows: Iterable[InstanceRecord]) -> list[InstanceRow]:
    reader = InstanceReader(view)
    return [reader.row(row) for row in rows if view.access.sees_instance(row)]


def use_of(view: View | None, group: ResourceGroup, hours: int, now_ms: int) -> GroupUse:
    """How many slots of a group were in use over the last hours.

    Args:
        view: None where nothing is deployed, and so nothing ran.
    """
    since_ms = now_ms - hours * _HOUR_MS
    auto, backfills, complete = ([], [], True) if view is None else _spans(view, group.name, since_ms)
    return {
        "resource_group": group.name,
        "slots": group.slots,
        "reserved_for_auto": group.reserved_for_auto,
        "since": shown_instant(since_ms),
        "step_seconds": (now_ms - since_ms) / 1000 / _STEPS,
        "schedule": in_use(auto, since_ms, now_ms, _STEPS),
        "backfills": in_use(backfills, since_ms, now_ms, _STEPS),
        "complete": complete,
    }


def _spans(view: View, group: str, since_ms: int) -> tuple[list[Span], list[Span], bool]:
    """Runs of the schedule and of backfills, and whether these are all."""
    reader, left = view.reader, _MOST_RUNS
    first = (instant_of(since_ms) - _REACH).date().isoformat()
    auto: list[Span] = []
    for one in reader.generations.between(first, "9999-12-31"):
        auto += reader.spans(
            group, one.first_instance_id, one.first_instance_id + one.stride - 1, since_ms, left
        )
    left -= len(auto)
    found: list[Span] = []
    for record in _lately(view, since_ms):
        if left <= 0:
            return auto, found, False
        last_id = record.first_instance_id + record.stride * len(reader.dates(record.id)) - 1
        spans = reader.spans(group, record.first_instance_id, last_id, since_ms, left)
        left -= len(spans)
        found += spans
    return auto, found, left > 0


def _lately(view: View, since_ms: int) -> list[BackfillRecord]:
    """Backfills of which something may have run since then, newest first."""
    records = view.reader.backfills(BackfillFilter(phase="active"), limit=_MOST_BACKFILLS)
    return [one for one in records if one.started_ms and (one.ended_ms is None or one.ended_ms > since_ms)]
