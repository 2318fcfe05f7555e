"""A scaler that is a program of the deployment: what is wanted is its standard input, as JSON.

It ends within a minute, and everything that it has started with it. What it says on standard error is shown where it
fails. It sees the environment of the scheduler without the secrets of tasks.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from retrofill.domain.errors import shown
from retrofill.services.ports.scaling import NotToldError

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import ResourceGroup
    from retrofill.services.ports.scaling import ScaleNotice

LIMIT_SECONDS = 60.0
_CONFIDENTIAL = ("RETROFILL_SECRET_", "RETROFILL_TOKEN")
_MOST_WORDS = 300  # of what it says


class CommandScaler:
    """Runs the commands of groups.

    Args:
        directory: in which they run.
    """

    def __init__(
        self, directory: Path, environ: Mapping[str, str], limit_seconds: float = LIMIT_SECONDS
    ) -> None:
        self._directory = directory
        self._environ = {n: value for n, value in environ.items() if not n.startswith(_CONFIDENTIAL)}
        self._limit_seconds = limit_seconds

    def tell(self, group: ResourceGroup, notice: ScaleNotice) -> None:
        assert group.scaler is not None
        program = shown(group.scaler.command[0])
        try:
            process = subprocess.Popen(
                group.scaler.command,
                cwd=self._directory,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise NotToldError(f"{program} cannot be started: {error}") from None
        try:
            _, said = process.communicate(json.dumps(notice).encode(), self._limit_seconds)
        except subprocess.TimeoutExpired:
            raise NotToldError(f"{program} did not end within {self._limit_seconds:g} s") from None
        finally:
            _end(process)
        if process.returncode != 0:
            words = shown(said.decode("utf-8", "replace").strip()[-_MOST_WORDS:])
            raise NotToldError(
                f"{program} ended with status {process.returncode}: {words}".removesuffix(": ")
            )


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()
