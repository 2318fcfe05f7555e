"""What the ledger says of files that lie on a host: which of them may go.

A host knows what it has and how old that is by its own clock; the ledger knows what has ended and what still counts. So
ages are told, never times, and clocks may differ (RET-1, RET-2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from retrofill.services.ports.retention import RunName


class OldLog(NamedTuple):
    """A file among logs that was not written to for so long; `run` is None for one that no run has made."""

    name: str
    run: RunName | None
    age_ms: int


class MayGo(NamedTuple):
    """Names of files: of runs that have ended long enough ago, and of no run that the ledger knows."""

    ended: list[str]
    unknown: list[str]


class AutoRun(NamedTuple):
    """An ended run of an auto triggered instance, whose log may be cut; those of failed ones last."""

    run: RunName
    is_failed: bool


class Custody(Protocol):
    """What one host may let go of; each is asked when it is needed, so that it is of that moment."""

    def youngest_ms(self) -> int:
        """Files that are younger need not be asked about."""
        ...

    def auto_log_cap(self) -> int:
        """Bytes of all logs of one date's auto triggered instances, 0 for none (RET-2)."""
        ...

    def let_go(self, logs: Sequence[OldLog]) -> MayGo:
        """Which of these may go; of runs it is noted that their logs have gone."""
        ...

    def open_runs(self) -> set[RunName]:
        """Those whose journals and logs are needed."""
        ...

    def open_versions(self) -> set[int]:
        """Those whose included files are needed (CAT-9)."""
        ...

    def auto_dates(self, since_ms: int) -> list[str]:
        """Bizdates of auto triggered instances that have ended in the last so many milliseconds."""
        ...

    def auto_runs(self, bizdate: str) -> list[AutoRun]:
        """Of a date's finished auto triggered instances."""
        ...
