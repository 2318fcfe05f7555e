"""Runs that are offered to other machines, and what these machines say: in the ledger.

An offer is an open run that lives nowhere (`RunRecord.is_offered`). Times are those of the store's clock (`now_ms`),
so that machines whose clocks differ agree on how old an offer is and how long a run took.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from retrofill.services.ports.hosting import Offer
    from retrofill.services.ports.records import HostRecord, ReportedEnd, RunRecord


class HostReader(Protocol):
    """Looking at them."""

    def now_ms(self) -> int:
        """By the clock that all who share the store go by."""
        ...

    def offers(self, groups: Sequence[str], before_ms: int, limit: int) -> list[Offer]:
        """Offers of these resource groups that were made until then, in the order of RUN-1; none that is to be stopped."""
        ...

    def named(self, offers: Iterable[Offer], groups: Sequence[str]) -> list[Offer]:
        """Of these, those that can be claimed by who takes these groups: open, under that token, in the order of RUN-1."""
        ...

    def waiting(self) -> list[RunRecord]:
        """All offers that nobody has claimed, the oldest first."""
        ...

    def open_runs(self, host: str) -> list[RunRecord]:
        """Open runs that live there, but those whose ends were reported."""
        ...

    def stopping(self, host: str) -> list[RunRecord]:
        """Of these, those that somebody wants stopped, or that make way (RUN-5)."""
        ...

    def called(self) -> tuple[dict[str, int], list[str]]:
        """Resource groups that have offers, with when the newest was made, and hosts on which something is to be stopped."""
        ...

    def find(self, name: str) -> HostRecord | None: ...

    def with_token(self, token_id: int) -> int:
        """How many hosts ask a server with this token."""
        ...

    def all(self) -> list[HostRecord]:
        """All that ever took part and were not forgotten, by label."""
        ...


class HostTables(HostReader, Protocol):
    """The same within a write transaction."""

    def claim(self, offers: Sequence[Offer], host: str, boot_id: str, at_ms: int) -> None:
        """Let these offers live there from now on; those that this transaction has found to be open."""
        ...

    def report(self, host: str, ends: Sequence[ReportedEnd]) -> None:
        """Note how runs have ended there; what is not open there, or was reported, is left out."""
        ...

    def take_reports(self) -> list[ReportedEnd]:
        """What was reported, to be taken in by this transaction: it is gone afterwards."""
        ...

    def note(self, record: HostRecord) -> None:
        """What a host says of itself; since when it is known, and whether it drains, stays."""
        ...

    def bind(self, name: str, token_id: int) -> None:
        """Let a host be that of another token."""
        ...

    def set_draining(self, name: str, draining: bool) -> bool:
        """Whether there is such a host."""
        ...

    def leave(self, name: str, at_ms: int) -> None:
        """It has left by itself, unless runs live there whose ends were not reported; `note` brings it back."""
        ...

    def forget_gone(self, before_ms: int) -> int:
        """Remove hosts where nothing lives that have left, or were given up, before that; how many."""
        ...

    def forget(self, name: str) -> bool:
        """Remove what is known of it; whether there was anything."""
        ...
