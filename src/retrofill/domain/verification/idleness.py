"""Plans and tasks that do nothing: all their instances are off days, dry runs or not made (SEL-6, VER-1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from retrofill.domain.catalog.definitions import RunMode, Task
from retrofill.domain.planning.plan import Kind, Plan
from retrofill.domain.selection.choice import NothingToRunError
from retrofill.domain.time.bizdates import EARLIEST, LATEST, ONE_DAY
from retrofill.domain.verification.findings import Finding
from retrofill.domain.words import many, names

_EXPLAINED = 10  # tasks in one sentence
_FAR = 8 * 366  # 29 February comes within eight years


def check_runs(plan: Plan) -> None:
    """SEL-6: something must be left that really runs, now or when it is unfrozen.

    Raises:
        NothingToRunError: with what the instances are instead, and a bizdate on which a task would run.
    """
    if plan.may_run.any():
        return
    off, dry, virtual = (
        int(plan.tallies[:, kind].sum()) for kind in (Kind.OFF_DAY, Kind.DRY_RUN, Kind.VIRTUAL)
    )
    counts = (many(off, "off day"), many(dry, "dry run"), f"{virtual:,} of virtual tasks")
    found = [text for text, count in zip(counts, (off, dry, virtual), strict=True) if count]
    idle = [task for task in _chosen(plan) if plan.kind_of_task(task) is Kind.RUN]
    reasons = "".join(f"; {_reason(plan, task)}" for task in idle[:_EXPLAINED])
    raise NothingToRunError(
        f"nothing is left to run: of {many(plan.instance_count, 'instance')} none would run its code "
        f"({', '.join(found)}){reasons}",
        "Choose a bizdate on which a schedule matches the day after it, or other tasks.",
    )


def idle_tasks(plan: Plan) -> Iterator[Finding]:
    """`nothing_runs`: chosen tasks of which no instance really runs; virtual ones have nothing to run."""
    tasks = (plan.tasks[i] for i in np.nonzero(~plan.may_run)[0].tolist())
    idle = [task for task in tasks if task.name not in plan.dry_runs and task.type.traits.has_code]
    if idle:
        reasons = [_reason(plan, task) for task in idle[:_EXPLAINED]]
        more = f"; and {len(idle) - _EXPLAINED:,} more" if len(idle) > _EXPLAINED else ""
        yield Finding.of(
            "nothing_runs",
            f"Nothing really runs of {names([task.name for task in idle])}: {'; '.join(reasons)}{more}.",
            tuple(task.name for task in idle),
        )


def _chosen(plan: Plan) -> Iterator[Task]:
    return (task for task in plan.tasks if task.name not in plan.dry_runs)


def _reason(plan: Plan, task: Task) -> str:
    """Why no instance of the task runs."""
    if task.mode is RunMode.DRY_RUN:
        return f"{task.name} is in mode dry_run"
    place = plan.template.index_of[task.name]
    if not len(plan.template.slots_of(place)):
        return f"{task.name} has no scheduled time in the time range"
    if not plan.counts[place]:
        return f"{task.name} is outside its validity period"
    near = _nearest(plan, task)
    hint = f", and the nearest bizdate with a run is {near}" if near is not None else ""
    return f"{task.name} ({task.schedule.words()}) has off days only{hint}"


def _nearest(plan: Plan, task: Task) -> date | None:
    """The bizdate nearest to the chosen ones on whose day of T the task really runs."""
    for far in range(1, _FAR):
        for chosen in plan.policy.ranges[:_EXPLAINED]:
            for bizdate in (chosen.first - far * ONE_DAY, chosen.last + far * ONE_DAY):
                day = bizdate + ONE_DAY
                is_bizdate = EARLIEST <= bizdate <= LATEST
                if is_bizdate and task.is_valid_on(day) and task.schedule.matches(day):
                    return bizdate
    return None
