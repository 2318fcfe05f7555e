"""What is in deploy/, the programs that read it, and whether `retrofill` takes the words that it is started with there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
RETROFILL = Path(sys.executable).with_name("retrofill")


def program(name: str, package: str) -> str:
    """A program of this machine; skips the test where it is missing, or fails it where services are required."""
    if shutil.which(name) is None:
        reason = f"{name} is missing; {package} has it"
        if os.environ.get("RETROFILL_TEST_SERVICES") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return name


def assert_taken(words: Sequence[str]) -> None:
    """`retrofill` has this command with these options."""
    done = subprocess.run([RETROFILL, *words, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"Usage: retrofill {words[0]}" in done.stdout
