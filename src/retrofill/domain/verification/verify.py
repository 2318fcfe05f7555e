"""What is worth knowing of a plan before it runs: findings (VER-1, VER-2).

A finding is a risk when something in the plan can never run or runs against its
dependencies, a warning when results may be stale or late, else information. In `tasks` the
task that a finding is about comes first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from datetime import datetime

import numpy as np

from retrofill.domain.catalog.definitions import Task
from retrofill.domain.planning.plan import Kind, Plan
from retrofill.domain.planning.policy import WHOLE_DAY, AcrossGroups, Order
from retrofill.domain.planning.running_order import find_loops
from retrofill.domain.planning.template import distinct
from retrofill.domain.selection.choice import DryRunReason
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.instants import local_date
from retrofill.domain.time.windows import clock
from retrofill.domain.verification.codes import Level
from retrofill.domain.verification.findings import MOST_SINGLE_FINDINGS, Finding, by_level, gathered
from retrofill.domain.verification.idleness import idle_tasks
from retrofill.domain.verification.quoting import ended_quotes
from retrofill.domain.verification.staleness import longer_cycles
from retrofill.domain.words import duration, many, names

__all__ = ["Finding", "Level", "changes", "verify"]

LARGE_INSTANCES_PER_SLOT = 1_000


def verify(
    plan: Plan,
    now: datetime,
    *,
    auto_conflicts: Collection[str] = (),
    seconds_per_run: float | None = None,
) -> tuple[Finding, ...]:
    """All findings, risks first, then warnings, then information (VER-1, VER-2).

    Args:
        now: aware; tells which bizdates lie ahead.
        auto_conflicts: tasks of the plan that have auto triggered instances running or due.
        seconds_per_run: how long an instance takes, if that is known from earlier runs.
    """
    found = [
        *_loops(plan),
        *_isolation(plan),
        *_order_conflicts(plan),
        *_across_groups(plan),
        *longer_cycles(plan),
        *_frozen(plan),
        *_auto_conflicts(plan, auto_conflicts),
        *ended_quotes(plan),
        *_permissions(plan),
        *_dry_runs(plan),
        *idle_tasks(plan),
        *_empty_workspaces(plan),
        *_without_instances(plan),
        *_resource_groups(plan),
        *_large(plan, seconds_per_run),
        *_future(plan, now),
    ]
    return by_level(found)


def changes(planned: Collection[str], plan: Plan) -> tuple[Finding, ...]:
    """How the tasks of a backfill that starts now differ from those it was planned with (SEL-4).

    Args:
        planned: full names of the tasks that took part when it was created.
    """
    now = {task.name for task in plan.tasks}
    come, gone = tuple(sorted(now - set(planned))), tuple(sorted(set(planned) - now))
    parts = [f"{names(tasks)} {word}" for tasks, word in ((come, "came in"), (gone, "fell out")) if tasks]
    if not parts:
        return ()
    message = f"The tasks have changed since the backfill was created: {'; '.join(parts)}."
    return (Finding.of("changed", message, (*come, *gone)),)


def _loops(plan: Plan) -> Iterator[Finding]:
    """Slots that wait for each other in a circle, on whatever dates the same tasks are valid."""
    if not plan.has_bypasses and not find_loops(
        plan.template, plan.template.within, np.ones(plan.n, dtype=bool)
    ):
        return  # fewer instances on some dates make no circle
    dates: dict[int, list[int]] = defaultdict(list)
    for date_index in range(len(plan.dates)):
        dates[plan.validity(date_index)].append(date_index)
    where: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for alike in dates.values():
        for loop in find_loops(plan.template, plan.edges_within(alike[0]), plan.present(alike[0])):
            where[tuple(loop)] += alike
    for places, on in where.items():
        tasks = [plan.tasks[plan.task_of[place]].name for place in places]
        clocks = [clock(int(plan.slot_of[place])) for place in places]
        steps = [f"{name} {time}" for name, time in zip(tasks, clocks, strict=True)]
        yield Finding.of(
            "loop",
            f"Instances wait for each other in a circle and can never run, on {_dates(plan, on)}: "
            f"{' -> '.join([*steps, steps[0]])} (each waits for the one before it){_held_up(plan, tasks)}.",
            tuple(dict.fromkeys(tasks)),
        )


def _held_up(plan: Plan, tasks: Collection[str]) -> str:
    """The end of a sentence: which other tasks of the plan depend on these."""
    below = plan.catalog.graph.descendants(tasks) & {task.name for task in plan.tasks} - set(tasks)
    return f"; what waits for them stays blocked, in {names(sorted(below))}" if below else ""


def _isolation(plan: Plan) -> Iterator[Finding]:
    """DEP-11, per isolated task with the upstream tasks that it misses."""
    dates = Counter(plan.validity(i) for i in range(len(plan.dates)))
    first = {plan.validity(i): i for i in reversed(range(len(plan.dates)))}
    counts: Counter[int] = Counter()
    missing: dict[int, set[int]] = defaultdict(set)
    for validity, times in dates.items():
        isolated = plan.isolated(first[validity])
        per_task = np.bincount(plan.task_of[isolated], minlength=len(plan.tasks))
        for task in np.nonzero(per_task)[0].tolist():
            counts[task] += int(per_task[task]) * times
        places, above = plan.missed(first[validity])
        missed = isolated[places]
        downs = plan.task_of[places[missed]].astype(np.int64)
        pairs = distinct(downs * len(plan.tasks) + above[missed])
        for pair in pairs.tolist():
            missing[pair // len(plan.tasks)].add(pair % len(plan.tasks))
    findings = []
    for task, count in sorted(counts.items()):
        upstream = sorted(plan.tasks[i].name for i in missing[task])
        name = plan.tasks[task].name
        waits = "it waits" if count == 1 else "they wait"
        findings.append(
            Finding.of(
                "isolated",
                f"{name}: {many(count, 'instance')} can never run, because nothing that {waits} for of "
                f"{names(upstream)} is in the backfill{_time_range(plan)}.",
                (name, *upstream),
            )
        )
    total = many(sum(counts.values()), "instance")
    why = f"nothing that they wait for of an upstream task is in the backfill{_time_range(plan)}"
    yield from gathered(findings, f"{total} can never run, because {why}")


def _order_conflicts(plan: Plan) -> Iterator[Finding]:
    """DEP-14."""
    if plan.policy.order is not Order.DESCENDING:
        return
    index = {bizdate: i for i, bizdate in enumerate(plan.dates)}
    pairs = [(i, index[d - ONE_DAY]) for d, i in index.items() if d - ONE_DAY in index]
    tasks = _waiting_tasks(plan, pairs)
    if tasks:
        yield Finding.of(
            "order_conflict",
            "Bizdates run in descending order, so waits for the bizdate before are dropped: "
            f"{names(tasks)} will run before the previous cycle that {_they(tasks)} on.",
            tasks,
        )


def _they(tasks: Collection[str]) -> str:
    return "it depends" if len(tasks) == 1 else "they depend"


def _across_groups(plan: Plan) -> Iterator[Finding]:
    """DEP-13; where such waits are dropped on request, that is told too."""
    if plan.policy.order is Order.DESCENDING or len(plan.groups) == 1:
        return
    index = {bizdate: i for i, bizdate in enumerate(plan.dates)}
    heads = [group[0] for group in plan.groups[1:]]
    pairs = [(index[d], index[d - ONE_DAY]) for d in heads if d - ONE_DAY in index]
    tasks = _waiting_tasks(plan, pairs)
    if not tasks:
        return
    if plan.policy.across_groups is AcrossGroups.WAIT:
        message = (
            f"{names(tasks)}: the first bizdate of a group waits for the last one of the group before, "
            "because of dependencies on the previous cycle; the groups run one after the other there."
        )
        yield Finding.of("across_groups", message, tasks)
    else:
        message = (
            f"{names(tasks)}: waits of the first bizdate of a group for the previous cycle are dropped, "
            "as asked for (across_groups: ignore)."
        )
        yield Finding.of("across_groups_ignored", message, tasks)


def _waiting_tasks(plan: Plan, pairs: Collection[tuple[int, int]]) -> tuple[str, ...]:
    """Tasks with a previous-cycle edge between any of these dates and the calendar date before."""
    kinds = {(plan.validity(on), plan.validity(before)): (on, before) for on, before in pairs}
    waiting: set[int] = set()
    for on, before in kinds.values():
        edges = plan.edges_before(on, before)
        if not len(edges):
            continue
        downs, ups = plan.task_of[edges.waiting], plan.task_of[edges.up]
        there = plan.valid_tasks(on)[downs] & plan.valid_tasks(before)[ups]
        waiting.update(distinct(downs[there]).tolist())
    return tuple(plan.tasks[i].name for i in sorted(waiting))


def _frozen(plan: Plan) -> Iterator[Finding]:
    tasks = _tasks_with(plan, lambda task: plan.kind_of_task(task) is Kind.FROZEN)
    if tasks:
        yield Finding.of(
            "frozen",
            f"{names(tasks)}: frozen; what depends on {'it' if len(tasks) == 1 else 'them'} and the next bizdate "
            "of each group wait until the instances are unfrozen.",
            tasks,
        )


def _auto_conflicts(plan: Plan, conflicts: Collection[str]) -> Iterator[Finding]:
    tasks = tuple(task.name for task in plan.tasks if task.name in conflicts)
    if tasks:
        yield Finding.of(
            "auto_conflict",
            f"{names(tasks)}: auto triggered instances are running or due, and go first.",
            tasks,
        )


def _permissions(plan: Plan) -> Iterator[Finding]:
    """SEL-7: tasks that came in implicitly, and that the user may not run."""
    choice = plan.choice
    left_out = list(choice.left_out)
    dry = [name for name, reason in choice.dry_runs.items() if reason is DryRunReason.NO_PERMISSION]
    unseen = choice.left_out_unseen
    if not left_out and not dry and not unseen:
        return
    parts = []
    if left_out:
        parts.append(f"left out: {names(left_out)}")
    if dry:
        parts.append(f"dry runs instead: {names(dry)}")
    if unseen:
        parts.append(f"left out in workspaces that you are no member of: {many(unseen, 'task')}")
    yield Finding.of(
        "no_permission",
        f"You may not backfill every task that the selection leads to ({'; '.join(parts)}); what depends on "
        "their output may find it stale.",
        tuple(sorted([*left_out, *dry])),
    )


def _dry_runs(plan: Plan) -> Iterator[Finding]:
    """Each dry run by SEL-6, with the running tasks below it."""
    running = {task.name for task in plan.tasks if task.name not in plan.dry_runs}
    if len(plan.dry_runs) > MOST_SINGLE_FINDINGS:
        below = sorted(plan.catalog.graph.descendants(plan.dry_runs) & running)
        yield Finding.of(
            "dry_run",
            f"{len(plan.dry_runs):,} tasks are dry runs and write nothing: the output of {names(below)} "
            "may be stale.",
            (*plan.dry_runs, *below),
        )
        return
    for name, reason in plan.dry_runs.items():
        below = sorted(plan.catalog.graph.descendants([name]) & running)
        yield Finding.of(
            "dry_run",
            f"{name} is a dry run ({_REASONS[reason]}) and writes nothing: the output of {names(below)} "
            "may be stale.",
            (name, *below),
        )


_REASONS = {
    DryRunReason.BLACKLISTED: "blacklisted, between tasks that run",
    DryRunReason.NO_PERMISSION: "you may not backfill it, and it lies between tasks that run",
    DryRunReason.INTERMEDIATE: "not chosen, between tasks that run",
    DryRunReason.MODE: "by its run mode",
}


def _empty_workspaces(plan: Plan) -> Iterator[Finding]:
    for name in plan.choice.empty_workspaces:
        yield Finding.of(
            "empty_workspace",
            f"The chosen workspace {name} holds no descendant of the root.",
        )


def _without_instances(plan: Plan) -> Iterator[Finding]:
    """Tasks that are made on fewer dates than asked for, or not at all (TIME-4, POL-3)."""
    total = len(plan.dates)
    outside = {}
    no_slot = []
    for i, (task, count) in enumerate(zip(plan.tasks, plan.counts, strict=True)):
        slots = len(plan.template.slots_of(i))
        if not slots:
            no_slot.append(task.name)
        elif count < slots * total:
            outside[task.name] = total - count // slots
    if outside:
        texts = [f"{name} on {missed} of {many(total, 'bizdate')}" for name, missed in outside.items()]
        below = _below_outside(plan, outside)
        goes_on = f"; {names(below)} {_do_not_wait(below)} there" if below else ""
        yield Finding.of(
            "outside_validity",
            f"Outside the validity period, so no instances are made: {names(texts)}{goes_on}.",
            (*outside, *(name for name in below if name not in outside)),
        )
    if no_slot:
        yield Finding.of(
            "outside_time_range",
            f"No scheduled time within{_time_range(plan) or ' a day'}, so no instances are made: {names(no_slot)}.",
            tuple(no_slot),
        )


def _below_outside(plan: Plan, outside: Collection[str]) -> list[str]:
    """Tasks that have instances where an upstream task is outside its validity, and do not wait for it (DEP-11)."""
    graph, index_of = plan.catalog.graph, {task.name: i for i, task in enumerate(plan.tasks)}
    days = list({plan.validity(i): plan.valid_tasks(i) for i in range(len(plan.dates))}.values())
    found = set()
    for name in outside:
        if name in plan.dry_runs:
            continue  # what is above it is waited for instead (SEL-6)
        for below in graph.downstream[name]:
            i = index_of.get(below)
            if i is not None and plan.counts[i] and any(day[i] and not day[index_of[name]] for day in days):
                found.add(below)
    return sorted(found)


def _do_not_wait(tasks: Collection[str]) -> str:
    return "does not wait for it" if len(tasks) == 1 else "do not wait for it"


def _resource_groups(plan: Plan) -> Iterator[Finding]:
    """POL-10."""
    name = plan.policy.resource_group
    tasks = () if name is None else _tasks_with(plan, lambda task: not _is_bound(plan, name, task))
    if tasks:
        yield Finding.of(
            "resource_group_fallback",
            f"The resource group {name} is not bound to the workspace of {names(tasks)}: "
            f"{'it keeps its' if len(tasks) == 1 else 'they keep their'} own.",
            tasks,
        )


def _is_bound(plan: Plan, group: str, task: Task) -> bool:
    return plan.catalog.resource_groups[group].is_bound_to(task.workspace)


def _large(plan: Plan, seconds_per_run: float | None) -> Iterator[Finding]:
    """Requests that keep their slots busy for long (VER-1)."""
    per_group: Counter[str] = Counter()
    for task, count in zip(plan.tasks, plan.running_counts, strict=True):
        per_group[plan.resource_group(task)] += count
    for name, count in sorted(per_group.items()):
        group = plan.catalog.resource_groups.get(name)
        if group is None:
            continue
        slots = max(group.slots - group.reserved_for_auto, 1)
        each = count / slots
        if each < LARGE_INSTANCES_PER_SLOT:
            continue
        known = "as measured" if seconds_per_run is not None else "if an instance takes a minute"
        length = duration(each * (60.0 if seconds_per_run is None else seconds_per_run))
        yield Finding.of(
            "large_request",
            f"{count:,} instances share {many(slots, 'slot')} of the resource group {name}: {each:,.0f} for each "
            f"slot, which takes about {length} ({known}).",
        )


def _future(plan: Plan, now: datetime) -> Iterator[Finding]:
    """POL-2."""
    today = local_date(now, plan.catalog.timezone)
    ahead = [bizdate for bizdate in plan.dates if bizdate >= today]
    if ahead:
        until = "it has elapsed" if plan.policy.run_future else "their scheduled time"
        lie = "lies" if len(ahead) == 1 else "lie"
        yield Finding.of(
            "future",
            f"{many(len(ahead), 'bizdate')} from {min(ahead)} on {lie} ahead; instances wait until {until}.",
        )


def _tasks_with(plan: Plan, condition: Callable[[Task], bool]) -> tuple[str, ...]:
    """Names of tasks that have instances and fit the condition."""
    pairs = zip(plan.tasks, plan.counts, strict=True)
    return tuple(task.name for task, count in pairs if count and condition(task))


def _dates(plan: Plan, indices: Collection[int]) -> str:
    first, last = min(plan.dates[i] for i in indices), max(plan.dates[i] for i in indices)
    if len(indices) == 1:
        return f"bizdate {first}"
    return f"{len(indices):,} bizdates from {first} to {last}"


def _time_range(plan: Plan) -> str:
    first, last = plan.policy.time_range
    return "" if (first, last) == WHOLE_DAY else f" (time range {clock(first)}-{clock(last)})"
