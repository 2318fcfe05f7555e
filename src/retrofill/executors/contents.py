"""Files of versions as a worker has fetched them, by what they hold: a new version brings only what has changed (CAT-9).

One file each, named by its SHA-256, which is compared whenever one is used; what does not fit is fetched anew. All
together are bounded: those that were used the longest time ago go first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

MOST_BYTES = 512 << 20


class ContentCache:
    """For any number of threads and processes.

    Args:
        directory: need not be there yet.
        fetch: what a file holds, by its SHA-256; its errors are those of `get`.
        most_bytes: of all files together.
    """

    def __init__(self, directory: Path, fetch: Callable[[str], bytes], most_bytes: int = MOST_BYTES) -> None:
        self._directory = directory
        self._fetch = fetch
        self._most_bytes = most_bytes

    def get(self, sha256: str) -> bytes:
        """What a file holds; whoever asked for it compares what was fetched.

        Raises:
            OSError: it is not here, and cannot be kept.
        """
        path = self._directory / sha256
        with contextlib.suppress(OSError):
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == sha256:
                os.utime(path)
                return data
        data = self._fetch(sha256)
        if hashlib.sha256(data).hexdigest() == sha256:
            self._keep(path, data)
        return data

    def _keep(self, path: Path, data: bytes) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_room(self._most_bytes - len(data))
        making = path.with_name(f".{os.urandom(8).hex()}")
        try:
            making.write_bytes(data)
            os.replace(making, path)
        finally:
            making.unlink(missing_ok=True)

    def _make_room(self, left: int) -> None:
        """Remove what was used the longest time ago, until the rest takes no more than that."""
        found = []
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    found.append((status.st_mtime_ns, status.st_size, entry.path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= left:
                return
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            total -= size
