"""Rooms that are empty again when their test ends: one for each adapter of the port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.adapters import EXECUTORS, LEADERSHIPS, LOGS, STORES, LogsRoom, StoreRoom
from executors.rooms import Room
from retrofill.services.ports import Leadership, Store


@pytest.fixture(params=EXECUTORS)
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    made = EXECUTORS[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture(params=STORES)
def store_room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreRoom]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture(params=LOGS)
def logs_room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LogsRoom]:
    made = LOGS[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture(params=LEADERSHIPS)
def candidate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Leadership]]:
    """Makes one process's part in the leadership of one store."""
    room = LEADERSHIPS[request.param](tmp_path)
    yield room.candidate
    room.close()


@pytest.fixture
def opener(store_room: StoreRoom) -> Callable[[], Store]:
    """Opens one and the same store again and again, as several processes do."""
    return store_room.open


@pytest.fixture
def store(opener: Callable[[], Store]) -> Store:
    return opener()
