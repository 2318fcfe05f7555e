"""Makes offers known as messages of Celery's, beside who schedules.

Who schedules only puts them into a queue that holds so many; a thread publishes them, connects anew when it has to, and
waits for a broker that takes nothing. What it cannot get rid of it drops: an offer that nobody has heard of for some
seconds is found in the ledger.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError
from retrofill.executors.celery.broker import HEARTBEAT_SECONDS, TASK, Broker, broker_of

if TYPE_CHECKING:
    from kombu import Connection, Producer

    from retrofill.executors.routing import Surroundings
    from retrofill.services.ports.dispatching import Offered
    from retrofill.services.ports.hosting import Offer

_MOST = 20_000  # offers that wait to be published; the oldest go first
_STALE_SECONDS = 10.0  # so old, they have been found in the ledger long since
_TIMEOUT_SECONDS = 5.0  # for connecting, and for a message to get away
_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 0.5, 15.0
_BEAT_SECONDS = 3.0
_TRANSIENT = 1
_FULL = "the broker takes no messages: it is short of disk or memory, as its log says"


class CeleryDispatcher:
    """Publishes offers on the deployment's broker."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._waiting: deque[tuple[float, Offered]] = deque(maxlen=_MOST)
        self._changed = threading.Condition()
        self._is_closed = False
        self._is_idle = True
        self._trouble: str | None = None
        self._thread: threading.Thread | None = None

    # As those who schedule see it

    def offer(self, offers: Sequence[Offered]) -> None:
        now = time.monotonic()
        with self._changed:
            self._waiting.extend((now, one) for one in offers)
            self._is_idle = False
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._publish_on, name="celery-offers", daemon=True)
                self._thread.start()

    def withdraw(self, offers: Sequence[Offer]) -> None:
        """A message that is on its way is refused by the ledger when it arrives."""

    def alive(self, host: str) -> bool | None:
        return None

    def trouble(self) -> str | None:
        return self._trouble

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until nothing is left to publish; whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_idle, seconds)

    def close(self) -> None:
        """The thread ends by itself; a broker that takes nothing holds nobody up."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    # The thread

    def _publish_on(self) -> None:
        pause = _RETRY_SECONDS
        while not self._is_closed:
            try:
                with self._line() as line:
                    self._trouble, pause = None, _RETRY_SECONDS
                    self._publish_over(line)
            except Exception as error:  # whatever libraries of brokers raise: it is tried again
                self._trouble = self._sentence(error)
                with self._changed:
                    self._changed.wait_for(lambda: self._is_closed, pause)
                pause = min(2 * pause, _LONGEST_RETRY_SECONDS)

    def _line(self) -> Line:
        found = self._surroundings
        return Line(broker_of(found.deployment, found.settings, found.secret), self._block)

    def _publish_over(self, line: Line) -> None:
        """Until there is trouble or this ends."""
        while (offers := self._take()) is not None:
            for offered in offers:
                line.publish(offered)
            line.beat()

    def _take(self) -> list[Offered] | None:
        """All that waits and is not stale; nothing, now and then; None at the end."""
        with self._changed:
            if not self._waiting:
                self._is_idle = True
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._is_closed, _BEAT_SECONDS)
            if self._is_closed:
                return None
            since = time.monotonic() - _STALE_SECONDS
            taken = [offered for at, offered in self._waiting if at >= since]
            self._waiting.clear()
        return taken

    def _block(self, is_blocked: bool) -> None:
        """The broker takes nothing for a while, or again."""
        self._trouble = _FULL if is_blocked else None

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, ImportError):
            return "Celery is not installed where the scheduler runs (extra celery)"
        if isinstance(error, RetrofillError):
            return error.message
        with suppress(RetrofillError):
            found = self._surroundings
            place = broker_of(found.deployment, found.settings, found.secret).place
            return f"the broker at {place} does not take offers: {plain_reason(error)}"
        return "the broker's address cannot be made"


class Line:
    """A connection to a broker, over which offers go.

    Args:
        block: told that the broker takes nothing, and that it does again.
    """

    def __init__(self, broker: Broker, block: Callable[[bool], None]) -> None:
        from kombu import Connection

        self._broker = broker
        self._block = block
        self._blocked = False
        self._queues: dict[str, str] = {}
        options = dict(broker.transport_options)
        if not broker.is_redis:
            options |= {"on_blocked": self._on_blocked, "on_unblocked": self._on_unblocked}
            options |= {"write_timeout": _TIMEOUT_SECONDS}
        self._connection: Connection = Connection(
            broker.url,
            transport_options=options,
            connect_timeout=_TIMEOUT_SECONDS,
            heartbeat=HEARTBEAT_SECONDS,
        )

    def __enter__(self) -> Line:
        self._connection.ensure_connection(
            max_retries=1, timeout=_TIMEOUT_SECONDS, reraise_as_library_errors=False
        )
        self._producer: Producer = self._connection.Producer(auto_declare=False)
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(Exception):
            self._connection.collect(_TIMEOUT_SECONDS)

    def publish(self, offered: Offered) -> None:
        """Hand a message to the broker, which may lose it."""
        name = self._queue(offered.resource_group)
        self._wait_while_blocked()
        task_id = str(uuid.uuid4())
        arguments = [self._broker.deployment, *offered.offer]
        self._producer.publish(
            json.dumps((arguments, {}, _EMBED)),
            routing_key=name,
            exchange="",
            content_type="application/json",
            content_encoding="utf-8",
            headers=_headers(task_id),
            correlation_id=task_id,
            priority=self._broker.priority(offered.priority),
            delivery_mode=_TRANSIENT,
            retry=False,
            timeout=_TIMEOUT_SECONDS,
        )

    def _queue(self, resource_group: str) -> str:
        """The queue's name; the queue is there."""
        if resource_group not in self._queues:
            queue = self._broker.queue(resource_group)
            queue(self._producer.channel).declare()
            self._queues[resource_group] = queue.name
        return self._queues[resource_group]

    def beat(self) -> None:
        """Find out whether the connection still stands, and what the broker has said meanwhile."""
        if self._broker.is_redis:
            self._producer.channel.client.ping()
            return
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=0)
        self._connection.heartbeat_check()
        self._wait_while_blocked()

    def _wait_while_blocked(self) -> None:
        """What is sent now would fill the connection until this thread stands still in it."""
        while self._blocked:
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=_BEAT_SECONDS)
            self._connection.heartbeat_check()

    def _on_blocked(self, _: str) -> None:
        self._blocked = True
        self._block(True)

    def _on_unblocked(self) -> None:
        self._blocked = False
        self._block(False)


_EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def _headers(task_id: str) -> dict[str, object]:
    """As Celery wants them of a task (its protocol 2)."""
    return {
        "lang": "py",
        "task": TASK,
        "id": task_id,
        "root_id": task_id,
        "parent_id": None,
        "group": None,
        "eta": None,
        "expires": None,
        "retries": 0,
        "timelimit": [None, None],
        "ignore_result": True,
    }


def plain_reason(error: BaseException) -> str:
    """What a library of brokers says, in one line: what is wrong rather than where it was noticed."""
    name = type(error).__name__
    if name in ("AccessRefused", "AuthenticationError"):
        return "it refuses the user or the password"
    if name == "NotAllowed":
        return "it has no such virtual host, or the user may not use it"
    text = next(
        (one.strerror for one in _chain(error) if isinstance(one, OSError) and one.strerror), str(error)
    )
    return " ".join(text.split()).rstrip(".")[:200] or name


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from: libraries of brokers wrap the system's."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
