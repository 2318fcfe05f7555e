"""What people can do to a whole backfill, by where it stands (BF-3, OPS-1, OPS-8).

Rule 1: whatever decides whether a backfill can be paused, resumed, stopped or changed lives
here, as one table. The reference page and the tests of every case are made from it.
"""

from __future__ import annotations

from enum import StrEnum

from retrofill.domain.errors import WrongStateError
from retrofill.domain.running.status import Status
from retrofill.domain.texts import Step, Text


class BackfillSituation(StrEnum):
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
    BackfillSituation.CHECKING: "its checks have not answered yet",
    BackfillSituation.REFUSED: "a check failed, so it has no instances",
    BackfillSituation.STARTING: "its instances are being made (SEL-4)",
    BackfillSituation.RUNNING: "an instance runs",
    BackfillSituation.PAUSING: "paused, and an instance still runs",
    BackfillSituation.STOPPING: "stopped, and an instance still runs",
    BackfillSituation.PAUSED: "nothing starts until it is resumed",
    BackfillSituation.STOPPED: "stopped, and nothing runs any more",
    BackfillSituation.SUCCEEDED: "all instances are Successful",
    BackfillSituation.WAITING_RESOURCES: "something only lacks a slot",
    BackfillSituation.PENDING: "something starts by itself later, or its instances are made later (SEL-4)",
    BackfillSituation.FAILED: "not all are Successful, and nothing can start without a person",
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
_ROWS: dict[BackfillSituation, tuple[Verdict, ...]] = {
    # A standing:              pause, resume, stop, change, rerun
    # A held one of these still stands here, so a resume is always carried out.
    BackfillSituation.CHECKING:          (_D, _D, _D, _R, _R),
    BackfillSituation.REFUSED:           (_R, _R, _R, _R, _R),
    BackfillSituation.STARTING:          (_D, _D, _D, _R, _R),
    BackfillSituation.RUNNING:           (_D, _U, _D, _D, _D),
    BackfillSituation.PAUSING:           (_U, _D, _D, _D, _D),
    BackfillSituation.STOPPING:          (_R, _D, _D, _D, _D),
    BackfillSituation.PAUSED:            (_U, _D, _D, _D, _D),
    # What has ended starts nothing that a pause could hold back. A stopped or failed one goes on after a
    # resume or a rerun, so its settings matter; of one that has succeeded nothing is left to come. A rerun
    # takes a stop back where there is something to rerun (OPS-2), and leaves a pause.
    BackfillSituation.STOPPED:           (_R, _D, _R, _D, _D),
    BackfillSituation.SUCCEEDED:         (_R, _U, _R, _R, _D),
    BackfillSituation.WAITING_RESOURCES: (_D, _U, _D, _D, _D),
    BackfillSituation.PENDING:           (_D, _U, _D, _D, _D),
    BackfillSituation.FAILED:            (_R, _U, _R, _D, _D),
}  # fmt: skip
STEERING: dict[tuple[Steer, BackfillSituation], Verdict] = {
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
    BackfillSituation.STOPPING: "has been stopped already",
    BackfillSituation.STOPPED: "has been stopped already",
    BackfillSituation.SUCCEEDED: "has succeeded",
    BackfillSituation.FAILED: "has failed, and nothing of it starts by itself",
    BackfillSituation.REFUSED: "failed its check and has no instances",
}
_MOMENT = {
    BackfillSituation.CHECKING: "its checks have not answered yet",
    BackfillSituation.STARTING: "its instances are just being made",
}


def situation_of(status: Status, phase: str, is_paused: bool, is_stopped: bool) -> BackfillSituation:
    """Where a backfill stands.

    Args:
        status: by BF-5.
        phase: as the ledger says: checking, refused, planned, creating or active.
    """
    by_phase = {
        "refused": BackfillSituation.REFUSED,
        "checking": BackfillSituation.CHECKING,
        "creating": BackfillSituation.STARTING,
    }
    if phase in by_phase:
        return by_phase[phase]
    if status is Status.RUNNING and is_stopped:
        return BackfillSituation.STOPPING
    if status is Status.RUNNING and is_paused:
        return BackfillSituation.PAUSING
    return BackfillSituation(status.value)


def judge(steer: Steer, standing: BackfillSituation, backfill_id: int) -> Verdict:
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


def _hint(standing: BackfillSituation, backfill_id: int) -> Text:
    if standing is BackfillSituation.REFUSED:
        return how_to_go_on(backfill_id)
    if standing in (BackfillSituation.STOPPED, BackfillSituation.STOPPING):
        return Text("{resume} lets it go on.", resume=Step("backfill.resume", id=backfill_id))
    return Text("{rerun} runs it again.", rerun=Step("backfill.rerun", id=backfill_id))


def how_to_go_on(backfill_id: int) -> Text:
    """The hint for a backfill that verification or an extension check refused (VER-2, VER-3)."""
    return Text(
        "Mend what {analysis} shows and create it anew, with dates and policy as before; {anew} accepts what "
        "verification found, but not a failed extension check.",
        analysis=Step("backfill.analysis", id=backfill_id),
        anew=Step("backfill.create", reuse=backfill_id, allow_risks=True),
    )
