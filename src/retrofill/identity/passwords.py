"""Passwords by argon2id, a few at a time.

The parameters are those that OWASP names for servers: 19 MiB, two passes, one lane. The defaults of the library take
64 MiB in four lanes, with which twenty people who sign in at once took 1.3 GB.

Hashing has threads of its own, because the allocator keeps for each thread what it has used once: with a semaphore over
the threads of requests, twenty of those came to hold 19 MiB each (330 MB).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, TypeVar

from retrofill.services.ports.identities import TooBusyError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_T = TypeVar("_T")
AT_ONCE = 2
WAITING = 32  # beyond those that are at it; more are told to come back
_MEMORY_KIB = 19 * 1024
_PASSES = 2


class Argon2Passwords:
    """One a process, for all of its threads."""

    def __init__(self) -> None:
        self._present = BoundedSemaphore(AT_ONCE + WAITING)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")

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
        return self._in_turn(lambda: self._argon2.hash(_bytes(password)))

    def matches(self, hashed: str | None, password: str) -> bool:
        return self._in_turn(lambda: self._verify(hashed, password))

    def is_outdated(self, hashed: str) -> bool:
        return self._argon2.check_needs_rehash(hashed)

    def _verify(self, hashed: str | None, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        nobodys = self._nobodys  # made at the first question, whomever that is about
        try:
            found = self._argon2.verify(hashed or nobodys, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
        return found and hashed is not None

    def _in_turn(self, do: Callable[[], _T]) -> _T:
        """Raises:
        TooBusyError: too many wait already.
        """
        if not self._present.acquire(blocking=False):
            raise TooBusyError("too many people sign in at once")
        try:
            return self._threads.submit(do).result()
        finally:
            self._present.release()


def _bytes(password: str) -> bytes:
    return password.encode(errors="surrogatepass")
