"""The server's key in a file that only its owner can read, made by whoever needs it first."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from retrofill.domain.errors import Kind, RetrofillError
from retrofill.domain.people.server_keys import BYTES, ServerKey, parse_server_key

VARIABLE = "RETROFILL_SERVER_KEY"


class ServerKeyError(RetrofillError):
    """Write 64 hexadecimal digits, as `openssl rand -hex 32` prints them, into a file of mode 0600 or RETROFILL_SERVER_KEY."""

    code = "server_key"
    kind = Kind.USAGE


def server_key_of(file: Path, environ: Mapping[str, str]) -> ServerKey:
    """The key that the environment or the file holds; a new file is made where there is neither.

    Raises:
        ServerKeyError: it is no key, or others can read it.
        OSError: the file cannot be made.
    """
    given = environ.get(VARIABLE)
    if given:
        return _parsed(given, VARIABLE)
    if not file.exists():
        _make(file)
    return _read(file)


def _read(file: Path) -> ServerKey:
    with file.open(encoding="ascii", errors="replace") as opened:
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        if mode & 0o077:
            raise ServerKeyError(f"others can read {file}: its mode is {mode:04o}", "Make it 0600.")
        return _parsed(opened.read(200), str(file))


def _make(file: Path) -> None:
    """Whole or not at all; where another process was faster, its key stands."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as opened:
            opened.write(f"{secrets.token_hex(BYTES)}\n")
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            os.link(making, file)
    finally:
        making.unlink()


def _parsed(text: str, where: str) -> ServerKey:
    key = parse_server_key(text)
    if key is None:
        raise ServerKeyError(f"{where} holds no key of a server")
    return key
