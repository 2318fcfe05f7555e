"""Several parts of a program as processes of one group: started, watched, started again, ended together.

A part is a function that runs in a fork of its own and gives its exit status. The parent does nothing but watch; it
opens no store and has no thread, so that it can fork at any time. When it dies, however that is, its parts are asked to end.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from retrofill.domain.texts import Text
from retrofill.executors.kernel import die_with_parent

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_PAUSES_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_SETTLED_SECONDS = 60.0  # after so long a death is the first one
_LEAVE_SECONDS = 15.0  # longer than any part takes to leave by itself


@dataclass(frozen=True, slots=True)
class Part:
    """One process.

    Attributes:
        name: the word for it.
        run: what it does; its result is the exit status. It may call what it is given to tell the parent that it is
            ready, with a text.
        is_final: whether a status ends the whole group, because starting anew does not help.
    """

    name: str
    run: Callable[[Callable[[str], None]], int]
    is_final: Callable[[int], bool] = lambda status: status != 0


@dataclass(slots=True)
class _State:
    part: Part
    pid: int = 0  # 0: it does not run
    began: float = 0.0
    due: float = 0.0  # when it is started next
    deaths: int = 0
    is_ready: bool = False
    pipe: int = -1
    heard: bytearray = field(default_factory=bytearray)


class ProcessGroup:
    """The parent of its parts.

    Args:
        on_ready: called with a part's name and what it told when it became ready for the first time.
        say: told what happens to parts.
    """

    def __init__(
        self, parts: list[Part], on_ready: Callable[[str, str], None], say: Callable[[str | Text], None]
    ) -> None:
        self._states = [_State(part) for part in parts]
        self._on_ready = on_ready
        self._say = say
        self._told_to_leave = False
        self._status: int | None = None

    def run(self) -> int:
        """Until TERM or an interrupt, or a part ends for good; the exit status of the whole."""
        with self._signals() as woken:
            try:
                while self._status is None and not self._told_to_leave:
                    self._start_due()
                    self._wait(woken, self._until_next())
                    self._reap()
            finally:
                self._end_all()
        return self._status or 0

    @contextlib.contextmanager
    def _signals(self):  # type: ignore[no-untyped-def]
        """A descriptor that can be read when a signal has come in."""
        woken, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        old_descriptor = signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        try:
            yield woken
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old_descriptor)
            os.close(woken)
            os.close(wakes)

    def _note(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._told_to_leave = True

    def _start_due(self) -> None:
        now = time.monotonic()
        for state in self._states:
            if state.pid == 0 and state.due <= now:
                self._start(state)

    def _start(self, state: _State) -> None:
        hears, tells = os.pipe2(os.O_CLOEXEC)
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal that comes in before the child has handlers of its own waits until then.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            os.close(hears)
            self._be(state.part, parent, tells)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(tells)
        os.set_blocking(hears, False)
        state.pid, state.pipe, state.began = pid, hears, time.monotonic()

    def _be(self, part: Part, parent: int, tells: int) -> None:
        """What the child does until its end."""
        status = 70
        try:
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            for other in self._states:
                if other.pipe >= 0:
                    os.close(other.pipe)
            die_with_parent(signal.SIGTERM)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            if os.getppid() == parent:  # else it died before that was asked for
                status = part.run(lambda text: _tell(tells, text))
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)

    def _until_next(self) -> float | None:
        """Seconds until a part is to be started."""
        due = [state.due for state in self._states if state.pid == 0]
        return max(min(due) - time.monotonic(), 0.0) if due else None

    def _wait(self, woken: int, seconds: float | None) -> None:
        pipes = {state.pipe: state for state in self._states if state.pipe >= 0}
        readable, _, _ = select.select([woken, *pipes], [], [], seconds)
        for descriptor in readable:
            if descriptor == woken:
                with contextlib.suppress(BlockingIOError):
                    os.read(woken, 4096)
            else:
                self._hear(pipes[descriptor])

    def _hear(self, state: _State) -> None:
        try:
            chunk = os.read(state.pipe, 65536)
        except BlockingIOError:  # it is dead, and a fork of it holds the pipe
            chunk = b""
        state.heard += chunk
        if chunk and not state.heard.endswith(b"\n"):
            return
        os.close(state.pipe)
        state.pipe = -1
        if state.heard and not state.is_ready:
            state.is_ready = True
            self._on_ready(state.part.name, state.heard.decode().rstrip("\n"))
        state.heard.clear()

    def _reap(self) -> None:
        for state in self._states:
            if state.pid == 0:
                continue
            pid, code = os.waitpid(state.pid, os.WNOHANG)
            if pid:
                self._note_end(state, os.waitstatus_to_exitcode(code))

    def _note_end(self, state: _State, code: int) -> None:
        state.pid = 0  # first: whatever goes wrong from here on, nobody waits for it
        if state.pipe >= 0:
            self._hear(state)
        how = f"signal {-code}" if code < 0 else f"status {code}"
        if self._told_to_leave:
            return
        if code >= 0 and (not state.is_ready or state.part.is_final(code)):
            self._say(f"The {state.part.name} has ended with {how}, so everything ends.")
            self._status = code
            return
        now = time.monotonic()
        state.deaths = 0 if now - state.began > _SETTLED_SECONDS else state.deaths
        pause = _PAUSES_SECONDS[min(state.deaths, len(_PAUSES_SECONDS) - 1)]
        state.deaths, state.due = state.deaths + 1, now + pause
        self._say(f"The {state.part.name} has ended with {how}; it is started again in {pause:g} s.")

    # The end

    def _end_all(self) -> None:
        """Ask all parts to end; who does not within seconds is killed."""
        for number, seconds in ((signal.SIGTERM, _LEAVE_SECONDS), (signal.SIGKILL, None)):
            left = [state for state in self._states if state.pid]
            for state in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(state.pid, number)
            self._wait_for(left, seconds)

    def _wait_for(self, left: list[_State], seconds: float | None) -> None:
        end = None if seconds is None else time.monotonic() + seconds
        while any(state.pid for state in left) and (end is None or time.monotonic() < end):
            for state in left:
                if state.pid and _has_ended(state.pid):
                    state.pid = 0
            time.sleep(0.02)


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _tell(tells: int, text: str) -> None:
    data = f"{text}\n".encode()
    while data:
        data = data[os.write(tells, data) :]
    os.close(tells)
