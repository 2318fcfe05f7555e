"""A pooler between a store and its server: pgbouncer, which gives each transaction another session.

The system's package; where it is missing such tests are skipped, with RETROFILL_TEST_SERVICES=required they fail.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import pytest

_PATIENCE_SECONDS = 30


@contextmanager
def pooled(url: str) -> Iterator[str]:
    """The URL of the same database through a pooler that lives for the length of a test."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        reason = "no pgbouncer: it is a package of the system"
        if os.environ.get("RETROFILL_TEST_SERVICES") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with TemporaryDirectory(prefix="retrofill-pooler-") as name:
        os.chmod(name, 0o755)  # noqa: S103  it runs as another user
        yield from _running(program, url, Path(name))


def _running(program: str, url: str, directory: Path) -> Iterator[str]:
    parts, port = urlsplit(url), _free_port()
    users = directory / "users.txt"
    users.write_text(f'"{parts.username}" "{parts.password or ""}"\n')
    config = directory / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={parts.hostname} port={parts.port or 5432}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {users}\npool_mode = transaction\nmax_client_conn = 200\n"
        "default_pool_size = 10\nignore_startup_parameters = extra_float_digits,options\n"
    )
    as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.getuid() == 0 else []
    if as_nobody:  # it refuses to run as root
        shutil.chown(users, "nobody")
        shutil.chown(config, "nobody")
    process = subprocess.Popen(
        [*as_nobody, program, "-q", config], stderr=subprocess.STDOUT, stdout=subprocess.PIPE, cwd="/"
    )
    try:
        _wait_for(port, process)
        yield urlunsplit(parts._replace(netloc=_with_port(parts.netloc, port)))
    finally:
        process.terminate()
        process.wait()


def _with_port(netloc: str, port: int) -> str:
    user, at, _ = netloc.rpartition("@")
    return f"{user}{at}127.0.0.1:{port}"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                assert process.stdout is not None
                pytest.fail(f"pgbouncer has not started: {process.stdout.read().decode()}")
            time.sleep(0.05)
        else:
            return
