"""The machines that share a store, as leases which each of them renews: one that has run out is not heard of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from retrofill.domain.errors import RetrofillError
from retrofill.services.ports.hosts import Host, Hosts
from retrofill.store.postgres.leases import NOW_MS, Ask
from retrofill.store.postgres.listening import CHANNEL, WORK, Listening
from retrofill.store.sqlite.waking import ENDED

_BEATS = 8  # in the time after which a machine is given up
_LONGEST_PAUSE = 15.0  # seconds
_BEAT = (
    f"INSERT INTO lease (name, holder, number, until_ms) VALUES ('host ' || ?1, ?1, 1, {NOW_MS} + ?2) "
    f"ON CONFLICT (name) DO UPDATE SET until_ms = excluded.until_ms"
)
_ALL = f"SELECT holder, until_ms - {NOW_MS} FROM lease WHERE name LIKE 'host %' ORDER BY holder"


class SharedHosts(Hosts):
    """As one of them sees it.

    Args:
        url: of the server, for who listens.
        host: the one that this is.
        lost_after_seconds: without a beat for so long, its runs are lost.
    """

    def __init__(self, ask: Ask, url: str, host: str, lost_after_seconds: float) -> None:
        self._ask = ask
        self._url = url
        self._host = host
        self._lost_after_seconds = lost_after_seconds

    def beat(self, host: str | None = None) -> None:
        values = (host or self._host, round(self._lost_after_seconds * 1000))
        self._ask(lambda connection: connection.execute(_BEAT, values))

    def all(self) -> list[Host]:
        found: list[Host] = []
        self._ask(lambda connection: found.extend(Host(*row) for row in connection.execute(_ALL)))
        return found

    def call(self) -> None:
        self._notify(WORK)

    def reply(self) -> None:
        self._notify(CHANNEL, ENDED.decode())

    def _notify(self, channel: str, what: str = "") -> None:
        with suppress(RetrofillError):
            self._ask(lambda connection: connection.execute("SELECT pg_notify(?, ?)", (channel, what)))

    def listen(self, home: Path) -> Listening:
        return Listening(home, self._url, WORK)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat beside whatever this process does, until the end."""
        done = threading.Event()
        pause = min(self._lost_after_seconds / _BEATS, _LONGEST_PAUSE)

        def go_on() -> None:
            while not done.wait(pause):
                with suppress(RetrofillError):  # the next time
                    self.beat()

        self.beat()
        thread = threading.Thread(target=go_on, name="beating", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(_LONGEST_PAUSE)  # it may wait for a server that does not answer
