"""Instances that could not be started, until they are (RUN-3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from retrofill.services.ports.records import FailedStartRecord


class FailedStartsReader(Protocol):
    """What could not be started; empty where all is well."""

    def find(self, instance_id: int) -> FailedStartRecord | None: ...

    def waiting(self) -> list[FailedStartRecord]:
        """Those that wait to be tried again, the one that was tried last first."""
        ...

    def ids(self) -> list[int]:
        """Of all, frozen ones too."""
        ...


class FailedStarts(FailedStartsReader, Protocol):
    """Keeps them."""

    def note(self, instance_id: int, message: str, at_ms: int) -> int:
        """Note one more try; how many there were."""
        ...

    def forget(self, ids: Iterable[int]) -> None:
        """They have started."""
        ...
