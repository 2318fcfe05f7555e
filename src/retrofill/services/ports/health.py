"""What `doctor` asks of a store, and of the place that a deployment is in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from retrofill.domain.texts import Text


class Found(NamedTuple):
    """One thing that was looked at: its name, whether it is in order, and one sentence."""

    check: str
    ok: bool
    detail: Text | str


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


class Premises(Protocol):
    """The machine and the folder that a deployment lives in: what was found there, one thing after the other."""

    def disk(self) -> Iterator[Found]:
        """How much room there is."""
        ...

    def machines(self) -> Iterator[Found]:
        """Those that share the store, and how many runs live on each; nothing where this one has it alone."""
        ...

    def runner(self) -> Iterator[Found]:
        """Whether process trees can be followed here."""
        ...

    def secrets(self) -> Iterator[Found]:
        """Whether the secrets that tasks name are to be had; nothing where only the environment is asked."""
        ...

    def webhooks(self) -> Iterator[Found]:
        """Those that lead to internal addresses which are not allowed; nothing where none does."""
        ...

    def files(self) -> Iterator[Found]:
        """Logs, journals, and what backups and restores have left."""
        ...
