"""Offers become messages, in the order of their priorities, and who schedules never waits for a broker."""

from __future__ import annotations

import random
import signal
import socket
from pathlib import Path

import pytest

from brokers import nodes, shared
from e2e.sandboxes import until
from executors.celery.conftest import Dispatchers
from executors.celery.offers import instances, is_empty, messages, offered
from retrofill.executors.celery.broker import Broker

pytestmark = pytest.mark.slow


def test_a_message_names_deployment_instance_run_and_token(broker: Broker, dispatchers: Dispatchers) -> None:
    dispatchers(broker.url).offer([offered(7)])
    assert messages(broker, 1) == [[broker.deployment, 7, 1, "t7"]]


def test_the_highest_priority_comes_first(broker: Broker, dispatchers: Dispatchers) -> None:
    """RUN-1: on both brokers, though a Redis hands out the lowest number first."""
    offers = [offered(number, priority=8 if number % 2 else 1) for number in range(1, 2001)]
    random.Random(5).shuffle(offers)
    dispatcher = dispatchers(broker.url)
    dispatcher.offer(offers)
    assert dispatcher.wait_until_idle(60)
    found = instances(messages(broker, 2000))
    highest_first = sorted(offers, key=lambda one: -one.priority)  # stable: among equals as they were offered
    assert found == [one.offer.instance_id for one in highest_first]


def test_two_deployments_on_one_broker(broker: Broker, dispatchers: Dispatchers) -> None:
    """Of the same name, as a test of a deployment and the real one are: neither hears of the other's."""
    other = Broker(broker.url, f"{broker.deployment}-other")
    dispatchers(broker.url).offer([offered(1)])
    dispatchers(broker.url, other.deployment).offer([offered(2)])
    assert instances(messages(broker, 1)) == [1]
    assert instances(messages(other, 1)) == [2]
    assert is_empty(broker)
    assert is_empty(other)


def test_a_broker_that_is_not_there_yet(dispatchers: Dispatchers, tmp_path: Path, deployment: str) -> None:
    """Why offers are not made known is said; once the broker is there, they are."""
    port = nodes.free_port()
    dispatcher = dispatchers(f"redis://:${{secret:PASSWORD}}@127.0.0.1:{port}/0")
    dispatcher.offer([offered(1)])
    trouble = until(dispatcher.trouble, "it says what is wrong")
    assert trouble == f"the broker at 127.0.0.1:{port} does not take offers: Connection refused"
    with shared.own("redis", tmp_path / "broker", port) as made:
        dispatcher.offer([offered(2)])
        broker = Broker(made.url, deployment)
        assert dispatcher.wait_until_idle(60)
        assert dispatcher.trouble() is None
        assert messages(broker, 1)[0][1] in (1, 2)  # the first was not too old yet


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("{scheme}://{user}:wrong@{place}{path}", "it refuses the user or the password"),
        ("{scheme}://nobody:${{secret:PASSWORD}}@{place}{path}", "it refuses the user or the password"),
    ],
)
def test_credentials_that_are_wrong(kind: str, url: str, why: str, dispatchers: Dispatchers) -> None:
    """What is said holds neither the password nor the user."""
    place = Broker(shared.url(kind), "demo").place
    scheme, user, path = ("redis", "", "/0") if kind == "redis" else ("amqp", nodes.USER, "//")
    dispatcher = dispatchers(url.format(scheme=scheme, user=user, place=place, path=path))
    dispatcher.offer([offered(1)])
    trouble = until(dispatcher.trouble, "it says what is wrong")
    assert trouble == f"the broker at {place} does not take offers: {why}"


def test_settings_that_lead_nowhere(dispatchers: Dispatchers) -> None:
    for setting, why in (
        ("", "the setting broker names no broker"),
        ("redis://:${secret:NOBODY}@127.0.0.1/0", "broker names the secret NOBODY, which is not set here"),
    ):
        dispatcher = dispatchers(setting)
        dispatcher.offer([offered(1)])
        assert until(dispatcher.trouble, "it says what is wrong") == why


def test_somebody_who_is_no_broker(dispatchers: Dispatchers) -> None:
    """As a web server under the broker's address, which takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        dispatcher = dispatchers(f"amqp://127.0.0.1:{listening.getsockname()[1]}//")
        dispatcher.offer([offered(1)])
        assert "does not take offers" in until(dispatcher.trouble, "it says what is wrong")


@pytest.fixture(scope="module")
def own_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> nodes.RabbitMQ:
    with shared.own("rabbitmq", tmp_path_factory.mktemp("own") / "broker") as made:
        assert isinstance(made, nodes.RabbitMQ)
        yield made  # type: ignore[misc]


def test_a_broker_whose_disk_is_full(
    own_rabbitmq: nodes.RabbitMQ, dispatchers: Dispatchers, deployment: str
) -> None:
    """It takes nothing, and says so; who schedules goes on, and so do messages once there is room."""
    broker = Broker(own_rabbitmq.url, deployment)
    dispatcher = dispatchers(broker.url)
    dispatcher.offer([offered(1)])
    assert dispatcher.wait_until_idle(60)
    own_rabbitmq.alarm(is_on=True)
    try:
        dispatcher.offer([offered(number) for number in range(2, 12)])
        trouble = until(dispatcher.trouble, "it says why")
        assert trouble == "the broker takes no messages: it is short of disk or memory, as its log says"
    finally:
        own_rabbitmq.alarm(is_on=False)
    until(lambda: dispatcher.trouble() is None, "it takes messages again")
    dispatcher.offer([offered(12)])
    assert dispatcher.wait_until_idle(60)
    found = instances(messages(broker, 2))
    assert found[0] == 1
    assert set(found) <= set(range(1, 13))


def test_a_broker_that_is_restarted(
    own_rabbitmq: nodes.RabbitMQ, dispatchers: Dispatchers, deployment: str
) -> None:
    """What it had is lost, as nobody needs it; what comes then arrives."""
    broker = Broker(own_rabbitmq.url, deployment)
    dispatcher = dispatchers(broker.url)
    dispatcher.offer([offered(1)])
    assert dispatcher.wait_until_idle(60)
    own_rabbitmq.stop(signal.SIGKILL)
    assert "does not take offers" in until(dispatcher.trouble, "it notices")
    own_rabbitmq.start()
    until(lambda: dispatcher.trouble() is None, "it is connected again")
    dispatcher.offer([offered(2)])
    assert instances(messages(broker, 1)) == [2]
