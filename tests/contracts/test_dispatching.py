"""What every dispatcher promises: whatever becomes of what it says, each offer is carried out once (decision 0035).

What it says are hints: they may come twice, late, never, and in another order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.adapters import DISPATCHERS, DispatcherRoom
from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import ResourceGroup
from retrofill.services.ports.hosting import Offer
from services.fakes import FakeHosts
from services.hosts import Host
from services.worlds import World

pytestmark = pytest.mark.slow
_COUNT = 12
_TASKS = [make_task(f"w.t{number}", "0 1 * * *", resource_group="etl") for number in range(_COUNT)]


@pytest.fixture(params=DISPATCHERS)
def room(request: pytest.FixtureRequest) -> Iterator[DispatcherRoom]:
    made = DISPATCHERS[request.param]()
    yield made
    made.close()


@pytest.fixture
def w(room: DispatcherRoom, tmp_path: Path) -> Iterator[World]:
    """All instances are offered."""
    group = ResourceGroup("etl", slots=_COUNT, executor=room.executor)
    made = World(tmp_path, *_TASKS, groups=(group,), hosts=FakeHosts())
    made.dispatcher = room.dispatcher  # type: ignore[assignment]
    made.create()
    made.tick()
    yield made
    made.close()


def offers_of(w: World) -> list[Offer]:
    with w.store.read() as reader:
        return [Offer(run.instance_id, run.number, run.token) for run in reader.hosting.waiting()]


def heard_by(w: World, told: list[Offer], min_age_ms: int | None = None) -> Host:
    """A host that was told of these offers, and has asked for them."""
    host = Host(w, "one", slots=_COUNT)
    host.min_age_ms = min_age_ms
    host.begin()
    host.told.offers = told
    host.worker.round()
    return host


def finish(w: World, host: Host) -> None:
    for instance_id in sorted(host.executor.running):
        host.executor.end(instance_id)
    host.worker.round()
    w.tick()


def check_once(w: World, *hosts: Host) -> None:
    started = Counter(spec.ref.instance_id for host in hosts for spec in host.executor.started)
    assert sorted(started.values()) == [1] * _COUNT
    assert Counter(w.states().values()) == {"successful": _COUNT}


def test_what_it_says_is_what_was_offered(w: World, room: DispatcherRoom) -> None:
    """RUN-1: once each, and nothing else; one of which nobody hears says nothing."""
    assert sorted(room.hear(_COUNT)) == (sorted(offers_of(w)) if room.tells else [])
    assert room.dispatcher.trouble() is None
    assert room.dispatcher.alive("one") in (None, True)


def test_messages_that_come_twice_and_in_another_order(w: World, room: DispatcherRoom) -> None:
    """RUN-1: whoever hears of an offer second finds that it is claimed."""
    room.say_again(w)
    told = room.hear(2 * _COUNT)[::-1]
    one = heard_by(w, told or offers_of(w) * 2)
    other = Host(w, "other", slots=_COUNT)
    other.min_age_ms = None
    other.begin()
    other.told.offers = [*told]
    other.worker.round()
    finish(w, one)
    check_once(w, one, other)


def test_messages_that_come_late(w: World, room: DispatcherRoom) -> None:
    """RUN-1: when all is over, they name nothing that is open."""
    told = room.hear(_COUNT) or offers_of(w)
    finds = heard_by(w, [], min_age_ms=0)
    finish(w, finds)
    late = heard_by(w, told)
    assert late.worker.running == 0
    check_once(w, finds, late)


def test_messages_that_never_come(w: World, room: DispatcherRoom) -> None:
    """RUN-1: offers are found in the ledger when they are old enough."""
    host = heard_by(w, [], min_age_ms=0)
    finish(w, host)
    check_once(w, host)


def test_what_was_withdrawn_is_not_carried_out(w: World, room: DispatcherRoom) -> None:
    """OPS-1: though a message may still tell of it."""
    stopped = sorted(w.running())[0]
    w.do("stop", stopped)
    w.tick()
    told = room.hear(_COUNT) or offers_of(w)
    host = heard_by(w, told)
    assert stopped not in host.runs
    assert host.worker.running == _COUNT - 1
    assert w.state(stopped) == "failed stopped"


def test_one_that_is_closed_has_lost_nothing(w: World, room: DispatcherRoom) -> None:
    """RUN-1: what it had not said yet is found."""
    room.dispatcher.close()
    host = heard_by(w, [], min_age_ms=0)
    finish(w, host)
    check_once(w, host)
