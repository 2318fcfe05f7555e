"""What holds for all tests."""

import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import examples
from brokers import shared as brokers
from databases import postgres

examples.register()

# A shell ignores Ctrl-C in what it runs in the background, and whatever that starts inherits it. Tests that interrupt
# something mean what happens in a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Temporary folders lie in memory where it has room for them: thousands of stores sync every commit.

    What tests hold is who writes and syncs what and when, not what a disk makes of it. TMPDIR names another place.
    """
    if "TMPDIR" not in os.environ and _is_for_programs(_MEMORY):
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # what was found before
    if not hasattr(config, "workerinput"):
        postgres.begin()
        brokers.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    postgres.drop_all()
    if not hasattr(config, "workerinput"):
        postgres.end()
        brokers.end()


def _is_for_programs(folder: Path) -> bool:
    """Whether it has room, and programs that lie there may run."""
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return False
    return shutil.disk_usage(folder).free > _ROOM and not os.statvfs(folder).f_flag & os.ST_NOEXEC


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, None]:
    """What a test has printed may hold half of a character, which xdist cannot hand on: the run would end there."""
    outcome = yield
    report = outcome.get_result()
    report.sections = [(name, _whole(text)) for name, text in report.sections]
    if report.failed and _whole(report.longreprtext) != report.longreprtext:
        report.longrepr = _whole(report.longreprtext)


def _whole(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
