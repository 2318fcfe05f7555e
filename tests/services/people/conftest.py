"""An office."""

from __future__ import annotations

import pytest

from domain.catalogs import make_task
from services.people.offices import Office
from services.worlds import MakeWorld


@pytest.fixture
def office(world: MakeWorld) -> Office:
    return Office(world(make_task("w.a", "@daily")))
