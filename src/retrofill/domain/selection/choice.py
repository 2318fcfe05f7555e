"""Which tasks a backfill runs: a request, the graph and the rights of a user -> a Choice.

Requests hold full names as the user meant them; a Choice holds what takes part. "Runs" means
chosen, not blacklisted and permitted, whatever a task's mode and type (SEL-6).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.catalog.graph import Graph
from retrofill.domain.errors import (
    LimitError,
    NotPermittedError,
    UnknownNameError,
    UsageError,
    did_you_mean,
    shown,
)
from retrofill.domain.people.rights import ALL_RIGHTS, Rights
from retrofill.domain.selection.ways import (
    NAMES_TASKS,
    NAMES_WORKSPACES,
    AllDescendantsSelection,
    LinkSelection,
    ManualSelection,
    Selection,
    WorkspaceSelection,
    to_json,
)
from retrofill.domain.texts import Text
from retrofill.domain.words import many


class SelectionError(UsageError):
    """Choose other tasks; {task.graph} shows what depends on what."""

    code = "bad_selection"


class NotReachableError(SelectionError):
    """Choose end tasks that are descendants of the start task."""

    code = "not_reachable"


class NotDescendantError(SelectionError):
    """Name descendants of the chosen roots, or add the task as a root."""

    code = "not_a_descendant"


class NotChosenError(SelectionError):
    """Exclude only tasks that the rest of the selection chooses."""

    code = "not_chosen"


class RegionError(SelectionError):
    """Choose workspaces of the region of the root's workspace, one backfill per region."""

    code = "other_region"


class NothingToRunError(SelectionError):
    """Choose at least one task that is not excluded and that you may run."""

    code = "nothing_to_run"


class TooManyTasksError(LimitError):
    """Choose fewer tasks, or raise the setting that the message names."""

    code = "too_many_tasks"


class DryRunReason(StrEnum):
    """Why a task takes part without running (SEL-6), and `mode` for its own run mode (CAT-8)."""

    BLACKLISTED = "blacklisted"
    NO_PERMISSION = "no_permission"
    INTERMEDIATE = "intermediate"
    MODE = "mode"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many tasks may be chosen; named like the settings (SEL-1, SEL-3)."""

    max_roots: int = 500
    max_tasks: int = 2_000
    max_workspace_tasks: int = 20_000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Choice:
    """What takes part in a backfill.

    `tasks` are in order of their full names, dry runs included; `dry_runs` gives their
    reasons. `left_out` came in implicitly without permission and take no part (SEL-7);
    `left_out_unseen` counts those of workspaces that the user is no member of (SEC-2).
    `empty_workspaces` were chosen without a descendant of the root in them (SEL-3).
    """

    tasks: tuple[str, ...]
    dry_runs: Mapping[str, DryRunReason] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    left_out_unseen: int = 0
    empty_workspaces: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values for storage; `from_json` gives an equal choice."""
        return {
            "tasks": list(self.tasks),
            "dry_runs": {task: reason.value for task, reason in self.dry_runs.items()},
            "left_out": list(self.left_out),
            "left_out_unseen": self.left_out_unseen,
            "empty_workspaces": list(self.empty_workspaces),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Choice:
        """The choice that `to_json` wrote."""
        return cls(
            tuple(data["tasks"]),
            {task: DryRunReason(reason) for task, reason in data["dry_runs"].items()},
            tuple(data["left_out"]),
            int(data["left_out_unseen"]),
            tuple(data["empty_workspaces"]),
        )


@dataclass(frozen=True, slots=True)
class _Pick:
    """What a request names and brings in, before the blacklist and permissions."""

    chosen: set[str]
    named: set[str]  # needs permission wherever it runs
    empty_workspaces: tuple[str, ...] = ()


def resolve(
    selection: Selection, catalog: Catalog, limits: Limits = DEFAULT_LIMITS, rights: Rights = ALL_RIGHTS
) -> Choice:
    """Work out what runs, what is a dry run and what is left out (SEL-1..4, SEL-6, SEL-7).

    Raises:
        UnknownNameError: a name that does not exist or that the user may not see.
        TooManyTasksError: over a limit, counted before the blacklist, without intermediates.
        NotReachableError, NotDescendantError, NotChosenError, RegionError: by the way of choosing.
        NotPermittedError: a named task that would run without permission.
        NothingToRunError: the blacklist and permissions leave nothing.
    """
    pick: _Pick
    match selection:
        case ManualSelection():
            pick = _pick_manually(selection, catalog, limits, rights)
        case LinkSelection():
            pick = _pick_link(selection, catalog, rights)
        case WorkspaceSelection():
            pick = _pick_workspaces(selection, catalog, limits, rights)
        case AllDescendantsSelection():
            _check_known((selection.root, *selection.exclude), catalog, rights)
            pick = _Pick({selection.root} | catalog.graph.descendants([selection.root]), {selection.root})
    blacklist = set(selection.exclude)
    if isinstance(selection, ManualSelection):
        blacklist &= set(selection.roots)
    _check_chosen(blacklist, pick.chosen)
    return _choice(pick, blacklist, catalog, rights)


def _several(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else value or []


def check_names(selection: Selection, catalog: Catalog, rights: Rights, who: str) -> None:
    """Whether everything that an earlier selection names still exists and may be seen (SEL-9).

    Args:
        who: begins the sentence, for example "backfill 3 chose".

    Raises:
        UnknownNameError: naming all that is gone.
    """
    values = to_json(selection)
    named = [name for key in NAMES_TASKS for name in _several(values.get(key))]
    gone = {name for name in named if name not in catalog.tasks or not rights.sees(name)}
    chosen = [name for key in NAMES_WORKSPACES for name in _several(values.get(key))]
    workspaces = {name for name in chosen if name not in catalog.workspaces or not rights.sees(name)}
    hidden = {name for name in gone | workspaces if not rights.sees(name)}
    gone, workspaces = gone - hidden, workspaces - hidden
    parts = [
        f"{many(len(names), what).partition(' ')[2]} {_listed(names)}"
        for names, what in ((gone, "task"), (workspaces, "workspace"))
        if names
    ]
    if hidden:
        parts.append(f"{many(len(hidden), 'name')} of other workspaces")
    if parts:
        raise UnknownNameError(
            f"{who} what does not exist any more: {', '.join(parts)}",
            "Choose the tasks anew, by one of the ways.",
        )


def _pick_manually(selection: ManualSelection, catalog: Catalog, limits: Limits, rights: Rights) -> _Pick:
    roots, only = set(selection.roots), set(selection.only)
    if not roots:
        raise NothingToRunError("no root task is chosen")
    _check_known((*selection.roots, *selection.only, *selection.exclude), catalog, rights)
    if len(roots) > limits.max_roots:
        raise TooManyTasksError(
            f"{many(len(roots), 'root task')} are more than the {limits.max_roots:,} that can be chosen "
            "(setting max_roots)"
        )
    level = selection.descendants if selection.descendants is not None or not only else "all"
    if isinstance(level, int) and level < 1:
        raise SelectionError(
            f"level {level}: direct descendants are level 1", "Name a level from 1 on, or all."
        )
    below: set[str] = set()
    if level == "all":
        below = catalog.graph.descendants(roots)
    elif level is not None:
        below = {name for name, depth in catalog.graph.levels(roots).items() if 0 < depth <= level}
    strangers = only - below - roots
    if strangers:
        depth = "" if level == "all" else f" within {many(int(level or 1), 'level')}"
        raise NotDescendantError(f"{_listed(strangers)}: no descendant of the chosen roots{depth}")
    _check_chosen(set(selection.exclude), roots | (only or below))
    chosen = roots | ((only or below) - set(selection.exclude))
    _check_count(chosen, limits.max_tasks, "max_tasks")
    return _Pick(chosen, roots | only)


def _pick_link(selection: LinkSelection, catalog: Catalog, rights: Rights) -> _Pick:
    start, ends = selection.start, set(selection.ends)
    if not ends:
        raise NotReachableError(f"no end task is chosen for the start task {start}")
    _check_known((start, *selection.ends, *selection.exclude), catalog, rights)
    return _Pick(ways_between(start, ends, catalog.graph), {start} | ends)


def ways_between(start: str, ends: Collection[str], graph: Graph) -> set[str]:
    """All names on the ways from a start to ends, with both.

    Raises:
        NotReachableError: an end is the start, or does not lie below it.
    """
    if start in ends:
        raise NotReachableError(f"{start} is both the start task and an end task")
    unreached = set(ends) - graph.descendants([start])
    if unreached:
        verb = "does" if len(unreached) == 1 else "do"
        raise NotReachableError(
            f"{_listed(unreached)} {verb} not depend on {start}, directly or through other tasks"
        )
    return {start, *ends} | graph.between([start], ends)


def _pick_workspaces(
    selection: WorkspaceSelection, catalog: Catalog, limits: Limits, rights: Rights
) -> _Pick:
    root = selection.root
    _check_known((root, *selection.include, *selection.exclude), catalog, rights)
    _check_workspaces(selection, catalog, rights)
    below = catalog.graph.descendants([root])
    chosen = {name for name in below if catalog.tasks[name].workspace in set(selection.workspaces)}
    with_tasks = {catalog.tasks[name].workspace for name in chosen}
    empty = tuple(sorted(set(selection.workspaces) - with_tasks))
    named = set(selection.include)
    if selection.include_root:
        named.add(root)
    chosen |= named
    _check_count(chosen, limits.max_workspace_tasks, "max_workspace_tasks")
    return _Pick(chosen, named, empty)


def _check_workspaces(selection: WorkspaceSelection, catalog: Catalog, rights: Rights) -> None:
    if not selection.workspaces:
        raise SelectionError(
            f"no workspace is chosen for the descendants of {selection.root}", "Name at least one workspace."
        )
    seen = {name for name in catalog.workspaces if rights.sees(name)}
    for name in selection.workspaces:
        if name not in seen:
            raise UnknownNameError(
                f'there is no workspace "{shown(name)}"{did_you_mean(name, seen)}',
                Text("{workspace.list} shows all of them."),
            )
    region = catalog.workspaces[catalog.tasks[selection.root].workspace].region
    others = [name for name in selection.workspaces if catalog.workspaces[name].region != region]
    if others:
        raise RegionError(f"{_listed(others)}: not of the region {region} of {selection.root}'s workspace")


def _choice(pick: _Pick, blacklist: set[str], catalog: Catalog, rights: Rights) -> Choice:
    wanted = pick.chosen - blacklist
    without_permission = {name for name in wanted if not rights.may_run(name)}
    refused = without_permission & pick.named
    if refused:
        raise NotPermittedError(f"you may not backfill {_listed(refused)}")
    running = wanted - without_permission
    if not running:
        raise NothingToRunError(f"nothing is left to run: {_why_nothing(pick, wanted)}")
    dry_runs = catalog.graph.between(running, running) - running
    left_out = without_permission - dry_runs
    seen = tuple(sorted(name for name in left_out if rights.sees(name)))

    def reason(name: str) -> DryRunReason:
        if name in blacklist:
            return DryRunReason.BLACKLISTED
        return DryRunReason.NO_PERMISSION if name in without_permission else DryRunReason.INTERMEDIATE

    return Choice(
        tuple(sorted(running | dry_runs)),
        {name: reason(name) for name in sorted(dry_runs)},
        seen,
        len(left_out) - len(seen),
        pick.empty_workspaces,
    )


def _why_nothing(pick: _Pick, wanted: set[str]) -> str:
    if wanted:
        return "you may not backfill any chosen task"
    if pick.chosen:
        return "every chosen task is blacklisted"
    where = (
        f"{'workspace' if len(pick.empty_workspaces) == 1 else 'workspaces'} {_listed(pick.empty_workspaces)}"
    )
    return f"the root has no descendants in the {where}, and is itself left out"


def _check_known(names: Iterable[str], catalog: Catalog, rights: Rights) -> None:
    """A foreign task is answered like one that does not exist (SEL-5)."""
    unknown = [name for name in names if name not in catalog.tasks or not rights.sees(name)]
    if unknown:
        known = [name for name in catalog.tasks if rights.sees(name)]
        near = did_you_mean(unknown[0], known) if len(unknown) == 1 else ""
        raise UnknownNameError(f"there is no task {shown(_listed(unknown))}{near}")


def _check_chosen(blacklist: set[str], chosen: set[str]) -> None:
    strangers = blacklist - chosen
    if strangers:
        raise NotChosenError(f"{_listed(strangers)}: excluded, but not chosen in the first place")


def _check_count(chosen: set[str], most: int, setting: str) -> None:
    if len(chosen) > most:
        raise TooManyTasksError(
            f"{many(len(chosen), 'task')} are more than the {most:,} that can be chosen (setting {setting})"
        )


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(set(names)))
