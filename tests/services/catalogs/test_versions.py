"""Instances keep the version that they were made from, whatever is deployed afterwards."""

from __future__ import annotations

from domain.catalogs import make_catalog, make_task
from services.worlds import MakeWorld


def test_a_task_that_is_removed_while_its_instances_wait(world: MakeWorld) -> None:
    """CAT-2, CAT-3: they run on as they were made, also in a scheduler that starts after the deploy."""
    one = world(make_task("w.a", "0 1 * * *"), make_task("w.b", "0 2 * * *", "w.a", code="echo old"))
    number = one.create(dates="2026-01-05..2026-01-06")
    one.tick()
    assert one.running() == {"a 5 01:00"}
    one.deploy(
        make_catalog(make_task("w.c", "0 1 * * *"), groups=tuple(one.catalog.resource_groups.values()))
    )
    one.end("a 5 01:00")
    assert one.running() == {"b 5 02:00"}
    one.restart()
    one.finish()
    assert one.status(number) == "succeeded"
    assert {spec.name for spec in one.executor.started} == {"w.a", "w.b"}
    assert [spec.code for spec in one.executor.started if spec.name == "w.b"] == ["echo old"] * 2


def test_a_resource_group_that_is_removed(world: MakeWorld) -> None:
    """CAT-2: what ran in it goes to no other group by itself, and `why` names what is missing."""
    from retrofill.domain.catalog.definitions import ResourceGroup

    night = ResourceGroup("night", slots=1)
    one = world(make_task("w.a", "0 1 * * *", resource_group="night"), groups=(night,))
    one.create()
    one.deploy(make_catalog(make_task("w.a", "0 1 * * *"), groups=(ResourceGroup("default", slots=4),)))
    one.tick()
    assert one.states() == {"a 5 01:00": "waiting_resources"}
    assert "night" in one.why("a 5 01:00").text
