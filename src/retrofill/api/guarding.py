"""What is refused before anybody looks at a request, and what every answer carries.

A body is counted as it comes: none is held beyond its limit, whatever its sender says of its length. Compressed ones
are refused, so that nobody sends a small one that becomes large.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrofill.api.errors import broken, refusal

MOST_BYTES = 1_000_000  # of a body that has no larger limit of its own
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
    }
)


class _TooLargeError(HTTPException):
    """The body goes on beyond its limit. The framework takes any other error for one in the body."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"the body is larger than {limit:,} bytes", {"Connection": "close"})


class _CutShortError(Exception):
    """An answer ends in its midst, for a reason that is in the log."""


class Guard:
    """Around an application.

    Args:
        larger: limits of bodies by paths that take more than others.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answering = _Answering(send)
        limit = self._larger.get(scope["path"], MOST_BYTES)
        refused = _refused(scope, limit)
        if refused is not None:
            await refused(scope, receive, answering.send)
            return
        try:
            await self._app(scope, _counted(receive, limit), answering.send)
        except _TooLargeError as error:
            if not answering.has_begun:
                await _too_large(error)(scope, receive, answering.send)
        except Exception as error:
            answer = broken(Request(scope), error)  # noted here, or the server beneath would log all of it
            if answering.has_begun:
                raise _CutShortError from None
            await answer(scope, receive, answering.send)


class _Answering:
    """One answer on its way out, with the headers that every answer carries."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _refused(scope: Scope, limit: int) -> ASGIApp | None:
    """The answer to a request that nobody need look at; None for others."""
    headers = Headers(scope=scope)
    if not (_is_text(scope.get("raw_path") or b"") and _is_text(scope["query_string"])):
        return refusal(
            400, "the address is no UTF-8", "Write characters of other alphabets as UTF-8, then as %XX."
        )
    if headers.get("content-encoding", "identity").lower() != "identity":
        return refusal(415, "the body is compressed", "Send it as it is.")
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        return _too_large(_TooLargeError(limit))
    return None


def _is_text(raw: bytes) -> bool:
    """Whether a part of an address can be read, and is nothing that no store takes."""
    try:
        return "\0" not in unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False


def _too_large(error: _TooLargeError) -> ASGIApp:
    return refusal(error.status_code, error.detail, "Send less at once.", error.headers)


def _counted(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def receive_some() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise _TooLargeError(limit)
        return message

    return receive_some
