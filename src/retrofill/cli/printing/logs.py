"""Printing the log of a run, as it is or as it grows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from retrofill.cli.absences import say_away, still_away_from
from retrofill.cli.driving import say_alone
from retrofill.cli.session import say_json
from retrofill.domain.texts import Step

if TYPE_CHECKING:
    from retrofill.cli.session import Session
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.reading.logs import OpenLog

_LOOK_SECONDS = 0.1


def follow_log(session: Session, instance_id: int, run_number: int | None) -> None:
    """Write the log until the run has ended; a server that is restarted meanwhile is waited for."""
    center = session.waiting_center(None, say_away)
    with still_away_from(session, Step("instance.log", id=instance_id, follow=True)):
        opened = center.instances.log(instance_id, run_number)
        assert not isinstance(opened, str), "an instance that has run has a log"
        print_log(center, opened, True, session.output)


def print_log(center: OperationCenter, opened: OpenLog, follow: bool, output: str) -> None:
    """Write the log to stdout; with `follow`, until the run has ended.

    A terminal gets control characters escaped, so that a log cannot reprogram it; a file or a
    pipe gets the bytes as they are. As JSON, a log is a list of pieces, `{offset, missing, text}`.
    """
    writer = _WRITERS[output]()
    while True:
        has_ended = not follow or opened.has_ended()
        # Asked before the last piece is read: what it wrote at its end is there then.
        is_unheard = not has_ended and bool(center.instances.unattended({opened.instance_id}))
        for piece in opened.pieces():
            writer.write(*piece)
            sys.stdout.flush()
        if has_ended or is_unheard:
            for piece in opened.rest():
                writer.write(*piece)
            writer.end()
            sys.stdout.flush()
            break
        time.sleep(_LOOK_SECONDS)
    if is_unheard:
        say_alone(center, [{"id": opened.instance_id, "state": "running"}])


class _Writer(Protocol):
    """A form of output; what it writes is flushed by its caller."""

    def write(self, offset: int, missing: int, data: bytes) -> None: ...

    def end(self) -> None: ...


class _Text:
    """The log itself; a line says where something is missing."""

    def write(self, offset: int, missing: int, data: bytes) -> None:
        if missing:
            data = f"\n[{missing} bytes of the log were cut out here]\n".encode() + data
        if sys.stdout.isatty():
            text = data.decode("utf-8", "replace")
            sys.stdout.write("".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text))
        else:
            sys.stdout.buffer.write(data)

    def end(self) -> None:
        pass


class _Lines:
    """One JSON object a piece and line."""

    def write(self, offset: int, missing: int, data: bytes) -> None:
        say_json(_piece(offset, missing, data))

    def end(self) -> None:
        pass


class _Document:
    """A JSON array of the pieces, written as they come."""

    def __init__(self) -> None:
        self._before = "["

    def write(self, offset: int, missing: int, data: bytes) -> None:
        sys.stdout.write(self._before)
        say_json(_piece(offset, missing, data))
        self._before = ","

    def end(self) -> None:
        sys.stdout.write("[]\n" if self._before == "[" else "]\n")


_WRITERS: dict[str, Callable[[], _Writer]] = {"text": _Text, "jsonl": _Lines, "json": _Document}


def _piece(offset: int, missing: int, data: bytes) -> dict[str, object]:
    return {"offset": offset, "missing": missing, "text": data.decode("utf-8", "replace")}
