"""What a restored store says of the runs that it had."""

from __future__ import annotations

from pathlib import Path

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import Rerun
from retrofill.services.instances.run_specs import RunSpecs
from retrofill.services.running.restoring import hold_everything
from services.worlds import MakeWorld


def test_what_runs_again_is_told_from_what_is_lost(world: MakeWorld) -> None:
    """RUN-3: with `on_lost: true` it is Not run again once the backfill is resumed; the other is Failed."""
    w = world(
        make_task("w.again", "0 1 * * *", rerun=Rerun(times=1, on_lost=True)),
        make_task("w.lost", "0 1 * * *"),
    )
    w.create()
    w.tick()
    ids = {name: w.id(f"{name} 5 01:00") for name in ("again", "lost")}
    specs = RunSpecs(Path("/nowhere"), lambda _: None, "python")
    held = hold_everything(w.store, w.clock, specs, "admin", w.clock.now_ms())
    assert set(held.instances) == set(ids.values())
    assert held.again == (ids["again"],)
    assert w.state("lost 5 01:00") == "failed lost"
    assert w.state("again 5 01:00").startswith(("not_run", "waiting_time"))
