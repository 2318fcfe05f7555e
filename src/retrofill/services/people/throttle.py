"""Who signs in wrongly again and again has to wait; counted in the ledger, for all servers of a deployment together.

A try counts as a failure from the moment it begins, so that a thousand at once are not a thousand free ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.errors import TooOftenError
from retrofill.domain.people.throttling import ACCOUNT, ADDRESS, FORGOTTEN_MS, Allowance

if TYPE_CHECKING:
    from retrofill.domain.people.visitors import Caller
    from retrofill.services.ports import Clock, Reader, Store


_KEPT_MS = 30 * 86_400_000  # how long a session is remembered after its end


class TooManyTriesError(TooOftenError):
    """Wait as long as the message says; whoever has forgotten the password asks an administrator for a link."""

    code = "too_many_tries"

    def __init__(self, wait_ms: int) -> None:
        self.seconds = -(-wait_ms // 1_000)
        super().__init__(f"this was wrong too often; the next try is looked at in {self.seconds} s")


class Throttle:
    """Counts what goes wrong, by account and by address."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def begin(self, user: str, caller: Caller | None = None) -> None:
        """A try begins.

        Args:
            user: the account that is tried, whether there is one of this name or not.

        Raises:
            TooManyTriesError: it is not looked at yet, and does not count.
        """
        now_ms = self._clock.now_ms()
        abouts = _abouts(user, caller)
        with self._store.read() as reader:  # who has to wait holds up nobody who writes
            _check(reader, abouts, now_ms)
        with self._store.transaction() as tx:
            _check(tx, abouts, now_ms)
            tx.signing_in.clear(now_ms, now_ms - FORGOTTEN_MS, now_ms - _KEPT_MS)
            for about, _ in abouts:
                tx.signing_in.add_failure(about, now_ms)

    def succeed(self, user: str, caller: Caller | None = None) -> None:
        """The try that began last was right."""
        (account, _), *addresses = _abouts(user, caller)
        with self._store.transaction() as tx:
            tx.signing_in.forget_failures(account)
            for about, _ in addresses:  # who knows one password may not guess others for it
                tx.signing_in.take_back_failure(about)


def _abouts(user: str, caller: Caller | None) -> list[tuple[str, Allowance]]:
    found = [(f"account {user}", ACCOUNT)]
    return found if caller is None else [*found, (f"address {caller.neighbourhood}", ADDRESS)]


def _check(reader: Reader, abouts: list[tuple[str, Allowance]], now_ms: int) -> None:
    """Raises:
    TooManyTriesError: one of them has to wait.
    """
    waits = []
    for about, allowance in abouts:
        failures = reader.signing_in.failures(about)
        waits.append(allowance.wait_ms(failures.times, failures.last_ms, now_ms))
    if any(waits):
        raise TooManyTriesError(max(waits))
