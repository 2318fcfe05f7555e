"""Who looks at a busy server: lists, details and grids, each visitor one request a second.

`measure.py` starts it with RETROFILL_TOKEN and REFERENCE_URL in the environment.
"""

from __future__ import annotations

import os
import random

from filling import BACKFILLS, DAYS, TASKS
from locust import FastHttpUser, task

_TOKEN = {"Authorization": f"Bearer {os.environ['RETROFILL_TOKEN']}"}
_REFERENCE = os.environ["REFERENCE_URL"]
_EACH = TASKS * DAYS  # instances of a backfill


class Visitor(FastHttpUser):
    """Somebody with the pages open."""

    def wait_time(self) -> float:
        """A second on average, as people come: visitors that keep time would all ask at once."""
        return random.expovariate(1.0)

    def _get(self, path: str, name: str) -> None:
        self.client.get(f"/api/v1{path}", headers=_TOKEN, name=name)

    @task(15)
    def backfills(self) -> None:
        self._get("/backfills?limit=50", "list of backfills")

    @task(20)
    def instances(self) -> None:
        self._get(f"/instances?backfill={_backfill()}&limit=100", "list of instances")

    @task(15)
    def backfill(self) -> None:
        self._get(f"/backfills/{_backfill()}", "a backfill")

    @task(15)
    def progress(self) -> None:
        self._get(f"/backfills/{_backfill()}/progress", "progress")

    @task(15)
    def instance(self) -> None:
        self._get(f"/instances/{_instance()}", "an instance")

    @task(10)
    def why(self) -> None:
        self._get(f"/instances/{_instance()}/why", "why")

    @task(10)
    def grid(self) -> None:
        self._get(f"/backfills/{_backfill()}/grid", "grid")

    @task(5)
    def reference(self) -> None:
        after = random.randrange(BACKFILLS * _EACH)
        self.client.get(f"{_REFERENCE}/instances?after={after}", name="bare handler")


def _backfill() -> int:
    return random.randint(1, BACKFILLS)


def _instance() -> int:
    return random.randint(1, BACKFILLS * _EACH)
