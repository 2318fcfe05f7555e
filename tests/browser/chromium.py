"""The browser itself: Chromium as it is installed on the machine, never one that is fetched for the tests.

RETROFILL_TEST_CHROMIUM names the program, else it is looked for on the PATH. Where there is none, tests that need it
are skipped; with RETROFILL_TEST_SERVICES=required they fail.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_NAMED, _REQUIRED = "RETROFILL_TEST_CHROMIUM", "RETROFILL_TEST_SERVICES"
_COMMANDS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 20_000  # of a test that hangs; none waits so long


@contextmanager
def started() -> Iterator[Browser]:
    """A browser that runs.

    While it does, this thread has an event loop that runs as well: nobody else may start one here.
    """
    from playwright.sync_api import expect, sync_playwright

    program = find()
    assert program is not None
    expect.set_options(timeout=PATIENCE_MS)
    options = ["--no-sandbox"] if os.geteuid() == 0 else []  # which it refuses to root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


def find() -> str | None:
    """The program; None: there is none."""
    return os.environ.get(_NAMED) or next(filter(None, map(shutil.which, _COMMANDS)), None)


def need() -> None:
    """Skip the test, or let it fail, where there is no browser."""
    reason = _why_not()
    if reason is None:
        return
    if os.environ.get(_REQUIRED) == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def _why_not() -> str | None:
    if find_spec("playwright") is None:
        return "the package playwright is not installed"
    if find() is None:
        return f"no Chromium: neither {', '.join(_COMMANDS)} on the PATH nor {_NAMED}"
    return None
