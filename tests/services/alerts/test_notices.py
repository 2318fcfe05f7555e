"""Webhooks are told what becomes of backfills, by the same outbox as people are (POL-9)."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from retrofill.cli.steps import command_of
from retrofill.domain.planning.policy import Alert, AlertMethod, AlertTrigger
from retrofill.services.alerts.delivery import Delivery, Ways
from retrofill.services.ports import NotSentError, UndeliverableError
from services.fakes import FakeNotifier, FakePoster
from services.worlds import MakeWorld, World

A, B = make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *")
URL = "https://ops.example.com/hook?token=1"


class Told:
    """A world and what its webhooks are told."""

    def __init__(self, w: World) -> None:
        self.world = w
        self.poster = FakePoster()
        self.delivery = Delivery(w.store, Ways(FakeNotifier(), self.poster), w.clock, "demo", command_of)

    def rows(self, backfill_id: int) -> list[tuple[str, str, str, int, str | None]]:
        with self.world.store.read() as reader:
            found = reader.outbox.of_backfill(backfill_id)
            return [(one.event, one.method, one.state, one.tries, one.reason) for one in found]


@pytest.fixture
def told(world: MakeWorld) -> Told:
    return Told(world(A, B))


def test_an_end_is_posted_to_the_address_of_the_backfill_and_to_those_of_the_settings(told: Told) -> None:
    """POL-9: whatever people are told, one document each."""
    number = told.world.create("a", notify=URL, webhooks=("ops", "lake"))
    told.world.finish()
    assert told.delivery.deliver_due() == 3
    assert [(name, address) for name, address, _ in told.poster.posted] == [
        ("", URL),
        ("ops", URL),
        ("lake", URL),
    ]
    documents = [delivered.document for _, _, delivered in told.poster.posted]
    assert {one["event"] for one in documents} == {"backfill.success"}
    assert len({one["id"] for one in documents}) == 3
    assert (documents[0]["project"], documents[0]["failures"]) == ("demo", [])
    backfill = documents[0]["backfill"]
    assert (backfill["id"], backfill["status"], backfill["counts"]["successful"]) == (number, "succeeded", 1)
    assert [row[:4] for row in told.rows(number)] == [
        ("success", "webhook", "sent", 1),
        ("success", "webhook:ops", "sent", 1),
        ("success", "webhook:lake", "sent", 1),
    ]


def test_a_failure_names_what_failed(told: Told) -> None:
    """POL-9: once, however many fail; the end of a failed one is that failure."""
    number = told.world.create("a", "b", notify=URL)
    told.world.finish(fails=lambda name: name.startswith("a "))
    told.delivery.deliver_due()
    ((_, _, delivered),) = told.poster.posted
    assert delivered.document["event"] == "backfill.failure"
    (failed,) = delivered.document["failures"]
    assert (failed["task"], failed["state"], failed["backfill"]) == ("w.a", "failed", number)


def test_a_pause_by_itself_is_posted(told: Told) -> None:
    """POL-9, POL-14."""
    told.world.create("a", "b", notify=URL, max_failures=1)
    told.world.tick()
    told.world.end("a 5 01:00", exit_code=1)
    told.delivery.deliver_due()
    assert {d.document["event"] for _, _, d in told.poster.posted} >= {"backfill.failure", "backfill.paused"}


def test_who_is_away_is_asked_again_with_the_same_id(told: Told) -> None:
    """POL-9: with growing pauses, so that it can tell that it is the same."""
    number = told.world.create("a", notify=URL)
    told.world.finish()
    told.poster.fault = NotSentError("it answered with HTTP status 503")
    told.delivery.deliver_due()
    assert told.rows(number) == [("success", "webhook", "pending", 1, "it answered with HTTP status 503")]
    told.delivery.deliver_due()
    assert len(told.poster.tries) == 1, "not twice within a pause"
    told.world.clock.forward(3_600)
    told.poster.fault = None
    told.delivery.deliver_due()
    assert len(told.poster.tries) == 2
    assert len(set(told.poster.tries)) == 1
    assert told.rows(number)[0][2:] == ("sent", 2, None)


def test_who_refuses_is_not_asked_again(told: Told) -> None:
    """POL-9: `backfill show` says why."""
    number = told.world.create("a", notify=URL)
    told.world.finish()
    told.poster.fault = UndeliverableError("it answered with a refusal (HTTP status 404)")
    told.delivery.deliver_due()
    told.world.clock.forward(86_400)
    told.delivery.deliver_due()
    assert len(told.poster.tries) == 1
    assert told.rows(number)[0][2:] == ("undeliverable", 1, "it answered with a refusal (HTTP status 404)")


def test_people_and_programs_are_told_apart(told: Told) -> None:
    """POL-9: an alert of failures keeps silent where a webhook tells of success."""
    alert = Alert(AlertTrigger.FAILURE, AlertMethod.EMAIL)
    number = told.world.create("a", notify=URL, alert=alert)
    told.world.finish()
    assert [row[1] for row in told.rows(number)] == ["webhook"]


def test_a_backfill_that_names_nobody_queues_nothing(told: Told) -> None:
    """POL-9."""
    number = told.world.create("a")
    told.world.finish()
    assert told.rows(number) == []
