"""Offers as a tick makes them, and what lies on a broker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from queue import Empty

from kombu import Connection

from retrofill.executors.celery.broker import Broker
from retrofill.services.ports.dispatching import Offered
from retrofill.services.ports.hosting import Offer

GROUP = "etl"


def offered(number: int, priority: int = 1, group: str = GROUP) -> Offered:
    return Offered(Offer(number, 1, f"t{number}"), group, priority, 0)


def messages(broker: Broker, count: int, group: str = GROUP) -> list[list[object]]:
    """The arguments of so many messages, as they are handed out."""
    return [arguments for arguments, _, _ in _payloads(broker, count, group)]


def _payloads(broker: Broker, count: int, group: str) -> Iterator[list[list[object]]]:
    with Connection(broker.url, transport_options=broker.transport_options) as connection:
        queue = connection.SimpleQueue(broker.queue(group), no_ack=True)
        for _ in range(count):
            yield queue.get(timeout=20).payload


def is_empty(broker: Broker, group: str = GROUP) -> bool:
    with Connection(broker.url, transport_options=broker.transport_options) as connection:
        try:
            connection.SimpleQueue(broker.queue(group), no_ack=True).get(block=False)
        except Empty:
            return True
    return False


def instances(found: Iterable[list[object]]) -> list[object]:
    return [arguments[1] for arguments in found]
