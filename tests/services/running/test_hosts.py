"""Runs live on a host: whoever leads counts them all, and adopts and stops those of its own."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from retrofill.domain.errors import StoreUnavailableError
from retrofill.services.ports.hosts import Host, Hosts
from retrofill.services.ports.logs import NoLogError
from services.centers import WorldParts, center_of
from services.worlds import MakeWorld, World

TASKS = [make_task(f"w.{name}", "0 1 * * *") for name in "abc"]


def lead_on(w: World, host: str) -> None:
    """Another scheduler leads from now on, on this host."""
    w.executor.host = host
    w.scheduler_store = w.open_elsewhere()
    w.restart()


def adopted(w: World) -> list[int]:
    return [ref.instance_id for ref in w.executor.adopted]


def test_a_scheduler_adopts_what_lives_on_its_own_host(world: MakeWorld) -> None:
    """RUN-1: what another host runs is neither judged nor started again."""
    w = world(*TASKS, slots=3)
    lead_on(w, "one")
    w.create("a", "b")
    w.tick()
    running = sorted(w.executor.running)
    with w.store.read() as reader:
        assert {run.host for _, run in reader.running()} == {"one"}
    lead_on(w, "two")
    w.tick()
    assert adopted(w) == []
    assert len(w.running()) == 2
    lead_on(w, "one")
    assert adopted(w) == running


def test_slots_are_those_of_all_hosts(world: MakeWorld) -> None:
    """RUN-1, RUN-6: an instance that runs elsewhere holds its slot, until its end stands in the ledger."""
    w = world(*TASKS, slots=1)
    lead_on(w, "one")
    w.create("a")
    w.tick()
    (there,) = w.executor.running
    elsewhere = w.scheduler
    elsewhere.starts = False
    lead_on(w, "two")
    w.create("b")
    w.tick()
    assert w.running() == set(), "of the newest backfill: the slot is taken"
    w.executor.end(there)
    elsewhere.tick()  # notes what it hears
    w.tick()
    assert w.running() == {"b 5 01:00"}


def test_a_stop_is_told_to_the_host_where_it_runs(world: MakeWorld) -> None:
    """OPS-1: by whoever leads there, or hears of it there."""
    w = world(*TASKS)
    lead_on(w, "one")
    w.create("a")
    w.tick()
    lead_on(w, "two")
    assert w.do("stop", "a 5 01:00") == [None]
    w.tick()
    assert w.executor.told_to_stop == []
    lead_on(w, "one")
    w.tick()
    assert len(w.executor.told_to_stop) == 1


def test_what_runs_elsewhere_is_not_missed_here(world: MakeWorld) -> None:
    """OPS-0: nobody can see from here that it has ended; and its log is asked for there (OPS-10)."""
    w = world(*TASKS)
    lead_on(w, "one")
    w.create("a")
    w.tick()
    (number,) = w.executor.running
    w.clock.forward(60)
    parts = WorldParts(w)
    parts.watch.is_running = False
    center = center_of(w, parts)
    assert list(center.instances.unattended()) == []
    log = center.instances.log(number)
    assert not isinstance(log, str)
    with pytest.raises(NoLogError, match="lives on one"):
        list(log.pieces())
    parts.watch.host = "one"
    assert list(center.instances.unattended()) == [number]


class Machines(Hosts):
    """What a leader hears of the others."""

    def __init__(self, *found: Host) -> None:
        self.found = list(found)
        self.is_away = False

    def beat(self) -> None:
        pass

    def all(self) -> list[Host]:
        if self.is_away:
            raise StoreUnavailableError("the server is away")
        return self.found


def test_runs_of_a_machine_that_is_not_heard_of_are_lost(world: MakeWorld) -> None:
    """RUN-3: but not at once: when the server was away nobody could be heard of."""
    w = world(*TASKS)
    lead_on(w, "one")
    w.create("a")
    w.tick()
    lead_on(w, "two")
    w.scheduler.judging.hosts = Machines(Host("one", -1), Host("two", 100_000))
    w.tick()
    assert w.state("a 5 01:00") == "running"
    w.clock.forward(61)
    w.tick()
    assert w.state("a 5 01:00") == "failed lost"


def test_machines_that_are_heard_of_keep_their_runs(world: MakeWorld) -> None:
    w = world(*TASKS)
    lead_on(w, "one")
    w.create("a")
    w.tick()
    lead_on(w, "two")
    w.scheduler.judging.hosts = Machines(Host("one", 5_000))
    for _ in range(3):
        w.clock.forward(61)
        w.tick()
    assert w.state("a 5 01:00") == "running"


def test_an_end_outlives_a_server_that_cannot_be_asked_for_machines(world: MakeWorld) -> None:
    """RUN-3: what an executor has told once stands in the ledger in the end."""
    w = world(*TASKS)
    lead_on(w, "one")
    w.create("a")
    machines = w.scheduler.judging.hosts = Machines()
    w.tick()
    (number,) = w.executor.running
    w.clock.forward(61)
    w.executor.end(number)
    machines.is_away = True
    with pytest.raises(StoreUnavailableError):
        w.tick()
    machines.is_away = False
    w.tick()
    assert w.state("a 5 01:00") == "successful"
