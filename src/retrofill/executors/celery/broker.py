"""How messages lie on a broker: whose queue, in what order, and how long.

One queue for each deployment and resource group. The highest priority comes first on RabbitMQ; a Redis hands out
the lowest number first, so there the numbers are turned round.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from retrofill.domain.errors import UsageError

if TYPE_CHECKING:
    from kombu import Queue

TASK = "retrofill.claim"
_HIGHEST = 9
_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")
HEARTBEAT_SECONDS = 10
_ALLOWED = re.compile(r"[^A-Za-z0-9_.-]")


class NoBrokerError(UsageError):
    """Set `broker`, or RETROFILL_BROKER in the environment, to the URL of a RabbitMQ or a Redis."""

    code = "no_broker"


class NoCeleryError(UsageError):
    """Install Retrofill with the extra `celery`."""

    code = "no_celery"


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker, as one deployment uses it.

    Attributes:
        url: with what is secret in it.
        deployment: names the deployment among others that use the same broker.
    """

    url: str = field(repr=False)
    deployment: str

    @property
    def is_redis(self) -> bool:
        return self.url.startswith("redis")

    @property
    def place(self) -> str:
        """Where it is, for people: without user and password."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or "localhost"
        port = parts.port or (6379 if self.is_redis else 5672)
        return f"{host}:{port}"

    def queue_name(self, resource_group: str) -> str:
        """Of characters that every broker takes."""
        return f"retrofill.{_plain(self.deployment)}.{_plain(resource_group)}"

    def queue(self, resource_group: str) -> Queue:
        """Durable, so that it outlives a restart of the broker; what lies in it need not."""
        from kombu import Exchange, Queue

        name = self.queue_name(resource_group)
        arguments = {} if self.is_redis else {"x-max-priority": _HIGHEST}
        direct = Exchange("", type="direct")  # the broker's own: a queue's name is its address
        return Queue(name, direct, name, durable=True, queue_arguments=arguments, alias=resource_group)

    def priority(self, of_instance: int) -> int:
        """The number that lets the highest priority of an instance (1 to 8) come first."""
        return _HIGHEST - of_instance if self.is_redis else of_instance

    @property
    def transport_options(self) -> dict[str, Any]:
        if not self.is_redis:
            return {}
        return {
            "priority_steps": list(range(_HIGHEST + 1)),  # else three numbers share a place
            "queue_order_strategy": "priority",
            "socket_keepalive": True,
            "socket_connect_timeout": HEARTBEAT_SECONDS,
            "health_check_interval": HEARTBEAT_SECONDS,
        }

    def configure(self, conf: Any, resource_groups: Iterable[str]) -> None:
        """What Celery is told of it."""
        conf.broker_url = self.url
        conf.broker_transport_options = self.transport_options
        conf.broker_heartbeat = HEARTBEAT_SECONDS
        conf.task_queues = [self.queue(name) for name in resource_groups]


def broker_of(deployment: str, settings: Mapping[str, object], secret: Callable[[str], str | None]) -> Broker:
    """The broker that a deployment's settings name.

    Raises:
        NoBrokerError: they name none, or a secret that nobody knows.
        SecretUnavailableError: a source of secrets could not be asked.
    """
    text = str(settings.get("broker") or "")
    if not text:
        raise NoBrokerError("the setting broker names no broker")

    def value(match: re.Match[str]) -> str:
        found = secret(match[1])
        if found is None:
            raise NoBrokerError(f"broker names the secret {match[1]}, which is not set here")
        return quote(found, safe="")

    return Broker(_SECRET.sub(value, text), deployment)


def refuse_without_celery() -> None:
    """
    Raises:
        NoCeleryError: it is not installed.
    """
    if find_spec("celery") is None:
        raise NoCeleryError("Celery is not installed here")


def _plain(name: str) -> str:
    """A word for a queue; what is no plain character is written by its number."""
    return _ALLOWED.sub(lambda match: f"={ord(match[0]):x}", name)
