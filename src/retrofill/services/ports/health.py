"""What `doctor` asks of a store about itself."""

from __future__ import annotations

from typing import Protocol


class HealthReader(Protocol):
    """One look; but for `damage`, each question costs little, however much there is."""

    def damage(self) -> list[str]:
        """What is wrong with the data as it is kept, a sentence each; none where it is sound."""
        ...

    def schema(self) -> str:
        """The name of the newest migration that it has gone through."""
        ...

    def newest_ms(self) -> int | None:
        """The latest instant of which the ledger says that something has happened then."""
        ...

    def oldest_open(self) -> tuple[int, int] | None:
        """Id and creation (ms) of the backfill that has been open for longest."""
        ...
