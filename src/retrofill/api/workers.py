"""Workers that ask this server: what stands behind it for them, and who of them waits to be called.

A worker that has nothing to do asks whether it is called, and is answered once it may be. That is a hint, as all
waking is: what there is to do it hears in its next exchange, and it asks for that now and then in any case. So a call
costs one look for all who wait, and no thread waits.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from fastapi import Response

from retrofill.api.answers import encode
from retrofill.bootstrap.remote_hosts import hearing_calls, remote_hosts_of
from retrofill.domain.errors import RetrofillError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

    from retrofill.bootstrap.deployment import Deployment
    from retrofill.services.ports import Ear
    from retrofill.services.reading.documents.hosting import Called
    from retrofill.services.running.remote_hosts import RemoteHosts

_LOOK_SECONDS = 0.1  # at least, between two looks at what there is to do
_MOST_DIGITS = 16  # of a mark
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Waiting:
    """A worker that waits."""

    host: str
    groups: frozenset[str]
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Workers:
    """Those of one server. Waiting is the loop's alone; everything else is for any thread."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._lock = Lock()
        self._hosts: RemoteHosts | None = None
        self._calls = _Calls()
        self._waiting: dict[str, _Waiting] = {}  # by host
        self._open = ExitStack()
        self._ear: Ear | None = None
        self._looking: asyncio.Task[None] | None = None
        self._is_heard = False
        self._is_closed = False

    @property
    def hosts(self) -> RemoteHosts:
        """What they may ask.

        Raises:
            NoSharedStoreError: there are none, as the store is a file of one machine.
        """
        with self._lock:
            if self._hosts is None:
                self._hosts = remote_hosts_of(self._deployment)
            return self._hosts

    async def wait(self, host: str, groups: Sequence[str], marks: Sequence[str], seconds: float) -> Called:
        """Whether there may be something to do, once there may be, or after so many seconds.

        Args:
            marks: of the last answers of each server; what was called since then counts.
        """
        self._listen()
        waiting = _Waiting(host, frozenset(groups))
        since = self._calls.number_of(marks)
        if not self._calls.is_later(since, waiting.host, waiting.groups) and not self._is_closed:
            await self._wait(waiting, seconds)
        is_called = self._calls.is_later(since, waiting.host, waiting.groups)
        return {"mark": self._calls.mark, "is_called": is_called}

    async def _wait(self, waiting: _Waiting, seconds: float) -> None:
        if (before := self._waiting.pop(waiting.host, None)) is not None:
            before.woken.set()  # its worker has given it up
        self._waiting[waiting.host] = waiting
        try:
            async with asyncio.timeout(seconds):
                await waiting.woken.wait()
        except TimeoutError:
            pass
        finally:
            if self._waiting.get(waiting.host) is waiting:
                del self._waiting[waiting.host]

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    # Hearing

    def _listen(self) -> None:
        """From the first worker that waits until the end of the server."""
        if self._ear is None and not self._is_closed:
            self._ear = self._open.enter_context(hearing_calls(self._deployment))
            asyncio.get_running_loop().add_reader(self._ear.fileno(), self._hear)

    def _hear(self) -> None:
        assert self._ear is not None
        self._ear.drain()
        self._is_heard = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look_again_and_again())

    async def _look_again_and_again(self) -> None:
        """As long as something is heard."""
        while self._is_heard:
            self._is_heard = False
            try:
                groups, hosts = await asyncio.to_thread(self.hosts.called)
            except RetrofillError as error:
                _log.warning("workers are not called: %s", error.message)
            else:
                self._call(groups, hosts)
            await asyncio.sleep(_LOOK_SECONDS)

    def _call(self, groups: Mapping[str, int], hosts: Collection[str]) -> None:
        called = self._calls.note(groups, hosts)
        for waiting in self._waiting.values():
            if waiting.host in hosts or not waiting.groups.isdisjoint(called):
                waiting.woken.set()

    def close(self) -> None:
        """Answer all who wait, and hear nothing more: the server stops. Within the loop's thread."""
        self._is_closed = True
        for waiting in self._waiting.values():
            waiting.woken.set()
        if self._ear is not None:
            asyncio.get_running_loop().remove_reader(self._ear.fileno())
        self._open.close()


class _Calls:
    """When each group and each host was called last: by numbers, which begin anew with each server process."""

    def __init__(self) -> None:
        self._word = secrets.token_hex(4)
        self._number = 0
        self._groups: dict[str, int] = {}
        self._hosts: dict[str, int] = {}
        self._newest: Mapping[str, int] = {}  # offers of groups

    @property
    def mark(self) -> str:
        return f"{self._word}.{self._number}"

    def note(self, newest: Mapping[str, int], hosts: Collection[str]) -> Collection[str]:
        """Call these hosts, and the groups whose newest offers are others than before: those groups."""
        self._number += 1
        called = [group for group, at_ms in newest.items() if self._newest.get(group) != at_ms]
        self._newest = newest
        self._groups.update(dict.fromkeys(called, self._number))
        self._hosts = dict.fromkeys(hosts, self._number)  # one that is not called any more is forgotten
        return called

    def number_of(self, marks: Sequence[str]) -> int:
        """The number in the mark of this process; none: what it has called before is not known to who asks."""
        for mark in marks:
            word, _, number = mark.partition(".")
            if word == self._word and number.isdecimal() and len(number) < _MOST_DIGITS:
                return int(number)
        return -1

    def is_later(self, since: int, host: str, groups: Collection[str]) -> bool:
        """Whether one of these was called after that."""
        last = max([self._hosts.get(host, 0), *(self._groups.get(group, 0) for group in groups)])
        return last > since


class Awaited(Response):
    """An answer that is there later; meanwhile no thread waits. Not for a client that has gone."""

    def __init__(self, answer: Callable[[], Awaitable[object]]) -> None:
        super().__init__(media_type="application/json")
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = asyncio.ensure_future(self._answer())
        leaving = asyncio.ensure_future(_has_gone(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                self.body = encode(answering.result())
                self.init_headers()
                await super().__call__(scope, receive, send)
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)


async def _has_gone(receive: Receive) -> None:
    """Until the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def workers_of(app: FastAPI) -> Workers:
    """Those of the server."""
    found = app.state.workers
    assert isinstance(found, Workers)
    return found
