"""Reading logs through the door of the host where they lie (`door`).

A host that does not answer is left alone for some seconds: a page that shows many of its logs waits for it once. Its
clock may be any: what it says when it refuses is taken from then on.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import defaultdict
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from retrofill.domain.errors import shown
from retrofill.executors.logs import door
from retrofill.executors.logs.names import run_name
from retrofill.services.ports.logs import LogAwayError, LogPart, NoLogError

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrofill.domain.people.server_keys import ServerKey
    from retrofill.services.ports import RunRef

_SECONDS = 3.0  # that a host may take to answer
_LEFT_ALONE_SECONDS = 5.0
_HOLDS_SECONDS = 60  # a signature
_KEPT = 4  # idle connections of one door


class LogDoors:
    """All doors of a deployment, for any number of threads.

    Args:
        key: that the servers and workers share.
        monotonic: seconds.
    """

    def __init__(self, key: Callable[[], ServerKey], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._key = key
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._idle: defaultdict[str, list[HTTPConnection]] = defaultdict(list)
        self._ahead: dict[str, float] = {}  # of our clock, by door
        self._silent: dict[str, tuple[float, str]] = {}  # since when, and why

    def read(self, host: str, at: str, ref: RunRef, offset: int, limit: int) -> LogPart:
        """As `Logs.read`, of a host whose door is at this URL.

        Raises:
            LogAwayError: it does not answer as a door.
        """
        return self._part(host, at, ref, {"ask": "read", "offset": offset, "limit": limit})

    def read_tail(self, host: str, at: str, ref: RunRef, limit: int) -> LogPart:
        return self._part(host, at, ref, {"ask": "tail", "limit": limit})

    def gaps(self, host: str, at: str, ref: RunRef) -> tuple[tuple[int, int], ...]:
        _, data = self._ask(host, at, ref, {"ask": "gaps"})
        try:
            return tuple((int(begin), int(end)) for begin, end in json.loads(data))
        except (ValueError, TypeError) as error:
            raise self._failed(host, at, "answers as no log door does") from error

    def _part(self, host: str, at: str, ref: RunRef, asked: dict[str, object]) -> LogPart:
        headers, data = self._ask(host, at, ref, asked)
        try:
            offset, missing, size = (
                int(headers.get(name, "")) for name in (door.OFFSET, door.MISSING, door.SIZE)
            )
        except ValueError as error:
            raise self._failed(host, at, "answers as no log door does") from error
        return LogPart(offset, data, missing, size)

    def _ask(self, host: str, at: str, ref: RunRef, asked: dict[str, object]) -> tuple[HTTPMessage, bytes]:
        """Headers and body of the answer; signed again where the host's clock is another one."""
        self._look_whether_silent(host, at)
        for _ in range(2):
            status, headers, data = self._sent(host, at, ref, asked)
            now = headers.get(door.NOW, "")
            if not (now.isascii() and now.isdigit()):
                raise self._failed(host, at, f"answers as no log door does (status {status})")
            if status == 200:
                return headers, data
            if status != 403:
                break
            self._ahead[at] = time.time() - int(now)
        if status == 404:
            raise NoLogError(
                f"run {ref.run_number} of instance {ref.instance_id} has no log on {shown(host)}"
            )
        why = "refuses, so it has another key" if status == 403 else f"answers with status {status}"
        raise self._failed(host, at, why)

    def _sent(
        self, host: str, at: str, ref: RunRef, asked: dict[str, object]
    ) -> tuple[int, HTTPMessage, bytes]:
        run = run_name(ref.instance_id, ref.run_number, ref.token)
        until = int(time.time() - self._ahead.get(at, 0.0)) + _HOLDS_SECONDS
        path = f"{door.PATH}{quote(run)}?{urlencode({**asked, 'until': until})}"
        headers = {door.SIGNATURE: door.signed(self._key(), host, run, until)}
        connection, is_fresh = self._connection(at)
        try:
            try:
                response = _answer(connection, path, headers)
            except (OSError, HTTPException):
                if is_fresh:
                    raise
                connection = _new(at)  # the kept one had been closed meanwhile
                response = _answer(connection, path, headers)
            data = response.read(door.MOST_BYTES)
            whole = response.isclosed()
        except (OSError, HTTPException) as error:
            connection.close()
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise self._failed(host, at, f"does not answer: {why or type(error).__name__}") from error
        self._give_back(at, connection, whole)
        return response.status, response.headers, data

    def _connection(self, at: str) -> tuple[HTTPConnection, bool]:
        """One to a door, and whether it is new."""
        with self._lock, contextlib.suppress(IndexError):
            return self._idle[at].pop(), False
        return _new(at), True

    def _give_back(self, at: str, connection: HTTPConnection, may_be_kept: bool) -> None:
        with self._lock:
            if may_be_kept and len(self._idle[at]) < _KEPT:
                self._idle[at].append(connection)
                return
        connection.close()

    def _look_whether_silent(self, host: str, at: str) -> None:
        since, why = self._silent.get(at, (float("-inf"), ""))
        if self._monotonic() - since < _LEFT_ALONE_SECONDS:
            raise _away(host, at, why)

    def _failed(self, host: str, at: str, why: str) -> LogAwayError:
        self._silent[at] = self._monotonic(), why
        return _away(host, at, why)


def _new(at: str) -> HTTPConnection:
    parts = urlsplit(at)
    return HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_SECONDS)


def _answer(connection: HTTPConnection, path: str, headers: dict[str, str]) -> HTTPResponse:
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def _away(host: str, at: str, why: str) -> LogAwayError:
    return LogAwayError(f"the log lies on {shown(host)}, whose log door {shown(at)} {why}")
