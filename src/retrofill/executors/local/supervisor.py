"""The supervisor: a process that carries out one run after another and outlives the scheduler.

For each run: `claim` in the journal, the log created with O_EXCL, the command, its whole process
tree, `exit` in the journal. What was written is synced in the first quiet moment, see decision 0002. It is
the subreaper of its commands, so that every descendant that is left without a parent becomes its child
and can be counted and ended.
When the scheduler's end of its socket closes, it ends with its run.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Iterator

from retrofill.domain.running.masking import Masking
from retrofill.executors.clock import passed_seconds
from retrofill.executors.local import endings, processes
from retrofill.executors.local.endings import describe_duration
from retrofill.executors.local.journals import CLAIMED_MODE, Exit, Journal, format_exit
from retrofill.executors.local.orders import BORN, IN_FILE, LONGEST_MESSAGE, UNBORN, RunOrder, receive
from retrofill.executors.local.piping import MaskedOutput
from retrofill.executors.local.spawning import Carrier, fork, spawn
from retrofill.executors.logs.capping import cap_log, give_back_room, reserve_room
from retrofill.executors.logs.paths import RunPaths
from retrofill.failpoints import fail_point

_SYNC_MS = 20  # what was written is synced after this time in which nothing has happened
_LOOK_SECONDS = 1.0  # between looks at a growing log
_IDLE_LOOK_SECONDS = 5.0
_SHORTEST_PAUSE = 0.0005
_LONGEST_PAUSE = 0.05


class Supervisor:
    """One process's work; at most one run at a time.

    Args:
        scheduler: the socket over which orders come and ends go.
        wake_socket: path of the socket of a scheduler that took over from ours; may be empty.
        carrier: what carries out runs of its kind in a fork of this process; all others are spawned.
    """

    def __init__(
        self,
        scheduler: socket.socket,
        places: RunPaths,
        wake_socket: str,
        boot_id: str,
        carrier: Carrier | None = None,
    ) -> None:
        self._socket = scheduler
        self._places = places
        self._wake_socket = wake_socket
        self._is_orphan = False
        self._poll = select.poll()
        self._poll.register(scheduler.fileno(), select.POLLIN)
        self._wishes = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poll.register(self._wishes, select.POLLIN)
        signal.signal(signal.SIGUSR1, lambda *_: os.eventfd_write(self._wishes, 1))
        self._journal = Journal(places.journals, boot_id)
        self._carrier = carrier
        self._output: MaskedOutput | None = None

    def serve(self) -> None:
        """Carry out orders until the scheduler's end of the socket is closed and nothing runs."""
        self._send(BORN + b"%d" % os.getpid())
        while not self._is_orphan:
            if self._journal.is_dirty and not self._poll.poll(_SYNC_MS):
                self._sync()
            fields = self._receive()
            if fields and fields[0] == b"run":
                self._carry_out(RunOrder(fields))
        self._sync()

    def _receive(self) -> list[bytes]:
        """The next message; no fields, and an orphan, when the scheduler has gone."""
        try:
            message, descriptor = receive(self._socket, LONGEST_MESSAGE)
        except ConnectionError:
            message, descriptor = b"", -1
        if not message:
            self._is_orphan = True
            return []
        if descriptor >= 0:
            with open(descriptor, "rb") as file:
                file.seek(0)
                message = file.read()
        elif message == IN_FILE:
            self._send(UNBORN + b"no descriptor is free for an order")
        return message.split(b"\0")

    # One run

    def _carry_out(self, order: RunOrder) -> None:
        name = order.name.decode("ascii")
        started_at = time.time()
        fail_point("claim.before")
        try:
            fail_point("fault.claim")
            self._journal.claim(order.name, started_at)
            fail_point("claim.written")
            fail_point("fault.log")
            log = os.open(
                self._places.log(name),
                os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC,
                CLAIMED_MODE,
            )
            fail_point("claim.logged")
        except FileExistsError:
            self._refuse(order)
            return
        except OSError as error:
            why = f"cannot write to {self._places.shown or self._places.directory}: {error.strerror or error}"
            self._finish(_not_started(name, why))
            return
        try:
            record = self._run(order, name, log, started_at)
        finally:
            os.close(log)
            os.chdir("/")  # who is idle holds no folder
        if record.outcome == "not_started":
            self._give_back_claim(name)
        self._finish(record)

    def _refuse(self, order: RunOrder) -> None:
        """Somebody else has the claim."""
        try:
            self._send(self._journal.refuse(order.name))
        except OSError:
            self._send(b"refused")

    def _give_back_claim(self, name: str) -> None:
        """Nothing ran, so whoever finds the claim without its log knows that the run was not started."""
        with contextlib.suppress(OSError):
            os.unlink(self._places.log(name))

    def _run(self, order: RunOrder, name: str, log: int, started_at: float) -> Exit:
        began = passed_seconds()
        try:
            fail_point("fault.chdir")
            os.chdir(order.folder)  # each time: the path may lead elsewhere now
        except OSError as error:
            return _not_started(name, endings.describe_folder_error(error, order.folder))
        try:
            is_reserved = reserve_room(log)
        except OSError as error:
            return _not_started(
                name,
                f"cannot write to {self._places.shown or self._places.directory}: {error.strerror or error}",
            )
        output: MaskedOutput | None = None
        try:
            fail_point("fault.spawn")
            masking = Masking(order.secrets)
            output = MaskedOutput(log, masking) if masking else None
            pid = self._start(order, log if output is None else output.write_end)
        except OSError as error:
            if output is not None:
                output.close_write_end()
                output.close()
            code, why = endings.describe_spawn_error(error, order.arguments[0], order.folder)
            if code is None:
                return _not_started(name, why)
            return Exit(name, "exited", code, None, None, time.time(), why)
        self._note_main(order, pid)
        fail_point("spawned")
        tree = _Tree(self, order, name, pid, log)
        with self._piping(output):
            code = os.waitstatus_to_exitcode(tree.watch())
        fail_point("ended")
        exit_code, number = (code, None) if code >= 0 else (None, -code)
        why = tree.reason
        with contextlib.suppress(OSError):  # a log that cannot be read is no reason to lose the end
            cap_log(log, order.log_cap)
            if is_reserved:
                give_back_room(log)
            why = why or _describe(code, log)
        # A run time is what has passed, wherever the clock has jumped meanwhile (TIME-8).
        ended_at = started_at + passed_seconds() - began
        return Exit(name, tree.outcome, exit_code, number, started_at, ended_at, why)

    @contextlib.contextmanager
    def _piping(self, output: MaskedOutput | None) -> Iterator[None]:
        """Let what a run with secrets writes pass through while it runs."""
        if output is None:
            yield
            return
        output.close_write_end()
        self._output = output
        self._poll.register(output.read_end, select.POLLIN)
        try:
            yield
        finally:
            self._end_output()
            output.close()

    def _end_output(self) -> None:
        """Nobody holds the pipe's other end any more, or nobody shall be heard."""
        if self._output is not None:
            self._poll.unregister(self._output.read_end)
            self._output = None

    def _start(self, order: RunOrder, log: int) -> int:
        """Start the command in a session of its own; its pid.

        Raises:
            OSError: it cannot be started.
        """
        if self._carrier is not None and self._carrier.kind == order.kind:
            return fork(order, log, self._carrier)
        return spawn(order, log)

    def _note_main(self, order: RunOrder, pid: int) -> None:
        """For who has to find this run's processes without us; a hint, so a full disk does not matter."""
        process = processes.look_at(pid)
        if process is not None:
            with contextlib.suppress(OSError):
                self._journal.spawned(order.name, pid, process.start_time)

    def _finish(self, record: Exit) -> None:
        """Record the end and tell the scheduler.

        While a scheduler is there to commit the end, the sync waits for a quiet moment: with a
        scheduler the ledger is what survives the machine, and it has the start and soon the end.
        """
        line = format_exit(record)
        is_written = self._write_exit(line)
        self._send(line)
        fail_point("exit.sent")
        while self._is_orphan and not ((is_written or self._write_exit(line)) and self._sync()):
            time.sleep(_LOOK_SECONDS)  # the disk is full: nobody else knows this end
        if self._is_orphan:
            self._call_scheduler()

    def _write_exit(self, line: bytes) -> bool:
        try:
            fail_point("fault.exit")
            self._journal.exit(line)
        except OSError:
            return False
        fail_point("exit.written")
        return True

    def _sync(self) -> bool:
        try:
            self._journal.sync()
        except OSError:
            return False
        fail_point("exit.synced")
        return True

    def _send(self, line: bytes) -> None:
        if not self._is_orphan:
            try:
                self._socket.send(line)
            except OSError:
                self._is_orphan = True

    def _call_scheduler(self) -> None:
        """Wake the scheduler that has taken the place of ours; a hint."""
        folder, name = os.path.split(self._wake_socket)
        if not name:
            return
        try:
            # Through a descriptor, because a socket's path may have only 107 bytes.
            descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto(b"e", f"/proc/self/fd/{descriptor}/{name}")
            os.close(descriptor)
        except OSError:
            return  # nobody listens

    def _poll_and_sync(self, milliseconds: float) -> list[tuple[int, int]]:
        """Poll; what was written is synced when nothing has happened for a moment."""
        if not self._journal.is_dirty or milliseconds <= _SYNC_MS:
            return self._poll.poll(milliseconds)
        events = self._poll.poll(_SYNC_MS)
        if events:
            return events
        self._sync()
        return self._poll.poll(milliseconds - _SYNC_MS)

    # What the tree that is being watched needs

    def wait(self, pidfd: int | None, seconds: float, name: str) -> float | None:
        """Sleep until the process has ended, or somebody wants something, or the time is over.

        Returns:
            The grace of a wish to stop this run, None where there is none.
        """
        if pidfd is not None:
            self._poll.register(pidfd, select.POLLIN)
        try:
            events = self._poll_and_sync(max(0.0, seconds) * 1000)
        finally:
            if pidfd is not None:
                self._poll.unregister(pidfd)
        grace = None if events else self._read_wish(name)  # its signal may not have reached us
        for descriptor, _ in events:
            if self._output is not None and descriptor == self._output.read_end:
                if not self._output.pump():
                    self._end_output()
            elif descriptor == self._wishes:
                os.eventfd_read(self._wishes)
                grace = self._read_wish(name)
            elif descriptor == self._socket.fileno():
                fields = self._receive()
                if self._is_orphan:
                    self._poll.unregister(self._socket.fileno())
                elif fields[0] == b"stop" and fields[1] == name.encode():
                    grace = float(fields[2])
        return grace

    def _read_wish(self, name: str) -> float | None:
        try:
            with open(self._places.wish(name), encoding="ascii") as file:
                return float(file.read())
        except (OSError, ValueError):
            return None


def _not_started(name: str, why: str) -> Exit:
    return Exit(name, "not_started", None, None, None, time.time(), why)


def _describe(code: int, log: int) -> str:
    return endings.describe_exit(code, log) if code >= 0 else endings.describe_signal(-code)


class _Tree:
    """The processes of one run, from the start of the main one to the end of the last one."""

    def __init__(self, supervisor: Supervisor, order: RunOrder, name: str, pid: int, log: int) -> None:
        self._supervisor = supervisor
        self._order = order
        self._name = name
        self._pid = pid
        self._log = log
        self._status: int | None = None
        self._began = time.monotonic()
        self._grace = 0.0
        self._kill_at: float | None = None  # set while the tree is asked to end
        self._was_killed = False
        self._is_blind = False  # without a descriptor that tells of the main process's end
        self._pause = _SHORTEST_PAUSE
        self._look_at = self._began + _LOOK_SECONDS
        self._log_size = 0
        self.outcome = "exited"
        self.reason = ""

    def watch(self) -> int:
        """Wait for the end of the whole tree, end it where that is due; the main one's wait status."""
        pidfd = _open_pidfd(self._pid)
        self._is_blind = pidfd is None
        try:
            while True:
                grace = self._supervisor.wait(pidfd, self._next_look() - time.monotonic(), self._name)
                if self._reap():
                    assert self._status is not None
                    return self._status
                if self._status is not None and pidfd is not None:
                    os.close(pidfd)
                    pidfd = None
                self._act(grace)
        finally:
            if pidfd is not None:
                os.close(pidfd)

    def _next_look(self) -> float:
        """When there may be something to do without anybody asking for it."""
        if self._kill_at is not None or self._status is not None:
            return time.monotonic() + self._pause
        if self._is_blind:
            return time.monotonic() + _LONGEST_PAUSE
        return min(self._look_at, self._began + self._order.timeout_seconds)

    def _reap(self) -> bool:
        """Take note of ended processes; whether none is left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return False
                if pid == self._pid:
                    self._status = status
        except ChildProcessError:
            return True

    def _act(self, grace: float | None) -> None:
        now = time.monotonic()
        if self._kill_at is not None:
            self._pause = min(self._pause * 1.5, _LONGEST_PAUSE)
            if now >= self._kill_at:
                self._kill()
        elif self._status is not None:
            self._pause = min(self._pause * 1.5, _LONGEST_PAUSE)
            self._kill()  # the run ends with its main process; what it left behind does not stay
        elif grace is not None:
            self._ask_to_end("stopped", "stopped", grace, now)
        elif now >= self._began + self._order.timeout_seconds:
            limit = describe_duration(self._order.timeout_seconds)
            self._ask_to_end("timeout", f"timed out after {limit}", self._order.grace_seconds, now)
        elif now >= self._look_at:
            size = cap_log(self._log, self._order.log_cap)
            self._look_at = now + (_LOOK_SECONDS if size != self._log_size else _IDLE_LOOK_SECONDS)
            self._log_size = size

    def _ask_to_end(self, outcome: str, reason: str, grace: float, now: float) -> None:
        self.outcome, self.reason, self._grace = outcome, reason, grace
        self._kill_at = now + grace
        for process in _descendants():
            processes.send_signal(process, signal.SIGTERM)
            processes.send_signal(process, signal.SIGCONT)

    def _kill(self) -> None:
        """One round; processes that are born meanwhile meet the next one."""
        left = _descendants()
        if left and self._kill_at is not None and not self._was_killed:
            self._was_killed = True
            self.reason += (
                f"; it did not end on TERM, so it was killed after {describe_duration(self._grace)}"
            )
        for process in left:
            processes.send_signal(process, signal.SIGKILL)


def _descendants() -> list[processes.Process]:
    """Those that live now; none where the system refuses a look, as when too many files are open: it is tried again."""
    try:
        return processes.descendants_of(os.getpid())
    except OSError:
        return []


def _open_pidfd(pid: int) -> int | None:
    """None where the system refuses it: then the process is looked at now and then."""
    try:
        fail_point("fault.pidfd")
        return os.pidfd_open(pid)
    except OSError:
        return None
