"""What has become of many instances at once: by their ids, and of auto triggered ones by bizdate and task."""

from __future__ import annotations

from contracts.ledgers import INSTANCE, fill, in_state
from retrofill.domain.running.states import State
from retrofill.services.ports import Store
from retrofill.services.ports.records import Outcome

DONE = in_state(State.SUCCESSFUL, 1, started_ms=5, ended_ms=7)
OFF = in_state(State.SUCCESSFUL, 2, slot=120, kind="off_day", ended_ms=8)


def outcome(row: object, number: int) -> Outcome:
    values = row._asdict() | {"id": number}  # type: ignore[attr-defined]
    return Outcome(*(values[name] for name in Outcome._fields))


def test_outcomes_by_id(store: Store) -> None:
    """BF-2: of those that exist, whatever backfill they are of."""
    fill(store, DONE, OFF)
    with store.read() as reader:
        assert sorted(reader.outcomes([2, 1, 99])) == [outcome(DONE, 1), outcome(OFF, 2)]
        assert reader.outcomes([]) == []


def test_outcomes_of_auto_triggered_instances(store: Store) -> None:
    """AUTO-1: of these tasks on these bizdates, and nothing of a backfill."""
    fill(store, DONE)
    other = INSTANCE._replace(backfill_id=None, bizdate="2026-01-06")
    autos = [
        DONE._replace(id=11, backfill_id=None),
        OFF._replace(id=12, backfill_id=None),
        other._replace(id=13),
        other._replace(id=14, bizdate="2026-01-07"),
        other._replace(id=15, task_id=2),
    ]
    with store.transaction() as tx:
        tx.set_deployed("task", ["w.a", "w.b"])
        tx.add_instances(autos)
    with store.read() as reader:
        generations = reader.generations
        found = generations.outcomes(["2026-01-05", "2026-01-06"], [1])
        assert sorted(one.id for one in found) == [11, 12, 13]
        assert outcome(DONE, 11) in found
        assert [one.id for one in generations.outcomes(["2026-01-06"], [2, 3])] == [15]
        assert generations.outcomes(["2026-01-04"], [1, 2]) == []


def test_when_runs_held_slots_of_a_group(store: Store) -> None:
    """RUN-1: those of a range that ran since then, and those that run on; of other groups none."""
    rows = [in_state(State.SUCCESSFUL, number, slot=number, started_ms=1, ended_ms=2) for number in (1, 2, 3)]
    fill(store, rows[0], rows[1]._replace(state="running"), rows[2]._replace(resource_group="other"))
    with store.transaction() as tx:
        tx.start([(2, 1, "token")], "boot", 50)
    with store.read() as reader:
        assert reader.spans("default", 1, 9, 0, -1) == [(50, None)]
        assert reader.spans("default", 3, 9, 0, -1) == []
        assert reader.spans("other", 1, 9, 0, -1) == []
