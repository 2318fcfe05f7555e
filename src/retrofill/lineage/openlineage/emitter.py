"""Sending OpenLineage events beside the scheduler: what it does never waits for the network.

Events are told in passing, by a wrapper around the executor, and sent by a thread of their
own. They are best effort: while the service cannot be reached the newest wait in a bounded
queue, and what is beyond it is dropped; runs are never held up or changed by it.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from retrofill.services.ports import Executor, RunEnd, RunRef, RunSpec

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient

MOST_WAITING = 10_000
_LONGEST_PAUSE = 60.0
_TIME_LIMIT = 5.0
_REFUSALS = frozenset({400, 404, 405, 413, 415, 422})  # it would be refused again

Told = tuple[RunSpec, float, RunEnd | None]


class Emitter:
    """A thread that sends what it is told.

    Args:
        make_event: an event of a start or an end; called in the thread, since it reads SQL.
        say: gets one sentence when sending begins to fail, and when events are dropped.
        first_pause: seconds until an event is tried again; doubled up to a minute.
    """

    def __init__(
        self,
        client: OpenLineageClient,
        make_event: Callable[[RunSpec, float, RunEnd | None], Any],
        say: Callable[[str], None],
        first_pause: float = 1.0,
    ) -> None:
        self._client = client
        self._make_event = make_event
        self._say = say
        self._first_pause = first_pause
        self._queue: queue.Queue[Told | None] = queue.Queue(MOST_WAITING)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_dropping = False
        self._is_failing = False

    def tell(self, spec: RunSpec, at: float, end: RunEnd | None = None) -> None:
        """Send an event soon; never waits."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="openlineage", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait((spec, at, end))
            self._is_dropping = False
        except queue.Full:
            if not self._is_dropping:
                self._say(f"{MOST_WAITING:,} OpenLineage events wait to be sent; further ones are dropped.")
            self._is_dropping = True

    def close(self, patience: float = _TIME_LIMIT) -> None:
        """Send what is left, for at most `patience` seconds."""
        if self._thread is None:
            return
        self._closing.set()
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(patience)

    def _run(self) -> None:
        while (told := self._queue.get()) is not None:
            try:
                event = self._make_event(*told)
            except Exception as error:
                self._say(f"there is no OpenLineage event of a run of {told[0].name}: {error}")
                continue
            self._send(event)

    def _send(self, event: Any) -> None:
        """Try until it is sent; when closing, once."""
        pause = self._first_pause
        while True:
            try:
                self._client.emit(event)
                self._is_failing = False
                return
            except Exception as error:  # whatever the client and the network come up with
                status = getattr(getattr(error, "response", None), "status_code", 0)
                if status in _REFUSALS:
                    self._say(f"an OpenLineage event was refused by the service (status {status}).")
                    return
                if not self._is_failing:
                    self._say(f"OpenLineage events cannot be sent for now ({type(error).__name__}).")
                self._is_failing = True
                if self._closing.is_set():
                    return
            self._closing.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


class ObservedExecutor:
    """An executor whose starts and ends are told to an emitter.

    Args:
        describe: the specification of a run that an earlier process started, None where it is
            not known any more.
    """

    def __init__(
        self, inner: Executor, emitter: Emitter, describe: Callable[[RunRef], RunSpec | None]
    ) -> None:
        self._inner = inner
        self.boot_id, self.host = inner.boot_id, inner.host
        self._emitter = emitter
        self._describe = describe
        self._running: dict[RunRef, RunSpec] = {}

    def start(self, runs: Sequence[RunSpec]) -> None:
        self._inner.start(runs)
        now = time.time()
        for spec in runs:
            self._running[spec.ref] = spec
            self._emitter.tell(spec, now)

    def poll(self) -> list[RunEnd]:
        return self._told(self._inner.poll())

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        return self._told(self._inner.adopt(refs))

    def fileno(self) -> int:
        return self._inner.fileno()

    def stop(self, ref: RunRef) -> None:
        self._inner.stop(ref)

    def close(self) -> None:
        self._inner.close()
        self._emitter.close()

    def _told(self, ends: list[RunEnd]) -> list[RunEnd]:
        for end in ends:
            spec = self._running.pop(end.ref, None) or self._describe(end.ref)
            if spec is not None:
                self._emitter.tell(spec, end.ended_at, end)
        return ends


def client_for(url: str, api_key: str | None) -> OpenLineageClient:
    """A client that posts to a lineage service, with its key as a bearer token where there is one."""
    from openlineage.client import OpenLineageClient
    from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport

    config = HttpConfig(url, timeout=_TIME_LIMIT, retry={"total": 0})
    if api_key:
        config.auth = ApiKeyTokenProvider({"api_key": api_key})
    return OpenLineageClient(transport=HttpTransport(config))


def observed(
    executor: Executor, url: str, key: str | None, project: str, spec_of: Callable[[RunRef], RunSpec | None]
) -> Executor:
    """The executor with its runs told to a lineage service, where the package for that is installed.

    Args:
        spec_of: the specification of a run that another process started, while it can still be made.
    """
    from importlib.util import find_spec

    from retrofill.lineage.openlineage.events import event_of

    if find_spec("openlineage") is None:
        _say("No OpenLineage events are sent: install retrofill[openlineage].")
        return executor
    emitter = Emitter(client_for(url, key), lambda *told: event_of(project, *told), _say)
    return ObservedExecutor(executor, emitter, spec_of)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
