"""Each test is a deployment of its own on the brokers that the run of tests shares."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from brokers import nodes, shared
from retrofill.executors.celery.broker import Broker
from retrofill.executors.celery.dispatcher import CeleryDispatcher
from retrofill.executors.routing import Surroundings

Dispatchers = Callable[[str], CeleryDispatcher]


@pytest.fixture(params=nodes.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def deployment() -> str:
    return f"demo.{secrets.token_hex(4)}"


@pytest.fixture
def broker(kind: str, deployment: str) -> Broker:
    return Broker(shared.url(kind), deployment)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "worker"
    made.mkdir()
    return made


@pytest.fixture
def dispatchers(deployment: str) -> Iterator[Dispatchers]:
    """Dispatchers by the setting `broker`, closed at the end."""
    with ExitStack() as closing:

        def make(setting: str, of: str = deployment) -> CeleryDispatcher:
            made = CeleryDispatcher(Surroundings(of, {"broker": setting}, {"PASSWORD": nodes.PASSWORD}.get))
            closing.callback(made.close)
            return made

        yield make
