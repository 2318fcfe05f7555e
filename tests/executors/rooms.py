"""A folder with an executor in it, runs to give to it, and a look at what it leaves behind."""

from __future__ import annotations

import itertools
import os
import secrets
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from retrofill.executors.local import adoption, processes
from retrofill.executors.local.executor import LocalExecutor
from retrofill.services.ports import Executor, RunEnd, RunRef, RunSpec

PATIENCE_SECONDS = 30.0
_ids = itertools.count(1)


class Room:
    """One store's runs.

    Args:
        folder: an existing folder; tasks run in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        self.executors: list[LocalExecutor] = []
        self._schedulers: list[Scheduler] = []

    def executor(self, **settings: float) -> LocalExecutor:
        """One more executor on the same runs."""
        made = LocalExecutor(self.runs, self.folder / "wake.sock", **settings)  # type: ignore[arg-type]
        self.executors.append(made)
        return made

    def scheduler(self, *specs: RunSpec, fail_points: str = "") -> Scheduler:
        """An executor in a process of its own, to be killed."""
        made = Scheduler(self, specs, fail_points)
        self._schedulers.append(made)
        return made

    def spec(
        self,
        code: str,
        *arguments: str,
        type: str = "shell",
        environment: Mapping[str, str] | None = None,
        timeout_seconds: int = 60,
        url: str | None = None,
        **changes: object,
    ) -> RunSpec:
        """A run that has not been started yet."""
        values: dict[str, object] = {
            "ref": RunRef(next(_ids), 1, secrets.token_hex(8), adoption.boot_id()),
            "type": type,
            "name": "ops.task",
            "code": code,
            "arguments": arguments,
            "environment": dict(environment or {}),
            "working_directory": str(self.folder),
            "timeout_seconds": timeout_seconds,
            "connection_url": url,
            "interpreter": sys.executable,
        }
        return RunSpec(**{**values, **changes})  # type: ignore[arg-type]

    def run(self, code: str, *arguments: str, **settings: object) -> tuple[RunEnd, str]:
        """A run from start to end; its end and its log."""
        spec = self.spec(code, *arguments, **settings)  # type: ignore[arg-type]
        executor = self.executors[0] if self.executors else self.executor()
        executor.start([spec])
        (end,) = collect(executor, 1)
        return end, self.log(spec)

    def log_path(self, spec: RunSpec) -> Path:
        return self.runs / "logs" / f"{adoption.name_of(spec.ref)}.log"

    def log(self, spec: RunSpec) -> str:
        path = self.log_path(spec)
        return path.read_text(errors="replace") if path.exists() else ""

    def path(self, name: str) -> Path:
        return self.folder / name

    def journals(self) -> list[Path]:
        return sorted((self.runs / "journals").glob("*.journal"))

    def supervisors(self) -> list[int]:
        """Pids of this room's living supervisors."""
        return self._processes_called(b"retrofill-run")

    def wait_until_idle(self) -> None:
        """Until every run of executors that have left has ended, and its end is on disk."""
        wait_for_end(self.supervisors())

    def launchers(self) -> list[int]:
        return self._processes_called(b"retrofill-start")

    def _processes_called(self, name: bytes) -> list[int]:
        found = []
        for process in processes.list_processes():
            command = read_process(process.pid, "cmdline")
            if os.fsencode(self.runs) in command.split(b"\0") and not process.is_zombie:
                found += [process.pid] if read_process(process.pid, "comm").strip() == name else []
        return found

    def close(self) -> None:
        """End everything that is left."""
        for scheduler in self._schedulers:
            scheduler.kill()
        for executor in self.executors:
            executor.close()
        for pid in self.launchers() + self.supervisors():
            kill(pid)
        names = {path.name.removesuffix(".log") for path in (self.runs / "logs").glob("*.log")}
        left = processes.marked_with(names)
        while any(left.values()):
            for process in itertools.chain(*left.values()):
                processes.send_signal(process, signal.SIGKILL)
            left = processes.marked_with(names)


class Scheduler:
    """A process that starts runs and then only waits; see scheduler_process.py."""

    def __init__(self, room: Room, specs: Sequence[RunSpec], fail_points: str) -> None:
        program = Path(__file__).with_name("scheduler_process.py")
        self.process = subprocess.Popen(
            [sys.executable, str(program), str(room.runs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "RETROFILL_FAIL_POINTS": fail_points},
        )
        assert self.process.stdin is not None
        for spec in specs:
            fields = (
                *_ref_fields(spec.ref),
                spec.type,
                spec.working_directory,
                str(spec.timeout_seconds),
                spec.code,
            )
            self.process.stdin.write("\0".join(fields) + "\n")
        self.process.stdin.close()

    def wait_until_started(self) -> None:
        """Until it has handed its runs over, or died of a fail point."""
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def _ref_fields(ref: RunRef) -> tuple[str, ...]:
    return str(ref.instance_id), str(ref.run_number), ref.token, ref.boot_id


def collect(executor: Executor, count: int, seconds: float = PATIENCE_SECONDS) -> list[RunEnd]:
    """The next ends, at least `count`; sleeps only on the executor's descriptor."""
    deadline = time.monotonic() + seconds
    ends: list[RunEnd] = []
    while len(ends) < count:
        left = deadline - time.monotonic()
        assert left > 0, f"{len(ends)} of {count} runs ended within {seconds} s: {ends}"
        select.select([executor.fileno()], [], [], left)
        ends += executor.poll()
    return ends


def wait_for_file(path: Path, seconds: float = PATIENCE_SECONDS) -> str:
    """The text of a file that a task writes, once it ends with a line break."""
    return wait_until(lambda: text if (text := _text_of(path)).endswith("\n") else "", str(path), seconds)


def wait_for_end(pids: Iterable[int], seconds: float = PATIENCE_SECONDS) -> None:
    """Until none of these processes lives."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ready, _, _ = select.select([descriptor], [], [], seconds)
            assert ready, f"process {pid} still lives: {read_process(pid, 'cmdline')!r}"
        finally:
            os.close(descriptor)


def wait_until(look: object, what: str, seconds: float = PATIENCE_SECONDS) -> str:
    """What `look` gives once it gives anything; other processes' files announce no change."""
    assert callable(look)
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        select.select([], [], [], 0.002)
    return str(found)


def is_alive(pid: int) -> bool:
    process = processes.look_at(pid)
    return process is not None and not process.is_zombie


def marked_processes(spec: RunSpec) -> list[bytes]:
    """Command lines of the run's living processes."""
    name = adoption.name_of(spec.ref)
    return [read_process(process.pid, "cmdline") for process in processes.marked_with([name])[name]]


def parent_of(pid: int) -> int:
    process = processes.look_at(pid)
    assert process is not None
    return process.parent


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Signal a process that may have gone; waits for its end after SIGKILL."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    if number == signal.SIGKILL:
        wait_for_end([pid])


def read_process(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""
