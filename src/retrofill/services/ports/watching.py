"""Who is at work, as far as can be seen from here: schedulers, and what carries out runs."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from retrofill.services.ports.hosts import Host
    from retrofill.services.ports.leadership import Leader


class Standstill(Protocol):
    """A process of ours that is alive and does nothing.

    `part`: scheduler, launcher or supervisor; `run`: the name of its run, or empty.
    """

    @property
    def part(self) -> str: ...

    @property
    def pid(self) -> int: ...

    @property
    def run(self) -> str: ...

    @property
    def instance_id(self) -> int | None: ...

    def words(self, names_instance: bool = True) -> str:
        """A clause that names it and says what lets it go on."""
        ...


class Watch(Protocol):
    @property
    def host(self) -> str | None:
        """The host whose processes it sees, as runs name theirs; None: of the one machine that has the store."""
        ...

    def leader(self) -> Leader | None:
        """Who schedules now, None where nobody does."""
        ...

    def starts(self, *, auto: bool = False) -> bool:
        """Whether a scheduler runs that would start instances of backfills, or auto triggered ones."""
        ...

    def standstills(self) -> Sequence[Standstill]:
        """What stands still now."""
        ...

    def hosts(self) -> Sequence[Host]:
        """The machines that share the store and were ever heard of; none where this one has it alone."""
        ...

    @property
    def lost_after_ms(self) -> int:
        """A machine that was not heard of for so long has lost its runs (RUN-3)."""
        ...

    def living_runs(self) -> Container[str]:
        """Names of runs (`instance.number.token`) of this host whose supervisor lives."""
        ...
