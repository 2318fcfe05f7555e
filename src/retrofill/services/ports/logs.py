"""Logs of runs: read by offset, while they grow and afterwards.

A log lies on the host where its run lives. An adapter for many machines fetches it from there; one that sees only
its own machine says that there is none here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from retrofill.domain.errors import UnknownNameError

if TYPE_CHECKING:
    from retrofill.services.ports.running import RunRef


class NoLogError(UnknownNameError):
    """A log is there from the start of its run until it expires."""

    code = "no_log"


class LogAwayError(NoLogError):
    """Ask again once the machine that keeps it can be reached; the setting `log_storage` keeps logs where all can read them."""

    code = "log_away"


class LogPart(NamedTuple):
    """A piece of a log. `missing` bytes before `offset`, where the data begins, were cut out."""

    offset: int
    data: bytes
    missing: int
    size: int  # of the whole log now

    @property
    def next_offset(self) -> int:
        """Where the next read goes on."""
        return self.offset + len(self.data)


class LogKeeper(Protocol):
    """Keeps the logs of runs that live on other hosts, as these push them, where `Logs` finds them."""

    def keep(self, ref: RunRef, part: LogPart) -> int:
        """A further piece, which begins where what is kept ends, or where a gap after that does.

        What is kept already is left as it is, and what is not connected to it is left out: so a piece may come
        twice, late, or never.

        Returns:
            The length of what is kept now: from there on whoever pushes goes on.

        Raises:
            OSError: there is no room.
        """
        ...


class Logs(Protocol):
    """What runs have printed, byte for byte."""

    def read(self, ref: RunRef, offset: int, limit: int) -> LogPart:
        """Up to `limit` bytes from `offset` on; a part ends where a gap begins, and at the end there is no data.

        Raises:
            NoLogError: there is none: the run never began, or its log has expired.
        """
        ...

    def read_tail(self, ref: RunRef, limit: int) -> LogPart:
        """The last bytes, at most `limit`.

        Raises:
            NoLogError: there is none.
        """
        ...

    def gaps(self, ref: RunRef) -> tuple[tuple[int, int], ...]:
        """Begin and end of each part that was cut out by now, in order.

        Raises:
            NoLogError: there is none.
        """
        ...
