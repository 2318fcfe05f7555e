"""Who else writes what a plan writes: unfinished backfills and nights that hold the same tasks and times (RUN-7).

A partition is a task at one slot of a bizdate; it has one writer at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.planning.plan import Kind, Plan
from retrofill.domain.verification.findings import MOST_SINGLE_FINDINGS, Finding
from retrofill.domain.words import many, names

if TYPE_CHECKING:
    from retrofill.domain.arrays import BoolArray


@dataclass(frozen=True, slots=True)
class Holder:
    """An unfinished backfill, or an unfinished night of the schedule.

    Attributes:
        backfill_id: None for a night.
        bizdates: on which it has not finished.
        slots: by full name of the task, minutes after midnight; of what really runs.
    """

    backfill_id: int | None
    bizdates: Collection[date]
    slots: Mapping[str, Collection[int]]


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a holder and a plan both run; not empty."""

    backfill_id: int | None
    tasks: tuple[str, ...]
    bizdates: tuple[date, ...]


def same_partition(plan: Plan, holders: Iterable[Holder]) -> Iterator[Finding]:
    """A finding for each backfill that writes what the plan writes, and one for all nights (VER-1)."""
    overlaps = [found for holder in holders if (found := overlap(plan, holder)) is not None]
    nights = [found for found in overlaps if found.backfill_id is None]
    backfills = [found for found in overlaps if found.backfill_id is not None]
    if len(backfills) > MOST_SINGLE_FINDINGS:
        together = _merged(backfills)
        yield _finding(f"{len(backfills):,} unfinished backfills hold", together)
    else:
        for found in backfills:
            yield _finding(f"Backfill {found.backfill_id} is not finished and holds", found)
    if nights:
        yield _finding("The schedule has not finished what it runs, and holds", _merged(nights))


def overlap(plan: Plan, holder: Holder) -> Overlap | None:
    """Tasks and bizdates of which both really run the same slot; None where there are none."""
    held = _places(plan, holder)
    if not held.any():
        return None
    tasks = np.zeros(len(plan.tasks), dtype=bool)
    bizdates = []
    for position, bizdate in enumerate(plan.dates):
        if bizdate not in holder.bizdates:
            continue
        runs = (plan.kinds(position) == Kind.RUN) & plan.present(position) & ~plan.isolated(position)
        both = held & runs
        if both.any():
            tasks[plan.task_of[both]] = True
            bizdates.append(bizdate)
    if not bizdates:
        return None
    return Overlap(
        holder.backfill_id,
        tuple(task.name for task, is_held in zip(plan.tasks, tasks.tolist(), strict=True) if is_held),
        tuple(sorted(bizdates)),
    )


def _places(plan: Plan, holder: Holder) -> BoolArray:
    """bool[n]: the places of the plan's template whose task and slot the holder has."""
    held = np.zeros(plan.n, dtype=bool)
    for i, task in enumerate(plan.tasks):
        slots = holder.slots.get(task.name)
        if slots:
            first, last = int(plan.first_of_task[i]), int(plan.first_of_task[i + 1])
            held[first:last] = [slot in slots for slot in plan.slot_of[first:last].tolist()]
    return held


def _merged(overlaps: Collection[Overlap]) -> Overlap:
    tasks = sorted({task for found in overlaps for task in found.tasks})
    return Overlap(None, tuple(tasks), tuple(sorted({day for found in overlaps for day in found.bizdates})))


def _finding(who: str, found: Overlap) -> Finding:
    first, last = found.bizdates[0], found.bizdates[-1]
    days = len(found.bizdates)
    when = f"bizdate {first}" if days == 1 else f"{many(days, 'bizdate')} from {first} to {last}"
    return Finding.of(
        "same_partition",
        f"{who} the same tasks and times on {when}, of {names(found.tasks)}: these are written twice, one after "
        "the other.",
        found.tasks,
    )
