"""Which of the machines that share a store are heard of.

A machine beats for as long as a scheduler process there sees to its runs, whoever leads. Its runs are nobody else's
to judge, until it has not been heard of for so long that they are taken for lost (RUN-3). Times are those of what
keeps the beats, so that machines whose clocks differ agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from retrofill.services.ports.feed import Ear


class Host(NamedTuple):
    """One machine, as runs name theirs; `left_ms` until its runs are lost, negative since when they are."""

    name: str
    left_ms: int


class Hosts(Protocol):
    def beat(self, host: str | None = None) -> None:
        """Say that a machine is there; None: this one."""
        ...

    def all(self) -> list[Host]:
        """Every machine that was ever heard of, by name."""
        ...

    def call(self) -> None:
        """Tell them that there is something to do; a hint, as all waking is (`feed`)."""
        ...

    def reply(self) -> None:
        """Tell who schedules that a host has reported something; a hint."""
        ...

    def listen(self, home: Path) -> Ear:
        """Hear `call` on one of them.

        Args:
            home: a folder of the process that listens, and of no other one.
        """
        ...
