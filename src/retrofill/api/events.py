"""Server-sent events: one open stream, how it is fed and how it ends.

An event is bytes that were made once for all who get them. A stream ends when its source has nothing more to say, when
its client has gone, or when the server says so (`end`): then the client is told why.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response

from retrofill.api.answers import encode
from retrofill.api.operations import EVENTS

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

KEEP_ALIVE = b":\n\n"
KEEP_ALIVE_SECONDS = 15.0
_RETRY = b"retry: 2000\n\n"  # milliseconds until a client that has lost its stream comes back
_MOST_WAITING = 64  # events for a client that does not take them
_LAST_WORD_SECONDS = 1.0  # for a client that does not take that one either
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events until it has a page of them
}


def event(kind: str, document: Any, event_id: str = "") -> bytes:
    """One event; its document is one line of JSON.

    Args:
        event_id: what a client that comes back says it has heard last.
    """
    head = f"id: {event_id}\nevent: {kind}\n" if event_id else f"event: {kind}\n"
    return b"".join((head.encode(), b"data: ", encode(document), b"\n\n"))


def is_wanted(request: Request) -> bool:
    """Whether who asks wants a stream, and not an answer that ends."""
    return EVENTS in request.headers.get("Accept", "")


class Outlet:
    """What waits to be sent to one client; of the loop's thread.

    Args:
        is_full: called when so much waits that the client cannot be keeping up; what comes then is lost to it.
    """

    def __init__(self, is_full: Callable[[], None]) -> None:
        self._is_full = is_full
        self._waiting: deque[bytes] = deque()
        self._has_any = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def put(self, data: bytes) -> None:
        """Let it be sent."""
        if len(self._waiting) >= _MOST_WAITING:
            self._is_full()
            return
        self._waiting.append(data)
        self._has_any.set()

    async def events(self) -> AsyncGenerator[bytes, None]:
        """As they come; what waits together is sent together."""
        while True:
            await self._has_any.wait()
            self._has_any.clear()
            data = b"".join(self._waiting)
            self._waiting.clear()
            yield data


class EventStream(Response):
    """An answer that goes on until somebody ends it.

    Args:
        source: what to send; closed when the stream ends.
        opened, closed: called at its begin and, whatever happens, at its end.
    """

    media_type = EVENTS

    def __init__(
        self,
        source: AsyncGenerator[bytes, None],
        opened: Callable[[EventStream], None] = lambda _: None,
        closed: Callable[[EventStream], None] = lambda _: None,
    ) -> None:
        super().__init__(headers=_HEADERS, media_type=EVENTS)
        del self.headers["content-length"]
        self._source = source
        self._opened, self._closed = opened, closed
        self._sending: asyncio.Future[None] | None = None
        self._last = b""  # what is said at the end

    def end(self, reason: str) -> None:
        """End it and tell the client why; within the loop's thread."""
        self._last = event("end", {"reason": reason})
        if self._sending is not None:
            self._sending.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        self._sending = asyncio.ensure_future(self._send_all(send))
        leaving = asyncio.ensure_future(_has_gone(receive))
        self._opened(self)
        try:
            await asyncio.wait({self._sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not leaving.done():
                await self._say_the_last(send)
        finally:
            self._closed(self)
            for task in (self._sending, leaving):
                task.cancel()
            await asyncio.gather(self._sending, leaving, return_exceptions=True)
            await self._source.aclose()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": _RETRY, "more_body": True})
        async for data in self._source:
            await send({"type": "http.response.body", "body": data, "more_body": True})

    async def _say_the_last(self, send: Send) -> None:
        last = send({"type": "http.response.body", "body": self._last, "more_body": False})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(last, _LAST_WORD_SECONDS)


async def _has_gone(receive: Receive) -> None:
    """Until the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
