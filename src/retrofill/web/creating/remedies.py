"""What can be done about a finding on the form itself, as buttons; the rest says its hint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from retrofill.web.creating.typed import ALL, LINK, PICK, WORKSPACE, Typed

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Finding, PlanSummary

_MOST_TASKS = 3  # with a button of their own
_NIGHT = ("22:00", "06:00")

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "loop": "Instances would wait for each other",
        "isolated": "Instances could never run",
        "order_conflict": "Latest first runs against the day before",
        "across_groups": "Groups would wait for each other",
        "longer_cycle": "A longer cycle may read half of its dates",
        "later_dates": "Later dates were computed from what is rewritten",
        "nothing_runs": "Some chosen tasks do nothing",
        "ended_quotes": "A value ends its quotes in SQL",
        "unset_secret": "A secret is not set",
        "missing_connection": "A connection is missing",
        "missing_interpreter": "An interpreter is missing",
        "frozen": "Frozen tasks hold up what follows",
        "auto_conflict": "The schedule runs the same tasks now",
        "same_partition": "Somebody else writes the same",
        "no_permission": "You may not backfill all of it",
        "dry_run": "Some tasks pass without running",
        "empty_workspace": "A workspace has nothing of it",
        "changed": "The tasks have changed",
        "check_failed": "A check said no",
        "check_warned": "A check has a warning",
        "across_groups_ignored": "Waits between groups are dropped",
        "outside_validity": "Some tasks are not valid on all dates",
        "outside_time_range": "Some tasks have no slot in the time range",
        "resource_group_fallback": "Some tasks keep their own resource group",
        "large_request": "It would keep its slots busy for long",
        "future": "Some bizdates lie ahead",
    }
)


class Remedy(NamedTuple):
    """A button: what it says, and the edit that it does."""

    label: str
    do: str


def title_of(finding: Finding) -> str:
    """A finding in some words; its sentence says it exactly."""
    return TITLES.get(finding["code"], finding["code"].replace("_", " ").capitalize())


def remedies_of(finding: Finding, typed: Typed, plan: PlanSummary) -> Sequence[Remedy]:
    """Buttons for what would mend it, as far as the form has not done that."""
    find = _REMEDIES.get(finding["code"])
    return (
        ()
        if find is None
        else tuple(one for one in find(finding, typed, plan) if mended(typed, one.do) != typed)
    )


def mended(typed: Typed, fix: str) -> Typed:
    """The form after a remedy, which may come with `fix:` in front; one that nobody knows changes nothing."""
    word, _, value = fix.removeprefix("fix:").partition("=")
    mend = _FIXES.get(word)
    return typed if mend is None else mend(typed, value)


# What mends


def _runs_too(typed: Typed, task: str) -> Typed:
    """A task in the middle is chosen, or is left out no longer."""
    typed = typed.without("norun", task).without("skip", task).without("exclude", task)
    field = {PICK: "task", WORKSPACE: "include"}.get(typed.way)
    return typed if field is None else typed.added(field, task)


def _left_out(typed: Typed, task: str) -> Typed:
    if typed.way == LINK:
        return typed.added("skip", task)
    if typed.way in (WORKSPACE, ALL):
        return typed.without("include", task).added("exclude", task)
    if task in typed.all("only"):
        return typed.without("only", task)
    return typed.without("task", task) if len(typed.all("task")) > 1 else typed.added("norun", task)


def _one_of(field: str, *values: str) -> Callable[[Typed, str], Typed]:
    return lambda typed, value: typed.replaced(**{field: (value,)}) if value in values else typed


_FIXES: Mapping[str, Callable[[Typed, str], Typed]] = MappingProxyType(
    {
        "whole-day": lambda typed, _: typed.replaced(time_from=(), time_to=()),
        "order": _one_of("order", "asc", "desc"),
        "across_groups": _one_of("across_groups", "wait", "ignore"),
        "one-group": lambda typed, _: typed.replaced(groups=("1",)),
        "in-turn": lambda typed, _: typed.replaced(groups=("1",), order=("asc",)),
        "run-future": lambda typed, _: typed.replaced(run_future=("on",)),
        "night": lambda typed, _: typed.replaced(
            window=("daily",), window_from=_NIGHT[:1], window_to=_NIGHT[1:]
        ),
        "own-group": lambda typed, _: typed.replaced(resource_group=()),
        "run": _runs_too,
        "leave": _left_out,
    }
)


# Which


def _always(*remedies: Remedy) -> Callable[[Finding, Typed, PlanSummary], Sequence[Remedy]]:
    return lambda *_: remedies


def _leave_out(finding: Finding, typed: Typed, plan: PlanSummary) -> Sequence[Remedy]:
    return [Remedy(f"Leave out {task}", f"fix:leave={task}") for task in finding["tasks"][:_MOST_TASKS]]


def _run_too(finding: Finding, typed: Typed, plan: PlanSummary) -> Sequence[Remedy]:
    barred = {*plan["dry_runs"].get("no_permission", ()), *plan["dry_runs"].get("mode", ())}
    tasks = [task for task in finding["tasks"] if task not in barred][:_MOST_TASKS]
    one = len(finding["tasks"]) == 1
    return [Remedy("Run it too" if one else f"Run {task} too", f"fix:run={task}") for task in tasks]


def _nothing_runs(finding: Finding, typed: Typed, plan: PlanSummary) -> Sequence[Remedy]:
    return [_WHOLE_DAY, *_leave_out(finding, typed, plan)]


_WHOLE_DAY = Remedy("Use 00:00 to 23:59", "fix:whole-day")
_NIGHTLY = Remedy(f"Only from {_NIGHT[0]} to {_NIGHT[1]}", "fix:night")
_REMEDIES: Mapping[str, Callable[[Finding, Typed, PlanSummary], Sequence[Remedy]]] = MappingProxyType(
    {
        "loop": _always(_WHOLE_DAY),
        "isolated": _always(_WHOLE_DAY),
        "outside_time_range": _always(_WHOLE_DAY),
        "order_conflict": _always(Remedy("Use oldest first", "fix:order=asc")),
        "across_groups": _always(
            Remedy("Use 1 group", "fix:one-group"), Remedy("Do not wait", "fix:across_groups=ignore")
        ),
        "across_groups_ignored": _always(Remedy("Wait for them", "fix:across_groups=wait")),
        "longer_cycle": _always(Remedy("One group, oldest first", "fix:in-turn")),
        "nothing_runs": _nothing_runs,
        "frozen": _leave_out,
        "dry_run": _run_too,
        "auto_conflict": _always(_NIGHTLY),
        "large_request": _always(_NIGHTLY),
        "resource_group_fallback": _always(Remedy("Each task's own", "fix:own-group")),
        "future": _always(Remedy("Run as soon as the bizdate is over", "fix:run-future")),
    }
)
