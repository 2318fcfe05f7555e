"""Freezing tasks by command, judged by what is deployed at that moment."""

from __future__ import annotations

from dataclasses import replace

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import RunMode
from retrofill.domain.errors import NotPermittedError, UnknownNameError, WrongStateError
from retrofill.domain.people.roles import actor_of, system_administrator
from retrofill.services.catalogs.freezing import freeze_tasks
from services.worlds import MakeWorld, World

ADMIN = system_administrator("admin")


def deploy(w: World, mode: RunMode, *names: str) -> None:
    """Other tasks than there were."""
    tasks = {name: replace(make_task(name, "0 1 * * *"), mode=mode) for name in names}
    w.deploy(replace(w.catalog, tasks=tasks))


def test_a_task_that_has_just_been_deployed_away(world: MakeWorld) -> None:
    """AUTO-4, OPS-8: it was there when its name was looked up; the others are frozen."""
    w = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 1 * * *"))
    deploy(w, RunMode.NORMAL, "w.b")
    gone, frozen = freeze_tasks(w.store, w.graphs.current, w.clock, ADMIN, ["w.a", "w.b"], True)
    assert isinstance(gone.error, UnknownNameError)
    assert (frozen.error, frozen.frozen) == (None, True)
    with w.store.read() as reader:
        assert reader.frozen_tasks.names() == {"w.b"}


def test_a_task_that_was_just_paused_by_its_mode(world: MakeWorld) -> None:
    """AUTO-4: the command cannot thaw what the project freezes."""
    w = world(make_task("w.a", "0 1 * * *"))
    freeze_tasks(w.store, w.graphs.current, w.clock, ADMIN, ["w.a"], True)
    deploy(w, RunMode.PAUSED, "w.a")
    (result,) = freeze_tasks(w.store, w.graphs.current, w.clock, ADMIN, ["w.a"], False)
    assert isinstance(result.error, WrongStateError)
    assert result.frozen


def test_who_may_not_freeze(world: MakeWorld) -> None:
    """SEC-4: an operator may not, and nothing is noted."""
    w = world(make_task("w.a", "0 1 * * *"), members={"w": {"bob": "operator"}})
    bob = actor_of("bob", w.catalog)
    (result,) = freeze_tasks(w.store, w.graphs.current, w.clock, bob, ["w.a"], True)
    assert isinstance(result.error, NotPermittedError)
    with w.store.read() as reader:
        assert reader.frozen_tasks.names() == frozenset()
