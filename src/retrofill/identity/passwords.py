"""Passwords by argon2id, a few at a time.

The parameters are those that OWASP names for servers: 19 MiB, two passes, one lane. The defaults of the library take
64 MiB in four lanes, with which twenty people who sign in at once took 1.3 GB.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from retrofill.services.ports.identities import TooBusyError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

AT_ONCE = 2
WAITING = 32  # beyond those that are at it; more are told to come back
_MEMORY_KIB = 19 * 1024
_PASSES = 2


class Argon2Passwords:
    """One a process, for all of its threads."""

    def __init__(self) -> None:
        self._working = BoundedSemaphore(AT_ONCE)
        self._present = BoundedSemaphore(AT_ONCE + WAITING)

    @cached_property
    def _argon2(self) -> PasswordHasher:
        from argon2 import PasswordHasher

        return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=1)

    @cached_property
    def _nobodys(self) -> str:
        """A hash that no password has, for who is not there."""
        import secrets

        return self._argon2.hash(secrets.token_urlsafe(32))

    def hash(self, password: str) -> str:
        with self._turn():
            return self._argon2.hash(password.encode(errors="surrogatepass"))

    def matches(self, hashed: str | None, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        with self._turn():
            try:
                found = self._argon2.verify(hashed or self._nobodys, password.encode(errors="surrogatepass"))
            except (VerificationError, InvalidHashError):
                return False
        return found and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        return self._argon2.check_needs_rehash(hashed)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Raises:
        TooBusyError: too many wait already.
        """
        if not self._present.acquire(blocking=False):
            raise TooBusyError("too many people sign in at once")
        try:
            with self._working:
                yield
        finally:
            self._present.release()
