"""Who schedules a store: of all that could, one leads; the others stand by.

What every adapter keeps, so that work is never started twice, whatever dies, stands still or cannot be reached:

- At most one process leads at any moment. A term ends when its holder resigns or dies; where machines share a
  store, also when it was not renewed in time, by the clock of what issues terms, not by that of a machine.
- Whoever leads knows by itself that it may have lost the term (`lost`), without asking anybody: a process
  that stood still, or cannot reach what issues terms, must know before anybody else can have been given one.
- What the leader writes is written in its term: `check` is the first thing in the transaction of every tick, and
  breaks it off where somebody else leads by now, or nobody. With that, counts of what is open may be kept
  from one tick to the next (`GraphCache`, `Slots`): whoever else writes shows in `others_commits`.
- A holder is told apart by a word of its own, never by the name of a machine, which others may have, too.
- It may be asked who leads at any time, by any process, also while nobody leads.

The embedded store's adapter is a flock, which the kernel takes from a process that dies; nothing is to be renewed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from retrofill.domain.errors import WrongStateError

if TYPE_CHECKING:
    from retrofill.services.ports.ledger import Ledger


class NotLeadingError(WrongStateError):
    """Running instances run on; whoever schedules next takes them over."""

    code = "not_leading"


class SchedulerRunsError(WrongStateError):
    """One scheduler serves a project; stop that one first if you want it to run here."""

    code = "scheduler_runs"


class Leader(NamedTuple):
    """Who leads; `pid` is 0 and `since_ms` None where that cannot be told."""

    host: str
    pid: int
    since_ms: int | None
    starts_auto: bool  # and not only instances of backfills

    @property
    def as_process(self) -> str:
        """`as process 7`, or nothing where that is not known."""
        return f"as process {self.pid}" if self.pid else ""

    def starts(self, auto: bool) -> bool:
        """Whether it starts backfill instances, or auto triggered ones if `auto`."""
        return self.starts_auto or not auto


class Leadership(Protocol):
    """One process's part in it."""

    def lead(self, auto: bool = False) -> bool:
        """Try to lead; whether this process does from now on. Never waits.

        Args:
            auto: whether it starts auto triggered instances, too.
        """
        ...

    def renew(self) -> int | None:
        """Go on leading: called by whoever leads between its ticks.

        Returns:
            After how many milliseconds it is to be renewed again at the latest, None where time does not matter.
        """
        ...

    def lost(self) -> str | None:
        """Why a term that this process had may be over, a sentence; None while it goes on. Asks nobody else."""
        ...

    def check(self, tx: Ledger) -> None:
        """Make sure, in a transaction, that what it writes is written by who leads.

        Raises:
            NotLeadingError: this process does not lead any more.
        """
        ...

    def leader(self) -> Leader | None:
        """Who leads now, None where nobody does."""
        ...

    def wish(self) -> None:
        """Let a leader give way who starts no auto triggered instances: this process would. Said again while it waits."""
        ...

    def resign(self) -> None:
        """Let somebody else lead; without any effect where this process does not."""
        ...

    def serve(self) -> bool:
        """See to the runs of this machine without leading; whether no other process of this machine does."""
        ...

    def step_down(self) -> None:
        """Let somebody else lead, and go on seeing to the runs of this machine."""
        ...
