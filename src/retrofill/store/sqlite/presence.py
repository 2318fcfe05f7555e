"""Whether there is a store, and whether there may be a new one: not beside the remains of another.

A store that has vanished, because a disk is not mounted, a file was deleted or a restore was cut off, is no
fresh project: who began anew there would lose sight of all that ran.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from retrofill.domain.texts import Text
from retrofill.store.schema.revision import StoreError

UNFINISHED = (
    "restore.unfinished"  # a restore is taking the place of a store that could not be folded into one file
)
_RESTORING, _REPLACED = "restoring.", "replaced."


class StoreMissingError(StoreError):
    """Put the file back or restore a backup with {store.restore}; to begin anew, move `.retrofill` away."""

    code = "store_missing"


def is_there(path: Path) -> bool:
    """Whether there is a store; False where a new one may be made.

    Raises:
        StoreMissingError: there is none, and there was one.
        StoreError: what is there is no file.
    """
    if os.path.islink(path) and not path.exists():
        raise StoreMissingError(f"{path} is a link to {os.readlink(path)}, which is not there")
    if (path.parent / UNFINISHED).exists():
        raise StoreMissingError(
            Text(
                "a restore of {folder} was cut off in the middle; run it again with {option.force}",
                folder=str(path.parent),
            )
        )
    if path.exists():
        if not path.is_file():
            raise StoreError(f"{path} is not a regular file")
        if path.stat().st_size > 0:
            return True
    found = next(_remains(path), None)
    if found is None:
        return False
    state = "empty" if path.exists() else "missing"
    raise StoreMissingError(f"the store {path} is {state}, but there is {found}: this is no fresh project")


def _remains(path: Path) -> Iterator[str]:
    """What only a store that was used leaves."""
    home = path.parent
    wal = home / f"{path.name}-wal"
    if wal.exists() and wal.stat().st_size > 0:
        yield f"{wal.name} of one"
    for folder, what in (("runs/logs", "a log"), ("runs/journals", "a journal")):
        try:
            with os.scandir(home / folder) as entries:
                for entry in entries:
                    yield f"{what} of runs ({folder}/{entry.name})"
        except (FileNotFoundError, NotADirectoryError):
            continue
    for name in sorted(os.listdir(home)) if home.is_dir() else ():
        if name.startswith(_RESTORING):
            yield f"what a restore has left that was cut off ({name})"
        elif name.startswith(_REPLACED):
            yield f"a store that a restore has replaced ({name})"
