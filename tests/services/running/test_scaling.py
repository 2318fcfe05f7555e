"""Scalers of elastic groups are told what is wanted and present (RUN-9)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import ResourceGroup, ScalerHook
from retrofill.domain.running.scaling import Scale, scale_of
from retrofill.services.ports.scaling import NotToldError, ScaleNotice
from retrofill.services.running.scaling import Scaling
from services.fleets import Fleet
from services.worlds import MakeWorld, World

TASKS = [make_task(f"w.t{number}", "0 1 * * *", resource_group="etl") for number in range(5)]
ETL = ResourceGroup("etl", type="serverless", slots=4, executor="pull", scaler=ScalerHook(("scale",)))


@pytest.mark.parametrize(
    ("most", "held", "waiting", "expected"), [(8, 0, 0, 0), (8, 2, 3, 5), (4, 4, 90, 4), (4, 9, 0, 4)]
)
def test_what_would_be_used_is_wanted_up_to_the_slots_of_the_group(
    most: int, held: int, waiting: int, expected: int
) -> None:
    """RUN-9: a group whose slots were lowered while more run wants what it has now."""
    assert scale_of(most, held, waiting, 7) == Scale(expected, 7)


@dataclass
class Told:
    """A scaler that notes what it was told, or cannot be told."""

    notices: list[ScaleNotice] = field(default_factory=list)
    fault: str = ""

    def tell(self, group: ResourceGroup, notice: ScaleNotice) -> None:
        if self.fault:
            raise NotToldError(self.fault)
        self.notices.append(notice)

    @property
    def last(self) -> tuple[int, int]:
        return self.notices[-1]["wanted"], self.notices[-1]["present"]


@dataclass
class Watched:
    """A world with hosts whose scaler is told."""

    w: World
    fleet: Fleet
    told: Told = field(default_factory=Told)
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        w, watch = self.w, self.fleet.parts.watch
        self.scaling = Scaling(
            w.store, w.clock, lambda: w.catalog, watch, self.told, self.said.append, lambda: self.seconds
        )

    def look(self, seconds: float = 1) -> int:
        """After so long; how many notices there were."""
        self.seconds += seconds
        before = len(self.told.notices)
        self.scaling.look()
        return len(self.told.notices) - before


@pytest.fixture
def watched(world: MakeWorld) -> Watched:
    w = world(*TASKS, groups=(ETL,))
    return Watched(w, Fleet(w))


def test_changes_are_told_at_once_and_everything_every_minute(watched: Watched) -> None:
    """RUN-9: wanted counts what runs, what is offered, and what lacks a slot; present what takes work."""
    w, fleet = watched.w, watched.fleet
    assert (watched.look(), watched.told.last) == (1, (0, 0))
    assert [watched.look(30), watched.look(29), watched.look(2), watched.look()] == [0, 0, 1, 0]
    w.create("t0", "t1")
    w.tick()
    assert (watched.look(), watched.told.last) == (1, (2, 0))
    name = fleet.join("etl1", slots=3)
    assert (watched.look(), watched.told.last) == (1, (2, 3))
    fleet.claim(name, "t0 5 01:00")
    assert watched.look() == 0, "it is held either way"
    w.create("t2", "t3", "t4")
    w.tick()
    assert (watched.look(), watched.told.last) == (1, (4, 3)), "five would run, and the group has four slots"
    notice = watched.told.notices[-1]
    assert (notice["most"], notice["held"], notice["waiting"]) == (4, 4, 1)
    assert notice["hosts"] == [{"name": name, "label": "etl1", "state": "there", "slots": 3, "running": 1}]


def test_hosts_that_take_nothing_are_not_present(watched: Watched) -> None:
    """RUN-9: those that drain, are not heard of, or have left."""
    fleet = watched.fleet
    one, two = fleet.join("etl1", slots=3), fleet.join("etl2", slots=2)
    fleet.join("etl3", "other", slots=9)
    assert (watched.look(), watched.told.last) == (1, (0, 5))
    fleet.center.hosts.drain("etl1")
    assert (watched.look(), watched.told.last) == (1, (0, 2))
    fleet.hush(two, 60)
    assert (watched.look(), watched.told.last) == (1, (0, 0))
    fleet.leave(one)
    watched.look(61)
    assert [host["label"] for host in watched.told.notices[-1]["hosts"]] == ["etl2"]


def test_a_scaler_that_cannot_be_told_is_told_again(watched: Watched) -> None:
    """RUN-9: people hear of it once, and nothing else is held up."""
    watched.told.fault = "no such program"
    assert [watched.look(), watched.look(61)] == [0, 0]
    assert watched.said == ["the scaler of resource group etl was not told: no such program"]
    watched.told.fault = ""
    assert [watched.look(30), watched.look(31)] == [0, 1]


def test_groups_without_a_scaler_cost_nothing(world: MakeWorld) -> None:
    """RUN-9: not even a look at the ledger."""
    w = world(*TASKS, groups=(ResourceGroup("etl", executor="pull"),))
    one = Watched(w, Fleet(w))
    w.store.close()
    assert one.look() == 0
