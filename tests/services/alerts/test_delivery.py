"""Sending what was queued: once, tried again, given up, never holding up the scheduler (POL-9)."""

from __future__ import annotations

import threading

import pytest

from domain.catalogs import make_task
from retrofill.cli.steps import command_of, told
from retrofill.domain.people.roles import system_administrator
from retrofill.domain.planning.policy import Alert, AlertMethod, AlertTrigger
from retrofill.domain.texts import Text
from retrofill.services.alerts.delivery import Courier, Delivery, Ways, send_test, why_not
from retrofill.services.people.accounts import Contact, People
from retrofill.services.ports import Message, NotSentError, UndeliverableError
from retrofill.services.ports.records import UserRecord
from services.fakes import FakeNotifier, FakePoster
from services.worlds import MakeWorld, World

A, B = (make_task(f"w.{name}", "0 1 * * *") for name in "ab")
EMAIL = Alert(AlertTrigger.EITHER, AlertMethod.EMAIL)
PATIENCE = 30.0


class Post:
    """A world whose administrator can be reached, and the delivery of its alerts."""

    def __init__(self, w: World) -> None:
        self.world = w
        self.notifier, self.poster = FakeNotifier(), FakePoster()
        self.ways = Ways(self.notifier, self.poster)
        self.delivery = Delivery(w.store, self.ways, w.clock, "demo", command_of)
        self.register("admin@example.org", "+15551234567")

    def register(self, email: str, phone: str) -> None:
        with self.world.store.transaction() as tx:
            tx.people.put_user(UserRecord(0, "admin", email, phone, 0, 1))

    def alerts(self, backfill_id: int) -> list[tuple[str, int, str | None]]:
        """State, tries and reason of each."""
        with self.world.store.read() as reader:
            return [(a.state, a.tries, a.reason) for a in reader.outbox.of_backfill(backfill_id)]

    def run(self, seconds: int, step: int = 10) -> None:
        """Let time pass, delivering whatever is due."""
        for _ in range(0, seconds, step):
            self.world.clock.forward(step)
            self.delivery.deliver_due()

    @property
    def titles(self) -> list[str]:
        return [message.title for _, _, message in self.notifier.sent]


@pytest.fixture
def post(world: MakeWorld) -> Post:
    return Post(world(A, B))


def failed(post: Post, **more: object) -> int:
    """A backfill that has failed."""
    number = post.world.create("a", **{"alert": EMAIL, **more})
    post.world.finish(fails=lambda _: True)
    return number


def test_each_method_gets_one_message_to_its_address(post: Post) -> None:
    """POL-9: to the one who started it."""
    number = failed(post, alert=Alert(AlertTrigger.FAILURE))
    assert post.delivery.deliver_due() == 2
    assert [(method, address) for method, address, _ in post.notifier.sent] == [
        ("email", "admin@example.org"),
        ("sms", "+15551234567"),
    ]
    assert post.alerts(number) == [("sent", 1, None)] * 2
    post.run(100_000, step=5_000)
    assert len(post.notifier.sent) == 2


def test_a_mail_server_that_is_down_for_an_hour(post: Post) -> None:
    """POL-9: tried with growing pauses, then sent once."""
    number = failed(post)
    post.notifier.fault = NotSentError("the mail server is away")
    post.delivery.deliver_due()
    assert post.alerts(number) == [("pending", 1, "the mail server is away")]
    post.run(3_600)
    assert 4 <= post.notifier.tries <= 7
    post.notifier.fault = None
    post.run(3_600)
    assert len(post.notifier.sent) == 1
    assert post.alerts(number) == [("sent", post.notifier.tries, None)]
    post.run(86_400, step=600)
    assert len(post.notifier.sent) == 1


def test_after_more_than_a_day_it_is_given_up(post: Post) -> None:
    """POL-9."""
    number = failed(post)
    post.notifier.fault = NotSentError("the mail server is away")
    post.run(86_400, step=60)
    assert post.alerts(number)[0][0] == "pending"
    post.run(86_400, step=60)
    ((state, tries, reason),) = post.alerts(number)
    assert (state, reason) == ("given_up", "the mail server is away")
    assert tries == post.notifier.tries
    assert post.delivery.next_ms() is None


def test_what_breaks_is_tried_again_with_the_same_pauses(post: Post) -> None:
    """POL-9: and holds up nothing that is due behind it."""
    first, second = failed(post), failed(post)
    post.notifier.fault = ValueError("no such \x1b form")
    assert post.delivery.deliver_due() == 2
    reason = "it could not be composed: ValueError: no such \\x1b form"
    assert post.alerts(first) == post.alerts(second) == [("pending", 1, reason)]
    post.run(2 * 86_400, step=60)
    ((state, tries, told),) = post.alerts(first)
    assert (state, told) == ("given_up", reason)
    assert 2 * tries == post.notifier.tries
    assert post.delivery.next_ms() is None


@pytest.mark.parametrize(
    ("address", "missing", "reason"),
    [
        ("", (), "admin has no e-mail address"),
        ("a@example.org", ("email",), "no email here"),
    ],
)
def test_what_cannot_be_delivered_says_why_and_is_not_tried_again(
    post: Post, address: str, missing: tuple[str, ...], reason: str
) -> None:
    """POL-9."""
    post.register(address, "")
    post.notifier.missing = missing
    number = failed(post)
    post.run(86_400, step=600)
    ((state, tries, told),) = post.alerts(number)
    assert (state, tries) == ("undeliverable", 1)
    assert told is not None
    assert reason in told
    assert post.notifier.tries == 0
    assert post.delivery.next_ms() is None


def test_a_service_may_say_that_no_try_can_succeed(post: Post) -> None:
    """POL-9."""
    number = failed(post)
    post.notifier.fault = UndeliverableError("that URL is none")
    post.run(86_400, step=600)
    assert post.alerts(number) == [("undeliverable", 1, "that URL is none")]


def test_a_crash_between_commit_and_sending_loses_nothing(post: Post) -> None:
    """POL-9: whoever comes next finds it in the ledger."""
    failed(post)
    other = post.world.open_elsewhere()
    Delivery(other, post.ways, post.world.clock, "demo", command_of).deliver_due()
    other.close()
    assert len(post.notifier.sent) == 1


def test_a_crash_while_sending_is_made_good_when_the_claim_runs_out(post: Post) -> None:
    """POL-9: nobody else sends meanwhile; at this one moment a message may come twice."""
    number = failed(post)
    post.notifier.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        post.delivery.deliver_due()
    post.notifier.fault = None
    assert post.alerts(number) == [("sending", 1, None)]
    assert post.delivery.deliver_due() == 0
    post.run(600)
    assert post.alerts(number) == [("sent", 2, None)]
    assert len(post.notifier.sent) == 1


def test_a_message_says_what_failed_and_how_to_look_further(post: Post) -> None:
    """POL-9: name, status, counts, the first failures with their logs."""
    number = failed(post, dates="2026-01-05..2026-01-06")
    post.delivery.deliver_due()
    ((_, _, message),) = post.notifier.sent
    assert message.title.startswith(f"[demo] Backfill {number} ")
    assert message.title.endswith(" failed")
    first = post.world.id("a 5 01:00")
    for text in (
        "Status     Run failed (failed)",
        "Bizdates   2026-01-05 to 2026-01-06 (2)",
        "Instances  2: 1 not run, 1 failed",
        "w.a of 2026-01-05 01:00: exit code 1",
        f"retrofill instance log {first}",
        f"retrofill backfill show {number}",
        f"retrofill backfill rerun {number} --failed",
    ):
        assert text in message.body, message.body
    assert "\n" not in message.short
    assert "failed. 0 of 2 instances successful." in message.short


def test_the_first_failure_is_told_while_the_rest_runs(post: Post) -> None:
    """POL-9: the title names the instance, the status is that of the moment."""
    w = post.world
    number = w.create(alert=EMAIL)
    w.tick()
    w.end("b 5 01:00", exit_code=7)
    post.delivery.deliver_due()
    assert post.titles[0].endswith(": w.b of 2026-01-05 01:00 failed")
    assert "Status     Running" in post.notifier.sent[0][2].body
    assert "exit code 7" in post.notifier.sent[0][2].body
    w.do("set_successful", "b 5 01:00")
    w.end("a 5 01:00")
    post.delivery.deliver_due()
    assert post.titles[1] == f'[demo] Backfill {number} "{w.row(number)["name"]}" succeeded'


def test_a_late_message_tells_how_things_are_now(post: Post) -> None:
    """POL-9: composed when it is sent."""
    w = post.world
    failed(post)
    w.do("rerun", "a 5 01:00")
    w.finish()
    post.delivery.deliver_due()
    assert [title.rpartition('" ')[2] for title in post.titles] == [
        "had a failure (now: succeeded)",
        "succeeded",
    ]


def test_a_stopped_backfill_says_so(post: Post) -> None:
    """POL-9, OPS-1."""
    w = post.world
    number = w.create("a", alert=EMAIL)
    w.tick()
    w.backfills.stop(number)
    w.tick()
    w.tick()
    post.delivery.deliver_due()
    assert post.titles[0].endswith(" was stopped")


def test_an_obstacle_is_known_before(post: Post) -> None:
    """POL-9: "check contact" and `create` ask the same."""
    post.notifier.missing = ("sms",)
    contact = Contact("a@example.org", "+15551234567")
    assert why_not(post.notifier, "bob", contact, "email") is None
    assert str(why_not(post.notifier, "bob", contact, "sms")) == "no sms here"
    nobody = why_not(post.notifier, "bob", Contact(), "email")
    assert nobody is not None
    assert (
        told(nobody)
        == "bob has no e-mail address: `retrofill user contact bob --email ADDRESS` registers one"
    )


def test_a_test_message_goes_by_every_registered_method(post: Post) -> None:
    """POL-9: each with its own result."""
    post.notifier.missing = ("sms",)
    results = send_test(post.notifier, "demo", "bob", Contact("a@example.org", "+15551234567"))
    assert [(row["method"], row["ok"], row["error"]) for row in results] == [
        ("email", True, None),
        ("sms", False, Text("no sms here")),
    ]
    assert post.titles == ["[demo] Test message"]
    assert [
        row["method"] for row in send_test(post.notifier, "demo", "bob", Contact(phone="+15551234567"))
    ] == ["sms"]


def test_administrators_are_told_of_the_clock(post: Post) -> None:
    """TIME-8: all who can be reached; nobody else."""
    people = People(post.world.store, post.world.catalog, post.world.clock, system_administrator("admin"))
    people.set_contact("admin", "root@example.org")
    people.add("eve", "eve@example.org")
    people.set_administrator("eve", True)
    people.add("bystander", "by@example.org")
    post.delivery.tell_administrators(Text("The clock shows nonsense."))
    assert [(address, message.title) for _, address, message in post.notifier.sent] == [
        ("root@example.org", "[demo] The clock is doubted"),
        ("+15551234567", "[demo] The clock is doubted"),
        ("eve@example.org", "[demo] The clock is doubted"),
    ]


# Beside the scheduler


class SlowNotifier(FakeNotifier):
    """Takes a message only when a test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def send(self, method: str, address: str, message: Message) -> None:
        self.has_begun.set()
        assert self.may_end.wait(PATIENCE)
        super().send(method, address, message)


class Beside:
    """A courier with a notifier of its own, and what it has done."""

    def __init__(self, post: Post, notifier: FakeNotifier) -> None:
        self._post, self._notifier = post, notifier
        self.opened = 0
        self.woken = threading.Event()
        self.courier = Courier(self._open, post.world.clock, self.woken.set)

    def _open(self) -> Delivery:
        self.opened += 1
        return Delivery(
            self._post.world.store,
            Ways(self._notifier, FakePoster()),
            self._post.world.clock,
            "demo",
            command_of,
        )


def test_a_scheduler_with_nothing_due_opens_nothing_and_wakes_at_the_next_try(post: Post) -> None:
    """POL-9: no thread, no polling."""
    beside = Beside(post, FakeNotifier())
    assert beside.courier.look(post.world.tick().alert_ms) is None
    now = post.world.clock.now_ms()
    assert beside.courier.look(now + 5_000) == now + 5_000
    assert beside.opened == 0


def test_a_mail_server_that_hangs_holds_up_no_tick(post: Post) -> None:
    """POL-9: the scheduler goes on, and is woken when the message is through."""
    w, slow = post.world, SlowNotifier()
    beside = Beside(post, slow)
    failed(post)
    assert beside.courier.look(w.tick().alert_ms) is None
    assert slow.has_begun.wait(PATIENCE)
    w.create("b")
    assert w.finish() == [{"b 5 01:00"}]
    assert beside.courier.look(w.tick().alert_ms) is None, "it is busy"
    assert not beside.woken.is_set()
    slow.may_end.set()
    assert beside.woken.wait(PATIENCE)
    assert w.tick().alert_ms is None
    assert len(slow.sent) == 1
    assert beside.opened == 1


def test_who_leaves_waits_for_a_bounded_time(post: Post) -> None:
    """POL-9: what hangs is left to the next scheduler."""
    w, slow = post.world, SlowNotifier()
    beside = Beside(post, slow)
    number = failed(post)
    beside.courier.look(w.tick().alert_ms)
    assert slow.has_begun.wait(PATIENCE)
    beside.courier.finish(0.05)
    assert post.alerts(number) == [("sending", 1, None)]
    slow.may_end.set()
    beside.courier.finish(PATIENCE)
    assert post.alerts(number) == [("sent", 1, None)]
    assert w.tick().alert_ms is None


def test_who_leaves_begins_nothing_new(post: Post) -> None:
    """POL-9: a message that is being sent is noted, the next one is left."""
    slow = SlowNotifier()
    beside = Beside(post, slow)
    number = failed(post, alert=Alert(AlertTrigger.FAILURE))
    beside.courier.look(post.world.tick().alert_ms)
    assert slow.has_begun.wait(PATIENCE)
    beside.courier.leave(0)
    slow.may_end.set()
    beside.courier.leave(PATIENCE)
    assert [state for state, _, _ in post.alerts(number)] == ["sent", "pending"]
