"""Stores on a server, closed when their test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from databases import postgres
from retrofill.store.postgres.database import Database

MakeStore = Callable[..., Database]


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as one:
        yield one


@pytest.fixture
def make_store(url: str, tmp_path: Path) -> Iterator[MakeStore]:
    """Opens the one database of the test, or another; each call is another process of the same machine."""
    made: list[Database] = []

    def make(other: str | None = None, home: str = "home", project: str = "flights", **more: Any) -> Database:
        made.append(Database(other or url, tmp_path / home, project, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def somebody(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else who is connected to the store's database."""
    with psycopg.connect(url, application_name="a report") as connection:
        yield connection
        connection.rollback()
