"""What keeps the deployment of a server in order. Copies of its store are made beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.client.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import HealthCheck, RetentionReport


class UpkeepDesk(Desk):
    def remove_old(self, dry_run: bool = False) -> RetentionReport:
        """Remove what is older than the settings allow, with pauses in which others can write."""
        return self._server.act("POST", "retention/run", {"dry_run": dry_run})

    def check_store(self) -> list[str]:
        """What is wrong with the store, a sentence each."""
        return self._server.get("store/check")["items"]

    def doctor(self) -> Sequence[HealthCheck]:
        """Whether project, store, schedulers, runs and logs are in order."""
        return self._server.get("doctor")["items"]
