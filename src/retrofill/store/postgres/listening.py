"""Hearing through the server that something has changed: a hint, which one machine gives all others.

A thread waits for it, on a connection of its own, and hands it on to the socket on which a scheduler of this
machine hears everything. A pooler may swallow what is listened for, and a connection may be lost; so the thread
also looks every few seconds whether anybody has written. However many hints have come, it hands on one.
"""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from retrofill.store.postgres.connection import patiently
from retrofill.store.sqlite.waking import ANYTHING, ENDED, WakeSocket, wake

CHANNEL = "retrofill"  # for who schedules
WORK = "retrofill_work"  # for machines that carry out what is offered
_LOOK_SECONDS = 5.0
_PAUSE_SECONDS = 2.0  # before a lost connection is made anew
_WRITTEN = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"


class Listening(WakeSocket):
    """Where a scheduler hears what happens on its machine and on others; or a worker, what there is to do."""

    def __init__(self, directory: Path, url: str, channel: str = CHANNEL) -> None:
        super().__init__(directory)
        self._channel = channel
        self._home = directory
        self._url = url
        self._ended, self._end = os.pipe()
        self._thread = threading.Thread(target=self._listen, name="listening", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            with suppress(psycopg.Error):
                if self._listen_on(self._url):
                    return
            if self._wait(_PAUSE_SECONDS):
                return

    def _wait(self, seconds: float, *descriptors: int) -> list[int]:
        """Those of these, and of the end of it all, that something was heard on."""
        poll = select.poll()  # descriptors may have any number
        for descriptor in (self._ended, *descriptors):
            poll.register(descriptor, select.POLLIN)
        return [descriptor for descriptor, _ in poll.poll(seconds * 1000)]

    def _listen_on(self, url: str) -> bool:
        """Hand on hints for as long as the connection lives; True at the end of it all."""
        with psycopg.connect(
            patiently(url),
            autocommit=True,
            prepare_threshold=None,
            fallback_application_name="retrofill listening",
        ) as connection:
            heard: list[bytes] = []
            connection.add_notify_handler(lambda notify: heard.append(notify.payload.encode()))
            connection.execute(f"LISTEN {self._channel}")
            before = None
            while True:
                ready = self._wait(_LOOK_SECONDS, connection.fileno())
                if self._ended in ready:
                    return True
                if ready:
                    heard += _taken_in(connection)
                else:
                    written = connection.execute(_WRITTEN).fetchone()
                    heard += [ANYTHING] if written != before else []
                    before = written
                if heard:
                    wake(self._home, ENDED if set(heard) == {ENDED} else ANYTHING)
                heard.clear()

    def close(self) -> None:
        os.write(self._end, b"e")
        self._thread.join()
        os.close(self._end)
        os.close(self._ended)
        super().close()


def _taken_in(connection: psycopg.Connection[Any]) -> list[bytes]:
    """What hints say that have come, without asking the server; anything where something else has."""
    connection.pgconn.consume_input()
    found = []
    while (notify := connection.pgconn.notifies()) is not None:
        found.append(notify.extra)
    return found or [ANYTHING]
