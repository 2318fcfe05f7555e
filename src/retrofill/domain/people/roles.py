"""Who may do what: roles per workspace, and the table of what each role may do (SEC-1, SEC-4, SEL-7).

Everything is judged on a workspace and, for developers, on whether the task is their own. The
system administrator counts as administrator of every workspace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from retrofill.domain.errors import NotPermittedError
from retrofill.domain.texts import Text

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog, Task
    from retrofill.domain.people.rights import Rights


SYSTEM_ADMINISTRATOR = "admin"
"""Who always exists and may do everything; whoever acts without saying who."""


class Role(StrEnum):
    """What somebody is in a workspace (SEC-1)."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    DEVELOPER = "developer"
    VISITOR = "visitor"


class Action(StrEnum):
    """What somebody wants to do with a task, its instances or its workspace."""

    READ = "read"  # names, code, parameters, plans, logs
    BACKFILL = "backfill"
    OPERATE = "operate"  # stop, rerun, set successful, freeze and unfreeze instances
    OVERRIDE = "override"  # parameters in a backfill (PAR-5)
    FREEZE_TASK = "freeze_task"
    EMERGENCY = "emergency"  # waits, priority and resource group of one instance (OPS-7)
    DEPLOY = "deploy"


class Reach(Enum):
    """On which tasks of a workspace."""

    NONE = 0
    OWN = 1
    ALL = 2


_READ = {Action.READ: Reach.ALL}
_OPERATE = {Action.BACKFILL: Reach.ALL, Action.OPERATE: Reach.ALL}

ALLOWED: Mapping[Role, Mapping[Action, Reach]] = {
    Role.VISITOR: _READ,
    Role.DEVELOPER: {
        **_READ,
        Action.BACKFILL: Reach.OWN,
        Action.OPERATE: Reach.OWN,
        Action.OVERRIDE: Reach.OWN,
    },
    Role.OPERATOR: {**_READ, **_OPERATE},
    Role.ADMINISTRATOR: dict.fromkeys(Action, Reach.ALL),
}
"""SEC-4; what a role does not name it may not do."""


def reach_of(role: Role | None, action: Action) -> Reach:
    """On which tasks of a workspace somebody with this role may do it; None is no member."""
    return Reach.NONE if role is None else ALLOWED[role].get(action, Reach.NONE)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a name, and roles by workspace."""

    name: str
    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    is_system_administrator: bool = False

    def sees(self, task: str) -> bool:
        """Whether a task, or a workspace, given by its full name, may be shown (SEC-2)."""
        return self.may_all(Action.READ, task.partition(".")[0])

    def may(self, action: Action, task: str, owner: str) -> bool:
        """Whether the action is permitted on a task (SEC-4).

        Args:
            task: its full name.
            owner: its owner's name, empty for none.
        """
        if self.is_system_administrator:
            return True
        reach = reach_of(self.roles.get(task.partition(".")[0]), action)
        return reach is Reach.ALL or (reach is Reach.OWN and owner == self.name)

    def may_all(self, action: Action, workspace: str) -> bool:
        """Whether the action is permitted on every task of a workspace."""
        return self.is_system_administrator or reach_of(self.roles.get(workspace), action) is Reach.ALL

    def may_somewhere(self, action: Action) -> bool:
        """Whether the action is permitted on any task that there may be."""
        return self.is_system_administrator or any(
            reach_of(role, action) is not Reach.NONE for role in self.roles.values()
        )

    def rights(self, catalog: Catalog) -> Rights:
        """What the actor may backfill, override and see of a catalog (SEL-5, SEL-7, PAR-5)."""
        from retrofill.domain.people.rights import ALL_RIGHTS, Rights

        if self.is_system_administrator:
            return ALL_RIGHTS

        def permitted(action: Action) -> frozenset[str]:
            reaches = {workspace: reach_of(role, action) for workspace, role in self.roles.items()}
            whole = {workspace for workspace, reach in reaches.items() if reach is Reach.ALL}
            own = {workspace for workspace, reach in reaches.items() if reach is Reach.OWN}
            return frozenset(
                t.name
                for t in catalog.tasks.values()
                if t.workspace in whole or (t.workspace in own and t.owner == self.name)
            )

        return Rights(permitted(Action.BACKFILL), frozenset(self.roles), permitted(Action.OVERRIDE))


def check_system_administrator(
    actor: Actor, what: str, hint: str | Text = "Ask the system administrator."
) -> None:
    """Refuse what concerns every workspace (SEC-4).

    Args:
        what: completes "you may not".

    Raises:
        NotPermittedError: somebody else acts.
    """
    if not actor.is_system_administrator:
        raise NotPermittedError(f"{actor.name} may not {what}", hint)


def check_deploy(actor: Actor, before: Catalog | None, after: Catalog) -> None:
    """Refuse a deploy that changes a workspace of which the actor is no administrator (SEC-4).

    What all workspaces share (connections, secrets, resource groups, settings) is the system administrator's.

    Raises:
        NotPermittedError: naming the workspaces that the actor sees.
    """
    if actor.is_system_administrator:
        return
    names = sorted({*(before.workspaces if before is not None else ()), *after.workspaces})
    changed = [name for name in names if before is None or _part(before, name) != _part(after, name)]
    denied = [name for name in changed if not actor.may_all(Action.DEPLOY, name)]
    if denied or before is None or _shared(before) != _shared(after):
        seen = [name for name in denied if actor.sees(name)]
        raise NotPermittedError(
            f"{actor.name} may not deploy changes of {', '.join(seen) or 'other workspaces'}",
            "An administrator of every workspace that changes may, and the system administrator.",
        )


def _part(catalog: Catalog, workspace: str) -> object:
    """What one workspace declares."""
    tasks = [task for task in catalog.tasks.values() if task.workspace == workspace]
    return catalog.workspaces.get(workspace), tasks


def _shared(catalog: Catalog) -> object:
    """What is nobody's in particular."""
    settings = (catalog.project, catalog.timezone, catalog.region, dict(catalog.settings))
    bound = dict(catalog.secrets)
    return settings, bound, dict(catalog.resource_groups), dict(catalog.baselines), dict(catalog.connections)


def system_administrator(name: str) -> Actor:
    """An actor who may do everything."""
    return Actor(name, is_system_administrator=True)


def actor_of(name: str, catalog: Catalog | None, is_system_administrator: bool = False) -> Actor:
    """The actor of this name, with the roles that a catalog's `members` give (SEC-4)."""
    if is_system_administrator or catalog is None:
        return Actor(name, is_system_administrator=is_system_administrator)
    roles = {w.name: Role(w.members[name]) for w in catalog.workspaces.values() if name in w.members}
    return Actor(name, MappingProxyType(roles))


def owner_of(task: Task, catalog: Catalog | None) -> str:
    """Who owns a task now: as the current catalog says, or as it was where the task is gone."""
    current = catalog.tasks.get(task.name) if catalog is not None else None
    return (current or task).owner
