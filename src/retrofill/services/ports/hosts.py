"""Which of the machines that share a store are heard of.

A machine beats for as long as a scheduler process there sees to its runs, whoever leads. Its runs are nobody else's
to judge, until it has not been heard of for so long that they are taken for lost (RUN-3). Times are those of what
keeps the beats, so that machines whose clocks differ agree.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Host(NamedTuple):
    """One machine, as runs name theirs; `left_ms` until its runs are lost, negative since when they are."""

    name: str
    left_ms: int


class Hosts(Protocol):
    def beat(self) -> None:
        """Say that this machine is there."""
        ...

    def all(self) -> list[Host]:
        """Every machine that was ever heard of, by name."""
        ...
