"""One store, opened again and again as several processes do, on each database that there is.

STORE=postgresql in the environment lets everything that asks for `chosen()` work on that one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from databases import postgres
from retrofill.store.postgres.database import Database as ServerDatabase
from retrofill.store.sqlite.database import Database, Watch
from retrofill.store.statements.clock import BootClock, boot_clock

AnyDatabase = Database | ServerDatabase


class EmbeddedStore:
    """A file in a deployment's home."""

    kind = "sqlite"

    def __init__(self, home: Path) -> None:
        self.home = home

    def open(self, boot_clock: BootClock = boot_clock, watch: Watch = lambda *_: None) -> Any:
        return Database(self.home, boot_clock, watch)

    def close(self) -> None:
        """Everything of it lies in its home."""


class ServersStore:
    """A database of a server."""

    kind = "postgresql"

    def __init__(self, home: Path) -> None:
        self.home = home
        self._closing = ExitStack()
        self.url = self._closing.enter_context(postgres.rows())

    def open(self, boot_clock: BootClock = boot_clock, watch: Watch = lambda *_: None) -> Any:
        return ServerDatabase(self.url, self.home, "demo", boot_clock)

    def close(self) -> None:
        self._closing.close()


AnyStore = EmbeddedStore | ServersStore
STORES: dict[str, Callable[[Path], AnyStore]] = {"sqlite": EmbeddedStore, "postgresql": ServersStore}


def chosen() -> str:
    """The kind of store that STORE names, else the embedded one."""
    return os.environ.get("STORE", "sqlite")
