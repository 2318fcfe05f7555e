"""A plan as a server has shown it: what it was asked with, and the digest with which it is created as it was shown (VER-4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from retrofill.client.answers import read

if TYPE_CHECKING:
    from retrofill.client.transport import Transport
    from retrofill.domain.inputs import Given
    from retrofill.services.reading.documents import PlanSummary

_OFF: tuple[object, ...] = (None, False, (), [])


@dataclass(frozen=True)
class Preview:
    """A plan as it was shown; it can be created as it is.

    Attributes:
        asked: the request that it is a plan of.
        document: tasks, counts, findings.
        digest: tells this plan from another.
        is_refused: whether it may be stored, but must not run (VER-2).
        notes: what is to be known of how the request was understood.
    """

    asked: Mapping[str, Any]
    document: PlanSummary
    digest: str
    is_refused: bool
    notes: tuple[str, ...]
    _server: Transport

    @classmethod
    def of(cls, server: Transport, given: Given, now: datetime | None) -> Preview:
        """The plan of what somebody asks for, made by a server."""
        asked = _asked(given, now)
        found = server.ask("backfills/plan", asked)
        digest, is_refused, notes = (found.pop(name) for name in ("digest", "refused", "notes"))
        return cls(asked, found, digest, is_refused, tuple(notes), server)

    @property
    def instance_count(self) -> int:
        return self.document["instance_count"]

    @property
    def checks_to_ask(self) -> Sequence[str]:
        """Names of the extension checks that are asked when it is created."""
        return self.document.get("checks_to_ask", [])

    def instances(self) -> Iterator[dict[str, Any]]:
        """Every instance, in an order in which they may run."""
        with self._server.lines("backfills/plan/instances", body=self.asked) as lines:
            yield from map(read, lines)

    def agreed(self, expected: str | None = None) -> dict[str, Any]:
        """The request to create it as it was shown.

        Args:
            expected: the digest of the plan that somebody has agreed to; None: of this one.
        """
        asked = {name: value for name, value in self.asked.items() if name != "now"}
        return {**asked, "expected": expected or self.digest}


def _asked(given: Given, now: datetime | None) -> dict[str, Any]:
    """What is given, in JSON; a server works on what is deployed whether it is said or not."""
    asked = {
        name: [*value] if isinstance(value, tuple) else value
        for name, value in given.items()
        if value not in _OFF and name != "deployed"
    }
    return asked if now is None else {**asked, "now": now.isoformat()}
