"""The brokers that a run of tests shares, each started by whoever needs it first.

Where one is missing, such tests are skipped; with RETROFILL_TEST_SERVICES=required they fail. Tests do not disturb
each other there, because each has a deployment's word of its own. What stops a broker, or fills its disk, starts one
of its own (`own`).

`python shared.py KIND DIRECTORY` keeps one for as long as somebody holds the lock of `DIRECTORY/wanted`, as
`databases/server.py` does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from brokers import nodes

_REQUIRED, _RUN = "RETROFILL_TEST_SERVICES", "RETROFILL_TEST_BROKERS"
_PATIENCE_SECONDS = 120
_wanted: IO[str] | None = None


def begin() -> None:
    """Before a run of tests: where its brokers will be, if anybody asks for one."""
    global _wanted
    directory = tempfile.mkdtemp(prefix="retrofill-brokers-")
    _wanted = open(os.path.join(directory, "wanted"), "w")  # noqa: SIM115  open for as long as we live
    fcntl.lockf(_wanted, fcntl.LOCK_EX)  # not inherited by what tests fork
    os.environ[_RUN] = directory


def end() -> None:
    """After it: the brokers end, and their directory is gone."""
    directory = Path(os.environ.pop(_RUN))
    assert _wanted is not None
    _wanted.close()
    until = time.monotonic() + _PATIENCE_SECONDS
    while any((directory / kind).exists() for kind in nodes.KINDS) and time.monotonic() < until:
        time.sleep(0.02)
    shutil.rmtree(directory, ignore_errors=True)


def url(kind: str) -> str:
    """The URL of the broker of this kind, `rabbitmq` or `redis`; skips or fails the test where there is none."""
    _refuse_where_missing(kind)
    return _start(kind)


@contextmanager
def own(kind: str, directory: Path, port: int | None = None) -> Iterator[nodes.AnyBroker]:
    """A broker for one test alone, which may stop it."""
    _refuse_where_missing(kind)
    directory.mkdir()
    broker = nodes.KINDS[kind](directory, port)
    try:
        yield broker
    finally:
        broker.stop()


def _refuse_where_missing(kind: str) -> None:
    reason = nodes.WHY_NOT[kind]()
    if reason is not None and os.environ.get(_REQUIRED) == "required":
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)


@cache
def _start(kind: str) -> str:
    """Start it or find it started; its URL."""
    run = Path(os.environ[_RUN])
    directory, ready = run / kind, run / f"{kind}.ready"
    with open(run / f"{kind}.starting", "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        if not ready.exists():
            directory.mkdir()
            subprocess.Popen(
                [sys.executable, __file__, kind, run],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            until = time.monotonic() + _PATIENCE_SECONDS
            while not ready.exists():
                if time.monotonic() > until:
                    pytest.fail(f"{kind} has not started")
                time.sleep(0.02)
    found = ready.read_text()
    if found.startswith("error"):
        pytest.fail(found)
    return found


def main() -> None:
    """Keep a broker as long as the run of tests wants it."""
    kind, run = sys.argv[1], Path(sys.argv[2])
    try:
        broker = nodes.KINDS[kind](run / kind)
    except (OSError, RuntimeError) as error:
        _say(run / f"{kind}.ready", f"error: {error}")
        raise
    try:
        _say(run / f"{kind}.ready", broker.url)
        with open(run / "wanted", "r+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
    finally:
        broker.stop()
        shutil.rmtree(run / kind)


def _say(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    os.rename(new, path)


if __name__ == "__main__":
    main()
