"""What a host lets go of once a day, in a thread beside the rounds of a worker, or of a scheduler that stands by.

Who leads sees to its own files with the rest of retention (RET-1, RET-2, CAT-9). What may go the ledger says, because only
that knows what has ended. A job that is broken off, or cannot ask, is begun anew after an hour.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError

if TYPE_CHECKING:
    from retrofill.bootstrap.deployment import Deployment
    from retrofill.services.ports.custody import Custody
    from retrofill.services.ports.retention import LaidOut, LogFolder

_DAY_SECONDS = 24 * 60 * 60
_LOOK_SECONDS = 60 * 60.0
_DONE = "tidied"  # in its home: when a job went through


@dataclass(frozen=True, slots=True)
class Tidying:
    """One host's.

    Attributes:
        custody: what may go, as of the moment at which it is called.
    """

    home: Path
    custody: Callable[[], Custody]
    folder: LogFolder
    laid_out: LaidOut

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Do the job whenever it is due, until the end."""
        done = threading.Event()
        thread = threading.Thread(target=self._go_on, args=(done,), name="tidying", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(5)

    def _go_on(self, done: threading.Event) -> None:
        while not done.is_set():
            try:
                if self.is_due():
                    self.tidy(done)
            except (RetrofillError, OSError):  # what is refused now may go later
                pass
            done.wait(_LOOK_SECONDS)

    def is_due(self) -> bool:
        """Whether a day has passed since the job went through last."""
        return self._since() > _DAY_SECONDS

    def _since(self) -> float:
        """Seconds since the job went through last; of a clock that was set back: none."""
        try:
            return abs(time.time() - (self.home / _DONE).stat().st_mtime)
        except FileNotFoundError:
            return time.time()

    def tidy(self, done: threading.Event) -> None:
        """The whole job, unless it is broken off.

        Raises:
            RetrofillError: the ledger cannot be asked.
            OSError: files cannot be removed.
        """
        from retrofill.services.upkeep.files import FileKeeping, Report
        from retrofill.services.upkeep.retention import Pacing

        began, pacing = time.time(), Pacing()
        job = FileKeeping(self.custody(), self.folder, round(began * 1000), Report(), False, self.laid_out)
        for _ in job.steps(round(self._since() * 1000)):
            if done.is_set():
                return
            pacing.pause()
        self.folder.tidy(began - _DAY_SECONDS)
        (self.home / _DONE).touch()


def tidying_of(deployment: Deployment) -> Tidying | None:
    """That of the machine whose scheduler this is; None where no other one could lead."""
    from retrofill.executors.code import CodeFolders

    on, host = deployment, deployment.host
    if host is None:
        return None
    code = CodeFolders(on.folder.code)
    return Tidying(on.folder.home, lambda: custody_of(on, host), on.runs_folder(), code)


def custody_of(deployment: Deployment, host: str) -> Custody:
    """What a host may let go of, by the ledger and its clock, as of now."""
    from retrofill.services.upkeep.custody import LedgerCustody, Rules

    settings = deployment.settings()
    rules = Rules(settings.retention_days, settings.log_days, settings.auto_log_cap)
    with deployment.store.read() as reader:
        now_ms = reader.hosting.now_ms()
    return LedgerCustody(deployment.store, deployment.graphs(), now_ms, rules, host)
