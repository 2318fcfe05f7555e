"""The folders in which runs find the files that a version includes: `code/VERSION/WORKSPACE` (CAT-9).

They are made when a run first needs them, and read-only. What a scheduler process finds there it compares
once with what the version holds, so neither a crash of the machine nor a task that may write everything
(root) gives a run other files. All of that happens under a flock, and so does removing: a run that is to
find its folder is open in the ledger before the lock is taken, so it is either seen by who removes, or
makes the folder anew.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from retrofill.domain.catalog.definitions import IncludedFile
from retrofill.services.ports.running import IncludedCode, RunSpec

_LOCK = "lock"
_PATIENCE_SECONDS, _PAUSE_SECONDS = 10.0, 0.02
_MAKING, _GONE = ".making.", ".gone."
_NOT_OURS = "__pycache__"  # what python leaves there where it may
_READ_ONLY, _MAY_WRITE = 0o555, 0o700


class CodeFolders:
    """All laid out folders of one store; `directory` need not be there yet."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._compared: set[str] = set()

    def prepare(self, spec: RunSpec, content: Callable[[str], bytes]) -> None:
        """Lay out what a run's version includes, if it includes anything; arguments as those of `lay_out`.

        Raises:
            ValueError: the store has lost a file.
            OSError: the folder cannot be written.
        """
        if spec.included is None:
            return
        try:
            self.lay_out(spec.included, content)
        except KeyError:
            version_id = spec.included.version_id
            raise ValueError(f"the store has lost a file that version {version_id} includes") from None

    def lay_out(self, code: IncludedCode, content: Callable[[str], bytes]) -> None:
        """Make sure that the folder holds exactly these files.

        Args:
            content: what a file holds, by its SHA-256.

        Raises:
            KeyError: there is no such content.
            OSError: the folder cannot be written.
        """
        with self._locked():
            if code.folder in self._compared and os.path.isdir(code.folder):
                return
            if not _holds(code):
                self._make(code, content)
            os.chmod(code.folder, _READ_ONLY)
            self._compared.add(code.folder)

    def remove_unneeded(self, needed: Callable[[], Collection[int]], is_dry: bool = False) -> int:
        """Remove the folders of versions that no run needs; of how many versions.

        Args:
            needed: versions of the runs that are open now; asked while nobody can lay out anything.
        """
        if not self._directory.is_dir():
            return 0
        with self._locked():
            keep = needed()
            old = [name for name in os.listdir(self._directory) if name.isdigit() and int(name) not in keep]
            if is_dry:
                return len(old)
            for name in old:
                self._set_aside(self._directory / name)
            left = [name for name in os.listdir(self._directory) if name.startswith((_GONE, _MAKING))]
        for name in left:
            _remove(self._directory / name)
        return len(old)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(lock)
            yield
        finally:
            os.close(lock)

    def _make(self, code: IncludedCode, content: Callable[[str], bytes]) -> None:
        """In a folder beside it, which gets the name once it is complete."""
        folder = Path(code.folder)
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        making = self._directory / f"{_MAKING}{os.urandom(8).hex()}"
        making.mkdir(mode=0o700)
        try:
            for file in code.files:
                _write(making, file, content(file.sha256))
            for inner, _, _ in os.walk(making, topdown=False):
                if inner != str(making):  # who moves a folder must be allowed to write it
                    os.chmod(inner, _READ_ONLY)
            if folder.exists():
                self._set_aside(folder)
            os.rename(making, folder)
        except BaseException:
            _remove(making)
            raise

    def _set_aside(self, folder: Path) -> None:
        """At once out of the way of runs that start; what is inside is removed later."""
        os.chmod(folder, _MAY_WRITE)
        os.rename(folder, self._directory / f"{_GONE}{os.urandom(8).hex()}")


def _lock(descriptor: int) -> None:
    """Take the lock; who removes or makes holds it for moments.

    Raises:
        OSError: somebody has held it for ten seconds.
    """
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                raise OSError(errno.EAGAIN, "another process keeps the lock of .retrofill/code") from None
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _write(folder: Path, file: IncludedFile, data: bytes) -> None:
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise OSError(errno.EIO, f"what came for {file.path} is not what the version holds")
    path = folder / file.path
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = 0o555 if file.is_executable else 0o444
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as target:
        target.write(data)
        os.fchmod(target.fileno(), mode)


def _holds(code: IncludedCode) -> bool:
    """Whether the folder holds exactly these files, as far as anybody can tell."""
    wanted = {file.path: file for file in code.files}
    try:
        for inner, folders, names in os.walk(code.folder):
            if _NOT_OURS in folders:
                folders.remove(_NOT_OURS)
            if any(os.path.islink(os.path.join(inner, name)) for name in folders):
                return False
            for name in names:
                path = os.path.join(inner, name)
                file = wanted.pop(os.path.relpath(path, code.folder), None)
                if file is None or not _is(path, file):
                    return False
    except OSError:
        return False
    return not wanted and os.path.isdir(code.folder)


def _is(path: str, file: IncludedFile) -> bool:
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode) or bool(status.st_mode & stat.S_IXUSR) != file.is_executable:
        return False
    with open(path, "rb") as found:
        return hashlib.sha256(found.read(file.size + 1)).hexdigest() == file.sha256


def _remove(folder: Path) -> None:
    """With what is in it, read-only or not; what cannot go now goes the next time."""
    for inner, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            os.chmod(inner, _MAY_WRITE)
    shutil.rmtree(folder, ignore_errors=True)
