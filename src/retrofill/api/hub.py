"""All streams of one server process: they are told of changes as soon as somebody has committed them.

While anybody listens, a thread looks every quarter of a second whether the store has a new revision, and reads what
has changed once for all. Those who look at the same with the same eyes are one audience, and get the same bytes. When
rights may have changed (a sign-out, a role, a deploy), and every half minute, each stream is judged anew and
ends where its request would be refused by now.

All but `admit` and `close` is of the loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retrofill.api.events import KEEP_ALIVE, KEEP_ALIVE_SECONDS, EventStream, Outlet, event
from retrofill.domain.errors import Kind, RetrofillError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from retrofill.services.reading.feed import Changes

LOOK_SECONDS = 0.25
MOST_STREAMS = 2_000
MOST_OF_A_USER = 200
_JUDGE_SECONDS = 30.0
_RECENT = 40  # changes that are kept for who was just about to listen
_log = logging.getLogger(__name__)


class TooManyStreamsError(RetrofillError):
    """Close some of those that are open."""

    code = "too_many_streams"
    kind = Kind.UNAVAILABLE


@dataclass(frozen=True)
class Audience:
    """Who is told the same.

    Attributes:
        key: what they look at, and with which eyes; by this they are equal.
        told: what they are told of changes; None: nothing.
    """

    key: Hashable
    told: Callable[[Changes], Any] = field(compare=False)

    def event(self, changes: Changes) -> bytes | None:
        document = self.told(changes)
        return None if document is None else event("change", document, changes.revision)


@dataclass(frozen=True)
class Ticket:
    """The right to listen.

    Attributes:
        user: who listens.
        judge: asked in a thread now and then: raises an error once the request would be refused. Where it answers
            something else than at first, the client has to come again.
        seen: what it has answered at first.
    """

    user: str
    judge: Callable[[], Hashable]
    seen: Hashable


class Hub:
    """One a process.

    Args:
        look: what has changed since a revision's number, if anything can have; called in a thread, one call
            at a time.
        look_seconds: between two looks.
    """

    def __init__(self, look: Callable[[int], Changes | None], look_seconds: float = LOOK_SECONDS) -> None:
        self._look = look
        self._look_seconds = look_seconds
        self._streams: dict[EventStream, Ticket] = {}
        self._users: Counter[str] = Counter()
        self._audiences: defaultdict[Audience, set[Outlet]] = defaultdict(set)
        self._number = 0  # of the revision up to which all were told
        self._recent: deque[Changes] = deque(maxlen=_RECENT)
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def admit(self, user: str) -> None:
        """Refuse a stream too many.

        Raises:
            TooManyStreamsError: so many are open.
        """
        if len(self._streams) >= MOST_STREAMS:
            raise TooManyStreamsError(
                f"{len(self._streams):,} streams are open, as many as this server bears"
            )
        if self._users[user] >= MOST_OF_A_USER:
            raise TooManyStreamsError(
                f"you have {self._users[user]} streams open, as many as one user may have"
            )

    def __len__(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def count_of(self, user: str) -> int:
        """How many streams somebody has open."""
        return self._users[user]

    def stream(self, ticket: Ticket, source: AsyncGenerator[bytes, None]) -> EventStream:
        """A stream that ends with its right, and with the server."""

        def opened(stream: EventStream) -> None:
            self._streams[stream] = ticket
            self._users[ticket.user] += 1
            if self._is_closed:
                stream.end("closing")
            elif self._looking is None or self._looking.done():
                self._loop = asyncio.get_running_loop()
                self._number = -1
                self._recent.clear()
                self._looking = asyncio.ensure_future(self._go_on())

        def closed(stream: EventStream) -> None:
            if self._streams.pop(stream, None) is not None:
                self._users -= Counter([ticket.user])

        return EventStream(source, opened, closed)

    def listen(self, ticket: Ticket, audience: Audience, number: int, first: bytes) -> EventStream:
        """A stream of what an audience is told.

        Args:
            number: of the revision up to which its new member knows everything.
            first: the event that it is told first.
        """
        outlet = Outlet(lambda: stream.end("slow"))
        outlet.put(first)

        async def told() -> AsyncGenerator[bytes, None]:
            self._audiences[audience].add(outlet)
            try:
                if not self._catch_up(outlet, audience, number):
                    stream.end("late")
                async for data in outlet.events():
                    yield data
            finally:
                self._audiences[audience].discard(outlet)
                if not self._audiences[audience]:
                    del self._audiences[audience]

        stream = self.stream(ticket, told())
        return stream

    def _catch_up(self, outlet: Outlet, audience: Audience, number: int) -> bool:
        """Tell what the others were told since that revision; whether it is known."""
        if self._number < 0:
            self._number = number
        late = [changes for changes in self._recent if changes.number > number]
        for changes in late:
            self._put(audience, {outlet}, changes)
        return number >= (late[0].since if late else self._number)

    def close(self) -> None:
        """End all streams, and let nobody listen any more: the server stops. From whatever thread."""
        self._is_closed = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_all, "closing")

    def _end_all(self, reason: str) -> None:
        for stream in [*self._streams]:
            stream.end(reason)

    # Looking

    async def _go_on(self) -> None:
        """Look as long as anybody listens."""
        try:
            with ThreadPoolExecutor(1, "hub") as thread:
                await self._look_again_and_again(thread)
        except Exception:
            _log.exception("the streams have ended")
            self._end_all("broken")

    async def _look_again_and_again(self, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        judged = spoken = loop.time()
        while self._streams:
            await asyncio.sleep(self._look_seconds)
            changes = await loop.run_in_executor(thread, self._look_on)
            if changes is not None:
                self._tell(changes)
            now = loop.time()
            if now - judged > _JUDGE_SECONDS or (changes is not None and changes.rights):
                judged = now
                await self._judge(thread)
            if now - spoken > KEEP_ALIVE_SECONDS:
                spoken = now
                self._keep_alive()

    def _look_on(self) -> Changes | None:
        """What has changed since the last look, in a thread; None: nothing, or the store cannot be reached now."""
        try:
            changes = self._look(self._number)
        except RetrofillError as error:
            _log.warning("streams stand still: %s", error.message)
            return None
        return None if changes is None or changes.number == changes.since else changes

    def _tell(self, changes: Changes) -> None:
        self._number = changes.number
        self._recent.append(changes)
        for audience, outlets in self._audiences.items():
            self._put(audience, outlets, changes)

    def _put(self, audience: Audience, outlets: set[Outlet], changes: Changes) -> None:
        data = audience.event(changes)
        if data is not None:
            for outlet in [*outlets]:
                outlet.put(data)

    def _keep_alive(self) -> None:
        for outlets in self._audiences.values():
            for outlet in outlets:
                if outlet.is_idle:
                    outlet.put(KEEP_ALIVE)

    async def _judge(self, thread: ThreadPoolExecutor) -> None:
        """End the streams of those who may not listen any more, or not to the same."""
        tickets = [*self._streams.items()]
        reasons = await asyncio.get_running_loop().run_in_executor(
            thread, lambda: [_refused(ticket) for _, ticket in tickets]
        )
        for (stream, _), reason in zip(tickets, reasons, strict=True):
            if reason is not None:
                stream.end(reason)


def hub_of(app: FastAPI) -> Hub:
    """That of the server."""
    found = app.state.hub
    assert isinstance(found, Hub)
    return found


def _refused(ticket: Ticket) -> str | None:
    """Why a stream has to end; None where it may go on."""
    with contextlib.suppress(RetrofillError):
        return None if ticket.judge() == ticket.seen else "rights"
    return "refused"
