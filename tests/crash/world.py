"""A real project in a folder of its own, its command line, and its processes as /proc shows them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from databases import postgres
from databases.stores import chosen

if TYPE_CHECKING:
    from crash.site import Site

DATABASES = contextlib.ExitStack()  # of all worlds; closed at the end of it all
_RETROFILL = Path(sys.executable).with_name("retrofill")
_ORACLE_TASK = Path(__file__).with_name("oracle_task.py")
_COMMAND_SECONDS = 120
_CELERY = b"retrofill.executors.celery"

_PROJECT = """\
project: crash
resource_groups:
  default: {{type: exclusive, slots: {slots}{executor}}}
  narrow: {{type: shared, slots: 2}}
"""


class WorldError(Exception):
    """A command of the product did what it must not do."""


class Process(NamedTuple):
    """A living process of the project. `role`: launcher, supervisor, task, worker, celery, pool or command."""

    pid: int
    parent: int
    role: str
    start_time: str


class World:
    """A project's folder.

    Args:
        directory: is made; must not exist yet.
        seed: decides how long tasks take and which fail.
        longest_ms: the longest that a task takes.
        like: whose database is copied, where the store is one of a server (STORE=postgresql).
        site: where workers carry out what its scheduler offers; None: it runs everything itself.
    """

    def __init__(
        self,
        directory: Path,
        seed: int,
        longest_ms: int = 80,
        like: World | None = None,
        site: Site | None = None,
    ) -> None:
        self.site = site
        self.directory = directory.absolute()
        self.oracle = self.directory / "oracle"
        for name in ("holders", "partitions"):
            (self.oracle / name).mkdir(parents=True)
        (self.oracle / "events").touch()
        self._write(seed, longest_ms)
        self.url = ""
        if chosen() == "postgresql":
            self.url = DATABASES.enter_context(postgres.database(like=like.url if like else ""))
        if site is not None:
            site.connect(self.url)

    @property
    def _environment(self) -> dict[str, str]:
        broker = None if self.site is None else self.site.broker
        more = {"RETROFILL_STORE": self.url} if self.url else {}
        return {**os.environ, **more, **({"RETROFILL_BROKER": broker.url} if broker is not None else {})}

    def ask_store(self, query: str) -> int:
        """The number that a query finds in the store, past the product."""
        if self.url:
            import psycopg

            with psycopg.connect(self.url) as server:
                return int(server.execute(query).fetchone()[0])  # type: ignore[arg-type,index]
        path = self.directory / ".retrofill" / "retrofill.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute(query).fetchone()[0])

    def _write(self, seed: int, longest_ms: int) -> None:
        program = self.directory / "oracle_task.py"
        program.write_text(_ORACLE_TASK.read_text())
        code = f"exec {sys.executable} -I -S {program} {self.oracle} {seed} {longest_ms}"
        for name, text in workspace_files(code, self.site).items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    # The command line

    def popen(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own; what it says is kept in `commands.log`."""
        with open(self.directory / "commands.log", "ab") as log:
            return subprocess.Popen(
                [str(_RETROFILL), "--project", str(self.directory), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self._environment, **(environment or {})},
                process_group=0,
            )

    def run(self, *arguments: str, expected: Sequence[int] = (0,)) -> str:
        """Run a command to its end; its stdout.

        Raises:
            WorldError: its exit status is not one of those expected, or it took too long.
        """
        call = [str(_RETROFILL), "--project", str(self.directory), *arguments]
        try:
            done = subprocess.run(
                call,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=self._environment,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise WorldError(f"`{' '.join(arguments)}` did not end in {_COMMAND_SECONDS} s") from None
        if done.returncode not in expected:
            raise WorldError(
                f"`{' '.join(arguments)}` ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout

    def ask_doctor(self) -> None:
        """Nothing is wrong but that perhaps nobody runs what is open, or the machine lets nothing start.

        Raises:
            WorldError: something else is.
        """
        rows = json.loads(self.run("doctor", "--output", "json", expected=(0, 1)))
        wrong = [row for row in rows if not row["ok"] and row["check"] not in ("work", "starts")]
        if wrong:
            raise WorldError(f"doctor finds {wrong}")

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command lists."""
        return [json.loads(line) for line in self.run(*arguments, "--output", "jsonl").splitlines()]

    # Its processes

    def processes(self) -> list[Process]:
        """All living processes that carry the project's folder in their command line."""
        mark = os.fsencode(self.directory)
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                process = _look(int(name), mark)
                if process is not None:
                    found.append(process)
        return found

    def kill_all(self) -> None:
        """End what is left of the project's processes."""
        for _ in range(50):
            left = self.processes()
            if not left:
                return
            for process in left:
                send(process, signal.SIGKILL)


def send(process: Process, number: int) -> bool:
    """Signal exactly this process; False if it had gone."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        stat = _stat(process.pid)
        if stat is None or stat[2] != process.start_time:
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)
            return True
        return False
    finally:
        os.close(descriptor)


def runs_under(supervisor: Process) -> set[tuple[int, int]]:
    """The runs, by instance id and number, of which a process is a child of this supervisor."""
    found = set()
    for name in os.listdir("/proc"):
        stat = _stat(int(name)) if name.isdigit() else None
        if stat is None or stat[1] != supervisor.pid:
            continue
        with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            for variable in file.read().split(b"\0"):
                key, _, value = variable.partition(b"=")
                if key == b"RETROFILL_RUN":
                    instance, number, _ = value.decode().split(".")
                    found.add((int(instance), int(number)))
    return found


def died_by(process: Process) -> int | None:
    """The signal that ended a process of which nobody has taken note yet; None if there is no such thing."""
    try:
        with open(f"/proc/{process.pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    is_same = fields[0] == b"Z" and fields[19].decode() == process.start_time
    return int(fields[-1]) & 0x7F if is_same else None


def _look(pid: int, mark: bytes) -> Process | None:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = file.read()
        is_celery = _CELERY in command and _is_marked(pid, mark)
        if mark not in command and not is_celery:
            return None
        with open(f"/proc/{pid}/comm", "rb") as file:
            name = file.read().strip()
    except OSError:
        return None
    stat = _stat(pid)
    if stat is None:
        return None
    state, parent, start_time = stat
    if state in "ZX":
        return None
    words = command.split(b"\0")
    if is_celery:
        role = "pool" if _is_celery(parent) else "celery"
    elif os.fsencode(_RETROFILL) in words:
        role = "worker" if b"worker" in words else "command"
    elif b"executors.launcher" in command:
        role = "supervisor" if name == b"retrofill-run" else "launcher"
    else:
        role = "task"
    return Process(pid, parent, role, start_time)


def _is_marked(pid: int, mark: bytes) -> bool:
    """Whether it was given the project's folder: Celery's command line does not tell it."""
    with open(f"/proc/{pid}/environ", "rb") as file:
        return mark in file.read()


def _is_celery(pid: int) -> bool:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return _CELERY in file.read()
    return False


def state_of(pid: int) -> str | None:
    """R, S, T and so on, as /proc shows it."""
    stat = _stat(pid)
    return None if stat is None else stat[0]


def _stat(pid: int) -> tuple[str, int, str] | None:
    """State, parent, start time."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return fields[0].decode(), int(fields[1]), fields[19].decode()


def project_file(site: Site | None) -> str:
    """With workers, half of what runs is theirs, and half the scheduler's own."""
    if site is None:
        return _PROJECT.format(slots=3, executor="")
    return _PROJECT.format(slots=5, executor=f", executor: {site.executor}")


def workspace_files(code: str, site: Site | None = None) -> dict[str, str]:
    """The project's files: two workspaces, eight tasks, every kind of wait between them."""
    run = json.dumps(code)
    shell = f"type: shell, run: {run}"
    return {
        "retrofill.yaml": project_file(site),
        "workspaces/ops/workspace.yaml": f"""\
workspace: ops
defaults:
  rerun: {{mode: always, times: 10, interval: 0s, on_lost: true}}
tasks:
  extract: {{{shell}, schedule: "0 1 * * *", depends_on: [{{task: self, cycle: previous}}]}}
  hourly: {{{shell}, schedule: "15 */6 * * *", resource_group: narrow}}
  fan_in: {{{shell}, schedule: "0 2 * * *", depends_on: [extract, hourly]}}
  gate: {{type: virtual, schedule: "30 2 * * *", depends_on: [fan_in]}}
  spread: {{{shell}, schedule: "0 3,15 * * *", depends_on: [gate], resource_group: narrow}}
  chain: {{{shell}, schedule: "0 4,12,20 * * *", depends_on: [spread, {{task: self, cycle: previous}}]}}
  weekly: {{{shell}, schedule: "0 5 * * 2", depends_on: [extract]}}
""",
        "workspaces/reports/workspace.yaml": f"""\
workspace: reports
defaults:
  rerun: {{mode: always, times: 10, interval: 0s, on_lost: true}}
tasks:
  report:
    type: shell
    run: {run}
    schedule: "0 6 * * *"
    depends_on: [ops.fan_in, ops.chain, ops.weekly, {{task: ops.hourly, cycle: previous}}]
""",
    }
