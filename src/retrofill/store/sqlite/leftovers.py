"""What a backup or a restore leaves when it is killed: half-written files, found and removed by the next one.

A backup may be written anywhere. So before it begins a file of its own it notes the names in the
project's home, and holds a lock on the note for as long as it lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_NOTES = "backup.*.note"
_PREPARED = "restoring.*"
_ENDS = (".db", ".partial", ".db-journal", ".db-wal", ".db-shm")


@contextmanager
def noted(home: Path, files: Sequence[Path]) -> Iterator[None]:
    """Note files that are about to be written, until they are named or removed."""
    note = home / f"backup.{os.getpid()}.note"
    try:
        descriptor = os.open(
            note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
    except OSError:  # a home that cannot be written to keeps nobody from taking a backup
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):
            os.write(descriptor, json.dumps([str(file.absolute()) for file in files]).encode())
        yield
        note.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def leftovers(home: Path) -> list[str]:
    """Paths of what was broken off, and is there still."""
    found = [str(path) for files in _dead_notes(home).values() for path in files if path.exists()]
    return sorted(found) + sorted(str(path) for path in home.glob(_PREPARED) if not _is_restoring(home))


def remove_leftovers(home: Path, restores: bool = False) -> list[str]:
    """Remove what was broken off; the paths.

    Args:
        restores: also folders of restores; only for who holds the lock that a restore holds.
    """
    removed = []
    for note, files in _dead_notes(home).items():
        for path in files:
            with contextlib.suppress(OSError):
                path.unlink()
                removed.append(str(path))
        note.unlink(missing_ok=True)
    for folder in home.glob(_PREPARED) if restores else ():
        shutil.rmtree(folder, ignore_errors=True)
        removed.append(str(folder))
    return removed


def _dead_notes(home: Path) -> dict[Path, list[Path]]:
    """Notes of backups that live no more, with the files that are of such a form."""
    found = {}
    for note in sorted(home.glob(_NOTES)):
        try:
            descriptor = os.open(note, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            names = json.loads(os.read(descriptor, 1 << 20) or b"[]")
            paths = [Path(name) for name in names if isinstance(name, str)]
            found[note] = [path for path in paths if path.name.startswith(".") and path.name.endswith(_ENDS)]
        except BlockingIOError:
            continue
        except (OSError, ValueError, TypeError):
            found[note] = []
        finally:
            os.close(descriptor)
    return found


def _is_restoring(home: Path) -> bool:
    """Whether somebody holds the lock that a restore holds."""
    from retrofill.store.sqlite.leading import FlockLeadership

    return FlockLeadership(home).leader() is not None
