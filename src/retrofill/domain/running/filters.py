"""What is asked of a ledger: filters as values, which a store turns into its own language.

What is not given asks for nothing; of what is given, all must hold. Named tuples, because every command
imports them, and a dataclass takes nine times as long to make.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from retrofill.domain.running.states import Reason, State

UNFINISHED = frozenset(State) - {State.SUCCESSFUL}


class About(NamedTuple):
    """What one line of a search says of backfills: in the name, its id, or one of these tasks takes part."""

    name_part: str
    id: int | None
    task_ids: Collection[int]


class BackfillFilter(NamedTuple):
    """Which backfills (BF-1).

    Attributes:
        name_part: is in its name, in whatever case.
        bizdates: first and last (ISO); one of these at least is among its own.
        tasks: groups of full names; one task at least of each group takes part.
        created_from_ms: created then or later.
        created_before_ms: created earlier.
        about: one of what it says holds.
        is_open: whether it has not ended; None: whether or not.
        ids: one of these.
        ended_from_ms: has ended, then or later.
        is_stuck: has ended, and what is neither Successful, Failed nor Frozen is left of it.
    """

    name_part: str | None = None
    created_by: str | None = None
    check_status: str | None = None
    phase: str | None = None
    bizdates: tuple[str, str] | None = None
    tasks: Sequence[Collection[str]] = ()
    created_from_ms: int | None = None
    created_before_ms: int | None = None
    about: About | None = None
    is_open: bool | None = None
    ids: Collection[int] | None = None
    ended_from_ms: int | None = None
    is_stuck: bool = False


class InstanceFilter(NamedTuple):
    """Which instances.

    Attributes:
        states: one of these, as the ledger has it; None: any.
        task_ids: of one of these tasks; None: of any.
        but_reason: there may be a reason, but not this one.
    """

    states: frozenset[State] | None = None
    task_ids: frozenset[int] | None = None
    backfill_id: int | None = None
    but_reason: Reason | None = None
    due_before_ms: int | None = None


class OperationFilter(NamedTuple):
    """Which operations of the record (OPS-8)."""

    user: str | None = None
    action: str | None = None
    backfill_id: int | None = None
    instance_id: int | None = None
    task_id: int | None = None


ALL_BACKFILLS = BackfillFilter()
ALL_INSTANCES = InstanceFilter()
READY = InstanceFilter(states=frozenset({State.WAITING_RESOURCES}))
FAILED = InstanceFilter(states=frozenset({State.FAILED}))
FAILED_BY_THEMSELVES = InstanceFilter(states=frozenset({State.FAILED}), but_reason=Reason.SIBLING_FAILED)
