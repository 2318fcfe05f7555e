"""Who has a store open for long, so that nobody puts another one in its place: a flock that dies with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from retrofill.domain.errors import StoreBusyError, WrongStateError
from retrofill.store.sqlite.waiting import holder_in_words

_NAME = "open.lock"


class StoreOpenError(WrongStateError):
    """End that process, then try again: what it writes would be lost."""

    code = "store_open"


@contextmanager
def staying_open(home: Path) -> Iterator[None]:
    """For who has the store in a folder open for long; any number may.

    Raises:
        StoreBusyError: a store is being put in its place just now; names who does.
    """
    with ExitStack() as held:
        with suppress(OSError):  # where nothing can be written, nothing is restored
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            held.enter_context(
                _locked(home, fcntl.LOCK_SH, StoreBusyError, "is replacing or copying the store")
            )
        yield


@contextmanager
def nobody_stays(home: Path) -> Iterator[None]:
    """For who puts another store in its place.

    Raises:
        StoreOpenError: somebody has it open for long; names who.
    """
    with _locked(home, fcntl.LOCK_EX, StoreOpenError, "has the store open"):
        yield


@contextmanager
def _locked(home: Path, how: int, error: type[StoreBusyError | StoreOpenError], does: str) -> Iterator[None]:
    descriptor = os.open(home / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise error(f"{holder_in_words(descriptor)} {does}") from None
        yield
    finally:
        os.close(descriptor)
