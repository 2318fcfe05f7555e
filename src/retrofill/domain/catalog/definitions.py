"""The catalog: workspaces and tasks as they were deployed, checked and immutable.

A catalog holds resolved values: defaults are filled in, priorities are numbers, durations
are seconds, names are full (`workspace.task`). Reading it from files is `project`'s work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from retrofill.domain.catalog.graph import Graph
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.time.cron import Schedule


class RunMode(StrEnum):
    """CAT-8."""

    NORMAL = "normal"
    DRY_RUN = "dry_run"
    PAUSED = "paused"


class DependencyKind(StrEnum):
    """How a task waits for another (chapter 4 of the rules)."""

    SAME_CYCLE = "same_cycle"  # DEP-1..5
    SELF = "self"  # DEP-6: its own previous cycle
    PREVIOUS = "previous"  # DEP-7: another task's previous cycle
    CHILDREN = "children"  # DEP-8: the previous cycle of its direct downstream tasks


@dataclass(frozen=True, slots=True)
class Dependency:
    """One entry of `depends_on`; `task` is a full name, empty for `self` and `children`."""

    kind: DependencyKind
    task: str = ""


@dataclass(frozen=True, slots=True)
class Rerun:
    """Automatic and manual reruns of a task (RUN-3, OPS-2)."""

    mode: str = "always"  # always | on_failure | never
    times: int = 0  # 0 to 10
    interval_seconds: int = 120  # 0 to 1,800
    on_lost: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A definition of work, every default filled in.

    `code` is the text that runs; `code_file` is the path it came from, relative to the
    workspace's folder, empty for inline code. `valid_from` and `valid_until` are dates of
    the scheduled time, inclusive (TIME-4). `parameters` keeps the declared order.
    """

    name: str
    type: TaskType
    schedule: Schedule
    code: str = ""
    code_file: str = ""
    shell: str = ""  # sh | bash | a path; empty: sh (CAT-10)
    env: tuple[tuple[str, str], ...] = ()
    inherit_env: tuple[str, ...] = ()  # names and beginnings of variables, the deployment's first
    connection: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    owner: str = ""
    priority: int = 1
    baseline: str = ""
    resource_group: str = "default"
    rerun: Rerun = Rerun()
    timeout_seconds: int = 3 * 24 * 3600
    max_parallel_instances: int | None = None
    mode: RunMode = RunMode.NORMAL
    generation: str = "next_day"  # next_day | immediate
    valid_from: date | None = None
    valid_until: date | None = None
    tags: tuple[str, ...] = ()
    description: str = ""

    @property
    def workspace(self) -> str:
        return self.name.partition(".")[0]

    @property
    def short_name(self) -> str:
        return self.name.partition(".")[2]

    @property
    def depends_on_itself(self) -> bool:
        """Whether it waits for its own previous cycle (DEP-6), "self" in chapter 4."""
        return any(d.kind is DependencyKind.SELF for d in self.depends_on)

    def is_valid_on(self, scheduled_date: date) -> bool:
        """Whether instances are made on this date of T (TIME-4)."""
        return (self.valid_from is None or self.valid_from <= scheduled_date) and (
            self.valid_until is None or scheduled_date <= self.valid_until
        )


@dataclass(frozen=True, slots=True)
class IncludedFile:
    """A file that a version holds besides the code of tasks (CAT-9); its path is relative to the workspace's folder."""

    path: str
    sha256: str  # of what it holds, in hex
    size: int
    is_executable: bool = False


# What decides when and after what an instance runs, and where it queues: fixed when the instance is made.
_PLACE = (
    "schedule", "depends_on", "valid_from", "valid_until", "mode", "generation", "priority", "baseline",
    "resource_group", "max_parallel_instances",
)  # fmt: skip
_WORDS = ("owner", "tags", "description", "reads", "writes", "code_file")
_OF_RUNS = tuple(one.name for one in fields(Task) if one.name not in _WORDS)


def renewed(task: Task, newer: Task) -> Task:
    """A task that runs what a newer version says, when and after what it did before (OPS-2)."""
    return replace(newer, **{name: getattr(task, name) for name in _PLACE})


def describes_the_same_run(task: Task, newer: Task) -> bool:
    """Whether both run the same: code, parameters, connection, timeout, rerun and whatever else a run sees."""
    kept = {name: getattr(task, name) for name in _WORDS}
    return replace(renewed(task, newer), **kept) == task


@dataclass(frozen=True, slots=True)
class Workspace:
    """A team's folder of tasks. `members` maps user names to roles; `files` are what `include` led to."""

    name: str
    timezone: str = "UTC"
    region: str = "default"
    members: Mapping[str, str] = field(default_factory=dict)
    include: tuple[str, ...] = ()
    files: tuple[IncludedFile, ...] = ()


def told_of_runs(catalog: Catalog, names: Iterable[str]) -> Iterator[str]:
    """What the runs of some tasks come from, as texts by which one version of it is told from another.

    Everything that is declared of a task but what is only said of it, the files of its workspace, and its connection.
    """
    tasks = [catalog.tasks[name] for name in names]
    for task in tasks:
        yield catalog.told_of_run(task)
        yield catalog.connections.get(task.connection, "")
    for name in sorted({task.workspace for task in tasks}):
        yield repr((catalog.workspaces[name].timezone, catalog.workspaces[name].files))


LOCAL = "local"  # the executor of a resource group whose instances run on the machine of who schedules


@dataclass(frozen=True, slots=True)
class ScalerHook:
    """What adds and removes hosts of a resource group, and is told how many slots are wanted: one of the two.

    `command` is a program and its arguments, run in the project's folder; `url` is posted to, signed with `secret`,
    where there is one. Secrets in them are not resolved.
    """

    command: tuple[str, ...] = ()
    url: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    """A named pool of slots; `workspaces` is None when bound to all of them.

    `executor` says where its instances run: `local`, on the machine of who schedules, or what offers them to others.
    """

    name: str
    type: str = "exclusive"  # shared | exclusive | serverless
    slots: int = 4
    reserved_for_auto: int = 0
    workspaces: frozenset[str] | None = None
    executor: str = LOCAL
    scaler: ScalerHook | None = None  # of an elastic group: type serverless

    @property
    def is_local(self) -> bool:
        return self.executor == LOCAL

    def is_bound_to(self, workspace: str) -> bool:
        return self.workspaces is None or workspace in self.workspaces


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a version was made from: path relative to the project, SHA-256 in hex."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Catalog:
    """All that a project declares, keyed by name; tasks in order of their full names.

    `secrets` maps those that are bound to their workspaces (SEC-3).

    Invariants, checked by `project`: every name refers to something that exists, and the
    same-cycle dependencies have no loop (CAT-4).
    """

    project: str
    timezone: str = "UTC"
    region: str = "default"
    workspaces: Mapping[str, Workspace] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    resource_groups: Mapping[str, ResourceGroup] = field(default_factory=dict)
    baselines: Mapping[str, int] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    files: tuple[SourceFile, ...] = ()
    secrets: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def may_use(self, secret: str, workspace: str) -> bool:
        """Whether tasks of a workspace may name a secret: one that is bound to no workspace serves all (SEC-3)."""
        return workspace in self.secrets.get(secret, (workspace,))

    @cached_property
    def graph(self) -> Graph:
        """The same-cycle graph over all workspaces, by full names."""
        return Graph(
            {
                name: tuple(d.task for d in task.depends_on if d.kind is DependencyKind.SAME_CYCLE)
                for name, task in self.tasks.items()
            }
        )

    def told_of_run(self, task: Task) -> str:
        """One of its tasks, without what is only said of it, as a text; made once."""
        found = self._told_of_runs.get(task.name)
        if found is None:
            found = repr([getattr(task, name) for name in _OF_RUNS])
            self._told_of_runs[task.name] = found
        return found

    @cached_property
    def _told_of_runs(self) -> dict[str, str]:
        return {}

    def timezone_of(self, task: Task) -> str:
        return self.workspaces[task.workspace].timezone

    def frozen_copy_of(self, tasks: Mapping[str, Task]) -> Catalog:
        """The same deployment with other tasks, for planning what-ifs and tests."""
        return replace(self, tasks=MappingProxyType(dict(tasks)))
