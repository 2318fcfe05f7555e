"""What the end of a backfill hangs on: from the run that ends last back to what it waited for, and so on to the first.

What has run counts as it ran, what is still to come as it would run by the forecast. What passed without running, and
what the asker may not see, is gone through without being named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.time.milliseconds import shown_instant

if TYPE_CHECKING:
    from retrofill.services.instances.backfill_graph import BackfillGraph
    from retrofill.services.ports.records import BackfillRecord, DateRecord
    from retrofill.services.reading.documents import CriticalPath, PathLink
    from retrofill.services.reading.view import View

_MOST = 500  # links
_SLACK_MS = 100  # a tick sees the end of a run a little after those that it starts count from


class Stretch(NamedTuple):
    """When an instance runs: its last run, or the one that is expected; of one that runs, until now at least."""

    start_ms: int
    end_ms: int
    is_expected: bool = False


def critical_path(view: View, record: BackfillRecord) -> CriticalPath | None:
    """The document; None where nothing has run and nothing can."""
    if record.phase != "active":
        return None
    view.graphs.follow([record])  # somebody may have changed its groups since the last look
    context, dates = view.graphs.get(view.reader, record.id), view.reader.dates(record.id)
    stretches = _ran(view, record, len(dates))
    for number, one in _to_come(view, record).items():
        known = stretches.get(number)
        runs = known is not None and known.is_expected
        stretches[number] = one._replace(start_ms=known.start_ms) if known and runs else one
    if not stretches:
        return None
    last = max(stretches, key=lambda number: (stretches[number].end_ms, number))
    before = _turns(context, dates, stretches)
    path = list(path_to(last, stretches, context.upstream, before))[::-1]
    began_ms = min(one.start_ms for one in stretches.values())
    run_ms = sum(stretches[number].end_ms - stretches[number].start_ms for number in path)
    whole_ms = stretches[last].end_ms - began_ms
    return {
        "id": record.id,
        "end_at": shown_instant(stretches[last].end_ms),
        "is_expected": any(stretches[number].is_expected for number in path),
        "run_seconds": run_ms / 1000,
        "wait_seconds": max(whole_ms - run_ms, 0) / 1000,
        "links": list(_links(view, context, path, stretches, began_ms)),
    }


def path_to(
    last: int,
    stretches: Mapping[int, Stretch],
    upstream: Callable[[int], Iterable[int]],
    before: Callable[[int], Iterable[int]],
) -> Iterator[int]:
    """From an instance back to the first: each time the one that ended last of those that had to end before.

    Args:
        upstream: what an instance waits for; what has no stretch of its own is gone through.
        before: what had to end before the turn of its date came.
    """
    here: int | None = last
    for _ in range(_MOST):
        if here is None:
            return
        yield here
        until = stretches[here].start_ms + _SLACK_MS
        found = [
            number
            for number in (*_above(here, stretches, upstream), *before(here))
            if number != here and stretches[number].end_ms <= until
        ]
        here = max(found, key=lambda number: (stretches[number].end_ms, number), default=None)


def _above(
    number: int, stretches: Mapping[int, Stretch], upstream: Callable[[int], Iterable[int]]
) -> Iterator[int]:
    """The nearest above it that run, through those that pass without running."""
    seen, left = {number}, [*upstream(number)]
    while left:
        one = left.pop()
        if one in seen:
            continue
        seen.add(one)
        if one in stretches:
            yield one
        else:
            left += upstream(one)


def _ran(view: View, record: BackfillRecord, date_count: int) -> dict[int, Stretch]:
    """By instance, its last run: those of earlier tries are followed by others."""
    first = record.first_instance_id
    runs = view.reader.runs_between(first, first + record.stride * date_count - 1)
    return {
        run.instance_id: Stretch(
            run.started_ms, run.ended_ms or max(view.now_ms, run.started_ms), is_expected=run.ended_ms is None
        )
        for run in runs
    }


def _to_come(view: View, record: BackfillRecord) -> dict[int, Stretch]:
    if record.paused or record.stopped or record.ended_ms is not None:
        return {}
    from retrofill.services.backfills.estimates import estimate_left

    found = estimate_left(view.reader, view.graphs, record, view.now_ms)
    return {
        record.first_instance_id + offset: Stretch(start_ms, end_ms, is_expected=True)
        for offset, start_ms, end_ms in found.runs
    }


def _turns(
    context: BackfillGraph, dates: Iterable[DateRecord], stretches: Mapping[int, Stretch]
) -> Callable[[int], Iterable[int]]:
    """What ended last on the bizdate before, of the same group: with that the turn of the next one comes (POL-6)."""
    last_of: dict[int, int] = {}
    for number, one in stretches.items():
        position = context.position(number)
        if position not in last_of or one.end_ms > stretches[last_of[position]].end_ms:
            last_of[position] = number
    previous: dict[int, int] = {}
    at: dict[int, int] = {}
    for date in sorted(dates, key=lambda date: date.position):
        if date.group_number in at:
            previous[date.position] = at[date.group_number]
        at[date.group_number] = date.position

    def before(number: int) -> Iterator[int]:
        position = previous.get(context.position(number))
        if position is not None and position in last_of:
            yield last_of[position]

    return before


def _links(
    view: View, context: BackfillGraph, path: list[int], stretches: Mapping[int, Stretch], began_ms: int
) -> Iterator[PathLink]:
    rows = {row.id: row for row in view.reader.instances(path)}
    until_ms = began_ms
    for number in path:
        one = stretches[number]
        waited_ms = max(one.start_ms - until_ms, 0)
        until_ms = one.end_ms
        name = context.task(number).name
        if number not in rows or not view.sees(name):
            continue
        yield {
            "id": number,
            "task": name,
            "bizdate": rows[number].bizdate,
            "scheduled_at": rows[number].scheduled_at.isoformat(),
            "state": rows[number].state,
            "started_at": shown_instant(one.start_ms),
            "ended_at": shown_instant(one.end_ms),
            "is_expected": one.is_expected,
            "waited_seconds": waited_ms / 1000,
            "run_seconds": (one.end_ms - one.start_ms) / 1000,
        }
