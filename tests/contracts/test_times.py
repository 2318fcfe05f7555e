"""What every store remembers of run times."""

from __future__ import annotations

import pytest

from contracts.ledgers import fill
from retrofill.domain.estimating.run_times import KEPT
from retrofill.services.ports import Store


@pytest.fixture
def deployed(store: Store) -> Store:
    """A store that knows two tasks."""
    with store.transaction() as tx:
        tx.add_version("{}", 1, "admin")
        tx.set_deployed("task", ["w.a", "w.b"])
    return store


def test_run_times_are_remembered_by_task(deployed: Store) -> None:
    """BF-2: oldest first; a task without a run is left out."""
    with deployed.transaction() as tx:
        a, b = (tx.task_ids()[name] for name in ("w.a", "w.b"))
        tx.times.add({a: [10, 20]}, 1)
        tx.times.add({a: [30]}, 2)
    with deployed.read() as reader:
        assert reader.times.recent([a, b]) == {a: [10, 20, 30]}
        assert reader.times.recent([b, 99]) == {}


def test_only_the_latest_are_remembered(deployed: Store) -> None:
    with deployed.transaction() as tx:
        a = tx.task_ids()["w.a"]
        tx.times.add({a: list(range(KEPT))}, 1)
        tx.times.add({a: [1_000]}, 2)
    with deployed.read() as reader:
        assert reader.times.recent([a])[a] == [*range(1, KEPT), 1_000]


def test_a_first_estimate_lies_with_its_backfill(deployed: Store) -> None:
    number = fill(deployed)
    with deployed.read() as reader:
        assert reader.figures([number])[number].first_estimate is None
    with deployed.transaction() as tx:
        tx.times.set_first_estimate(number, '{"seconds": 1}')
    with deployed.read() as reader:
        assert reader.figures([number])[number].first_estimate == '{"seconds": 1}'
