"""Logs in shared storage: a bucket or a folder that every machine of a deployment reaches (setting `log_storage`).

Storage knows no appending, so a log lies there as pieces, whose names say which bytes they hold:
`STORE/INSTANCE DIV 1000/RUN/BEGIN-END`. What lies at an offset of a log never changes, so pieces may overlap and may
be written twice. Where none lies is a gap. The piece that is written last of a run that has ended is named
`BEGIN-END.end`; those that were written while it ran go once it is there.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from retrofill.domain.errors import UsageError, shown
from retrofill.executors.logs.names import parse_name, run_name
from retrofill.services.ports.logs import LogAwayError, LogPart, NoLogError
from retrofill.services.ports.retention import LogFile

if TYPE_CHECKING:
    from retrofill.services.ports import RunRef
    from retrofill.services.ports.logs import Logs

_PIECE = re.compile(r"([0-9]{15})-([0-9]{15})(\.end)?")
_PIECE_BYTES = 2 << 20
_WORD_LENGTH = 8  # tokens begin with the word of their store
_LEFT_ALONE_SECONDS = 5.0
_LISTED_SECONDS = 0.5  # that a list of the pieces of a run that goes on holds: one look reads many times
_KEPT = 256  # lists of pieces
_LOCAL = ("file", "local")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified")


class LogStorageError(UsageError):
    """Install `retrofill[storage]` and what reads such a URL, as s3fs for s3://; then see whether it can be reached from here."""

    code = "log_storage"


class _Piece(NamedTuple):
    begin: int
    end: int
    is_last: bool
    path: str

    @property
    def name(self) -> str:
        return f"{self.begin:015}-{self.end:015}{'.end' if self.is_last else ''}"


class LogStorage:
    """The logs of all machines below a URL, for any number of threads.

    Args:
        files: what reaches them, a file system of fsspec.
        root: path there.
        is_local: whether files appear before they are whole, so that they are moved into their place.
        monotonic: seconds; one that cannot be reached is left alone for some, so that a page waits for it once.
    """

    def __init__(
        self, files: Any, root: str, is_local: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._files = files
        self._monotonic = monotonic
        self._failed_at, self._failure = -_LEFT_ALONE_SECONDS, ""  # of the last look that failed
        self._root = root.rstrip("/")
        self._is_local = is_local
        self._known: OrderedDict[str, tuple[list[_Piece], float]] = OrderedDict()  # and until when it holds
        self._lock = Lock()

    # Reading

    def read(self, ref: RunRef, offset: int, limit: int) -> LogPart:
        """As `Logs.read`."""
        try:
            return self._read(ref, offset, limit)
        except (
            FileNotFoundError
        ):  # the pieces of a run that went on have just become those of one that has ended
            self._forget(self._folder(ref))
        try:
            return self._read(ref, offset, limit)
        except FileNotFoundError as error:
            raise self._failed(error) from error

    def _read(self, ref: RunRef, offset: int, limit: int) -> LogPart:
        pieces = self._pieces(ref)
        size = pieces[-1].end
        if offset >= size or limit <= 0:
            return LogPart(min(offset, size), b"", 0, size)
        start = min(max(piece.begin, offset) for piece in pieces if piece.end > offset)
        data, at, end = b"", start, start + limit
        while at < end and (piece := _covering(pieces, at)) is not None:
            more = self._cut_out(piece, at, min(piece.end, end))
            if not more:
                break
            data, at = data + more, at + len(more)
        return LogPart(start, data, start - offset, size)

    def read_tail(self, ref: RunRef, limit: int) -> LogPart:
        """As `Logs.read_tail`."""
        size = self._pieces(ref)[-1].end
        return self.read(ref, max(0, size - limit), limit)

    def gaps(self, ref: RunRef) -> tuple[tuple[int, int], ...]:
        """As `Logs.gaps`."""
        found, at = [], 0
        for piece in sorted(self._pieces(ref)):
            if piece.begin > at:
                found.append((at, piece.begin))
            at = max(at, piece.end)
        return tuple(found)

    def _pieces(self, ref: RunRef) -> list[_Piece]:
        """Those of a log by where they end; never none.

        Raises:
            NoLogError: nothing was put there.
            LogAwayError: it cannot be reached.
        """
        folder = self._folder(ref)
        with self._lock:
            pieces, holds_until = self._known.get(folder, ([], 0.0))
        if pieces and self._monotonic() < holds_until:
            return pieces
        if self._monotonic() - self._failed_at < _LEFT_ALONE_SECONDS:
            raise _away(self._failure)
        pieces = sorted(self._listed(folder), key=lambda one: (one.end, one.begin))
        if not pieces:
            raise NoLogError(f"run {ref.run_number} of instance {ref.instance_id} has no log")
        is_whole = any(piece.is_last for piece in pieces)
        with self._lock:
            self._known[folder] = pieces, inf if is_whole else self._monotonic() + _LISTED_SECONDS
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return pieces

    def _listed(self, folder: str) -> Iterator[_Piece]:
        try:
            names = self._files.ls(folder, detail=False)
        except FileNotFoundError:
            return
        except Exception as error:  # whatever drivers and networks come up with
            raise self._failed(error) from error
        for path in names:
            found = _PIECE.fullmatch(path.rpartition("/")[2])
            if found:
                yield _Piece(int(found[1]), int(found[2]), bool(found[3]), path)

    def _cut_out(self, piece: _Piece, start: int, end: int) -> bytes:
        """Bytes of a log out of a piece.

        Raises:
            FileNotFoundError: it has gone since it was listed.
        """
        try:
            data: bytes = self._files.cat_file(piece.path, start=start - piece.begin, end=end - piece.begin)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise self._failed(error) from error
        return data

    def _failed(self, error: Exception) -> LogAwayError:
        self._failed_at, self._failure = self._monotonic(), str(error) or type(error).__name__
        return _away(self._failure)

    # Writing

    def put(self, ref: RunRef, part: LogPart) -> None:
        """A further piece of a run that goes on.

        Raises:
            OSError: it cannot be written now.
        """
        self._write(self._folder(ref), part.offset, part.data, is_last=False)

    def keep(self, ref: RunRef, part: LogPart) -> int:
        """As `LogKeeper.keep`, for hosts that reach a server only: whichever of several servers is told of it.

        Raises:
            OSError: it cannot be written now.
        """
        folder = self._folder(ref)
        with _as_os_errors():
            pieces = list(self._listed(folder))
        size = max((piece.end for piece in pieces), default=0)
        is_connected = part.offset - part.missing <= size < part.next_offset
        if not is_connected and (pieces or part.data):
            return size
        start = max(part.offset, size)
        data = part.data[start - part.offset :]
        self._write(folder, start, data, is_last=False)
        self._forget(folder)
        return start + len(data)

    def complete(self, ref: RunRef, source: Logs, is_first: bool) -> None:
        """The whole log of a run that has ended, with its gaps; said twice it is written twice.

        Args:
            is_first: nothing was put of it while it ran.

        Raises:
            NoLogError: the source has none.
            OSError: it cannot be written now.
        """
        folder = self._folder(ref)
        written, part = [], source.read(ref, 0, _PIECE_BYTES)
        while True:
            following = source.read(ref, part.next_offset, _PIECE_BYTES)
            written.append(self._write(folder, part.offset, part.data, is_last=not following.data))
            if not following.data:
                break
            part = following
        if not is_first:
            self._remove_others(folder, written)

    def _write(self, folder: str, begin: int, data: bytes, is_last: bool) -> str:
        name = _Piece(begin, begin + len(data), is_last, "").name
        path = f"{folder}/{name}"
        with _as_os_errors():
            if self._is_local:
                self._files.pipe_file(f"{path}.part", data)
                self._files.mv(f"{path}.part", path)
            else:
                self._files.pipe_file(path, data)
        return name

    def _remove_others(self, folder: str, names: Iterable[str]) -> None:
        keep = set(names)
        with _as_os_errors():
            for piece in self._listed(folder):
                if piece.name not in keep:
                    self._files.rm_file(piece.path)

    # Retention

    def of(self, word: str) -> StoreLogs:
        """Those of the store with this word, as retention sees them."""
        return StoreLogs(self, word)

    def scan(self, word: str) -> Iterator[LogFile]:
        """Each log of a store, by the word that its tokens begin with: as old as its newest piece.

        Raises:
            OSError: it cannot be listed now.
        """
        with _as_os_errors():
            for shard in self._names(f"{self._root}/{word}"):
                found = self._files.find(f"{self._root}/{word}/{shard}", detail=True)
                yield from self._logs_of(f"{word}/{shard}", found)

    def _names(self, folder: str) -> list[str]:
        try:
            return sorted(
                path.rstrip("/").rpartition("/")[2] for path in self._files.ls(folder, detail=False)
            )
        except FileNotFoundError:
            return []

    def _logs_of(self, shard: str, found: dict[str, dict[str, Any]]) -> Iterator[LogFile]:
        logs: dict[str, tuple[int, int]] = {}
        for path, about in found.items():
            name = path.split("/")[-2]
            modified_ms, size = logs.get(name, (0, 0))
            logs[name] = max(modified_ms, _modified_ms(about)), size + int(about.get("size") or 0)
        for name, (modified_ms, size) in logs.items():
            yield LogFile(f"{shard}/{name}", parse_name(name), modified_ms, size)

    def remove(self, names: Iterable[str]) -> None:
        """By the names that `scan` gives.

        Raises:
            OSError: not now.
        """
        for name in names:
            with _as_os_errors(), contextlib.suppress(FileNotFoundError):
                self._forget(f"{self._root}/{name}")
                self._files.rm(f"{self._root}/{name}", recursive=True)

    def _forget(self, folder: str) -> None:
        with self._lock:
            self._known.pop(folder, None)

    def _folder(self, ref: RunRef) -> str:
        name = run_name(ref.instance_id, ref.run_number, ref.token)
        return f"{self._root}/{ref.token[:_WORD_LENGTH]}/{ref.instance_id // 1000}/{name}"


class StoreLogs(NamedTuple):
    """The logs of one store among those of a storage."""

    storage: LogStorage
    word: str

    def scan(self) -> Iterator[LogFile]:
        return self.storage.scan(self.word)

    def remove(self, names: Iterable[str]) -> None:
        self.storage.remove(names)


def open_storage(url: str) -> LogStorage:
    """The storage of a URL, as `s3://BUCKET/PREFIX` or `file:///mnt/logs`; reaches nothing yet.

    Raises:
        LogStorageError: nothing here reads such a URL.
    """
    scheme = url.partition("://")[0]
    is_local = scheme in _LOCAL
    try:
        from fsspec.core import url_to_fs

        options = {"auto_mkdir": True} if is_local else {"use_listings_cache": False}
        files, root = url_to_fs(url, **options)
    except (ImportError, ValueError, TypeError) as error:
        raise LogStorageError(f"no logs can be kept at {shown(scheme)}://...: {shown(str(error))}") from error
    return LogStorage(files, root, is_local)


@contextlib.contextmanager
def _as_os_errors() -> Iterator[None]:
    """Whatever drivers and networks come up with, as one kind of trouble."""
    try:
        yield
    except OSError:
        raise
    except NoLogError as error:
        raise OSError(error.message) from error
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def _away(why: str) -> LogAwayError:
    return LogAwayError(f"the storage of logs cannot be reached: {shown(why)}")


def _covering(pieces: list[_Piece], offset: int) -> _Piece | None:
    """The piece that holds this byte and most of what follows."""
    found = [piece for piece in pieces if piece.begin <= offset < piece.end]
    return max(found, key=lambda one: one.end, default=None)


def _modified_ms(about: dict[str, Any]) -> int:
    """Of what a listing says of a file, which each driver calls otherwise; 0 where it says nothing."""
    found = (about[key] for key in _TIMES if about.get(key))
    at: datetime | float | str = next(found, 0.0)
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return round((at if isinstance(at, int | float) else at.timestamp()) * 1000)
