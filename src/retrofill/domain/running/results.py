"""What became of what somebody asked for: one value an item, so that one refusal hinders no other (OPS-8).

Named tuples, because commands that only look import them, too, and a dataclass takes nine times as long to make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import RetrofillError
from retrofill.domain.texts import Text

if TYPE_CHECKING:
    from retrofill.domain.planning.changes import Difference


class ItemResult(NamedTuple):
    """What became of one instance of a batch; `error` is None where it was done (or held already).

    `note` is what to know besides of one that was done.
    """

    id: int
    state: str | None
    error: RetrofillError | None = None
    unchanged: bool = False
    note: Text = Text("")

    @property
    def ok(self) -> bool:
        return self.error is None


class TaskResult(NamedTuple):
    """What became of one task; `error` is None where it was done, or held already.

    `frozen` says how the task stands now: what is made of it from now on is frozen or not.
    """

    task: str
    frozen: bool
    error: RetrofillError | None = None
    unchanged: bool = False


class StopResult(NamedTuple):
    """The runs that the stop of a backfill ends; not whole: what the actor may not operate goes on (SEC-4)."""

    items: tuple[ItemResult, ...]
    is_whole: bool


class ChangeReport(NamedTuple):
    """What differs since a change, nothing where all of it held already; and what is to be known besides."""

    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()


class RefusedTogetherError(RetrofillError):
    """Leave out the instance that the message names, or mend what hinders it; nothing was done to the others."""

    def __init__(self, item_id: int, error: RetrofillError) -> None:
        self.item_id = item_id
        self.code, self.kind = error.code, error.kind
        super().__init__(error.text, error.hint)
