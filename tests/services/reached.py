"""A world with an instance in each state, reached as people and schedulers reach it; and its name."""

from __future__ import annotations

from collections.abc import Callable

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import Task
from retrofill.domain.running.states import State
from services.worlds import MakeWorld, World


def two_tasks() -> list[Task]:
    return [make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a")]


def not_run(make: MakeWorld) -> tuple[World, str]:
    w = make(*two_tasks())
    w.create()
    return w, "b 5 02:00"


def waiting_time(make: MakeWorld) -> tuple[World, str]:
    w = make(*two_tasks(), now="2026-01-05T12:00")
    w.create()
    return w, "a 5 01:00"


def waiting_resources(make: MakeWorld) -> tuple[World, str]:
    w = make(*two_tasks())
    w.create()
    return w, "a 5 01:00"


def running(make: MakeWorld) -> tuple[World, str]:
    w, name = waiting_resources(make)
    w.executor.obeys = False
    w.tick()
    return w, name


def successful(make: MakeWorld) -> tuple[World, str]:
    w, name = running(make)
    w.end(name)
    return w, name


def failed(make: MakeWorld) -> tuple[World, str]:
    w, name = running(make)
    w.end(name, exit_code=1)
    return w, name


def frozen(make: MakeWorld) -> tuple[World, str]:
    w, name = failed(make)
    w.do("freeze", name)
    return w, name


REACH: dict[State, Callable[[MakeWorld], tuple[World, str]]] = {
    State.NOT_RUN: not_run,
    State.WAITING_TIME: waiting_time,
    State.WAITING_RESOURCES: waiting_resources,
    State.RUNNING: running,
    State.SUCCESSFUL: successful,
    State.FAILED: failed,
    State.FROZEN: frozen,
}


def auto(state: State) -> Callable[[MakeWorld], tuple[World, str]]:
    """The same of an auto triggered instance; its name begins with `auto`."""

    def reach(make: MakeWorld) -> tuple[World, str]:
        w = make(*two_tasks(), now="2026-03-02T12:00")
        w.clock.move_to("2026-03-02T23:30")
        w.night()
        name = "auto a 2 01:00"
        if state is State.NOT_RUN:
            return w, "auto b 2 02:00"
        if state is State.WAITING_TIME:
            return w, name
        w.executor.obeys = False
        w.clock.move_to("2026-03-03T12:00")
        if state is State.WAITING_RESOURCES:
            w.scheduler.starts = False
            w.tick()
            w.scheduler.starts = True
            return w, name
        w.tick()
        if state is not State.RUNNING:
            w.end(name, exit_code=0 if state is State.SUCCESSFUL else 1)
        if state is State.FROZEN:
            w.do("freeze", name)
        return w, name

    return reach


REACH_AUTO: dict[State, Callable[[MakeWorld], tuple[World, str]]] = {state: auto(state) for state in State}
