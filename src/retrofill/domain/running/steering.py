"""What people can do to a whole backfill, by where it stands (BF-3, OPS-1, OPS-8).

Rule 1: whatever decides whether a backfill can be paused, resumed, stopped or changed lives
here, as one table. The reference page and the tests of every case are made from it.
"""

from __future__ import annotations

from enum import StrEnum

from retrofill.domain.errors import WrongStateError
from retrofill.domain.running.status import Status


class Standing(StrEnum):
    """Where a backfill stands: its status (BF-5), told apart where operations differ."""

    CHECKING = "checking"
    REFUSED = "refused"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    STOPPING = "stopping"
    PAUSED = "paused"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    WAITING_RESOURCES = "waiting_resources"
    PENDING = "pending"
    FAILED = "failed"

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    Standing.CHECKING: "its checks have not answered yet",
    Standing.REFUSED: "a check failed, so it has no instances",
    Standing.STARTING: "its instances are being made (SEL-4)",
    Standing.RUNNING: "an instance runs",
    Standing.PAUSING: "paused, and an instance still runs",
    Standing.STOPPING: "stopped, and an instance still runs",
    Standing.PAUSED: "nothing starts until it is resumed",
    Standing.STOPPED: "stopped, and nothing runs any more",
    Standing.SUCCEEDED: "all instances are Successful",
    Standing.WAITING_RESOURCES: "something only lacks a slot",
    Standing.PENDING: "something starts by itself later, or its instances are made later (SEL-4)",
    Standing.FAILED: "not all are Successful, and nothing can start without a person",
}


class Steer(StrEnum):
    """What people ask of a whole backfill."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    CHANGE = "change"
    RERUN = "rerun"

    @property
    def done(self) -> str:
        """As in "it cannot be paused"."""
        return {"stop": "stopped", "rerun": "rerun"}.get(self.value, f"{self.value}d")


class Verdict(StrEnum):
    """What comes of it."""

    DONE = "done"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


_D, _U, _R = Verdict.DONE, Verdict.UNCHANGED, Verdict.REFUSED
_ROWS: dict[Standing, tuple[Verdict, ...]] = {
    # A standing:              pause, resume, stop, change, rerun
    # A held one of these still stands here, so a resume is always carried out.
    Standing.CHECKING:          (_D, _D, _D, _R, _R),
    Standing.REFUSED:           (_R, _R, _R, _R, _R),
    Standing.STARTING:          (_D, _D, _D, _R, _R),
    Standing.RUNNING:           (_D, _U, _D, _D, _D),
    Standing.PAUSING:           (_U, _D, _D, _D, _D),
    Standing.STOPPING:          (_R, _D, _D, _D, _D),
    Standing.PAUSED:            (_U, _D, _D, _D, _D),
    # What has ended starts nothing that a pause could hold back. A stopped or failed one goes on after a
    # resume or a rerun, so its settings matter; of one that has succeeded nothing is left to come. A rerun
    # takes a stop back where there is something to rerun (OPS-2), and leaves a pause.
    Standing.STOPPED:           (_R, _D, _R, _D, _D),
    Standing.SUCCEEDED:         (_R, _U, _R, _R, _D),
    Standing.WAITING_RESOURCES: (_D, _U, _D, _D, _D),
    Standing.PENDING:           (_D, _U, _D, _D, _D),
    Standing.FAILED:            (_R, _U, _R, _D, _D),
}  # fmt: skip
STEERING: dict[tuple[Steer, Standing], Verdict] = {
    (steer, standing): verdict
    for standing, row in _ROWS.items()
    for steer, verdict in zip(Steer, row, strict=True)
}

# What is set on the backfill: a stop takes the place of a pause, a resume takes back both, and failures are
# counted anew (POL-14).
FLAGS: dict[Steer, dict[str, int | None]] = {
    Steer.PAUSE: {"paused": 1},
    Steer.RESUME: {"paused": 0, "stopped": 0, "paused_by": None, "failures": 0},
    Steer.STOP: {"paused": 0, "stopped": 1, "paused_by": None},
    Steer.RERUN: {"stopped": 0, "failures": 0},
}

_ENDED = {
    Standing.STOPPING: "has been stopped already",
    Standing.STOPPED: "has been stopped already",
    Standing.SUCCEEDED: "has succeeded",
    Standing.FAILED: "has failed, and nothing of it starts by itself",
    Standing.REFUSED: "failed its check and has no instances",
}
_MOMENT = {
    Standing.CHECKING: "its checks have not answered yet",
    Standing.STARTING: "its instances are just being made",
}


def standing_of(status: Status, phase: str, is_paused: bool, is_stopped: bool) -> Standing:
    """Where a backfill stands.

    Args:
        status: by BF-5.
        phase: as the ledger says: checking, refused, planned, creating or active.
    """
    by_phase = {
        "refused": Standing.REFUSED,
        "checking": Standing.CHECKING,
        "creating": Standing.STARTING,
    }
    if phase in by_phase:
        return by_phase[phase]
    if status is Status.RUNNING and is_stopped:
        return Standing.STOPPING
    if status is Status.RUNNING and is_paused:
        return Standing.PAUSING
    return Standing(status.value)


def judge(steer: Steer, standing: Standing, backfill_id: int) -> Verdict:
    """Whether it is done, or holds already.

    Raises:
        WrongStateError: it does not fit; one sentence says why, the hint what does.
    """
    verdict = STEERING[steer, standing]
    if verdict is not Verdict.REFUSED:
        return verdict
    if standing in _MOMENT:
        raise WrongStateError(
            f"backfill {backfill_id} cannot be {steer.done} now: {_MOMENT[standing]}",
            "Try again in a moment.",
        )
    raise WrongStateError(
        f"backfill {backfill_id} {_ENDED[standing]}, so there is nothing to {steer.value}",
        _hint(standing, backfill_id),
    )


def _hint(standing: Standing, backfill_id: int) -> str:
    if standing is Standing.REFUSED:
        return how_to_go_on(backfill_id)
    if standing in (Standing.STOPPED, Standing.STOPPING):
        return f"`retrofill backfill resume {backfill_id}` lets it go on."
    return f"`retrofill backfill rerun {backfill_id}` runs it again."


def how_to_go_on(backfill_id: int) -> str:
    """The hint for a backfill that verification or an extension check refused (VER-2, VER-3)."""
    return (
        f"Mend what `retrofill backfill analysis {backfill_id}` shows and create it anew, with dates and policy as "
        f"before; `retrofill backfill create --reuse {backfill_id} --allow-risks` accepts what verification found, "
        "but not a failed extension check."
    )
