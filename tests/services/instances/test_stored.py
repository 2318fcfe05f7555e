"""What a record's texts hold: decoded once, equal to what was stored."""

from __future__ import annotations

import json

import pytest

from contracts.ledgers import BACKFILL
from retrofill.domain.planning.policy import Alert, AlertMethod, AlertTrigger, Policy
from retrofill.domain.selection.choice import Choice, DryRunReason
from retrofill.domain.selection.ways import AllDescendantsSelection, LinkSelection, ManualSelection, Selection
from retrofill.domain.time.bizdates import parse_range
from retrofill.domain.time.windows import parse_window
from retrofill.services.instances import stored
from retrofill.services.ports.records import BackfillRecord

POLICY = Policy(
    ranges=(parse_range("2026-01-05..2026-01-07"),),
    window=parse_window("00:00-08:00", "UTC", False),
    alert=Alert(AlertTrigger.FAILURE, AlertMethod.EMAIL),
    max_failures=3,
)
CHOICE = Choice(("w.a", "w.b", "w.c"), {"w.b": DryRunReason.BLACKLISTED})


def record(policy: Policy, choice: Choice = CHOICE) -> BackfillRecord:
    return BACKFILL._replace(policy=stored.text_of(policy), choice=stored.text_of(choice))


def test_what_was_stored_comes_out() -> None:
    """BF-2: policy, choice, and what is asked of them alone."""
    one = record(POLICY)
    assert (stored.policy_of(one), stored.choice_of(one)) == (POLICY, CHOICE)
    assert (stored.window_of(one), stored.alert_of(one), stored.max_failures_of(one)) == (
        POLICY.window,
        POLICY.alert,
        3,
    )
    assert stored.running_tasks_of(one) == ["w.a", "w.c"]
    assert dict(stored.dry_runs_of(one)) == {"w.b": "blacklisted"}


def test_what_is_not_asked_for_is_none() -> None:
    one = record(Policy(ranges=POLICY.ranges))
    assert (stored.window_of(one), stored.alert_of(one), stored.max_failures_of(one)) == (None, None, None)


@pytest.mark.parametrize(
    "selection",
    [ManualSelection(("w.a",)), LinkSelection("w.a", "w.b"), AllDescendantsSelection("w.a", ("w.b",))],
)
def test_selections(selection: Selection) -> None:
    """SEL-9."""
    assert stored.selection_of(BACKFILL._replace(selection=stored.text_of(selection))) == selection


def test_a_text_is_decoded_once() -> None:
    """However often the record is read again, and by whatever record holds the same text."""
    first, again = record(POLICY), record(POLICY)._replace(id=7)
    assert stored.policy_of(again) is stored.policy_of(first)
    assert stored.analysis_of(again) is stored.analysis_of(first)
    assert stored.policy_of(record(Policy(ranges=POLICY.ranges))) != POLICY


def test_nobody_changes_what_all_share() -> None:
    analysis = stored.analysis_of(BACKFILL._replace(analysis='{"groups": [["2026-01-05"], ["2026-01-06"]]}'))
    with pytest.raises(TypeError):
        analysis["groups"] = []  # type: ignore[index]
    one = BACKFILL._replace(analysis=stored.text_of({**analysis, "findings": []}))
    assert stored.planned_dates_of(one) == ["2026-01-05", "2026-01-06"]
    assert json.loads(one.analysis)["findings"] == []
