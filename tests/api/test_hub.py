"""How the streams of a process are fed: the same bytes for the same eyes, and no gap between a first look and a stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from retrofill.api.events import EventStream, event
from retrofill.api.hub import Audience, Hub, Ticket
from retrofill.domain.errors import NotSignedInError, StoreUnavailableError
from retrofill.services.reading.feed import Changes

SOON = 20.0  # seconds until a test that hangs is given up


class World:
    """A store whose revisions are made by hand, and a hub that looks at it all the time."""

    def __init__(self) -> None:
        self.number = 0
        self.rights = False
        self.trouble: Exception | None = None
        self.looks = 0
        self.hub = Hub(self.look, look_seconds=0)

    def look(self, since: int) -> Changes:
        self.looks += 1
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble
        return Changes(since, self.number, f"w.{self.number}", rights=self.rights)


class Client:
    """What one client gets of a stream; a slow one takes the first piece and no other."""

    def __init__(self, stream: EventStream, is_slow: bool = False) -> None:
        self.got = b""
        self._news = asyncio.Event()
        self._takes = asyncio.Event()
        if not is_slow:
            self._takes.set()
        self._leaves = asyncio.Event()
        self.has_ended = False
        self.done = asyncio.ensure_future(stream({"type": "http"}, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if self.got:
            await self._takes.wait()
        self.got += message.get("body", b"")
        self.has_ended = message.get("more_body") is False
        self._news.set()

    async def leave(self) -> None:
        self._leaves.set()
        await self.done

    async def until(self, is_there: Callable[[list[tuple[str, Any]]], object]) -> list[tuple[str, Any]]:
        """Its events once they are as wanted."""
        while not is_there(self.events):
            await self._news.wait()
            self._news.clear()
        return self.events

    @property
    def events(self) -> list[tuple[str, Any]]:
        return list(events_of(self.got))


def events_of(got: bytes) -> Iterator[tuple[str, Any]]:
    for block in got.decode().split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "data" in fields:
            yield fields["event"], json.loads(fields["data"])


def told(changes: Changes) -> Any:
    return {"since": changes.since, "number": changes.number}


def audience(name: str = "all") -> Audience:
    return Audience(name, told)


def join(world: World, number: int, who: Audience | None = None, **more: Any) -> EventStream:
    ticket = Ticket("alice", more.get("judge", lambda: 1), 1)
    return world.hub.listen(ticket, who or audience(), number, event("change", {"first": number}))


def run(test: Callable[[World], Awaitable[None]]) -> World:
    """A test in a loop of its own."""
    world = World()

    async def main() -> None:
        await asyncio.wait_for(test(world), SOON)
        world.hub.close()

    asyncio.run(main())
    return world


def has(number: int) -> Callable[[list[tuple[str, Any]]], bool]:
    return lambda events: any(data.get("number") == number for _, data in events)


def test_what_changes_is_told_to_all() -> None:
    async def test(world: World) -> None:
        clients = [Client(join(world, 0)), Client(join(world, 0, audience("others")))]
        world.number = 3
        for client in clients:
            events = await client.until(has(3))
            assert events[0] == ("change", {"first": 0})
        for client in clients:
            await client.leave()

    run(test)


def test_the_same_eyes_are_told_the_same_bytes() -> None:
    """An event is made once for all who get it."""
    made: list[Changes] = []

    def counted(changes: Changes) -> Any:
        made.append(changes)
        return told(changes)

    async def test(world: World) -> None:
        clients = [Client(join(world, 0, Audience("same", counted))) for _ in range(20)]
        for client in clients:
            await client.until(len)
        world.number = 1
        for client in clients:
            await client.until(has(1))
            await client.leave()

    run(test)
    assert [changes.number for changes in made] == [1]


def test_who_joins_is_told_what_the_others_were_told_since_their_look() -> None:
    """Between the answer that begins a stream and the stream, somebody may have committed, and the hub looked."""

    async def test(world: World) -> None:
        first = Client(join(world, 0))
        for number in (1, 2):
            world.number = number
            await first.until(has(number))
        late = Client(join(world, 1))
        events = await late.until(has(2))
        assert all(data.get("number") != 1 for _, data in events), "what it knows"
        await first.leave()
        await late.leave()

    run(test)


def test_who_comes_too_late_to_be_told_comes_again() -> None:
    """With the revision that they know; then a question tells all since."""

    async def test(world: World) -> None:
        first = Client(join(world, 10))
        late = Client(join(world, 9))
        await late.done
        assert late.events[-1] == ("end", {"reason": "late"})
        await first.leave()

    run(test)


def test_who_does_not_take_their_events_is_not_waited_for() -> None:
    """What waits for them is bounded; the others are told on."""

    async def test(world: World) -> None:
        slow, other = Client(join(world, 0), is_slow=True), Client(join(world, 0))
        while not slow.done.done():
            world.number += 1
            await other.until(has(world.number))
        assert slow.events == []
        await other.leave()

    run(test)


def test_who_has_lost_the_right_is_told_to_leave() -> None:
    """SEC-1."""

    def refuse() -> int:
        raise NotSignedInError("this needs a token")

    async def test(world: World) -> None:
        gone, other = Client(join(world, 0, judge=refuse)), Client(join(world, 0))
        changed = Client(join(world, 0, judge=lambda: 2))
        await other.until(len)
        world.number, world.rights = 1, True
        await asyncio.gather(gone.done, changed.done)
        world.rights = False
        assert gone.events[-1] == ("end", {"reason": "refused"})
        assert changed.events[-1] == ("end", {"reason": "rights"})
        world.number = 2
        await other.until(has(2))
        await other.leave()

    run(test)


def test_a_store_that_is_away_for_a_moment_ends_nothing() -> None:
    async def test(world: World) -> None:
        client = Client(join(world, 0))
        await client.until(len)
        world.trouble = StoreUnavailableError("the server is away")
        world.number = 1
        await client.until(has(1))
        await client.leave()

    run(test)


def test_a_bug_ends_the_streams_instead_of_letting_them_be_silent() -> None:
    """A client that is told nothing would believe that nothing happens."""

    async def test(world: World) -> None:
        client = Client(join(world, 0))
        await client.until(len)
        world.trouble = ZeroDivisionError()
        await client.done
        assert client.events[-1] == ("end", {"reason": "broken"})
        again = Client(join(world, 0))
        world.number = 1
        await again.until(has(1))
        await again.leave()

    run(test)


def test_nobody_looks_while_nobody_listens() -> None:
    async def test(world: World) -> None:
        assert world.looks == 0
        client = Client(join(world, 0))
        world.number = 1
        await client.until(has(1))
        await client.leave()
        for _ in range(3):
            await asyncio.sleep(0)
        before = world.looks
        again = Client(join(world, 1))
        await again.until(len)
        await again.leave()
        assert before <= world.looks

    world = run(test)
    assert world.hub.count_of("alice") == 0


@pytest.mark.parametrize("is_slow", [False, True])
def test_a_server_that_stops_waits_for_nobody(is_slow: bool) -> None:
    """A client that takes nothing is left behind."""

    async def test(world: World) -> None:
        client = Client(join(world, 0), is_slow)
        while world.hub.count_of("alice") == 0:
            await asyncio.sleep(0)
        world.hub.close()
        await client.done
        assert client.has_ended is not is_slow

    run(test)
