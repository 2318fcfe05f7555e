"""What a process knows of secrets: asks the sources in order, and keeps for a while what was slow to get.

Only values of the command are kept; the environment and the file cost nothing. A value is never older than
`KEPT_SECONDS`, so that a changed password holds soon.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass
from threading import Lock, Thread

from retrofill.secrets.sources import Source
from retrofill.services.ports.secrets import SecretUnavailableError

KEPT_SECONDS = 300.0
TRIED_AGAIN_SECONDS = 10.0  # after a failure: who asks meanwhile hears of that one
_SOON_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Asked:
    at: float  # on the monotonic clock
    answer: Future[str | None]

    def holds(self, now: float) -> bool:
        """Whether it need not be asked again: it is under way, or what came of it is young enough."""
        if not self.answer.done():
            return True
        return now - self.at < (TRIED_AGAIN_SECONDS if self.answer.exception() else KEPT_SECONDS)


class SecretKeeper:
    """For all threads of a process.

    Args:
        quick: sources that are asked each time, in this order.
        slow: asked last, in threads of its own; a name is asked for once at a time.
        monotonic: seconds.
    """

    def __init__(
        self,
        quick: Sequence[Source],
        slow: Source | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._quick = tuple(quick)
        self._slow = slow
        self._monotonic = monotonic
        self._asked: dict[str, _Asked] = {}
        self._lock = Lock()

    @property
    def is_plain(self) -> bool:
        """Whether the environment alone is asked."""
        return self._slow is None and len(self._quick) == 1

    def remedy(self, name: str) -> str:
        """What lets a secret be known that nobody knows: a sentence that names it, and every place where it may stand."""
        places = [*self._quick, *([] if self._slow is None else [self._slow])]
        told = ", or ".join(place.remedy(name) for place in places)
        return f"{told[0].upper()}{told[1:]}."

    def find(self, name: str) -> str | None:
        """The value; None: nobody knows such a secret. Waits for the command, where it is asked.

        Raises:
            SecretUnavailableError: a source could not be asked.
        """
        return self._find(name, None)

    def find_soon(self, name: str) -> str | None:
        """The same for who may not wait: what is not there within a moment counts as unavailable for now."""
        return self._find(name, _SOON_SECONDS)

    def find_or_none(self, name: str) -> str | None:
        """The value of what need not be there."""
        try:
            return self.find(name)
        except SecretUnavailableError:
            return None

    def learn(self, names: Iterable[str]) -> None:
        """Ask for them without waiting, so that they are there when they are needed."""
        if self._slow is not None:
            for name in names:
                self._ask(name, self._slow)

    def _find(self, name: str, patience: float | None) -> str | None:
        for source in self._quick:
            value = source.find(name)
            if value is not None:
                return value
        if self._slow is None:
            return None
        try:
            return self._ask(name, self._slow).result(patience)
        except NotYetError:
            raise SecretUnavailableError(
                f"the secret {name} is still being asked for", "What needs it is tried again in a moment."
            ) from None
        except SecretUnavailableError as error:  # one of its own for every thread that is told
            raise SecretUnavailableError(error.text, error.hint) from None

    def _ask(self, name: str, source: Source) -> Future[str | None]:
        with self._lock:
            found = self._asked.get(name)
            if found is not None and found.holds(self._monotonic()):
                return found.answer
            asked = self._asked[name] = _Asked(self._monotonic(), Future())
        Thread(target=_answer, args=(asked.answer, source, name), name="secret", daemon=True).start()
        return asked.answer


def _answer(answer: Future[str | None], source: Source, name: str) -> None:
    try:
        answer.set_result(source.find(name))
    except BaseException as error:  # whoever waits is told
        answer.set_exception(error)
