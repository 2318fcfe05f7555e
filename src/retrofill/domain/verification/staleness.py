"""What is computed from data that other dates write: longer cycles, and later dates (VER-1).

A week, a month or a year reads the dates since its schedule matched before. A task that
depends on its own previous cycle reads, through a chain, every earlier date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from retrofill.domain.catalog.definitions import Catalog, Task
from retrofill.domain.people.rights import ALL_RIGHTS, Rights
from retrofill.domain.planning.plan import Kind, Plan
from retrofill.domain.planning.policy import AcrossGroups, Order
from retrofill.domain.time.bizdates import LATEST, ONE_DAY
from retrofill.domain.time.cron import Cycle
from retrofill.domain.verification.findings import Finding
from retrofill.domain.words import many, names

_LENGTH = {
    cycle: i
    for i, cycle in enumerate((Cycle.MINUTE, Cycle.HOUR, Cycle.DAY, Cycle.WEEK, Cycle.MONTH, Cycle.YEAR))
}
_LONG = frozenset({Cycle.WEEK, Cycle.MONTH, Cycle.YEAR})
_FAR = timedelta(days=8 * 366)  # 29 February comes within eight years
_EXPLAINED = 10  # tasks in one sentence
_MOST_PERIODS = 400  # of one task that are asked about


# -- longer cycles


def longer_cycles(plan: Plan) -> Iterator[Finding]:
    """`longer_cycle`: tasks whose period holds dates that run later, or beside them."""
    is_descending = plan.policy.order is Order.DESCENDING
    if len(plan.dates) == 1 or not (is_descending or len(plan.groups) > 1):
        return
    if not any(task.schedule.cycle in _LONG for task in plan.tasks):
        return
    running = {task.name: task for task, runs in zip(plan.tasks, plan.may_run.tolist(), strict=True) if runs}
    unordered = {name: task for name, task in running.items() if not _comes_in_order(plan, task)}
    late: dict[object, bool] = {}  # by the dates that a schedule matches
    found = []
    for task in _upon_shorter(plan.catalog, running, unordered):
        cron = task.schedule
        key = (cron.months, cron.days, cron.has_last_day, cron.weekdays, cron.is_either)
        if key not in late:
            late[key] = _has_later_dates(plan, task)
        if late[key]:
            found.append(task.name)
    if not found:
        return
    above = plan.catalog.graph.ancestors(found[:_EXPLAINED]) & set(unordered) - set(found)
    how = "run later" if is_descending else "run in other groups, at the same time or later"
    yield Finding.of(
        "longer_cycle",
        f"{names(found)}: the period of {'a run' if len(found) == 1 else 'their runs'} holds bizdates that {how}, "
        f"so that not all of {names(sorted(above))} is there yet.",
        (*found, *sorted(above)),
    )


def _upon_shorter(catalog: Catalog, among: Collection[str], upon: Mapping[str, Task]) -> list[Task]:
    """Of these tasks, the weekly, monthly and yearly ones that depend on one of a shorter cycle, directly or not."""
    long = [catalog.tasks[name] for name in among if catalog.tasks[name].schedule.cycle in _LONG]
    if not long:
        return []
    never = len(_LENGTH)
    shortest: dict[str, int] = {}  # cycle above a task
    for name in catalog.graph.in_order():
        own = [_LENGTH[upon[up].schedule.cycle] for up in catalog.graph.upstream[name] if up in upon]
        shortest[name] = min([never, *own, *(shortest.get(up, never) for up in catalog.graph.upstream[name])])
    return sorted(
        (task for task in long if shortest[task.name] < _LENGTH[task.schedule.cycle]), key=lambda t: t.name
    )


def _comes_in_order(plan: Plan, task: Task) -> bool:
    """Whether waits for its own previous cycle let it run in order of dates, whatever the groups (DEP-13)."""
    is_one_chain = plan.policy.order is Order.ASCENDING and plan.policy.across_groups is AcrossGroups.WAIT
    return is_one_chain and task.depends_on_itself and len(plan.policy.ranges) == 1


def _has_later_dates(plan: Plan, task: Task) -> bool:
    """Whether, for any date on which the task runs, another one of its period is not surely complete before."""
    first = min(plan.dates)
    index = {bizdate: i for i, bizdate in enumerate(plan.dates)}
    for bizdate, position in index.items():
        if not task.schedule.matches(bizdate + ONE_DAY):
            continue
        earlier = bizdate - ONE_DAY
        while earlier >= first and not task.schedule.matches(earlier + ONE_DAY):
            other = index.get(earlier)
            if other is not None and (other > position or plan.group_of[other] != plan.group_of[position]):
                return True
            earlier -= ONE_DAY
    return False


# -- later dates


@dataclass(frozen=True, slots=True)
class Question:
    """Which bizdates of a task outside a backfill are known as successful.

    Attributes:
        task: full name.
        first, last: bizdates, both inclusive; last None: however late.
        among: only these count, None for all; the backfill's own do not.
    """

    task: str
    first: date
    last: date | None
    among: frozenset[date] | None
    own: frozenset[date]

    def is_meant(self, bizdate: date) -> bool:
        return bizdate not in self.own and (self.among is None or bizdate in self.among)


@dataclass(frozen=True, slots=True)
class Later:
    """An answer: bizdates that are meant, ascending, and whether there are more."""

    question: Question
    bizdates: tuple[date, ...]
    is_cut: bool = False


def later_questions(plan: Plan) -> list[Question]:
    """What to ask the ledger: tasks upon their own previous cycle, then longer cycles below what runs."""
    dates = frozenset(bizdate for bizdate, runs in plan.runs_by_bizdate.items() if runs)
    running = {
        task.name: task
        for task, runs in zip(plan.tasks, plan.tallies[:, Kind.RUN].tolist(), strict=True)
        if runs
    }
    if not dates:
        return []
    first = min(dates)
    chained = [task for task in running.values() if task.depends_on_itself]
    questions = [Question(task.name, first + ONE_DAY, None, None, frozenset(plan.dates)) for task in chained]
    graph = plan.catalog.graph
    below_chains = graph.descendants([task.name for task in chained])
    for task in _upon_shorter(plan.catalog, graph.descendants(running), running):
        name = task.name
        own = frozenset(plan.dates) if name in running else frozenset()
        if name in below_chains:
            questions.append(Question(name, first, None, None, own))
            continue
        periods = _periods(task, dates)
        if periods:
            questions.append(Question(name, min(periods), max(periods), periods, own))
    return questions


def _periods(task: Task, dates: Collection[date]) -> frozenset[date]:
    """The bizdates whose period holds any of these: the next ones on which the task runs."""
    found: set[date] = set()
    end: date | None = None
    for bizdate in sorted(dates):
        if end is not None and bizdate <= end:
            continue
        end = _next_run(task, bizdate)
        if end is None:
            break
        found.add(end)
        if len(found) == _MOST_PERIODS:
            break
    return frozenset(found)


def _next_run(task: Task, bizdate: date) -> date | None:
    last = min(bizdate + _FAR, LATEST)
    while bizdate <= last:
        if task.schedule.matches(bizdate + ONE_DAY):
            return bizdate
        bizdate += ONE_DAY
    return None


def later_dates(answers: Sequence[Later], rights: Rights = ALL_RIGHTS) -> Iterator[Finding]:
    """`later_dates`: one finding for all that was computed from what a backfill rewrites.

    Args:
        rights: tasks of workspaces that the user is no member of are counted, not named (SEC-2).
    """
    found = [answer for answer in answers if answer.bizdates]
    seen = [answer for answer in found if rights.sees(answer.question.task)]
    unseen = len(found) - len(seen)
    if not found:
        return
    parts = [_in_words(answer) for answer in seen[:_EXPLAINED]]
    if len(seen) > _EXPLAINED:
        parts.append(f"{many(len(seen) - _EXPLAINED, 'more task')}")
    if unseen:
        parts.append(f"{many(unseen, 'task')} of workspaces that you are no member of")
    yield Finding.of(
        "later_dates",
        f"Computed from what this backfill rewrites, and no part of it: {'; '.join(parts)}.",
        tuple(dict.fromkeys(answer.question.task for answer in seen)),
    )


def _in_words(answer: Later) -> str:
    first, last, count = answer.bizdates[0], answer.bizdates[-1], len(answer.bizdates)
    if count == 1 and not answer.is_cut:
        return f"{answer.question.task} on bizdate {first}"
    known = f"{'at least ' if answer.is_cut else ''}{many(count, 'bizdate')}"
    return f"{answer.question.task} on {known} from {first} to {last}"
