"""Bringing logs from where they are written to where others read them, beside what writes them.

What runs never waits for it: a thread looks every some seconds for what has come, and brings a log whole once its run
has ended. A mark on disk, `unpushed/RUN`, stands from the start of a run until that is done, so that the next process
finishes what a killed one has left.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from retrofill.domain.errors import shown
from retrofill.executors.logs.names import parse_name, run_name
from retrofill.executors.logs.reading import LogFolder
from retrofill.services.ports import Executor, RunEnd, RunRef, RunSpec
from retrofill.services.ports.logs import NoLogError

if TYPE_CHECKING:
    from retrofill.services.ports.logs import LogPart, Logs

EVERY_SECONDS = 5.0
_AGE_SHARE = 20  # a log is looked at after a twentieth of its age, so that few pieces make up a long one
_LONGEST_PAUSE = 60.0
_SETTLING_SECONDS = 0.2  # so that what ends together is brought together
_PIECE_BYTES = 2 << 20
_PIECES = 8  # of one log in one round
_MOST_BYTES = (
    100 << 20
)  # of a run that goes on; what it says beyond that is brought at its end, within the cap of logs
_AT_ONCE = 8


class Destination(Protocol):
    """Where logs are brought; both may be said again."""

    def put(self, ref: RunRef, part: LogPart) -> None:
        """A further piece of a run that goes on.

        Raises:
            OSError: not now.
        """
        ...

    def complete(self, ref: RunRef, source: Logs, is_first: bool) -> None:
        """The whole log of a run that has ended; `is_first`: nothing was put of it before.

        Raises:
            NoLogError: the source has none.
            OSError: not now.
        """
        ...


@dataclass(slots=True)
class _Followed:
    """A run whose log is to be brought."""

    since: float
    look_at: float
    offset: int = 0
    put_bytes: int = 0
    is_first: bool = True  # nothing of it was put
    has_ended: bool = False


class LogPusher:
    """Brings the logs of a folder of runs, in threads of its own.

    Args:
        say: gets one sentence when it begins to fail.
        every_seconds: at least, between two looks at the log of a run that goes on.
        most_bytes: of a run that goes on: its machine cuts the middle out of a log that is too large, others keep all
            that was put there.
    """

    def __init__(
        self,
        runs_directory: Path,
        destination: Destination,
        say: Callable[[str], None] | None = None,
        every_seconds: float = EVERY_SECONDS,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._source = LogFolder(runs_directory)
        self._marks = runs_directory / "unpushed"
        self._marks.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._destination = destination
        self._say = say or _to_stderr
        self._every = every_seconds
        self._most_bytes = most_bytes
        self._followed: dict[RunRef, _Followed] = {}
        self._lock = threading.Condition()
        self._is_closing = False
        self._failures = 0  # rounds in a row
        self._thread = threading.Thread(target=self._work, name="pushing logs", daemon=True)
        self._thread.start()

    def begin(self, refs: Iterable[RunRef]) -> None:
        """Follow the logs of runs that start now, or go on."""
        now = time.monotonic()
        with self._lock:
            for ref in refs:
                if ref not in self._followed:
                    self._followed[ref] = _Followed(now, now + self._every)
                    with contextlib.suppress(OSError):  # brought all the same, while this process lives
                        (self._marks / _name(ref)).touch(mode=0o600)
            self._lock.notify()

    def end(self, refs: Iterable[RunRef]) -> None:
        """Bring the whole logs of runs that have ended."""
        now = time.monotonic()
        with self._lock:
            for ref in refs:
                followed = self._followed.setdefault(ref, _Followed(now, now, is_first=False))
                followed.has_ended, followed.look_at = True, now
            self._lock.notify()

    def take_over(self, running: Iterable[RunRef]) -> None:
        """What an earlier process has left: these runs go on, all others with a mark have ended."""
        self.begin(running)
        with self._lock:
            known = {*map(_name, self._followed)}
        parsed = (parse_name(name) for name in sorted(os.listdir(self._marks)) if name not in known)
        self.end(RunRef(*found, "") for found in parsed if found is not None)

    def close(self, patience: float = 5.0) -> None:
        """Bring what has ended, for at most so many seconds; the rest is the next process's."""
        with self._lock:
            self._is_closing = True
            self._lock.notify()
        self._thread.join(patience)

    # The thread

    def _work(self) -> None:
        with ThreadPoolExecutor(_AT_ONCE, "pushing logs") as pool:
            while due := self._next_due():
                results = [*pool.map(self._bring, due)]
                self._note(next((error for error in results if error is not None), None))

    def _next_due(self) -> list[tuple[RunRef, _Followed]]:
        """What is to be brought now, once there is something; nothing where all is done that is still to be done."""
        with self._lock:
            while True:
                now = time.monotonic()
                due = [
                    (ref, one)
                    for ref, one in self._followed.items()
                    if one.look_at <= now and (one.has_ended or not self._is_closing)
                ]
                if due or self._is_closing:
                    return due
                soonest = min((one.look_at for one in self._followed.values()), default=now + _LONGEST_PAUSE)
                if self._lock.wait(max(soonest - now, 0.01)):
                    self._lock.wait_for(lambda: self._is_closing, _SETTLING_SECONDS)

    def _bring(self, due: tuple[RunRef, _Followed]) -> OSError | None:
        """One log, as far as it has come; why that was not possible."""
        ref, followed = due
        has_ended = followed.has_ended
        try:
            if has_ended:
                self._destination.complete(ref, self._source, followed.is_first)
            else:
                self._put_new(ref, followed)
        except NoLogError:
            pass  # it has not begun yet, or never did
        except OSError as error:
            followed.look_at = time.monotonic() + min(
                self._every * 2 ** min(self._failures, 10), _LONGEST_PAUSE
            )
            return error
        if has_ended:
            self._forget(ref)
        else:
            now = time.monotonic()
            followed.look_at = now + min(
                max(self._every, (now - followed.since) / _AGE_SHARE), _LONGEST_PAUSE
            )
        return None

    def _put_new(self, ref: RunRef, followed: _Followed) -> None:
        for _ in range(_PIECES):
            room = min(_PIECE_BYTES, self._most_bytes - followed.put_bytes)
            part = self._source.read(ref, followed.offset, room)
            if not part.data:
                return
            followed.is_first = False  # it may be there though the answer was lost
            self._destination.put(ref, part)
            followed.offset = part.next_offset
            followed.put_bytes += len(part.data)

    def _forget(self, ref: RunRef) -> None:
        with self._lock:
            self._followed.pop(ref, None)
        with contextlib.suppress(OSError):
            (self._marks / _name(ref)).unlink()

    def _note(self, error: OSError | None) -> None:
        if error is not None and not self._failures:
            self._say(f"Logs cannot be pushed for now, and are tried again: {shown(str(error))}")
        self._failures = 0 if error is None else self._failures + 1


class PushingExecutor:
    """An executor whose runs' logs are brought elsewhere."""

    def __init__(self, inner: Executor, pusher: LogPusher) -> None:
        self._inner = inner
        self.boot_id, self.host = inner.boot_id, inner.host
        self._pusher = pusher

    def start(self, runs: Sequence[RunSpec]) -> None:
        self._pusher.begin(spec.ref for spec in runs)
        self._inner.start(runs)

    def poll(self) -> list[RunEnd]:
        ends = self._inner.poll()
        if ends:
            self._pusher.end(end.ref for end in ends)
        return ends

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        ends = self._inner.adopt(refs)
        ended = {end.ref for end in ends}
        self._pusher.end(ended)
        self._pusher.take_over(ref for ref in refs if ref not in ended)
        return ends

    def fileno(self) -> int:
        return self._inner.fileno()

    def stop(self, ref: RunRef) -> None:
        self._inner.stop(ref)

    def close(self) -> None:
        self._inner.close()
        self._pusher.close()


def _name(ref: RunRef) -> str:
    return run_name(ref.instance_id, ref.run_number, ref.token)


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
