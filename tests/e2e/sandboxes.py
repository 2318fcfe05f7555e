"""A project in a temporary folder and the installed `retrofill` command, run as people run it.

`run` and `spawn` start a process of their own. `call` runs the same command inside the test's
process, which saves half a second: for looking, where nothing is lost by it. Whatever a
command is given, it must not print a traceback, and JSON output must be JSON.

With a server, the same commands ask that: `RETROFILL_USER` becomes a token of that user, and before a plan is made or
created the folder is deployed, as a command beside the store does by itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.served import Served
from retrofill.bootstrap.centers import Call, open_call
from retrofill.cli.main import run as run_command
from retrofill.domain.errors import RetrofillError

RETROFILL = str(Path(sys.executable).with_name("retrofill"))
PATIENCE = 30.0
_DEPLOYING = {("backfill", "plan"), ("backfill", "create")}


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit status."""

    args: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def jsonl(self) -> list[Any]:
        return [json.loads(line) for line in self.stdout.splitlines()]


class Sandbox:
    """One project; `home` is its folder, tasks run in `home/workspaces/<workspace>`."""

    def __init__(self, home: Path, served: Served | None = None) -> None:
        self.home = home
        self.processes: list[subprocess.Popen[bytes]] = []
        self._served = served
        self._tokens: dict[str, str] = {}

    def write(self, tasks: str, deployment: str = "", workspace: str = "w", head: str = "") -> Sandbox:
        """One workspace; `tasks` is what stands under `tasks:`, `deployment` more of retrofill.yaml."""
        folder = self.home / "workspaces" / workspace
        folder.mkdir(parents=True, exist_ok=True)
        (self.home / "retrofill.yaml").write_text(f"project: test\n{deployment}\n")
        indented = "".join(f"  {line}\n" for line in tasks.splitlines())
        (folder / "workspace.yaml").write_text(f"workspace: {workspace}\n{head}\ntasks:\n{indented}")
        return self

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        of_a_terminal = {"COLUMNS", "NO_COLOR", "TERM"}
        kept = {
            name: value
            for name, value in os.environ.items()
            if not (name.startswith("RETROFILL_") or name in of_a_terminal)
        }
        return kept | {"LANG": "C.UTF-8"} | (dict(more) if self._served is None else self._at_server(more))

    def _at_server(self, more: Mapping[str, str]) -> dict[str, str]:
        """The same, asked of the server: who acts is said by a token."""
        assert self._served is not None
        user = more.get("RETROFILL_USER", "admin")
        who = {"RETROFILL_URL": self._served.url(self.home), "RETROFILL_TOKEN": self._token(user)}
        return {**{name: value for name, value in more.items() if name != "RETROFILL_USER"}, **who}

    def _token(self, user: str) -> str:
        """A token of a user, made beside the store."""
        if user not in self._tokens:
            with self._beside_store() as call:
                self._tokens[user] = call.center.people.create_token(user)["token"]
        return self._tokens[user]

    def _deploy_before(self, words: Sequence[str]) -> None:
        if self._served is None or tuple(words[:2]) not in _DEPLOYING or "--deployed" in words:
            return
        with (
            self._beside_store() as call,
            contextlib.suppress(RetrofillError),
        ):  # then the server works on what it has
            call.center.versions.deploy()

    @contextlib.contextmanager
    def _beside_store(self) -> Iterator[Call]:
        call = open_call(str(self.home), {})
        try:
            yield call
        finally:
            call.close()

    def run(
        self, *args: object, status: int | None = 0, stdin: str = "", timeout: float = 60, **env: str
    ) -> Result:
        """Run a command to its end; `status` is what it must exit with, None for any."""
        words = tuple(str(arg) for arg in args)
        self._deploy_before(words)
        process = subprocess.run(
            [RETROFILL, *words],
            cwd=self.home,
            input=stdin,
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        result = Result(words, process.returncode, process.stdout, process.stderr)
        assert "Traceback" not in result.stderr, result.stderr
        assert status is None or result.status == status, result
        return result

    def call(self, *args: object, status: int | None = 0, **env: str) -> Result:
        """Run a command that starts nothing inside this process."""
        words = tuple(str(arg) for arg in args)
        self._deploy_before(words)
        out, err = _captured(), _captured()
        environment, argv, where = dict(os.environ), sys.argv, os.getcwd()
        wanted = self.environment(env)
        try:
            os.environ.clear()
            os.environ.update(wanted)
            sys.argv = ["retrofill", *words]
            os.chdir(self.home)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                found = run_command()
        finally:
            os.chdir(where)
            sys.argv = argv
            os.environ.clear()
            os.environ.update(environment)
        result = Result(words, found, _text(out), _text(err))
        assert status is None or found == status, result
        return result

    def json(self, *args: object, status: int | None = 0, **env: str) -> Any:
        """What a command prints as JSON; run inside this process."""
        return self.call(*args, "--output", "json", status=status, **env).json

    def terminal(self, *args: object, columns: int = 80, **env: str) -> str:
        """What a command prints on a terminal of so many columns, stdout and stderr together."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [RETROFILL, *[str(arg) for arg in args]],
            cwd=self.home,
            env=self.environment({"TERM": "xterm-256color"} | env),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        printed = b""
        with contextlib.suppress(OSError):  # EIO: the last one who had it open has left
            while piece := os.read(ours, 65536):
                printed += piece
        os.close(ours)
        process.wait(PATIENCE)
        return printed.decode().replace("\r\n", "\n")

    def spawn(self, *args: object, **env: str) -> subprocess.Popen[bytes]:
        """Start a command and let it run; it is killed at the end of the test."""
        self._deploy_before([str(arg) for arg in args])
        process = subprocess.Popen(
            [RETROFILL, *[str(arg) for arg in args]],
            cwd=self.home,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def create(self, *args: object, status: int | None = 0, **env: str) -> dict[str, Any]:
        """Create a backfill and return its row."""
        row: dict[str, Any] = self.json("backfill", "create", *args, "--yes", status=status, **env)
        return row

    def create_and_wait(self, *tasks: str, bizdate: str = "2026-01-05") -> subprocess.Popen[bytes]:
        """Create a backfill of these tasks in a process that then waits for it."""
        words = [word for task in tasks for word in ("--task", task)]
        return self.spawn("backfill", "create", *words, "--bizdate", bizdate, "--wait", "--yes")

    def instances(self, *args: object) -> dict[str, dict[str, Any]]:
        """Instances by `task day HH:MM`."""
        rows = self.json("instance", "list", *args)
        return {f"{r['task'].split('.')[1]} {r['bizdate'][-2:]} {r['scheduled_at'][11:16]}": r for r in rows}

    def states(self, *args: object) -> dict[str, str]:
        return {name: row["state"] for name, row in self.instances(*args).items()}

    def touch(self, name: str) -> None:
        (self.home / name).touch()

    def text(self, name: str) -> str:
        path = self.home / name
        return path.read_text() if path.exists() else ""

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.touch("go")
        _end_all_below(self.home)


def _captured() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


def _end_all_below(home: Path) -> None:
    """End what tests left running: processes whose working directory lies in the project."""
    deadline = time.monotonic() + PATIENCE
    while left := processes_in(home):
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def processes_in(home: Path) -> list[int]:
    """Processes of tasks and of ours that work in the project's folder or below."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                where = os.readlink(f"/proc/{entry}/cwd")
            except OSError:
                continue
            if where == str(home) or where.startswith(f"{home}/"):
                found.append(int(entry))
    return found


def tasks_in(home: Path) -> list[int]:
    """Processes of tasks; a supervisor may stand by in the folder of its last one."""
    return [pid for pid in processes_in(home / "workspaces") if not _name(pid).startswith("retrofill-")]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return "retrofill-gone"


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> Any:
    """Look again and again until the condition holds; its value."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)
    return value


def finished(process: subprocess.Popen[bytes], patience: float = PATIENCE) -> Result:
    """Wait for the end of a spawned command."""
    stdout, stderr = process.communicate(timeout=patience)
    result = Result(tuple(str(a) for a in process.args), process.returncode, stdout.decode(), stderr.decode())  # type: ignore[union-attr]
    assert "Traceback" not in result.stderr, result.stderr
    return result
