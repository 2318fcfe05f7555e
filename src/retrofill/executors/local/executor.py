"""The executor of one machine: hands runs to supervisors and hears from them how they ended.

It owns no task's process. Each supervisor serves it over a socket of its own; those of an
earlier scheduler are watched through a pidfd, and their journals say the rest.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from retrofill.executors.local import adoption, deadlines, journals, processes
from retrofill.executors.local.adoption import Verdict, name_of
from retrofill.executors.local.deadlines import Deadlines, Overdue
from retrofill.executors.local.descriptors import RESERVED, raise_limit
from retrofill.executors.local.launching import LauncherError, Launching
from retrofill.executors.local.orders import (
    BORN,
    UNBORN,
    Limits,
    base_environment,
    encode_run,
    encode_stop,
    kind_of,
    send,
)
from retrofill.executors.local.stopping import put_wish, remove_wish
from retrofill.executors.local.watched import Adopted, Supervised, Sweep, receive_answer
from retrofill.executors.logs.paths import RunPaths
from retrofill.failpoints import fail_point
from retrofill.services.ports import RunEnd, RunRef, RunSpec

_WARM_SECONDS = 600.0  # after which a warm launcher that nobody has asked is let go
_EVENTS = 256


class LocalExecutor:
    """Runs tasks as processes of this machine.

    Args:
        directory: the runs' folder, on a local disk; it is made if it is missing.
        wake_socket: where supervisors that outlive this process send a datagram after an end.
        log_cap_bytes: beyond this disk space, the middle of a run's log is given back.
        grace_seconds: between TERM and KILL.
        host: this machine's name among those that share the store; None where it has the store alone.
        idle_seconds: after which a supervisor without work is let go.
        prepare: makes what a run needs; an OSError means that it can be tried again, a ValueError that
            it cannot.
    """

    def __init__(
        self,
        directory: Path,
        wake_socket: Path | None = None,
        *,
        log_cap_bytes: int = 50 << 20,
        grace_seconds: float = 10.0,
        idle_seconds: float = 60.0,
        boot_id: str | None = None,
        host: str | None = None,
        prepare: Callable[[RunSpec], None] = lambda _: None,
    ) -> None:
        self._prepare = prepare
        self.boot_id = boot_id or adoption.boot_id()
        self.host = host
        self._places = RunPaths(str(directory.absolute()))
        self._places.make()
        self._idle_seconds = idle_seconds
        self._limits = Limits(grace_seconds, log_cap_bytes)
        self._base = base_environment(os.environ)
        self._tasks_files, self._files = raise_limit()
        self._most_supervisors = max(self._files - RESERVED, 1)
        self._wake_socket = str(wake_socket or "")
        self._launching = self._new_launching("")
        self._warm: dict[str, Launching] = {}  # by kind
        self._cold: set[str] = set()  # kinds whose launcher does not stay alive
        self._epoll = select.epoll()
        self._watched: dict[int, Callable[[], None]] = {}
        self._notice = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._watch(self._notice, self._take_notice)
        self._idle: list[Supervised] = []
        self._busy: dict[RunRef, Supervised] = {}
        self._adopted: dict[RunRef, Adopted] = {}
        self._ends: list[RunEnd] = []
        self._deadlines = Deadlines(grace_seconds)
        self._unasked: set[RunRef] = set()  # runs of others that could not be asked to end yet
        self._cut_short: dict[RunRef, Overdue] = {}  # runs whose supervisor we have ended
        self._unresolved: dict[RunRef, tuple[int, str]] = {}  # what became of them could not be read yet

    # The contract

    def set_limits(self, log_cap_bytes: int, grace_seconds: float) -> None:
        """Those of runs that start from now on, and of stops."""
        self._limits = Limits(grace_seconds, log_cap_bytes)

    def start(self, runs: Sequence[RunSpec]) -> None:
        """Hand runs to supervisors; returns before they have begun (RUN-1).

        What could not be started ends as `not_started` and says why: that is not the task's failure (RUN-3).
        """
        for run in runs:
            if run.ref in self._busy or run.ref in self._adopted:
                continue
            try:
                self._prepare(run)
                order = encode_run(run, name_of(run.ref), self._limits, self._base)
            except OSError as error:
                why = f"the files that it includes cannot be laid out: {error.strerror or error}"
                self._report(adoption.not_started(run.ref, why))
                continue
            except ValueError as error:
                why = f"{run.name} cannot be started: {error}"
                self._report(RunEnd(run.ref, "exited", None, None, None, time.time(), why))
                continue
            try:
                self._hand_over(run.ref, order, kind_of(run, self._base))
                self._deadlines.begin(run.ref, run.timeout_seconds)
            except (OSError, LauncherError) as error:
                self._report(adoption.not_started(run.ref, f"no supervisor can be made: {_reason(error)}"))

    def poll(self) -> list[RunEnd]:
        """The ends since the last poll; never blocks."""
        for descriptor, _ in self._epoll.poll(0, _EVENTS):
            react = self._watched.get(descriptor)
            if react is not None:
                react()
        self._look_at_locks()
        for ref, (launcher, why) in [*self._unresolved.items()]:
            del self._unresolved[ref]
            self._resolve(ref, launcher, why)
        unasked, self._unasked = self._unasked, set()
        for ref in unasked:
            self.stop(ref)
        self._let_idle_go()
        if (self._busy or self._adopted) and self._deadlines.is_time_to_look():
            self._look_for_standstills()
        ends, self._ends = self._ends, []
        for end in ends:
            self._deadlines.forget(end.ref)
        return ends

    def fileno(self) -> int:
        """Readable when `poll` may have something."""
        return self._epoll.fileno()

    def stop(self, ref: RunRef) -> None:
        """Ask for the end of a run's process tree (OPS-1); a run that has ended is left as it is."""
        if ref in self._unresolved:
            self._unasked.add(ref)
            return
        supervised = self._busy.get(ref)
        if supervised is not None or ref in self._adopted:
            self._deadlines.stop(ref)
        if supervised is not None:
            with contextlib.suppress(OSError):  # it died: the end is on its way
                supervised.socket.send(encode_stop(name_of(ref), self._limits.grace_seconds))
        elif ref in self._adopted:
            try:
                put_wish(self._places, ref, self._limits.grace_seconds)
            except OSError:
                self._unasked.add(ref)  # there was no room to ask
                return
            pidfd = self._adopted[ref].pidfd
            if pidfd is not None:
                with contextlib.suppress(OSError):
                    signal.pidfd_send_signal(pidfd, signal.SIGUSR1)

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        """Take over the runs of an earlier scheduler; ends of those known to have ended.

        The others end through `poll`. Journals that tell of none of these runs are removed, and
        the launcher is started, because a scheduler that adopts will soon start runs.

        Args:
            refs: every run of this host that the ledger holds to be running.
        """
        self._launching.start()
        adoption.remove_journals(self._places, {name_of(ref) for ref in refs})
        ends = []
        try:
            verdicts = adoption.judge(self._places, refs, self.boot_id)
        except OSError:  # as on a full disk: each by itself, later
            self._unresolved |= dict.fromkeys(refs, (0, ""))
            verdicts = {}
        for ref, judged in verdicts.items():
            if judged.end is not None:
                ends.append(judged.end)
            else:
                self._follow(ref, judged)
        return ends

    def close(self) -> None:
        """Leave; what runs goes on, and ends its supervisor with it."""
        for supervised in (*self._idle, *self._busy.values()):
            self._unwatch(supervised.socket.fileno())
            supervised.socket.close()
        for descriptor in [*self._watched]:  # pidfds and the notice
            self._unwatch(descriptor)
            os.close(descriptor)
        for launching in (self._launching, *self._warm.values()):
            launching.close()
        self._epoll.close()

    # Our own supervisors

    def _hand_over(self, ref: RunRef, order: bytes, kind: str) -> None:
        supervised = self._take_supervisor(kind)
        while not self._send(supervised, order):
            supervised = self._take_supervisor(kind)
        fail_point("start.sent")
        supervised.ref = ref
        self._busy[ref] = supervised

    def _send(self, supervised: Supervised, order: bytes) -> bool:
        """Whether the supervisor took it; one that did not is let go.

        Raises:
            OSError: the machine refuses, as without a free descriptor.
        """
        try:
            is_sent = send(supervised.socket, order)
        except OSError:
            self._drop(supervised)
            raise
        if not is_sent:
            self._drop(supervised)
        return is_sent

    def _take_supervisor(self, kind: str) -> Supervised:
        """An idle supervisor of this kind, the one used last, or a new one."""
        if kind in self._warm:
            self._warm[kind].used_at = time.monotonic()
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place].kind == kind:
                return self._idle.pop(place)
        if len(self._idle) + len(self._busy) + len(self._adopted) >= self._most_supervisors:
            if not self._idle:
                raise OSError(
                    errno.EMFILE,
                    f"{len(self._busy)} run, and this process may have only {self._files} files open (ulimit -n)",
                )
            self._drop(self._idle[0])
        supervised = self._new_supervised(kind)
        self._watch(supervised.socket.fileno(), lambda: self._hear(supervised))
        return supervised

    def _new_supervised(self, kind: str) -> Supervised:
        """A new supervisor; a cold one where there can be no warm one."""
        if kind and kind not in self._cold:
            if kind not in self._warm:
                self._warm[kind] = self._new_launching(kind)
            try:
                connection = self._warm[kind].new_supervisor()
            except LauncherError:
                self._cold.add(kind)
                del self._warm[kind]
            else:
                return Supervised(connection, kind, self._warm[kind].pid)
        return Supervised(self._launching.new_supervisor(), kind, self._launching.pid)

    def _new_launching(self, kind: str) -> Launching:
        return Launching(self._places, self._wake_socket, self.boot_id, self._base, self._tasks_files, kind)

    def _hear(self, supervised: Supervised) -> None:
        """A supervisor says how its run ended, or died."""
        answer = receive_answer(supervised.socket)
        if answer is None:
            return
        ref = supervised.ref
        if not answer:
            self._drop(supervised)
            if ref is not None:
                self._busy.pop(ref, None)
                self._resolve(ref, supervised.launcher)
            return
        if answer.startswith(BORN):
            supervised.pid = int(answer.removeprefix(BORN))
            return
        if ref is None:
            return
        if answer.startswith(UNBORN):
            self._drop(supervised)
            del self._busy[ref]
            self._resolve(ref, supervised.launcher, answer.removeprefix(UNBORN).decode("utf-8", "replace"))
            return
        supervised.ref = None
        supervised.idle_since = time.monotonic()
        del self._busy[ref]
        self._idle.append(supervised)
        record = journals.parse_exit(answer.decode("utf-8", "replace").rstrip("\n"))
        if record is not None:
            self._ends.append(adoption.to_end(ref, record))
        else:  # refused: somebody else had claimed it
            self._resolve(ref)

    def _drop(self, supervised: Supervised) -> None:
        if supervised in self._idle:
            self._idle.remove(supervised)
        self._unwatch(supervised.socket.fileno())
        supervised.socket.close()

    def _let_idle_go(self) -> None:
        """The stack's bottom is what nobody has needed for longest."""
        now = time.monotonic()
        while self._idle and now - self._idle[0].idle_since > self._idle_seconds:
            self._drop(self._idle[0])
        for kind in [kind for kind, warm in self._warm.items() if now - warm.used_at > _WARM_SECONDS]:
            self._warm.pop(kind).close()  # supervisors that it has forked live on

    def _look_for_standstills(self) -> None:
        """See to own processes that stand still; see `deadlines`."""
        for ref in self._deadlines.unclaimed():
            self._deadlines.claimed(ref)
            supervised = self._busy.get(ref)
            if supervised is not None and not os.path.lexists(self._places.log(name_of(ref))):
                self._drop(supervised)
                del self._busy[ref]
                self._resolve(ref, why="no supervisor has taken it in time")
        for launching in (self._launching, *self._warm.values()):
            if launching.pid and (self._deadlines.stands_still(launching.pid) or 0) > deadlines.STILL_SECONDS:
                self._signal(launching.pid, signal.SIGCONT)
        supervisors = {ref: supervised.pid for ref, supervised in self._busy.items()}
        supervisors |= {ref: adopted.pid for ref, adopted in self._adopted.items()}
        for ref, pid in supervisors.items():
            still = self._deadlines.stands_still(pid) if pid else None
            if still is None:
                continue
            overdue = self._deadlines.overdue(ref)
            if overdue is not None:
                self._cut_short[ref] = overdue
                self._signal(pid, signal.SIGKILL)
            elif still > deadlines.STILL_SECONDS:
                self._signal(pid, signal.SIGCONT)

    def _signal(self, pid: int, number: int) -> None:
        process = processes.look_at(pid)
        if process is not None and process.is_stopped:
            processes.send_signal(process, number)

    # Others' runs, and dead ones

    def _resolve(self, ref: RunRef, launcher: int = 0, why: str = "") -> None:
        """Find out about a run whose supervisor is not there to ask.

        Args:
            launcher: the one that has forked that supervisor, where it was ours.
            why: it was not started, if it was not.
        """
        try:
            judged = adoption.judge(self._places, [ref], self.boot_id)[ref]
        except OSError:
            self._unresolved[ref] = (launcher, why)  # the folder cannot be read or written now
            return
        if judged.verdict is Verdict.NOT_STARTED and why:
            self._report(adoption.not_started(ref, why))
        elif judged.end is not None:
            self._report(judged.end)
        else:
            self._follow(ref, judged, launcher)

    def _follow(self, ref: RunRef, judged: adoption.Judged, launcher: int = 0) -> None:
        if judged.verdict is not Verdict.RUNNING:
            self._sweep(Sweep(ref, adoption.remains_of(self._places, ref, judged.entry, launcher)))
            return
        assert judged.entry is not None
        pidfd = adoption.supervisor_pidfd(judged.entry)
        self._adopted[ref] = Adopted(ref, judged.entry.pid, pidfd, judged.entry.path)
        if pidfd is not None:
            self._watch(pidfd, lambda: self._lose_adopted(ref))
        else:
            os.eventfd_write(self._notice, 1)  # look at its lock at the next poll

    def _look_at_locks(self) -> None:
        for adopted in [*self._adopted.values()]:
            if adopted.pidfd is None and not journals.is_locked(adopted.journal):
                self._lose_adopted(adopted.ref)

    def _lose_adopted(self, ref: RunRef) -> None:
        """The supervisor has ended; normally after having written the end of its run."""
        adopted = self._adopted.pop(ref)
        if adopted.pidfd is not None:
            self._unwatch(adopted.pidfd)
            os.close(adopted.pidfd)
        remove_wish(self._places, ref)
        self._resolve(ref)

    def _sweep(self, sweep: Sweep) -> None:
        """End what is left of the run; once two looks have found nothing, the run is lost.

        No command can come after them: until it has been executed, it holds the dead
        supervisor's socket and lock open.
        """
        if sweep.pidfd >= 0:
            self._unwatch(sweep.pidfd)
            os.close(sweep.pidfd)
            sweep.pidfd = -1
        while sweep.clean_looks < 2:
            left = sweep.remains.kill()
            if not left:
                sweep.clean_looks += 1
                continue
            sweep.clean_looks = 0
            pidfd = processes.open_pidfd(left[0])
            if pidfd is not None:
                sweep.pidfd = pidfd
                self._watch(pidfd, lambda: self._sweep(sweep))
                return
        end = adoption.lost_with(sweep.ref, sweep.remains)
        if (cut := self._cut_short.pop(sweep.ref, None)) is not None:
            end = replace(end, outcome=cut.outcome, message=cut.message)
        self._report(end)

    # Descriptors

    def _report(self, end: RunEnd) -> None:
        """An end that no descriptor of its own announces."""
        self._ends.append(end)
        os.eventfd_write(self._notice, 1)

    def _take_notice(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._notice)

    def _watch(self, descriptor: int, react: Callable[[], None]) -> None:
        self._watched[descriptor] = react
        self._epoll.register(descriptor, select.EPOLLIN)

    def _unwatch(self, descriptor: int) -> None:
        if self._watched.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)


def _reason(error: OSError | LauncherError) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
