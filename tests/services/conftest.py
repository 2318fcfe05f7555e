"""Worlds that are closed when their test ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from databases.stores import STORES
from services.worlds import MakeWorld, World

# What is told of both databases: histories that go through all statements. STORE=postgresql tells everything of one.
_ON_BOTH = {"test_nights", "test_retention", "test_delivery", "test_changed_schedules", "test_emergencies"}
_ON_BOTH |= {
    "test_errands",
    "test_keys",
    "test_reception",
    "test_scheduler",
    "test_hosting",
    "test_searching",
    "test_reruns",
    "test_random_histories",
    "test_restoring",
}
_ON_BOTH_IN_CHECK = {"test_scheduler", "test_restoring"}  # the others are told of the server by `make test`


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stores" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition(".")[2]
        looks_inside = metafunc.definition.get_closest_marker("embedded") is not None
        named = os.environ.get("STORE")
        kinds: list[Any] = [named or "sqlite"]
        if named is None and module in _ON_BOTH and not looks_inside:
            marks = () if module in _ON_BOTH_IN_CHECK else (pytest.mark.slow,)
            kinds += [pytest.param(kind, marks=marks) for kind in STORES if kind != "sqlite"]
        metafunc.parametrize("stores", kinds, indirect=True)


@pytest.fixture
def stores(request: pytest.FixtureRequest) -> str:
    """The kind of database that a world's store lies in."""
    if request.param != "sqlite" and request.node.get_closest_marker("embedded"):
        pytest.skip("looks into the embedded store")
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path, stores: str) -> Iterator[MakeWorld]:
    """Makes worlds."""
    made: list[World] = []

    def make(*tasks: Any, **more: Any) -> World:
        one = World(tmp_path / str(len(made)), *tasks, stores=stores, **more)
        made.append(one)
        return one

    yield make
    for one in made:
        assert one.drift() == [], "counters differ from states"
        one.close()
