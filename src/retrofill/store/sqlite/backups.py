"""Backups: one zip file with a copy of the store, a manifest, and the logs if they were asked for.

manifest.json        who made it, when, of which schema, and the store's SHA-256
retrofill.db         the store, a single SQLite file
logs.jsonl           one line a log: name, size, mode, time of its last change
logs/NAME/OFFSET     the data of a log; what lies between is a gap
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from retrofill.domain.errors import Kind, RetrofillError, WrongStateError, shown
from retrofill.services.ports.retention import LogPiece
from retrofill.store.schema.revision import HEAD, NewerSchemaError
from retrofill.store.sqlite.database import Database
from retrofill.store.sqlite.leftovers import noted, remove_leftovers
from retrofill.store.sqlite.presence import UNFINISHED
from retrofill.store.sqlite.waiting import WriteLock

FORMAT = 1
_STORE, _MANIFEST, _LOGS = "retrofill.db", "manifest.json", "logs.jsonl"
_FILES = (_STORE, f"{_STORE}-wal", f"{_STORE}-shm")
_PIECE = 1 << 20
_LARGEST_MANIFEST = 1 << 20


class BackupError(RetrofillError):
    """Take another backup; this one cannot be restored."""

    code = "backup"
    kind = Kind.USAGE


class BackupExistsError(WrongStateError):
    """Name another file, or write over this one with {option.force}."""

    code = "backup_exists"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says about itself."""

    format: int
    retrofill: str  # version of the program
    schema: str
    project: str
    made_ms: int
    sha256: str  # of the store
    bytes: int  # of the store
    logs: int


def write(
    store: Database,
    target: Path,
    project: str,
    made_ms: int,
    version: str,
    logs: Iterable[LogPiece],
    force: bool,
) -> Manifest:
    """Write a backup; it has its name only once it is complete and on the disk.

    Raises:
        BackupExistsError: the file is there, and is not to be written over.
        StoreError: the store is damaged.
        OSError: it cannot be written.
    """
    if target.exists() and not force:
        raise BackupExistsError(f"{target} exists already")
    copy, partial = (target.with_name(f".{target.name}.{os.getpid()}.{end}") for end in ("db", "partial"))
    remove_leftovers(store.path.parent)
    with noted(store.path.parent, (copy, partial)):
        return _write(store, target, project, made_ms, version, logs, force, copy, partial)


def _write(
    store: Database,
    target: Path,
    project: str,
    made_ms: int,
    version: str,
    logs: Iterable[LogPiece],
    force: bool,
    copy: Path,
    partial: Path,
) -> Manifest:
    try:
        for path in (copy, partial):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        store.copy_to(copy)
        with partial.open("r+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
                digest = _add(archive, _STORE, _pieces(copy))
                count = _add_logs(archive, logs)
                manifest = Manifest(
                    FORMAT, version, HEAD, project, made_ms, digest, copy.stat().st_size, count
                )
                archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=2))
            file.flush()
            os.fsync(file.fileno())
        _name(partial, target, force)
    finally:
        for path in (copy, partial):
            path.unlink(missing_ok=True)
    return manifest


def _name(partial: Path, target: Path, force: bool) -> None:
    if force:
        os.rename(partial, target)
    else:
        try:
            os.link(partial, target)  # fails where a file has come meanwhile
        except FileExistsError:
            raise BackupExistsError(f"{target} exists already") from None
    _sync(target.parent)


def _add(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> str:
    """Write one member; its SHA-256."""
    digest = hashlib.sha256()
    with archive.open(name, "w", force_zip64=True) as member:
        for piece in pieces:
            digest.update(piece)
            member.write(piece)
    return digest.hexdigest()


def _add_logs(archive: zipfile.ZipFile, logs: Iterable[LogPiece]) -> int:
    lines = []
    for piece in logs:
        if piece.offset is None:
            lines.append(
                json.dumps(
                    {"name": piece.name, "size": piece.size, "mode": piece.mode, "mtime_ns": piece.mtime_ns}
                )
            )
        else:
            _add(archive, f"logs/{piece.name}/{piece.offset}", piece.data)
    archive.writestr(_LOGS, "".join(f"{line}\n" for line in lines))
    return len(lines)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


class Backup:
    """A backup that is being read.

    Raises:
        BackupError: it is none, or it is damaged.
        NewerSchemaError: a newer program made it.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self.manifest = self._read_manifest()

    def _read_manifest(self) -> Manifest:
        try:
            if self._archive.getinfo(_MANIFEST).file_size > _LARGEST_MANIFEST:
                raise ValueError
            manifest = Manifest(**json.loads(self._archive.read(_MANIFEST)))
            datetime.fromtimestamp(manifest.made_ms / 1000)  # noqa: DTZ006 - only whether it is an instant
        except (KeyError, ValueError, TypeError, OverflowError, zipfile.BadZipFile) as error:
            raise BackupError(f"{shown(str(self._path))} is no backup of Retrofill") from error
        if manifest.format > FORMAT or manifest.schema > HEAD:
            raise NewerSchemaError(
                f"{shown(str(self._path))} was made by Retrofill {shown(manifest.retrofill)}, "
                f"with schema {shown(manifest.schema)}; this program knows up to {HEAD}"
            )
        return manifest

    def extract_store(self, target: Path) -> None:
        """Write the store to a new file, and look whether it is what was backed up."""
        digest = hashlib.sha256()
        with (
            open(target, "xb", opener=_private) as file,
            self._damage_told(),
            self._archive.open(_STORE) as member,
        ):
            size = 0
            while piece := member.read(_PIECE):
                size += len(piece)
                if size > self.manifest.bytes:
                    break
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != self.manifest.sha256:
            raise BackupError(f"{shown(str(self._path))} is damaged: its store is not what was backed up")

    def logs(self) -> Iterator[LogPiece]:
        """The data of the logs, then each log as a whole."""
        with self._damage_told():
            for info in self._archive.infolist():
                first, _, rest = info.filename.partition("/")
                name, _, offset = rest.partition("/")
                if first == "logs" and offset.isdigit():
                    yield LogPiece(name, int(offset), self._read(info))
            for line in self._archive.read(_LOGS).splitlines():
                log: dict[str, Any] = json.loads(line)
                yield LogPiece(
                    str(log["name"]), None, (), int(log["size"]), int(log["mode"]), int(log["mtime_ns"])
                )

    def _read(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        with self._archive.open(info) as member:
            while piece := member.read(_PIECE):
                yield piece

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except (zipfile.BadZipFile, KeyError, EOFError, ValueError, _zlib_error()) as error:
            raise BackupError(f"{shown(str(self._path))} is damaged: {error}") from error


def _zlib_error() -> type[Exception]:
    import zlib

    return zlib.error


@contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """Open a backup to read it.

    Raises:
        BackupError, NewerSchemaError: as `Backup` says.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
        except zipfile.BadZipFile as error:
            raise BackupError(f"{shown(str(path))} is no backup of Retrofill") from error
        with archive:
            yield Backup(path, archive)


def put_in_place(prepared: Path, home: Path, stamp: str) -> Path | None:
    """Let a prepared store be that of a project; where the one before was moved to, None if there was none.

    Args:
        prepared: folder with a store that nobody has open.
        stamp: names the folder that the store before is moved to.
    """
    _sync_file(prepared / _STORE)
    lock = WriteLock(home / "write.lock")
    lock.acquire()  # nobody is in the middle of a write
    try:
        aside = None
        if os.path.lexists(home / _STORE):
            aside = home / f"replaced.{stamp}"
            _set_aside(home, aside)
        for name in _FILES[1:]:
            (home / name).unlink(missing_ok=True)
        os.rename(prepared / _STORE, home / _STORE)  # until here it is the old one, from here on the new one
        (home / UNFINISHED).unlink(missing_ok=True)
        _sync(home)
        return aside
    finally:
        lock.release()
        lock.close()


def _set_aside(home: Path, aside: Path) -> None:
    """Give the store that is there a second place, and fold it into one file, so that one rename can replace it.

    One that is damaged cannot be folded: until the rename, a file says that its place is being taken.
    """
    is_one_file = _fold(home / _STORE)
    aside.mkdir(mode=0o700)
    for name in _FILES:
        with contextlib.suppress(FileNotFoundError):
            os.link(home / name, aside / name, follow_symlinks=False)
    _sync(aside)
    if not is_one_file:
        (home / UNFINISHED).touch(mode=0o600)
        _sync(home)


def _fold(path: Path) -> bool:
    """Copy what the WAL holds into the file; whether the file alone is the store now."""
    wal = path.with_name(f"{path.name}-wal")
    try:
        if wal.exists() and wal.stat().st_size > 0:
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return not wal.exists() or wal.stat().st_size == 0
    except (sqlite3.DatabaseError, OSError):
        return False


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
