"""A deployed project with a server and a scheduler that run as users start them (`retrofill up`).

What a test prepares it does beside the server, through the same operation center; what it holds it sees in the browser.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from browser import flights
from databases import postgres
from e2e.sandboxes import PATIENCE, Sandbox, until
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import Deployment, open_deployment
from retrofill.domain.running.searches import InstanceSearch
from retrofill.services.operation_center import OperationCenter
from retrofill.services.reading.documents import InstanceRow

STORES = ("sqlite", "postgresql")
_FIRST_OWN_DAY = date(2015, 1, 1)


class Place:
    """One project that is served.

    Attributes:
        url: of the server, without a slash at the end.
        small_day: of January 2013, whose source data is refused.
        signed_in: what a browser keeps of a user who has signed in.
    """

    def __init__(self, home: Path, deployment: Deployment, small_day: date = flights.SMALL_DAY) -> None:
        self.home, self.deployment, self.small_day = home, deployment, small_day
        self.url = ""
        self.signed_in: dict[str, Any] = {}
        self._sandbox = Sandbox(home)
        self._days = count()

    def serve(self) -> None:
        """Start a server and a scheduler; after a break, at the same address."""
        port = urlsplit(self.url).port or 0
        environ = {
            key: value for key, value in self.deployment.environ.items() if key.startswith("RETROFILL_")
        }
        server = self._sandbox.spawn("up", "--port", port, "--output", "json", **environ)
        assert server.stdout is not None
        self.url = json.loads(server.stdout.readline())["url"].rstrip("/")

    def leave(self) -> None:
        """End both as an interrupt does."""
        server = self._sandbox.processes[-1]
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0

    def close(self) -> None:
        """Nothing of it runs any more."""
        self._sandbox.close()

    def center(self, user: str = "admin") -> OperationCenter:
        """Everything that a user may ask or do, asked without the server."""
        return Call(self.deployment, user, is_remote=True, origin=self.url).center

    def deploy(self) -> None:
        """What its folder holds by now."""
        Call(self.deployment).center.versions.deploy()

    def link(self, user: str) -> str:
        """A link that signs in a user, once."""
        return self.center().people.create_link(user)["link"]

    def days(self, number: int = 1) -> list[str]:
        """Bizdates that no other test has: with them, tasks of `lab` are held up and fail as this test says."""
        return [str(_FIRST_OWN_DAY + timedelta(days=next(self._days))) for _ in range(number)]

    def let_go(self, *bizdates: str) -> None:
        """`lab.load` of these bizdates comes to its end."""
        for bizdate in bizdates:
            (self.home / "go" / bizdate).touch()

    def mend(self, *bizdates: str) -> None:
        """`lab.check` of these bizdates fails no longer."""
        for bizdate in bizdates:
            (self.home / "mended" / bizdate).touch()

    def create(self, user: str = "ada", **asked: Any) -> int:
        """The id of a new backfill; `asked` as `backfills.plan` takes it."""
        backfills = self.center(user).backfills
        return backfills.create(backfills.plan(asked))

    def instance(self, backfill_id: int, task: str, bizdate: str) -> InstanceRow:
        """One instance as it is now."""
        search = InstanceSearch(backfills=[backfill_id], tasks=[task], bizdates=[bizdate])
        return self.center().instances.list(search)["items"][0]

    def wait(self, backfill_id: int, status: str, patience: float = PATIENCE) -> None:
        """Until a backfill stands so."""
        until(
            lambda: self.center().backfills.row(backfill_id)["status"] == status,
            f"backfill {backfill_id} is {status}",
            patience,
        )

    def wait_for(self, backfill_id: int, task: str, bizdate: str, state: str) -> InstanceRow:
        """Until an instance is in this state; its row."""

        def arrived() -> InstanceRow | None:
            row = self.instance(backfill_id, task, bizdate)
            return row if row["state"] == state else None

        row: InstanceRow = until(arrived, f"{task} of {bizdate} is {state}")
        return row


@contextmanager
def opened(
    home: Path, store: str = "sqlite", days: int = 3, small_day: date = flights.SMALL_DAY
) -> Iterator[Place]:
    """A place on a store of this kind, with source data for so many days; afterwards nothing of it runs."""
    with ExitStack() as closing:
        environ = {} if store == "sqlite" else {"RETROFILL_STORE": closing.enter_context(postgres.rows())}
        flights.write(home, days, small_day)
        deployment = open_deployment(str(home), environ)
        closing.callback(deployment.close)
        place = Place(home, deployment, small_day)
        place.deploy()
        closing.callback(place.close)
        place.serve()
        yield place
        place.leave()
