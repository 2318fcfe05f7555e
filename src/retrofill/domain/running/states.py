"""The state machine of instances: one table of moves, from which all else is made.

Rule 1: whatever decides which move is legal lives here. The database's CHECKs, the diagram
in the docs and the tests of every wrong state come from `MOVES`. A state says where an
instance is, a reason says why; no move depends on a reason.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from retrofill.domain.errors import WrongStateError


class State(StrEnum):
    """Where an instance is (chapter 10 of the rules)."""

    NOT_RUN = "not_run"
    WAITING_TIME = "waiting_time"
    WAITING_RESOURCES = "waiting_resources"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    FROZEN = "frozen"

    @property
    def words(self) -> str:
        return _WORDS[self]

    @property
    def means(self) -> str:
        """For people who look it up."""
        return _MEANINGS[self]


_WORDS = {
    State.NOT_RUN: "Not run",
    State.WAITING_TIME: "Waiting (for scheduled time)",
    State.WAITING_RESOURCES: "Waiting (for resources)",
    State.RUNNING: "Running",
    State.SUCCESSFUL: "Successful",
    State.FAILED: "Failed",
    State.FROZEN: "Frozen",
}
_MEANINGS = {
    State.NOT_RUN: "a wait is open, its group has not reached its bizdate, the window is closed, or the backfill is "
    "paused or stopped, or the schedule is paused",
    State.WAITING_TIME: "everything holds but its time (or a rerun's interval), which lies ahead",
    State.WAITING_RESOURCES: "only a free slot is missing, or its task's `max_parallel_instances` is reached, or an auto "
    "triggered instance of its task goes first, or another instance of the same task and time runs; or it could not be started "
    "and is tried again (`not_started`)",
    State.RUNNING: "from the commit that starts it until its exit is known, also while it is being stopped",
    State.SUCCESSFUL: "its code ended with exit status 0, or it passed without running",
    State.FAILED: "its last run failed, was stopped, timed out or got lost, or a sibling failed",
    State.FROZEN: "held by a person, or made from a frozen task; holds up what depends on it",
}

WAITING = frozenset({State.WAITING_TIME, State.WAITING_RESOURCES})
NOT_STARTED = WAITING | {State.NOT_RUN}


class Reason(StrEnum):
    """Why an instance is where it is. Informs people; nothing is decided by it."""

    DRY_RUN = "dry_run"
    OFF_DAY = "off_day"
    SET_SUCCESSFUL = "set_successful"
    STOPPED = "stopped"
    STOPPING = "stopping"
    TIMEOUT = "timeout"
    SIBLING_FAILED = "sibling_failed"
    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    NOT_STARTED = "not_started"
    LOST = "lost"
    ISOLATED = "isolated"
    RERUN_INTERVAL = "rerun_interval"
    YIELDED_TO_AUTO = "yielded_to_auto"

    @property
    def means(self) -> str:
        """For people who look it up."""
        return _REASONS[self]


_REASONS = {
    Reason.DRY_RUN: "passed without running: an intermediate, blacklisted or dry-run task",
    Reason.OFF_DAY: "passed without running: its schedule leaves this date out",
    Reason.SET_SUCCESSFUL: "a person set it successful",
    Reason.STOPPED: "a person stopped it",
    Reason.STOPPING: "it is being stopped",
    Reason.TIMEOUT: "it ran longer than its task's timeout",
    Reason.SIBLING_FAILED: "another instance of the same task and bizdate failed for good before it started",
    Reason.EXIT_CODE: "its code ended with another exit status than 0",
    Reason.SIGNAL: "a signal ended its main process",
    Reason.NOT_STARTED: "it could not be started: Failed where a secret is missing, else it waits and is tried again",
    Reason.LOST: "its supervisor was killed, or the machine went down: whether its work was done is not known",
    Reason.ISOLATED: "every slot of an upstream that it waits for was left out: it can never run",
    Reason.RERUN_INTERVAL: "its run failed, and an automatic rerun follows",
    Reason.YIELDED_TO_AUTO: "it made way for the auto triggered instance of the same task and time",
}


PAUSES = frozenset({Reason.RERUN_INTERVAL, Reason.NOT_STARTED})
"""RUN-3: why an instance waits before it runs again; gone when it is ready."""

LEAVING = frozenset({Reason.STOPPING, Reason.YIELDED_TO_AUTO})
"""OPS-1, RUN-5: why what runs is being ended."""


class Move(StrEnum):
    """What can happen to an instance."""

    WAIT_FOR_TIME = "wait_for_time"
    WAIT_FOR_RESOURCES = "wait_for_resources"
    WITHDRAW = "withdraw"
    PASS = "pass"  # noqa: S105
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    RERUN_BY_ITSELF = "rerun_by_itself"
    START_ANEW = "start_anew"
    MAKE_WAY = "make_way"
    FAIL_WITH_SIBLING = "fail_with_sibling"
    RESTORE_SIBLING = "restore_sibling"
    STOP = "stop"
    RERUN = "rerun"
    SET_SUCCESSFUL = "set_successful"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"


@dataclass(frozen=True, slots=True)
class Rule:
    """A move: from which states, to which ones, whether a person asks for it, by which rule.

    `reason` is the one that it always gives; None where it depends on the case, or where it gives none.
    """

    sources: frozenset[State]
    targets: frozenset[State]
    by_person: bool
    source: str
    reason: Reason | None = None


def _rule(
    sources: Collection[State],
    targets: Collection[State],
    source: str,
    by_person: bool = False,
    reason: Reason | None = None,
) -> Rule:
    return Rule(frozenset(sources), frozenset(targets), by_person, source, reason)


_S = State
MOVES: dict[Move, Rule] = {
    Move.WAIT_FOR_TIME: _rule({_S.NOT_RUN}, {_S.WAITING_TIME}, "OPS-0"),
    Move.WAIT_FOR_RESOURCES: _rule({_S.NOT_RUN, _S.WAITING_TIME}, {_S.WAITING_RESOURCES}, "OPS-0"),
    Move.WITHDRAW: _rule(WAITING, {_S.NOT_RUN}, "OPS-0"),
    Move.PASS: _rule(NOT_STARTED, {_S.SUCCESSFUL}, "RUN-2"),
    Move.START: _rule({_S.WAITING_RESOURCES}, {_S.RUNNING}, "RUN-1"),
    Move.SUCCEED: _rule({_S.RUNNING}, {_S.SUCCESSFUL}, "RUN-1"),
    Move.FAIL: _rule({_S.RUNNING}, {_S.FAILED}, "RUN-3"),
    Move.RERUN_BY_ITSELF: _rule({_S.RUNNING}, {_S.NOT_RUN}, "RUN-3", reason=Reason.RERUN_INTERVAL),
    Move.START_ANEW: _rule({_S.RUNNING}, {_S.NOT_RUN}, "RUN-3", reason=Reason.NOT_STARTED),
    Move.MAKE_WAY: _rule({_S.RUNNING}, {_S.NOT_RUN}, "RUN-5", reason=Reason.YIELDED_TO_AUTO),
    Move.FAIL_WITH_SIBLING: _rule(NOT_STARTED, {_S.FAILED}, "POL-7", reason=Reason.SIBLING_FAILED),
    Move.RESTORE_SIBLING: _rule({_S.FAILED}, {_S.NOT_RUN}, "POL-7"),
    Move.STOP: _rule({_S.RUNNING}, {_S.FAILED}, "OPS-1", by_person=True),
    Move.RERUN: _rule({_S.SUCCESSFUL, _S.FAILED}, {_S.NOT_RUN}, "OPS-2", by_person=True),
    Move.SET_SUCCESSFUL: _rule(
        {_S.FAILED}, {_S.SUCCESSFUL}, "OPS-5", by_person=True, reason=Reason.SET_SUCCESSFUL
    ),
    Move.FREEZE: _rule({_S.NOT_RUN, _S.SUCCESSFUL, _S.FAILED}, {_S.FROZEN}, "OPS-6", by_person=True),
    Move.UNFREEZE: _rule({_S.FROZEN}, {_S.NOT_RUN, _S.SUCCESSFUL, _S.FAILED}, "OPS-6", by_person=True),
}

CHANGEABLE = NOT_STARTED | {State.FAILED, State.FROZEN}
"""OPS-7: where waits, priority and resource group of one instance still decide something."""

_DONE = {
    Move.STOP: "stopped",
    Move.RERUN: "rerun",
    Move.SET_SUCCESSFUL: "set successful",
    Move.FREEZE: "frozen",
    Move.UNFREEZE: "unfrozen",
}


def is_legal(move: Move, state: State) -> bool:
    """Whether an instance in this state can make this move."""
    return state in MOVES[move].sources


def check(move: Move, state: State, what: str) -> None:
    """Refuse an operation that does not fit the state (OPS-1..6).

    Args:
        what: names the instance in the sentence.

    Raises:
        WrongStateError: the state is none of those that the move starts from.
    """
    if is_legal(move, state):
        return
    allowed = " or ".join(s.words for s in State if s in MOVES[move].sources)
    raise WrongStateError(f"{what} is {state.words}; only {allowed} instances can be {_DONE[move]}")


def check_changeable(state: State, what: str) -> None:
    """Refuse an emergency change that would change nothing any more (OPS-7).

    Raises:
        WrongStateError: the instance runs, or has succeeded.
    """
    if state not in CHANGEABLE:
        raise WrongStateError(
            f"{what} is {state.words}; its waits, priority and resource group matter only before a run",
            "Stop or rerun it first, if it is to run in another way.",
        )
