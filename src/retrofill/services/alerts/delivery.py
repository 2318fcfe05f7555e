"""Sending what was queued: claim, send, say what became of it; tried again with growing pauses (POL-9).

A message is sent once. The one moment at which a crash can repeat it lies between its
acceptance and the commit that notes it: then the claim runs out and it is sent again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.alerts import AlertState, pause_seconds, webhook_of
from retrofill.domain.errors import RetrofillError, shown
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR, Actor, system_administrator
from retrofill.domain.texts import Step, Text
from retrofill.services.alerts.messages import about_backfill, about_clock, test_message
from retrofill.services.alerts.notices import notice_of
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.stored import told_of
from retrofill.services.people.accounts import contact_of
from retrofill.services.people.clerks import find_actor
from retrofill.services.ports.notifying import NotSentError, UndeliverableError
from retrofill.services.reading.backfills import BackfillReader
from retrofill.services.reading.view import View

if TYPE_CHECKING:
    from retrofill.services.people.accounts import Contact
    from retrofill.services.ports import Clock, Notifier, Reader, Store
    from retrofill.services.ports.notifying import Poster
    from retrofill.services.ports.records import AlertRecord, BackfillRecord
    from retrofill.services.reading.documents import TestMessage

_CLAIM_MS = 150_000  # longer than the longest send
_AFTER_A_FAULT_MS = 60_000
_WORDS = {"email": ("email", "e-mail address"), "sms": ("phone", "phone number")}
NEVER: Callable[[], bool] = lambda: False  # noqa: E731


def why_not(notifier: Notifier, user: str, contact: Contact, method: str) -> Text | None:
    """Why the user cannot be reached by this method, a sentence; None where it can be tried."""
    unregistered = _why_unregistered(user, contact, method)
    if unregistered is not None:
        registers = Step("user.contact", name=user, **{_WORDS[method][0]: None})
        return Text("{why}: {registers} registers one", why=unregistered, registers=registers)
    obstacle = notifier.obstacle(method)
    return None if obstacle is None else Text.of(obstacle)


def _why_unregistered(user: str, contact: Contact, method: str) -> str | None:
    field, words = _WORDS[method]
    return None if getattr(contact, field) else f"{user} has no {words}"


def send_test(notifier: Notifier, project: str, user: str, contact: Contact) -> list[TestMessage]:
    """Send a test message by every method by which the user is registered; what became of each."""
    results: list[TestMessage] = []
    for method, (field, _) in _WORDS.items():
        address = getattr(contact, field)
        if not address:
            continue
        error = why_not(notifier, user, contact, method)
        if error is None:
            try:
                notifier.send(method, address, test_message(project, user))
            except NotSentError as not_sent:
                error = not_sent.text
        results.append({"method": method, "address": address, "ok": error is None, "error": error})
    return results


class Ways(NamedTuple):
    """How something is sent: to people, and to programs."""

    notifier: Notifier
    poster: Poster


class Delivery:
    """Works the outbox of one store, in one thread.

    Args:
        project: what the deployment calls itself.
        command: a step in the words of the messages.
    """

    def __init__(
        self,
        store: Store,
        ways: Ways,
        clock: Clock,
        project: str,
        command: Callable[[Step], str],
        graphs: GraphCache | None = None,
    ) -> None:
        self._store = store
        self._ways = ways
        self._clock = clock
        self._project = project
        self._command = command
        self._graphs = graphs or GraphCache()

    def deliver_due(self, is_enough: Callable[[], bool] = NEVER) -> int:
        """Send everything that is due, one after the other; how many were tried.

        Args:
            is_enough: asked before each one.
        """
        tried = 0
        while not is_enough():
            with self._store.transaction() as tx:
                now_ms = tx.clock.check(self._clock.now_ms()).sure_ms
                alert = tx.outbox.claim(now_ms, now_ms + _CLAIM_MS)
            if alert is None:
                break
            self._deliver(alert)
            tried += 1
        return tried

    def tell_administrators(self, trouble: Text) -> None:
        """Tell every system administrator that the clock is doubted, by each method that reaches them (TIME-8).

        Raises:
            NotSentError: nobody could be told, and somebody could be tried.
        """
        message = about_clock(trouble, self._project, self._command)
        with self._store.read() as reader:
            names = {SYSTEM_ADMINISTRATOR, *(u.name for u in reader.people.users() if u.is_administrator)}
            contacts = {name: contact_of(reader.people, name) for name in sorted(names)}
        failures: list[NotSentError] = []
        is_told = False
        for name, contact in contacts.items():
            for method, (field, _) in _WORDS.items():
                if why_not(self._ways.notifier, name, contact, method) is None:
                    try:
                        self._ways.notifier.send(method, getattr(contact, field), message)
                    except NotSentError as error:
                        failures.append(error)
                    else:
                        is_told = True
        if failures and not is_told:
            raise failures[0]

    def next_ms(self) -> int | None:
        """When the next one is due."""
        with self._store.read() as reader:
            return reader.outbox.next_ms()

    def _deliver(self, alert: AlertRecord) -> None:
        try:
            self._send(alert)
        except UndeliverableError as error:
            self._finish(alert, AlertState.UNDELIVERABLE, reason=error.message)
        except NotSentError as error:
            self._put_off(alert, error.message)
        except RetrofillError:  # no fault of this one: the store is full, or settings are wrong just now
            raise
        except Exception as error:  # of ours: one that cannot be composed holds up none behind it
            self._put_off(alert, f"it could not be composed: {type(error).__name__}: {shown(str(error))}")
        else:
            self._finish(alert, AlertState.SENT)

    def _put_off(self, alert: AlertRecord, reason: str) -> None:
        """Try it again after the pause of its tries, unless these were enough."""
        pause = pause_seconds(alert.tries)
        if pause is None:
            self._finish(alert, AlertState.GIVEN_UP, reason=reason)
        else:
            self._finish(alert, AlertState.PENDING, 1000 * pause, reason)

    def _send(self, alert: AlertRecord) -> None:
        """Compose at the last moment, so that a late message tells how things are."""
        with self._store.read() as reader:
            record = reader.find_backfill(alert.backfill_id)
            if record is None:
                raise UndeliverableError(f"backfill {alert.backfill_id} is gone")
            compose = self._message if webhook_of(alert.method) is None else self._notice
            send = compose(reader, record, alert)
        send()

    def _message(self, reader: Reader, record: BackfillRecord, alert: AlertRecord) -> Callable[[], None]:
        """To the creator, who is told what they may see."""
        contact = contact_of(reader.people, record.created_by)
        obstacle = _why_unregistered(record.created_by, contact, alert.method)
        obstacle = obstacle or self._ways.notifier.obstacle(alert.method)
        if obstacle is not None:
            raise UndeliverableError(obstacle)
        view = self._seen_by(reader, self._creator(reader, record))
        row = BackfillReader(view).row(record)
        message = about_backfill(reader, view.access, record, alert, row, self._project, self._command)
        address = getattr(contact, _WORDS[alert.method][0])
        return lambda: self._ways.notifier.send(alert.method, address, message)

    def _notice(self, reader: Reader, record: BackfillRecord, alert: AlertRecord) -> Callable[[], None]:
        """To a program: that of a backfill is told what its creator may see, that of the settings all."""
        webhook = webhook_of(alert.method) or ""
        actor = system_administrator(SYSTEM_ADMINISTRATOR) if webhook else self._creator(reader, record)
        view = self._seen_by(reader, actor)
        notice = notice_of(view, record, alert, BackfillReader(view).row(record), self._project)
        address = told_of(record).notify
        return lambda: self._ways.poster.post(webhook, address, notice)

    def _creator(self, reader: Reader, record: BackfillRecord) -> Actor:
        found = find_actor(reader.people, self._graphs.current(reader), record.created_by)
        return found or Actor(record.created_by)

    def _seen_by(self, reader: Reader, actor: Actor) -> View:
        return View(reader, self._graphs, actor, self._clock.now_ms())

    def _finish(
        self, alert: AlertRecord, state: AlertState, pause_ms: int | None = None, reason: str | None = None
    ) -> None:
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            # A pause is as long as it is, wherever the clock jumps meanwhile (TIME-8).
            next_ms = None if pause_ms is None else tx.clock.check(now_ms).sure_ms + pause_ms
            tx.outbox.finish(alert, state, now_ms, next_ms, reason)


class Courier:
    """Delivers beside the scheduler, so that a mail server that hangs holds up no tick.

    Its thread lives while something is due, and wakes the scheduler when it has done.

    Args:
        make_delivery: a Delivery of the thread's own, by the settings of then.
        wake: tells the scheduler to look again.
    """

    def __init__(
        self,
        make_delivery: Callable[[], Delivery],
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._make_delivery = make_delivery
        self._clock = clock
        self._wake = wake
        self._thread: threading.Thread | None = None
        self._is_busy = False
        self._is_leaving = threading.Event()
        self._not_before_ms = 0
        self._untold: Text | None = None
        self.fault = ""  # why nothing could be tried the last time

    def tell(self, trouble: Text | None) -> None:
        """What system administrators are told with the next look; None: there is nothing any more."""
        self._untold = trouble

    def look(self, due_ms: int | None) -> int | None:
        """Start delivering if something is due; when to look again, None while it delivers or nothing waits.

        Args:
            due_ms: when the next alert is due.
        """
        if self._untold is not None:
            due_ms = 0  # as soon as it may be
        if due_ms is None or self._is_busy:
            return None
        due_ms = max(due_ms, self._not_before_ms)
        if due_ms > self._clock.now_ms():
            return due_ms
        self._start()
        return None

    def finish(self, seconds: float) -> None:
        """Deliver what is due, for at most so long."""
        deadline = time.monotonic() + seconds
        self._join(seconds)
        if not self._is_busy:
            self._start()
        self._join(max(0.0, deadline - time.monotonic()))

    def leave(self, seconds: float) -> None:
        """Begin nothing new, and give what is being sent so much time to be noted as sent."""
        self._is_leaving.set()
        self._join(seconds)

    def _start(self) -> None:
        self._is_busy = True
        # A daemon: a server that hangs keeps no process from leaving; the claim runs out by itself.
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
        self._thread.start()

    def _join(self, seconds: float) -> None:
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self) -> None:
        self._not_before_ms = self._clock.now_ms() + _AFTER_A_FAULT_MS  # unless all goes well
        self.fault = ""
        try:
            delivery = self._make_delivery()
            if self._untold is not None:
                delivery.tell_administrators(self._untold)
                self._untold = None
            delivery.deliver_due(self._is_leaving.is_set)
            self._not_before_ms = 0
        except RetrofillError as error:  # settings that a deploy has just made wrong, a store that is full
            self.fault = error.message
        finally:
            self._is_busy = False
            self._wake()
