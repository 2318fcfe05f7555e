"""A scheduler that runs follows the settings that a deploy changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.catalogs import make_task
from retrofill.domain.errors import StoreBusyError, StoreUnavailableError, UsageError
from retrofill.services.instances.run_specs import RunSpecs
from retrofill.services.running.following import Following, InForce, Parts
from retrofill.services.running.nights import ScheduleSettings
from retrofill.services.upkeep.daily import Daily
from services.worlds import MakeWorld

BEFORE = InForce(
    stops_for_auto=True,
    clock_tolerance_ms=3_600_000,
    limits=None,  # type: ignore[arg-type]
    schedule=ScheduleSettings(23 * 60 + 30, 7),
    retention_minute=240,
    timezone="UTC",
    interpreter="python3",
    log_cap_bytes=1,
    grace_seconds=2,
)


def test_everybody_gets_the_settings_of_the_new_version(world: MakeWorld) -> None:
    """AUTO-1, RUN-5, POL-13: the generation time, auto_conflict, limits, caps; and once a version."""
    w = world(make_task("w.a", "0 1 * * *"))
    runs: list[tuple[int, float]] = []
    later_starts, specs = w.later_starts, RunSpecs(w.directory, w.secrets.get, "python3")
    daily = Daily(w.store, None, w.clock, 240, "UTC")  # type: ignore[arg-type]
    parts = Parts(w.scheduler, later_starts, w.schedule, daily, specs, lambda *given: runs.append(given))
    after = replace(
        BEFORE,
        stops_for_auto=False,
        limits=replace(w.limits, max_instances=5),
        schedule=ScheduleSettings(22 * 60, 0),
        interpreter="other",
        working_folders={"w": "/srv/w"},
    )
    following = Following(w.store, parts, lambda: after, w.version_id)
    assert following.look() is None
    assert runs == []
    w.deploy(replace(w.catalog, timezone="Asia/Tokyo"))
    assert following.look() is None
    assert following.look() is None
    assert runs == [(1, 2)]
    assert (w.scheduler.stops_for_auto, later_starts.limits.max_instances, specs.interpreter) == (
        False,
        5,
        "other",
    )
    assert specs.working_folders == {"w": "/srv/w"}
    assert w.schedule.settings == after.schedule
    w.clock.move_to("2026-03-02T22:00")
    assert w.night() == ["2026-03-02"]


def test_a_deploy_while_a_scheduler_starts_is_followed(world: MakeWorld) -> None:
    """It comes after the settings were read, and before the first look."""
    w = world(make_task("w.a", "0 1 * * *"))
    read_of = w.version_id
    w.deploy(replace(w.catalog, timezone="Asia/Tokyo"))
    reads: list[int] = []

    def read() -> InForce:
        reads.append(w.version_id)
        raise UsageError("enough")

    parts = Parts(w.scheduler, w.later_starts, w.schedule, None, None, None)  # type: ignore[arg-type]
    following = Following(w.store, parts, read, read_of)
    assert following.look()
    assert reads == [w.version_id]


def test_settings_that_cannot_be_read_now_are_read_later(world: MakeWorld) -> None:
    """A store that is busy or full says nothing about the settings."""
    w = world(make_task("w.a", "0 1 * * *"))
    troubles: list[StoreUnavailableError] = [StoreBusyError("somebody writes")]
    parts = Parts(
        w.scheduler,
        w.later_starts,
        w.schedule,
        Daily(w.store, None, w.clock, 240, "UTC"),  # type: ignore[arg-type]
        RunSpecs(w.directory, w.secrets.get, "python3"),
        lambda *_: None,
    )

    def read() -> InForce:
        if troubles:
            raise troubles.pop()
        return replace(BEFORE, stops_for_auto=False, limits=w.limits)

    following = Following(w.store, parts, read, w.version_id)
    w.deploy(replace(w.catalog, timezone="Asia/Tokyo"))
    with pytest.raises(StoreBusyError):
        following.look()
    assert following.look() is None
    assert not w.scheduler.stops_for_auto


def test_settings_that_do_not_hold_here_change_nothing(world: MakeWorld) -> None:
    """The environment of the scheduler may contradict what was deployed elsewhere: told once."""
    w = world(make_task("w.a", "0 1 * * *"))
    parts = Parts(w.scheduler, w.later_starts, w.schedule, None, None, None)  # type: ignore[arg-type]

    def read() -> InForce:
        raise UsageError("RETROFILL_LOG_CAP is no size")

    following = Following(w.store, parts, read, w.version_id)
    w.deploy(replace(w.catalog, timezone="Asia/Tokyo"))
    note = following.look()
    assert note is not None
    assert "RETROFILL_LOG_CAP is no size" in note
    assert following.look() is None
    assert w.scheduler.stops_for_auto
