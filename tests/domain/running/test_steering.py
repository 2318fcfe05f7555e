"""The table of what people can do to a whole backfill."""

from __future__ import annotations

import pytest

from retrofill.domain.errors import Kind, WrongStateError
from retrofill.domain.running.status import Status
from retrofill.domain.running.steering import (
    FLAGS,
    STEERING,
    BackfillSituation,
    Steer,
    Verdict,
    judge,
    situation_of,
)


def test_the_table_leaves_no_case_out() -> None:
    """BF-3, OPS-8."""
    assert set(STEERING) == {(steer, standing) for steer in Steer for standing in BackfillSituation}


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("phase", ["checking", "refused", "planned", "creating", "active"])
def test_every_status_has_a_standing(status: Status, phase: str) -> None:
    """BF-5: the phase first, since in it there may be no instances."""
    found = situation_of(status, phase, is_paused=False, is_stopped=False)
    by_phase = {"checking": "checking", "refused": "refused", "creating": "starting"}
    assert found.value == by_phase.get(phase, status.value)


def test_what_still_runs_tells_a_pause_and_a_stop_apart() -> None:
    """BF-3: a second pause changes nothing, a resume does."""
    assert situation_of(Status.RUNNING, "active", True, False) is BackfillSituation.PAUSING
    assert situation_of(Status.RUNNING, "active", False, True) is BackfillSituation.STOPPING
    assert judge(Steer.PAUSE, BackfillSituation.PAUSING, 1) is Verdict.UNCHANGED
    assert judge(Steer.RESUME, BackfillSituation.STOPPING, 1) is Verdict.DONE


@pytest.mark.parametrize(("steer", "standing"), [case for case, v in STEERING.items() if v == "refused"])
def test_a_refusal_is_one_sentence_with_a_hint(steer: Steer, standing: BackfillSituation) -> None:
    """BF-3, OPS-1: it names the backfill, where it stands and what was asked."""
    with pytest.raises(WrongStateError) as caught:
        judge(steer, standing, 7)
    message = caught.value.message
    assert message.startswith("backfill 7 ")
    assert steer.value in message
    assert message.count(".") == 0
    assert caught.value.hint
    assert caught.value.kind is Kind.WRONG_STATE


def test_a_stop_takes_the_place_of_a_pause() -> None:
    """OPS-1: a backfill is never both."""
    assert FLAGS[Steer.STOP] == {"paused": 0, "stopped": 1, "paused_by": None}
    assert FLAGS[Steer.RESUME] == {"paused": 0, "stopped": 0, "paused_by": None, "failures": 0}
