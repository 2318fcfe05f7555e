"""Brokers of tests: each kind starts, takes messages, and can be crashed and started again under its address."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from brokers import nodes, shared

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", nodes.KINDS)
def test_a_shared_broker_takes_and_gives_messages(kind: str) -> None:
    with Connection(shared.url(kind)) as connection, connection.SimpleQueue("tests.nodes") as queue:
        queue.put({"is": kind})
        assert queue.get(timeout=10).payload == {"is": kind}


@pytest.mark.parametrize("kind", nodes.KINDS)
def test_a_broker_of_ones_own_comes_back_under_its_address(kind: str, tmp_path: Path) -> None:
    with shared.own(kind, tmp_path / "broker") as broker:
        broker.stop(signal.SIGKILL)
        with pytest.raises(OperationalError, match="refused"):
            Connection(broker.url).ensure_connection(max_retries=1, timeout=1)
        broker.start()
        Connection(broker.url).ensure_connection(max_retries=1, timeout=10)
