"""A worker's own Celery: what it hears it hands over, and nothing that becomes of it keeps offers from coming."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kombu import Connection

from e2e.sandboxes import until
from executors.celery.conftest import Dispatchers
from executors.celery.offers import GROUP, offered
from retrofill.executors.celery.broker import TASK, Broker
from retrofill.executors.celery.child import CeleryChild
from retrofill.executors.celery.dispatcher import CeleryDispatcher
from retrofill.executors.celery.handover import Reception
from retrofill.executors.local import processes

pytestmark = pytest.mark.slow
PATIENCE = 60.0


class Desk:
    """A worker's end of it: takes what tasks hand over, and looks after Celery."""

    def __init__(self, home: Path, broker: Broker) -> None:
        self.reception = Reception(home, broker, [GROUP])
        self.said: list[str] = []
        self.child = CeleryChild(home, [GROUP], self.said.append)
        self.heard: list[int] = []

    def look(self, *, takes: int = 1000) -> None:
        """See to Celery, hear, and claim so many."""
        self.child.see_to(is_wanted=True)
        self.reception.hear()
        claimed = self.reception.waiting[:takes]
        self.heard += [offer.instance_id for offer in claimed]
        self.reception.answer(claimed, [])

    def until(self, condition: Callable[[], object], what: str, *, takes: int = 1000) -> None:
        def look() -> object:
            self.look(takes=takes)
            return condition()

        until(look, what, PATIENCE)

    def hears(self, numbers: set[int]) -> None:
        self.until(lambda: numbers <= set(self.heard), f"{numbers} were handed over")

    def close(self) -> None:
        self.reception.close()
        self.child.end()


@pytest.fixture
def desk(home: Path, broker: Broker) -> Iterator[Desk]:
    made = Desk(home, broker)
    yield made
    made.close()


@pytest.fixture
def dispatcher(broker: Broker, dispatchers: Dispatchers) -> CeleryDispatcher:
    return dispatchers(broker.url)


def pool(pid: int) -> set[int]:
    """The processes of Celery's pool."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(word) for word in found}


def test_offers_are_handed_over_by_priority(desk: Desk, dispatcher: CeleryDispatcher) -> None:
    """RUN-1: as far as a broker can: what Celery has taken out already comes as it was taken out."""
    desk.until(lambda: desk.child.pid and pool(desk.child.pid), "Celery works")
    dispatcher.offer([offered(number, priority=8 if number % 2 else 1) for number in range(1, 301)])
    assert dispatcher.wait_until_idle(PATIENCE)
    desk.until(lambda: len(desk.heard) == 300, "all were handed over", takes=1)
    assert sorted(desk.heard) == list(range(1, 301))
    out_of_order = sum(1 for number in desk.heard[:150] if number % 2 == 0)
    assert out_of_order <= 2 * 8  # in tasks and taken out, when the first of high priority came


def test_celery_that_dies_starts_again(desk: Desk, dispatcher: CeleryDispatcher) -> None:
    """Its main process, with what is left of its pool; and a process of the pool, which Celery replaces itself."""
    dispatcher.offer([offered(1)])
    desk.hears({1})
    first = desk.child.pid
    assert first is not None
    children = pool(first)
    assert children
    os.kill(first, signal.SIGKILL)
    desk.until(lambda: desk.child.pid not in (None, first), "another one works")
    assert desk.said == ["Celery has ended (-9) and starts again; offers are found without it meanwhile."]
    until(lambda: not [pid for pid in children if processes.look_at(pid)], "its pool has ended")
    dispatcher.offer([offered(2)])
    desk.hears({2})
    assert desk.child.pid is not None
    victim = min(pool(desk.child.pid))
    os.kill(victim, signal.SIGKILL)
    until(lambda: processes.look_at(victim) is None, "it is dead")
    dispatcher.offer([offered(number) for number in range(3, 13)])
    desk.hears(set(range(3, 13)))


def test_celery_ends_while_the_host_drains(desk: Desk, dispatcher: CeleryDispatcher) -> None:
    """So that others hear of what it would have to refuse."""
    dispatcher.offer([offered(1)])
    desk.hears({1})

    def has_ended() -> bool:
        desk.child.see_to(is_wanted=False)
        return desk.child.pid is None

    until(has_ended, "Celery has ended", PATIENCE)
    dispatcher.offer([offered(2)])
    assert dispatcher.wait_until_idle(PATIENCE)
    desk.hears({1, 2})  # which looks after Celery again
    assert desk.said == []


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ([[1, 2], {}, {}], {"task": TASK}),
        ([["other", 1, 1, "t"], {}, {}], {"task": TASK}),
        ([[], {"deployment": "demo"}, {}], {"task": TASK}),
        ([["demo", 1, 1, "t"], {}, {}], {"task": "os.system"}),
        ("no message of Celery's", {}),
        ([["x" * 100_000, 1, 1, "t"], {}, {}], {"task": TASK}),
    ],
)
def test_what_strangers_send(
    body: object, more: dict[str, str], desk: Desk, broker: Broker, dispatcher: CeleryDispatcher
) -> None:
    """It is dropped, and what comes after it arrives."""
    headers = {"id": "1", "lang": "py", "root_id": "1", **more} if more else {}
    with Connection(broker.url, transport_options=broker.transport_options) as connection:
        producer = connection.Producer()
        queue = broker.queue(GROUP)
        for serializer in ("json", "pickle"):
            producer.publish(
                body, routing_key=queue.name, exchange="", headers=headers, declare=[queue],
                serializer=serializer, correlation_id="1",
            )  # fmt: skip
    dispatcher.offer([offered(2)])
    desk.hears({2})
    assert desk.heard == [2]
    assert desk.reception.waiting == []


def test_a_host_that_is_full_keeps_few_messages(
    desk: Desk, broker: Broker, dispatcher: CeleryDispatcher, tmp_path: Path
) -> None:
    """Those of its tasks, and as many that were taken out for them: others hear of the rest."""
    desk.until(lambda: desk.child.pid and pool(desk.child.pid), "Celery works")
    dispatcher.offer([offered(number) for number in range(1, 61)])
    desk.until(lambda: len(desk.reception.waiting) >= 4, "its tasks wait", takes=0)
    home = tmp_path / "other"
    home.mkdir()
    other = Desk(home, broker)
    try:
        other.until(lambda: len(other.heard) >= 30, "the other one hears of most")
    finally:
        other.close()
    assert not {1, 2, 3, 4} & set(other.heard)
