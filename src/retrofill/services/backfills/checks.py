"""Asking the extension checks of one backfill, all at once (VER-3).

Nothing here touches the ledger, so a scheduler goes on ticking while checks think.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retrofill.domain.checks import Answer, Verdict

if TYPE_CHECKING:
    from retrofill.services.ports import Check


class Asking:
    """Checks that are being asked, each in a thread of its own.

    The threads hold nobody up: a process that leaves ends them.

    Args:
        on_done: called once, when the last answer is there; from one of the threads, if there are any.
    """

    def __init__(
        self, checks: Sequence[Check], question: Mapping[str, Any], on_done: Callable[[], None]
    ) -> None:
        self._open = {check.name for check in checks}
        self._answers: dict[str, Answer] = {}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._on_done = on_done
        for check in checks:
            threading.Thread(target=self._ask, args=(check, question), daemon=True).start()
        if not checks:
            self._done.set()
            on_done()

    def find_answers(self) -> tuple[Answer, ...] | None:
        """All answers by name of the check, None while one is missing."""
        if not self._done.is_set():
            return None
        return tuple(answer for _, answer in sorted(self._answers.items()))

    def wait(self) -> tuple[Answer, ...]:
        """All answers by name of the check; blocks for as long as the slowest check may take."""
        self._done.wait()
        return self.find_answers() or ()

    def _ask(self, check: Check, question: Mapping[str, Any]) -> None:
        try:
            answer = check.ask(question)
        except Exception as error:  # an adapter's bug must not leave the backfill in `checking` for ever
            answer = Answer(check.name, Verdict.FAIL, f"it could not be asked: {type(error).__name__}")
        with self._lock:
            self._answers[check.name] = answer
            self._open.discard(check.name)
            is_last = not self._open
        if is_last:
            self._done.set()
            self._on_done()
