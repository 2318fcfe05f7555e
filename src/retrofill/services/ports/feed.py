"""Waking whoever waits for something to happen to a store.

A hint, and nothing more: it may get lost, come twice, come late, or be heard by nobody. What has happened
stands in the store, and who waits looks there, woken or not. On several machines an adapter wakes those of all of
them; it may hold back hints that follow each other quickly, but not the last one.
"""

from __future__ import annotations

from typing import Protocol


class Ear(Protocol):
    """Where one process hears hints, together with whatever else it waits for."""

    def fileno(self) -> int:
        """A descriptor that is readable once something was heard."""
        ...

    def drain(self) -> bool:
        """Forget what was heard; whether it was anything but that runs have ended on other machines."""
        ...

    def close(self) -> None: ...


class Feed(Protocol):
    """Of one store."""

    def wake(self) -> None:
        """Wake who waits. Costs no more than a datagram and never fails: who acts has done what he wanted."""
        ...

    def listen(self) -> Ear:
        """Hear from now on; what happened before is found in the store. One process of a machine listens."""
        ...
