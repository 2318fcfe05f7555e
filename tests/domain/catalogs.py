"""Small catalogs for the tests of planning: by hand, and by chance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

from retrofill.domain.catalog.definitions import (
    Catalog,
    Dependency,
    DependencyKind,
    ResourceGroup,
    RunMode,
    Task,
    Workspace,
)
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.planning.policy import AcrossGroups, Barrier, Order, Policy
from retrofill.domain.time import cron
from retrofill.domain.time.bizdates import DateRange

SELF = Dependency(DependencyKind.SELF)
CHILDREN = Dependency(DependencyKind.CHILDREN)


def previous(task: str) -> Dependency:
    return Dependency(DependencyKind.PREVIOUS, task)


def make_task(name: str, schedule: str, *depends_on: str | Dependency, **more: Any) -> Task:
    """A shell task; plain names in `depends_on` are same-cycle dependencies."""
    waits = tuple(Dependency(DependencyKind.SAME_CYCLE, d) if isinstance(d, str) else d for d in depends_on)
    kind = more.pop("type", TaskType.SHELL)
    return Task(name, kind, cron.parse(schedule), depends_on=waits, **more)


def make_catalog(
    *tasks: Task,
    regions: Mapping[str, str] | None = None,
    groups: tuple[ResourceGroup, ...] = (),
    members: Mapping[str, Mapping[str, str]] | None = None,
) -> Catalog:
    """A catalog of these tasks; `members` are roles by workspace and user."""
    names = sorted({task.workspace for task in tasks} | set(regions or {}))
    return Catalog(
        "test",
        workspaces={
            w: Workspace(w, region=(regions or {}).get(w, "default"), members=(members or {}).get(w, {}))
            for w in names
        },
        tasks={task.name: task for task in sorted(tasks, key=lambda task: task.name)},
        resource_groups={g.name: g for g in (ResourceGroup("default"), *groups)},
    )


def days(text: str, month: str = "2026-01") -> tuple[date, ...]:
    """Dates of January 2026 from "11..13" or "11,13"."""
    first, dots, last = text.partition("..")
    numbers = range(int(first), int(last) + 1) if dots else [int(n) for n in text.split(",")]
    return tuple(date.fromisoformat(f"{month}-{n:02}") for n in numbers)


CRONS = [
    "*/20 0-5 * * *", "*/20 6-9 * * *", "10,40 3 * * *", "5-59/10 8 * * *", "0,15,30 2,14 * * *",
    "0 */2 * * *", "15 */4 * * *", "30 6,12 * * *", "0 0,6,12 * * *", "0 0,8,16 * * *", "45 8,9,20 * * *",
    "0 7 * * *", "0 0 * * *", "59 23 * * *", "30 12 * * *", "0 3 * * MON", "0 9 * * SAT,SUN",
    "0 5 1 * *", "0 5 L * *", "20 4 15 1 *", "0 6,18 * * FRI",
]  # fmt: skip


def random_catalog(chance: Random) -> Catalog:
    """Two to seven tasks with every kind of dependency; names do not follow the dependencies."""
    names = [f"{chance.choice(['x', 'y'])}.t{i}" for i in range(chance.randint(2, 7))]
    chance.shuffle(names)
    tasks = []
    for i, name in enumerate(names):
        waits: list[str | Dependency] = [*chance.sample(names[:i], chance.randint(0, min(i, 3)))]
        if chance.random() < 0.3:
            waits.append(SELF)
        if chance.random() < 0.2:
            waits.append(CHILDREN)
        others = [n for n in names if n != name]
        waits += [
            previous(n) for n in chance.sample(others, chance.choice([0, 0, 0, 1, min(2, len(others))]))
        ]
        more: dict[str, Any] = {}
        if chance.random() < 0.2:
            start = date(2026, 1, 1) + timedelta(days=chance.randint(0, 8))
            more["valid_from"] = chance.choice([None, start])
            more["valid_until"] = chance.choice([None, start + timedelta(days=chance.randint(0, 5))])
        if chance.random() < 0.2:
            more["mode"] = chance.choice([RunMode.PAUSED, RunMode.DRY_RUN])
        if chance.random() < 0.15:
            more["type"] = TaskType.VIRTUAL
        tasks.append(make_task(name, chance.choice(CRONS), *waits, **more))
    return make_catalog(*tasks)


def random_policy(chance: Random) -> Policy:
    first = date(2026, 1, 1)
    ranges = []
    for _ in range(chance.randint(1, 3)):
        start = first + timedelta(days=chance.randint(0, 8))
        ranges.append(DateRange(start, start + timedelta(days=chance.randint(0, 4))))
    time_range = (0, 1439)
    if chance.random() < 0.4:
        start_minute = chance.randint(0, 1439)
        time_range = (start_minute, chance.randint(start_minute, 1439))
    return Policy(
        tuple(ranges),
        time_range,
        groups=chance.choice([1, 1, 2, 3, 10]),
        order=chance.choice([Order.ASCENDING, Order.ASCENDING, Order.DESCENDING]),
        barrier=chance.choice(list(Barrier)),
        across_groups=chance.choice(list(AcrossGroups)),
    )
