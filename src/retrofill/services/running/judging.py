"""Which of the machines that share a store are gone: those that have not been heard of for too long (RUN-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.services.ports.hosts import Hosts

_EVERY_MS = 10_000
_GRACE_MS = 60_000  # longer than machines take to beat again


class Judging:
    """What a leader knows of the others; asked before every tick, and looks now and then.

    Args:
        hosts: None where one machine has the store.
    """

    def __init__(self, hosts: Hosts | None) -> None:
        self.hosts = hosts
        self._next_ms: int | None = None  # when they are judged next

    def begin_anew(self) -> None:
        """After the store could not be reached: meanwhile nobody could beat."""
        self._next_ms = None

    def lost(self, now_ms: int) -> set[str]:
        """Names of machines that are gone."""
        if self.hosts is None:
            return set()
        if self._next_ms is None or self._next_ms > now_ms + _GRACE_MS:
            self._next_ms = now_ms + _GRACE_MS
        if now_ms < self._next_ms:
            return set()
        self._next_ms = now_ms + _EVERY_MS
        return {host.name for host in self.hosts.all() if host.left_ms < 0}
