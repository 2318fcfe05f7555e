"""Where a log is read: beside what reads it, through the door of its host, or in shared storage, in this order.

The own folder holds what ran here, and what other hosts have pushed to this server. A host's door is asked before the
storage, because what lies there is some seconds old while a run goes on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol, TypeVar

from retrofill.domain.errors import RetrofillError, shown
from retrofill.domain.texts import Text
from retrofill.services.ports.logs import LogAwayError, LogPart, NoLogError

if TYPE_CHECKING:
    from retrofill.executors.logs.fetching import LogDoors
    from retrofill.services.ports import RunRef
    from retrofill.services.ports.logs import Logs

T = TypeVar("T")
_KEPT = 1024  # runs whose host is remembered


class Place(NamedTuple):
    """Where a run lives; `logs_at` is the URL of its host's door, empty without one."""

    host: str
    logs_at: str


class Places(Protocol):
    def host_of(self, ref: RunRef) -> str | None:
        """The host on which a run lives; None while it lives nowhere, and where this machine has the store alone."""
        ...

    def door_of(self, host: str) -> str:
        """The URL of a host's door, as it is now; empty without one."""
        ...


class RoutedLogs:
    """The logs of all machines of a deployment, for any number of threads.

    Args:
        own: those beside this process.
        here: this host's name.
        storage: what all machines push to; None: nothing.
    """

    def __init__(self, own: Logs, here: str, places: Places, doors: LogDoors, storage: Logs | None) -> None:
        self._own, self._here = own, here
        self._places, self._doors, self._storage = places, doors, storage
        self._hosts: OrderedDict[RunRef, str] = OrderedDict()
        self._lock = Lock()

    def read(self, ref: RunRef, offset: int, limit: int) -> LogPart:
        return self._first(
            ref,
            lambda logs: logs.read(ref, offset, limit),
            lambda place: self._doors.read(*place, ref, offset, limit),
        )

    def read_tail(self, ref: RunRef, limit: int) -> LogPart:
        return self._first(
            ref,
            lambda logs: logs.read_tail(ref, limit),
            lambda place: self._doors.read_tail(*place, ref, limit),
        )

    def gaps(self, ref: RunRef) -> tuple[tuple[int, int], ...]:
        return self._first(ref, lambda logs: logs.gaps(ref), lambda place: self._doors.gaps(*place, ref))

    def _first(self, ref: RunRef, ask: Callable[[Logs], T], through: Callable[[Place], T]) -> T:
        """The answer of the first that has the log.

        Raises:
            NoLogError: nobody has it.
            LogAwayError: who may have it cannot be asked.
        """
        missing: NoLogError | None = None
        for answer in self._ways(ref, ask, through):
            try:
                return answer()
            except NoLogError as error:
                # That somebody cannot be asked says more than that another one has nothing.
                missing = error if missing is None or isinstance(error, LogAwayError) else missing
        assert missing is not None
        raise missing

    def _ways(
        self, ref: RunRef, ask: Callable[[Logs], T], through: Callable[[Place], T]
    ) -> Iterator[Callable[[], T]]:
        yield lambda: ask(self._own)
        host = self._host_of(ref)
        place = None if host in (None, self._here) else Place(host, self._places.door_of(host))
        if place is not None and place.logs_at:
            yield lambda: through(place)
        if (storage := self._storage) is not None:
            yield lambda: ask(storage)
        elif place is not None and not place.logs_at:
            yield lambda: _nowhere(place.host)

    def _host_of(self, ref: RunRef) -> str | None:
        with self._lock:
            if (found := self._hosts.get(ref)) is not None:
                return found
        host = self._places.host_of(ref)
        if host is not None:  # once it is known it stays
            with self._lock:
                self._hosts[ref] = host
                if len(self._hosts) > _KEPT:
                    self._hosts.popitem(last=False)
        return host


class Unreadable:
    """A storage that nothing here reads, so nobody knows what it has."""

    def __init__(self, error: RetrofillError) -> None:
        self._error = error

    def read(self, ref: RunRef, offset: int, limit: int) -> LogPart:
        raise self._away()

    def read_tail(self, ref: RunRef, limit: int) -> LogPart:
        raise self._away()

    def gaps(self, ref: RunRef) -> tuple[tuple[int, int], ...]:
        raise self._away()

    def _away(self) -> LogAwayError:
        return LogAwayError(self._error.message, self._error.hint)


def _nowhere(host: str) -> NoReturn:
    raise LogAwayError(
        f"the log lies on {shown(host)}, which serves none",
        Text("Start its worker with {option.serve_logs}, or set `log_storage`; until then read it there."),
    )
