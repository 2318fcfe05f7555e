"""What became of what somebody asked for: one value an item, so that one refusal hinders no other (OPS-8)."""

from __future__ import annotations

from dataclasses import dataclass

from retrofill.domain.errors import RetrofillError
from retrofill.domain.planning.changes import Difference
from retrofill.domain.texts import Text


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one instance of a batch; `error` is None where it was done (or held already).

    `note` is what to know besides of one that was done.
    """

    id: int
    state: str | None
    error: RetrofillError | None = None
    unchanged: bool = False
    note: Text = Text("")  # noqa: RUF009 (it is a value)

    @property
    def ok(self) -> bool:
        return self.error is None


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What became of one task; `error` is None where it was done, or held already.

    `frozen` says how the task stands now: what is made of it from now on is frozen or not.
    """

    task: str
    frozen: bool
    error: RetrofillError | None = None
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class StopResult:
    """The runs that the stop of a backfill ends; not whole: what the actor may not operate goes on (SEC-4)."""

    items: tuple[ItemResult, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """What differs since a change, nothing where all of it held already; and what is to be known besides."""

    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
