"""Estimates of backfills: before they begin, while they run, and how far off the first one was (BF-2).

The simulation is imported where something is estimated: most commands only show what was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retrofill.domain.running.states import NOT_STARTED, State
from retrofill.domain.time.milliseconds import instant_of, shown_instant
from retrofill.services.instances.holds import holds_of
from retrofill.services.ports.records import BackfillRecord, DateRecord, InstanceRecord
from retrofill.services.ports.start_filter import StartFilter

if TYPE_CHECKING:
    from retrofill.domain.estimating.estimate import Estimate
    from retrofill.domain.estimating.run_times import RunTimes
    from retrofill.domain.estimating.starting_point import Competitor, DateUnderWay, StartingPoint
    from retrofill.domain.planning.plan import Plan
    from retrofill.services.instances.backfill_graph import BackfillGraph
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Reader

MOST_AT_A_LOOK = 5_000  # instances played for a list or a progress, which are shown again and again
_MOST_RIVALS = 500  # that queue in one resource group


@dataclass(frozen=True, slots=True)
class PlanningFacts:
    """What earlier runs and the present tell: run times by full name, and who holds or wants slots.

    `frozen` are tasks that a command has frozen; of `auto_tasks` auto triggered instances run or
    are due, which go first (RUN-5).
    """

    times: Mapping[str, RunTimes] = field(default_factory=dict)
    rivals: tuple[Competitor, ...] = ()
    frozen: frozenset[str] = frozenset()
    auto_tasks: frozenset[str] = frozenset()


def gather_facts(
    reader: Reader, graphs: GraphCache, now_ms: int, besides: int | None = None
) -> PlanningFacts:
    """What is known now.

    Args:
        besides: a backfill whose own instances are no rivals of it.
    """
    from retrofill.domain.estimating.estimate import in_the_way
    from retrofill.domain.estimating.run_times import summarise

    names = {task_id: name for name, task_id in reader.task_ids().items()}
    recent = reader.times.recent(names)
    times = {names[task_id]: summarise(runs) for task_id, runs in recent.items()}
    running = [row for row, _ in reader.running()]
    rivals = [_rival(row, names, times, now_ms) for row in running if row.backfill_id != besides]
    held = {*holds_of(reader.open_backfills(), instant_of(now_ms)).may_not_start}
    if besides is not None:
        held.add(besides)
    catalog = graphs.current(reader)
    if catalog is None:
        return PlanningFacts(times)
    for group in catalog.resource_groups:
        waiting = reader.candidates(group, StartFilter(held=sorted(held), auto=True), _MOST_RIVALS)
        rivals += [_rival(row, names, times, now_ms) for row in waiting]
    auto = {row.task_id for row in running if row.backfill_id is None} | set(reader.generations.ready_tasks())
    return PlanningFacts(
        times,
        in_the_way(rivals, catalog),
        reader.frozen_tasks.names(),
        frozenset(names[task_id] for task_id in auto),
    )


def _rival(
    row: InstanceRecord, names: Mapping[int, str], times: Mapping[str, RunTimes], now_ms: int
) -> Competitor:
    from retrofill.domain.estimating.starting_point import Competitor

    name = names[row.task_id]
    length = times[name].usual_ms if name in times else 0
    is_running = row.state == State.RUNNING
    if is_running and row.started_ms is not None:
        length = max(length - (now_ms - row.started_ms), 0)
    is_auto = row.backfill_id is None
    return Competitor(name, row.resource_group, is_running, length, row.priority, is_auto, row.due_ms)


def estimate_plan(plan: Plan, facts: PlanningFacts, now_ms: int) -> Estimate:
    """When a plan that begins now would end."""
    from retrofill.domain.estimating.estimate import estimate, slots_for_backfills

    slots = slots_for_backfills(plan.catalog)
    return estimate(plan, facts.times, now_ms, slots, rivals=facts.rivals)


def estimate_left(
    reader: Reader,
    graphs: GraphCache,
    record: BackfillRecord,
    now_ms: int,
    most: int = MOST_AT_A_LOOK,
    *,
    with_spread: bool = False,
    instead: BackfillGraph | None = None,
    at_once: Collection[int] = (),
) -> Estimate:
    """When an active backfill will end, from where it stands; fast and slow runs are played only `with_spread`.

    Args:
        instead: it with another policy than the stored one.
        at_once: positions of dates that groups would come to with that one.
    """
    from retrofill.domain.estimating.estimate import estimate, slots_for_backfills

    graphs.follow([record])  # somebody may have changed it since the last look
    context = instead or graphs.get(reader, record.id)
    facts = gather_facts(reader, graphs, now_ms, besides=record.id)
    return estimate(
        context.plan,
        facts.times,
        now_ms,
        slots_for_backfills(graphs.current(reader) or context.plan.catalog),
        standing=_standing(reader, context, reader.dates(record.id), now_ms, at_once),
        rivals=facts.rivals,
        most=most,
        with_spread=with_spread,
    )


def _standing(
    reader: Reader,
    context: BackfillGraph,
    dates: Sequence[DateRecord],
    now_ms: int,
    at_once: Collection[int],
) -> StartingPoint:
    """Counters tell of most dates; the instances of those under way are looked at."""
    from retrofill.domain.estimating.starting_point import StartingPoint

    done = frozenset(date.position for date in dates if date.reached and date.successful == date.total)
    begun = {}
    ages: dict[int, int] = {}
    reached = set(at_once)
    for date in dates:
        moved = date.successful or date.failed or date.running or date.frozen
        if date.position in done or not date.reached:
            continue
        if not moved:
            reached.add(date.position)
            continue
        ids = context.ids_of_date(date.position)
        rows = list(reader.instance_range(ids.start, ids.stop - 1))
        begun[date.position] = _begun(context, rows)
        for row in rows:
            if row.state == State.RUNNING and row.started_ms is not None:
                ages[row.id - context.first_id] = max(now_ms - row.started_ms, 0)
    passed_over = _passed_over(reader, context, dates)
    return StartingPoint(done, begun, ages, frozenset(reached), passed_over)


def _passed_over(reader: Reader, context: BackfillGraph, dates: Sequence[DateRecord]) -> dict[int, int]:
    """By position, what failed and what waits for that, of a backfill whose groups go on without them (POL-14)."""
    from retrofill.services.instances.passing_over import passes_over

    if not passes_over(context) or not any(date.failed for date in dates):
        return {}
    import numpy as np

    from retrofill.services.instances.held_up import Standing

    standing = Standing(reader, context, dates, has_isolated=False)
    failed = standing.of_state(State.FAILED)
    waiting = np.nonzero(standing.held_up_by(failed))[0]
    positions, counts = np.unique(np.concatenate((failed, waiting)) // context.plan.n, return_counts=True)
    return dict(zip(positions.tolist(), counts.tolist(), strict=True))


def _begun(context: BackfillGraph, rows: Sequence[InstanceRecord]) -> DateUnderWay:
    from retrofill.domain.estimating.starting_point import DateUnderWay
    from retrofill.domain.planning.plan import Kind

    numbers = {kind.word: int(kind) for kind in Kind}
    n = context.plan.n
    waits, kinds, is_open, is_done = [0] * n, [0] * n, [False] * n, [False] * n
    free = []
    for row in rows:
        place = context.place(row.id)
        waits[place], kinds[place] = row.open_waits, numbers[row.kind]
        is_open[place] = row.state in NOT_STARTED
        is_done[place] = row.state == State.SUCCESSFUL
        if row.ignores_waits and is_open[place]:
            free.append(place)
    return DateUnderWay(waits, is_open, is_done, kinds, tuple(free))


# As JSON


def document(found: Estimate) -> dict[str, Any]:
    """An estimate in JSON; lengths count from the first start, and are null where they are unknown."""
    return {
        "end_at": shown_instant(found.end_ms),
        "seconds": _seconds(found, found.end_ms),
        "low_seconds": _seconds(found, found.low_ms),
        "high_seconds": _seconds(found, found.high_ms),
        "at_least_seconds": _seconds(found, found.least_ms),
        "unknown_tasks": list(found.unknown_tasks),
        "longest_task": found.longest_task,
        "longest_share": round(found.longest_share, 2),
        "rivals": found.rivals,
        "is_extrapolated": found.is_extrapolated,
    }


def _seconds(found: Estimate, end_ms: int | None) -> float | None:
    if end_ms is None:
        return None
    return (end_ms - (found.at_ms if found.first_ms is None else found.first_ms)) / 1000
