"""Where the executor's files are: one folder per store, readable by its owner only."""

from __future__ import annotations

import os
from typing import NamedTuple


class RunPaths(NamedTuple):
    """Paths below the runs' folder.

    `shown` is what people call that folder, where `directory` is a way to it by a descriptor.
    """

    directory: str
    shown: str = ""

    def log(self, name: str) -> str:
        return f"{self.directory}/logs/{name}.log"

    @property
    def journals(self) -> str:
        return f"{self.directory}/journals"

    def wish(self, name: str) -> str:
        """The file that asks for the end of a run; holds the grace in seconds."""
        return f"{self.directory}/stops/{name}"

    @property
    def complaints(self) -> str:
        """What the launcher and supervisors say about bugs of their own."""
        return f"{self.directory}/executor.log"

    def held(self) -> RunPaths:
        """The same folder by a descriptor of this process and its forks, wherever it is moved to (RUN-8)."""
        descriptor = os.open(self.directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        return RunPaths(f"/proc/self/fd/{descriptor}", self.directory)

    def make(self) -> None:
        """Make the folders that are missing."""
        for folder in ("", "/logs", "/journals", "/stops"):
            os.makedirs(self.directory + folder, mode=0o700, exist_ok=True)
