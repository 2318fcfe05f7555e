"""The log of a run as events, while it grows: text as it comes, then that the run has ended.

A client that comes back says up to which byte it has heard (`Last-Event-ID`: run and offset), and goes on there.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from itertools import chain
from typing import TYPE_CHECKING

from retrofill.api.events import KEEP_ALIVE, KEEP_ALIVE_SECONDS, event

if TYPE_CHECKING:
    from retrofill.services.reading.documents import LogEvent
    from retrofill.services.reading.logs import OpenLog

LOOK_SECONDS = 0.5
"""Between two looks at a log that grows."""
_END = event("end", {"reason": "ended"})


async def follow(opened: OpenLog, *, goes_on: bool) -> AsyncGenerator[bytes, None]:
    """Events of a log.

    Args:
        goes_on: until the run has ended; else what there is by now.
    """
    text, silent = _Text(opened.run_number), 0.0
    while True:
        # Asked before the last piece is read: what it wrote at its end is there then.
        has_ended = not goes_on or await asyncio.to_thread(opened.has_ended)
        pieces = chain(opened.pieces(), opened.rest() if has_ended else ())
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            silent = 0.0
            yield text.event(*piece)
        if has_ended:
            yield text.rest()
            yield _END if goes_on else b""
            return
        await asyncio.sleep(LOOK_SECONDS)
        silent += LOOK_SECONDS
        if silent >= KEEP_ALIVE_SECONDS:
            silent = 0.0
            yield KEEP_ALIVE


async def once(line: str) -> AsyncGenerator[bytes, None]:
    """Events of what stands for the log of an instance that ran no code."""
    yield _Text(0).event(0, 0, line.encode())
    yield _END


def heard(run_number: int | None, event_id: str, offset: int = 0) -> tuple[int | None, int]:
    """Which run a client comes back for, and from which byte; what it says wrongly counts as nothing.

    Args:
        offset: with which it began.
    """
    number, _, last = event_id.partition(".")
    if not all(part.isascii() and part.isdecimal() and len(part) < 16 for part in (number, last)):
        return run_number, offset
    if run_number is not None and run_number != int(number):
        return run_number, offset
    return int(number), int(last)


class _Text:
    """Pieces of a log as events; a letter that lies across two of them stays whole."""

    def __init__(self, run_number: int) -> None:
        self._run_number = run_number
        self._held = b""  # the beginning of a letter
        self._offset = 0  # of what comes next

    def event(self, offset: int, missing: int, data: bytes) -> bytes:
        """What can be told of a piece."""
        held = b"" if missing else self._held
        data, offset = held + data, offset - len(held)
        whole = len(data) - _begun(data)
        data, self._held = data[:whole], data[whole:]
        self._offset = offset + whole
        return self._event(offset, missing, data)

    def rest(self) -> bytes:
        """At the end, a letter that was never finished."""
        held, self._held = self._held, b""
        return self._event(self._offset, 0, held) if held else b""

    def _event(self, offset: int, missing: int, data: bytes) -> bytes:
        text = data.decode("utf-8", "replace")
        document: LogEvent = {
            "run_number": self._run_number,
            "offset": offset,
            "missing": missing,
            "text": text,
        }
        if text.encode() != data:
            document["base64"] = base64.b64encode(data).decode()
        return event("output", document, f"{self._run_number}.{offset + len(data)}")


def _begun(data: bytes) -> int:
    """How many bytes at the end are the beginning of a letter whose rest is yet to come."""
    for length in range(1, min(3, len(data)) + 1):
        first = data[-length]
        if first >= 0b1100_0000:
            wanted = 2 if first < 0b1110_0000 else 3 if first < 0b1111_0000 else 4
            return length if length < wanted else 0
        if first < 0b1000_0000:
            return 0
    return 0
