"""The deployment as a host sees it that reaches a server only: rounds, calls, content and logs over HTTP.

Nothing is tried again here: the worker goes on and asks again, and says then what it holds. What is refused for good
is a `HostRefusedError`; everything that may pass is a `StoreUnavailableError`, as with a store that is away.
"""

from __future__ import annotations

import contextlib
import os
import threading
from base64 import b64encode
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256 as sha256_of
from typing import TYPE_CHECKING, Any, NoReturn

from retrofill import __version__
from retrofill.client.transport import query_of
from retrofill.domain.errors import Kind, RetrofillError, StoreUnavailableError
from retrofill.services.ports.custody import AutoRun, MayGo, OldLog
from retrofill.services.ports.hosting import HostRefusedError
from retrofill.services.ports.logs import LogPart, NoLogError
from retrofill.services.running import hosting_documents as documents

if TYPE_CHECKING:
    from retrofill.client.transport import Transport
    from retrofill.services.ports import RunRef
    from retrofill.services.ports.hosting import Answer, Exchange, HostStatus, OwnRun
    from retrofill.services.ports.logs import Logs
    from retrofill.services.ports.retention import RunName
    from retrofill.services.reading.documents.hosting import CustodyAnswer, HostRules

_AT = "hosting/1"
_ANSWER_SECONDS = 20.0  # long before the runs of a host that is not heard of are taken for lost
_CALL_SECONDS = 25.0  # shorter than proxies bear with a question that is not answered
_MARKS = 16  # of servers that have answered last
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between calls that fail
_CALLED_PAUSE = 0.05
_PIECE_BYTES = 384 << 10
_MOST_MESSAGE = 10_000
_PASSES = (Kind.UNAVAILABLE, Kind.UNREACHABLE, Kind.TOO_OFTEN, Kind.TIMED_OUT, Kind.FAILED, Kind.BROKEN)
_UNREAD = ("not_found", "bad_request", "method_not_allowed")  # codes of who reads another version of all this


class HttpHosting:
    """A server, as the worker of one host asks it."""

    def __init__(self, server: Transport) -> None:
        self._server = server

    def rules(self) -> HostRules:
        """What this worker goes by, as its token says.

        Raises:
            StoreUnavailableError: not now.
            HostRefusedError: the token is none of a worker.
        """
        found: HostRules = self._ask("GET", "rules")
        return found

    def exchange(self, status: HostStatus, exchange: Exchange) -> Answer:
        body = {"status": documents.status_document(status), **documents.exchange_document(exchange)}
        for end in body["ends"]:
            end["message"] = _sendable(end["message"])
        return documents.answer_of(self._ask("POST", "exchange", body))

    def own(self, status: HostStatus) -> list[OwnRun]:
        found = self._ask("POST", "own", {"status": documents.status_document(status)})
        return list(map(documents.own_of, found["items"]))

    def content(self, sha256: str) -> bytes:
        try:
            data = self._server.once_raw(f"{_AT}/content/{sha256}")
        except RetrofillError as error:
            if error.kind is Kind.UNKNOWN:
                raise KeyError(sha256) from None
            _judge(error)
        if sha256_of(data).hexdigest() != sha256:
            raise StoreUnavailableError("a file of a version has come broken from the server")
        return data

    def leave(self, status: HostStatus) -> None:
        self._ask("POST", "leave", {"status": documents.status_document(status)})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            return self._server.once(method, f"{_AT}/{path}", body, _ANSWER_SECONDS)
        except RetrofillError as error:
            _judge(error)


def _judge(error: RetrofillError) -> NoReturn:
    """What a refusal means for a worker."""
    if error.kind in _PASSES:
        raise StoreUnavailableError(error.text, error.hint) from None
    if error.code in _UNREAD:
        raise HostRefusedError(
            f"the server does not understand this worker, which is of Retrofill {__version__}: {error.message}",
            "Install the same version of Retrofill as there.",
        ) from None
    raise HostRefusedError(error.text, error.hint) from None


def _sendable(message: str) -> str:
    """What JSON and every store take of a message."""
    text = message[:_MOST_MESSAGE].encode("utf-8", "replace").decode()
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


class HttpCustody:
    """What a host may let go of, as a server says; one for one job."""

    def __init__(self, server: Transport, host: str) -> None:
        self._server = server
        self._host = host

    def youngest_ms(self) -> int:
        return self._rules["youngest_ms"]

    def auto_log_cap(self) -> int:
        return self._rules["auto_log_cap"]

    @cached_property
    def _rules(self) -> CustodyAnswer:
        return self._ask()

    def let_go(self, logs: Sequence[OldLog]) -> MayGo:
        found = self._ask(logs=list(map(documents.old_log_document, logs)))
        return MayGo(found["ended"], found["unknown"])

    def open_runs(self) -> set[RunName]:
        return set(map(documents.run_name_of, self._ask()["open_runs"]))

    def open_versions(self) -> set[int]:
        return set(self._ask()["open_versions"])

    def auto_dates(self, since_ms: int) -> list[str]:
        return self._ask(since_ms=since_ms)["auto_dates"]

    def auto_runs(self, bizdate: str) -> list[AutoRun]:
        found = self._ask(bizdate=bizdate)["auto_runs"]
        return [AutoRun(documents.run_name_of(one["run"]), one["is_failed"]) for one in found]

    def _ask(self, **asked: Any) -> CustodyAnswer:
        """Raises RetrofillError: not now, or never as it is; the job is begun anew later."""
        body = {"host": self._host, **asked}
        found: CustodyAnswer = self._server.once("POST", f"{_AT}/custody", body, _ANSWER_SECONDS)
        return found


class HttpEar:
    """Where a worker hears that it is called: a thread asks the server, which answers when there may be something."""

    def __init__(self, server: Transport, host: str, groups: Sequence[str]) -> None:
        self._server = server
        self._asked = {"host": host, "group": list(groups), "seconds": _CALL_SECONDS}
        self._marks: dict[str, str] = {}  # by the word of the server process that has made them
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        threading.Thread(target=self._listen, name="listening", daemon=True).start()

    def fileno(self) -> int:
        return self._descriptor

    def drain(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._descriptor)
        return True

    def close(self) -> None:
        with self._lock:
            self._closing.set()
            os.close(self._descriptor)

    def _listen(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            try:
                is_called = self._ask()
            except RetrofillError:  # the next exchange says why
                self._closing.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            if is_called:
                self._wake()
                self._closing.wait(_CALLED_PAUSE)

    def _ask(self) -> bool:
        """Whether there may be something to do; waits until that is so."""
        query = query_of({**self._asked, "mark": [*self._marks.values()]})
        found = self._server.once("GET", f"{_AT}/call{query}", seconds=_CALL_SECONDS + _ANSWER_SECONDS)
        word = found["mark"].partition(".")[0]
        self._marks.pop(word, None)
        self._marks[word] = found["mark"]
        if len(self._marks) > _MARKS:
            del self._marks[next(iter(self._marks))]
        return bool(found["is_called"])

    def _wake(self) -> None:
        with self._lock:
            if not self._closing.is_set():
                os.eventfd_write(self._descriptor, 1)


class HttpLogs:
    """Where a host brings its logs that nobody can fetch: the server keeps them."""

    def __init__(self, server: Transport, host: str) -> None:
        self._server = server
        self._host = host

    def put(self, ref: RunRef, part: LogPart) -> None:
        """A further piece of a run that goes on.

        Raises:
            OSError: not now.
        """
        self._push(ref, part)

    def complete(self, ref: RunRef, source: Logs, is_first: bool) -> None:
        """The whole log of a run that has ended: what the server does not have of it yet.

        Raises:
            NoLogError: the source has none, or nobody asks for it any more.
            OSError: not now.
        """
        size = 0 if is_first else self._push(ref, LogPart(0, b"", 0, 0))
        while True:
            found = source.read(ref, size, _PIECE_BYTES)
            if not found.data and not (is_first and size == 0):
                return
            kept = self._push(ref, found)
            if kept <= size:
                return  # somebody has cut it there, or it is empty
            size = kept

    def _push(self, ref: RunRef, found: LogPart) -> int:
        """What the server has of the log then."""
        size = 0
        for start in range(0, max(len(found.data), 1), _PIECE_BYTES):
            data = found.data[start : start + _PIECE_BYTES]
            size = self._put(ref, found.offset + start, found.missing if start == 0 else 0, data)
        return size

    def _put(self, ref: RunRef, offset: int, missing: int, data: bytes) -> int:
        body = {
            "host": self._host,
            "run": documents.ref_document(ref),
            "offset": offset,
            "missing": missing,
            "base64": b64encode(data).decode(),
        }
        try:
            return int(self._server.once("POST", f"{_AT}/log", body, _ANSWER_SECONDS)["size"])
        except RetrofillError as error:
            if error.kind is Kind.UNKNOWN:
                raise NoLogError(error.text, error.hint) from None
            raise OSError(error.message) from error
