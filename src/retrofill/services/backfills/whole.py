"""Which instances an act on a whole backfill takes, and whether it can be done: for who does it, and for who asks first."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import RetrofillError, WrongStateError
from retrofill.domain.running.filters import InstanceFilter
from retrofill.domain.running.states import WAITING, State
from retrofill.domain.running.steering import Steer, Verdict, how_to_go_on, judge
from retrofill.domain.texts import Step, Text
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.instances.backfill_status import standing
from retrofill.services.instances.holds import holds_of

if TYPE_CHECKING:
    from retrofill.services.people.access import Access
    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import BackfillRecord


class WholeAct(StrEnum):
    """What people do with all of a backfill."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    RERUN = "rerun"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"

    @property
    def done(self) -> str:
        """As in "nothing can be frozen"."""
        return {"freeze": "frozen", "unfreeze": "unfrozen", "stop": "stopped", "rerun": "rerun"}.get(
            self.value, f"{self.value}d"
        )


class Taken(NamedTuple):
    """The instances from the first to the last id that are in one of these states."""

    first: int
    last: int
    asked: InstanceFilter


def check_may(access: Access, steer: Steer, record: BackfillRecord) -> None:
    """Refuse a pause, resume or stop of all of it to who may not (SEC-4).

    Raises:
        NotPermittedError: naming what.
    """
    refuse = access.check_hold if steer in (Steer.PAUSE, Steer.STOP) else access.check_steer
    refuse(record, steer.value)


def refusals(reader: Reader, access: Access, record: BackfillRecord, now_ms: int) -> dict[str, Text]:
    """What cannot be done with all of it now by who asks, and why; single instances may be refused besides."""
    closed = holds_of([record], instant_of(now_ms)).window_closed
    stands = standing(reader, record, record.id in closed)
    found: dict[str, Text] = {}
    for steer in Steer:
        try:
            if steer is not Steer.RERUN:
                check_may(access, steer, record)
            judge(steer, stands, record.id)
        except RetrofillError as error:
            found[steer.value] = error.text
    return found


def judged(reader: Reader, steer: Steer, record: BackfillRecord, now_ms: int) -> Verdict:
    """Whether a pause, resume or stop of all of it is done, or holds already.

    Raises:
        WrongStateError: it does not fit where the backfill stands.
    """
    holds = holds_of([record], instant_of(now_ms))
    return judge(steer, standing(reader, record, record.id in holds.window_closed), record.id)


def taken_by(
    reader: Reader, record: BackfillRecord, act: WholeAct, now_ms: int, only_failed: bool = False
) -> Taken:
    """The instances that a rerun, freeze or unfreeze of all of it takes (OPS-3, BF-4).

    Raises:
        WrongStateError: it has no instances, or does not stand so that it can be rerun.
    """
    if record.phase == "refused":
        raise WrongStateError(
            f"backfill {record.id} failed its check and has no instances, so it cannot be {act.done}",
            how_to_go_on(record.id),
        )
    if act is WholeAct.RERUN:
        judge(Steer.RERUN, standing(reader, record, False), record.id)
    last = record.first_instance_id + record.stride * len(reader.dates(record.id)) - 1
    states = frozenset(_states(record, act, now_ms, only_failed))
    return Taken(record.first_instance_id, last, InstanceFilter(states=states))


def _states(record: BackfillRecord, act: WholeAct, now_ms: int, only_failed: bool) -> tuple[State, ...]:
    if act is WholeAct.RERUN:
        return (State.FAILED,) if only_failed else (State.FAILED, State.SUCCESSFUL)
    if act is WholeAct.UNFREEZE:
        return (State.FROZEN,)
    # OPS-0: what waits in a held backfill is Not run
    is_held = bool(holds_of([record], instant_of(now_ms)).may_not_start)
    return (State.NOT_RUN, *WAITING) if is_held else (State.NOT_RUN,)


def nothing_of(record: BackfillRecord, taken: Taken, act: WholeAct, sees_all: bool) -> WrongStateError:
    """Why nothing of it can be done."""
    states = taken.asked.states or frozenset()
    words = " or ".join(state.words for state in _IN_WORDS if state in states)
    seen = "" if sees_all else " that you may see"
    held = (
        Text(
            "It is {state}; {resume} lets go on what has not run.",
            state="stopped" if record.stopped else "paused",
            resume=Step("backfill.resume", id=record.id),
        )
        if record.stopped or record.paused
        else None
    )
    return WrongStateError(
        f"backfill {record.id} has no {words} instance{seen}, so nothing can be {act.done}", held
    )


_IN_WORDS = (
    State.FAILED,
    State.SUCCESSFUL,
    State.NOT_RUN,
    State.WAITING_TIME,
    State.WAITING_RESOURCES,
    State.FROZEN,
)
