"""Between a task of Celery's and the worker of its machine: one packet each way, and an answer only when it is known."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e.sandboxes import until
from retrofill.executors.celery.broker import Broker
from retrofill.executors.celery.handover import (
    CLAIMED,
    FOREIGN,
    REFUSED,
    Handover,
    NoWorkerError,
    Reception,
    connect,
)
from retrofill.services.ports.hosting import Offer

OURS = Broker("redis://:not-a-secret@127.0.0.1/0", "demo.w1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def reception(home: Path) -> Iterator[Reception]:
    made = Reception(home, OURS, ["etl"])
    yield made
    made.close()


class Tasks:
    """Tasks at once, each with a connection of its own."""

    def __init__(self, home: Path, pool: ThreadPoolExecutor) -> None:
        self._home, self._pool = home, pool

    def hand_over(self, *said: object) -> Future[str]:
        return self._pool.submit(Handover(self._home).hand_over, *said)


@pytest.fixture
def tasks(home: Path) -> Iterator[Tasks]:
    with ThreadPoolExecutor(8) as pool:
        yield Tasks(home, pool)


def heard(reception: Reception, count: int) -> list[Offer]:
    def look() -> bool:
        reception.hear()
        return len(reception.waiting) >= count

    until(look, f"{count} tasks wait")
    return reception.waiting


def test_tasks_hear_what_became_of_their_offers(reception: Reception, tasks: Tasks) -> None:
    first, second = tasks.hand_over("demo.w1", 1, 1, "a"), tasks.hand_over("demo.w1", 2, 1, "b")
    waiting = heard(reception, 2)
    assert set(waiting) == {Offer(1, 1, "a"), Offer(2, 1, "b")}
    reception.answer({Offer(1, 1, "a")}, waiting)
    assert (first.result(10), second.result(10)) == (CLAIMED, REFUSED)
    assert reception.waiting == []


def test_what_was_not_asked_for_waits(reception: Reception, tasks: Tasks) -> None:
    """As the worker's slots are full: the task keeps its place, so Celery takes no more messages."""
    first, second = tasks.hand_over("demo.w1", 1, 1, "a"), tasks.hand_over("demo.w1", 2, 1, "b")
    heard(reception, 2)
    reception.answer([], [Offer(2, 1, "b")])
    assert second.result(10) == REFUSED
    assert reception.waiting == [Offer(1, 1, "a")]
    assert not first.done()
    reception.answer([Offer(1, 1, "a")], [])
    assert first.result(10) == CLAIMED


@pytest.mark.parametrize(
    "said",
    [
        ("demo.w2", 1, 1, "a"),
        ("demo.w1", "1", 1, "a"),
        ("demo.w1", True, 1, "a"),
        ("demo.w1", -1, 1, "a"),
        ("demo.w1", 1 << 63, 1, "a"),
        ("demo.w1", 1, 1, None),
        ("demo.w1", 1, 1, "a" * 5000),
        (None, {"$ne": 1}, [], {}),
    ],
)
def test_what_is_no_offer_of_ours(said: tuple[object, ...], reception: Reception, tasks: Tasks) -> None:
    """A stranger's message gets no further, and does not keep the next one from being taken."""
    strange = tasks.hand_over(*said)

    def is_answered() -> bool:
        reception.hear()
        return strange.done()

    until(is_answered, "it is answered")
    assert strange.result() == FOREIGN
    assert reception.waiting == []


def test_what_is_no_packet_of_ours(home: Path, reception: Reception) -> None:
    for packet in (b"\xff\x00", b"[]", b"[" * 4000, json.dumps({"ask": "more"}).encode()):
        with connect(home) as caller:
            caller.settimeout(10)
            caller.send(packet)
            reception.hear()
            reception.hear()
            assert caller.recv(100) == FOREIGN.encode()


def test_a_task_that_has_gone_waits_no_more(home: Path, reception: Reception) -> None:
    """Its offer is found in the ledger, by whoever has room."""
    with connect(home) as caller:
        said = {"deployment": "demo.w1", "instance": 1, "run": 1, "token": "a"}
        caller.send(json.dumps(said).encode())
        heard(reception, 1)
    reception.hear()
    assert reception.waiting == []
    reception.answer([Offer(1, 1, "a")], [])  # nobody to tell


def test_a_worker_that_has_gone(home: Path, tasks: Tasks) -> None:
    reception = Reception(home, OURS, ["etl"])
    waiting = tasks.hand_over("demo.w1", 1, 1, "a")
    heard(reception, 1)
    reception.close()
    with pytest.raises(NoWorkerError):
        waiting.result(10)
    with pytest.raises(NoWorkerError):
        Handover(home).hand_over("demo.w1", 1, 1, "a")
    again = Reception(home, OURS, ["etl"])
    after = tasks.hand_over("demo.w1", 1, 1, "a")
    heard(again, 1)
    again.answer([Offer(1, 1, "a")], [])
    assert after.result(10) == CLAIMED
    again.close()


def test_celery_is_told_where_offers_come_from(home: Path, reception: Reception) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(Handover(home).ask_broker)

        def is_answered() -> bool:
            reception.hear()
            return asked.done()

        until(is_answered, "it is answered")
        assert asked.result() == (OURS, ["etl"])


def test_only_the_same_user_reaches_it(home: Path, reception: Reception) -> None:
    """SEC-3: what is told there holds the broker's password."""
    assert os.stat(home / "offers.sock").st_mode & 0o077 == 0


def test_a_home_far_down(tmp_path: Path, tasks: Tasks) -> None:
    """A socket's path may have only 107 bytes; a folder's may have more."""
    home = tmp_path / ("d" * 120)
    home.mkdir()
    made = Reception(home, OURS, ["etl"])
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(Handover(home).ask_broker)

        def is_answered() -> bool:
            made.hear()
            return asked.done()

        until(is_answered, "it is answered")
        assert asked.result() == (OURS, ["etl"])
    made.close()
