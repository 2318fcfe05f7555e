"""The instances around one, in backfills and in the schedule."""

from __future__ import annotations

from domain.catalogs import SELF, make_task
from retrofill.services.reading.dag import Dag, dag_around
from services.worlds import MakeWorld, World, written

CHAIN = (
    make_task("w.a", "0 1 * * *"),
    make_task("v.foreign", "0 2 * * *", "w.a"),
    make_task("w.b", "0 3 * * *", "w.a", "v.foreign", SELF),
)


def _around(w: World, instance_id: int, **more: object) -> tuple[Dag, dict[str, int]]:
    """The graph, and levels by written name."""
    with w.store.read() as reader:
        row = reader.find_instance(instance_id)
        assert row is not None
        dag = dag_around(reader, w.graphs, row, up=1, down=1, **more)  # type: ignore[arg-type]
        names = {i: name for name, i in reader.task_ids().items()}
        return dag, {written(names[r.task_id], r): dag.levels[i] for i, r in dag.rows.items()}


def test_auto_triggered_instances(world: MakeWorld) -> None:
    """OPS-10: over nights, by the same edges that they wait for."""
    w = world(*CHAIN, now="2026-03-02T12:00")
    for night in ("2026-03-02T23:30", "2026-03-03T23:30"):
        w.clock.move_to(night)
        w.night()
    rows = w.auto_rows()
    first = next(row for name, row in rows.items() if name.endswith("b 2 03:00"))
    later = next(row for name, row in rows.items() if name.endswith("b 3 03:00"))
    dag, levels = _around(w, first.id)
    assert sorted(levels.values()) == [-1, -1, 0, 1]
    assert (first.id, later.id) in dag.edges


def test_foreign_instances_are_left_out(world: MakeWorld) -> None:
    """SEC-2: and so is what could only be reached through them."""
    w = world(*CHAIN)
    w.create(dates="2026-01-05")
    row = next(row for name, row in w.rows().items() if name.endswith("b 5 03:00"))
    _, levels = _around(w, row.id, sees=lambda task: task.startswith("w."))
    assert sorted(levels.values()) == [-1, 0]
    assert len(_around(w, row.id)[1]) == 3
