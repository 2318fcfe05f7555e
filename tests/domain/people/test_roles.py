"""Who may do what: the table of roles and actions, word by word."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogs import make_catalog, make_task
from retrofill.domain.catalog.definitions import Catalog, Workspace
from retrofill.domain.people.roles import Action, Actor, Role, actor_of, owner_of, system_administrator

NOTHING, OWN, ALL = "nothing", "own", "all"
TABLE = {
    # SEC-4:            visitor   developer operator  administrator
    Action.READ: (ALL, ALL, ALL, ALL),
    Action.BACKFILL: (NOTHING, OWN, ALL, ALL),
    Action.OPERATE: (NOTHING, OWN, ALL, ALL),
    Action.OVERRIDE: (NOTHING, OWN, NOTHING, ALL),
    Action.FREEZE_TASK: (NOTHING, NOTHING, NOTHING, ALL),
    Action.EMERGENCY: (NOTHING, NOTHING, NOTHING, ALL),
    Action.DEPLOY: (NOTHING, NOTHING, NOTHING, ALL),
}
ROLES = (Role.VISITOR, Role.DEVELOPER, Role.OPERATOR, Role.ADMINISTRATOR)
CASES = [
    (action, role, reach)
    for action, reaches in TABLE.items()
    for role, reach in zip(ROLES, reaches, strict=True)
]


def test_every_action_stands_in_the_table() -> None:
    """SEC-4: a new action must be decided for every role."""
    assert set(TABLE) == set(Action)
    assert set(ROLES) == set(Role)


@pytest.mark.parametrize(("action", "role", "reach"), CASES)
def test_what_a_role_may_do(action: Action, role: Role, reach: str) -> None:
    """SEC-4, SEL-7, PAR-5: on tasks of one's own, on all tasks, or not at all; and nowhere else."""
    actor = Actor("ann", {"w": role})
    assert actor.may(action, "w.a", "ann") == (reach != NOTHING)
    assert actor.may(action, "w.a", "bob") == (reach == ALL)
    assert actor.may(action, "w.a", "") == (reach == ALL)
    assert actor.may_all(action, "w") == (reach == ALL)
    assert not actor.may(action, "v.a", "ann")
    assert not actor.may_all(action, "v")


@pytest.mark.parametrize("action", Action)
def test_the_system_administrator_is_administrator_everywhere(action: Action) -> None:
    """SEC-4: also of workspaces without members, and of tasks without an owner."""
    root = system_administrator("root")
    assert root.may(action, "w.a", "")
    assert root.may_all(action, "w")
    assert root.sees("w.a")


def test_members_see_their_workspaces() -> None:
    """SEC-2: by membership, whatever the role; a name that begins alike is another workspace."""
    actor = Actor("ann", {"w": Role.VISITOR})
    assert actor.sees("w.a")
    assert actor.sees("w")
    assert not actor.sees("w2.a")


def _catalog() -> Catalog:
    catalog = make_catalog(
        make_task("w.mine", "@daily", owner="ann"),
        make_task("w.other", "@daily", owner="bob"),
        make_task("v.mine", "@daily", owner="ann"),
        make_task("x.far", "@daily"),
    )
    roles = {"w": {"ann": "developer", "bob": "operator"}, "v": {"ann": "visitor"}}
    workspaces = {name: Workspace(name, members=roles.get(name, {})) for name in catalog.workspaces}
    return Catalog("test", workspaces=workspaces, tasks=catalog.tasks)


def test_roles_come_from_the_members() -> None:
    """SEC-4, SEL-7: a developer's rights are on the tasks that he owns, in workspaces where he is one."""
    rights = actor_of("ann", _catalog()).rights(_catalog())
    assert rights.permitted == {"w.mine"}
    assert rights.overridable == {"w.mine"}
    assert rights.workspaces == {"w", "v"}
    assert actor_of("bob", _catalog()).rights(_catalog()).permitted == {"w.mine", "w.other"}
    assert actor_of("bob", _catalog()).rights(_catalog()).overridable == set()
    assert actor_of("eve", _catalog()).rights(_catalog()).workspaces == set()


def test_the_system_administrators_rights_cost_nothing() -> None:
    """SEC-4: no set of tasks is built and asked for every one of them."""
    rights = actor_of("root", _catalog(), is_system_administrator=True).rights(_catalog())
    assert (rights.permitted, rights.workspaces, rights.overridable) == (None, None, None)


def test_a_removed_task_keeps_its_owner() -> None:
    """SEC-4: the current catalog says who owns a task; where it is gone, the version that it ran in."""
    task = make_task("w.a", "@daily", owner="ann")
    assert owner_of(task, make_catalog(make_task("w.a", "@daily", owner="bob"))) == "bob"
    assert owner_of(task, make_catalog(make_task("w.b", "@daily"))) == "ann"
    assert owner_of(task, None) == "ann"


def _slowly(role: str | None, action: Action, is_owner: bool) -> bool:
    """SEC-4 as sentences."""
    if role == "administrator":
        return True
    if role == "operator":
        return action in (Action.READ, Action.BACKFILL, Action.OPERATE)
    if role == "developer":
        its_own = (Action.BACKFILL, Action.OPERATE, Action.OVERRIDE)
        return action is Action.READ or (is_owner and action in its_own)
    return role == "visitor" and action is Action.READ


@given(st.randoms(use_true_random=False))
def test_rights_agree_with_the_sentences(chance: Random) -> None:
    """SEC-2, SEC-4, SEL-7, PAR-5: over random members and owners."""
    people = ["ann", "bob", "cid"]
    members = {w: {p: r.value for p in people if (r := chance.choice([None, *ROLES]))} for w in "vwx"}
    tasks = [
        make_task(f"{w}.t{i}", "@daily", owner=chance.choice(["", *people])) for w in "vwx" for i in range(3)
    ]
    workspaces = {w: Workspace(w, members=members[w]) for w in "vwx"}
    catalog = Catalog("test", workspaces=workspaces, tasks={task.name: task for task in tasks})
    for person in people:
        actor = actor_of(person, catalog)
        rights = actor.rights(catalog)
        for task in tasks:
            role = members[task.workspace].get(person)
            allowed = {a: _slowly(role, a, task.owner == person) for a in Action}
            assert {a: actor.may(a, task.name, task.owner) for a in Action} == allowed
            assert rights.may_run(task.name) == allowed[Action.BACKFILL]
            assert rights.may_override(task.name) == allowed[Action.OVERRIDE]
            assert rights.sees(task.name) == actor.sees(task.name) == allowed[Action.READ]
