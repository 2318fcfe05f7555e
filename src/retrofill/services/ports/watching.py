"""Who is at work, as far as can be seen from here: schedulers, and what carries out runs."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Protocol


class Standstill(Protocol):
    """A process of ours that is alive and does nothing; its text is a clause that names it.

    `part`: scheduler, launcher or supervisor; `run`: the name of its run, or empty.
    """

    @property
    def part(self) -> str: ...

    @property
    def run(self) -> str: ...

    @property
    def instance_id(self) -> int | None: ...


class Watch(Protocol):
    @property
    def host(self) -> str | None:
        """The host whose processes it sees, as runs name theirs; None: of the one machine that has the store."""
        ...

    def starts(self, *, auto: bool = False) -> bool:
        """Whether a scheduler runs that would start instances of backfills, or auto triggered ones."""
        ...

    def standstills(self) -> Sequence[Standstill]:
        """What stands still now."""
        ...

    def living_runs(self) -> Container[str]:
        """Names of runs (`instance.number.token`) of this host whose supervisor lives."""
        ...
