"""HEAD: what GET would answer, without its body (RFC 9110, 9.3.2)."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Heads:
    """Around an application that knows GET only: who may ask, and what is counted and refused, is the same."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_head(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        async def receive_until_begun() -> Message:
            """A stream of events has to end where its head has been sent."""
            return {"type": "http.disconnect"} if has_begun else await receive()

        await self._app({**scope, "method": "GET"}, receive_until_begun, send_head)
