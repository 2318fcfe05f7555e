"""The loop around ticks: what it makes in between, also when ends come without a pause or the disk is full."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from domain.catalogs import make_task
from retrofill import failpoints
from retrofill.domain.errors import StoreFullError
from retrofill.domain.texts import Text
from retrofill.services.running import loop as loops
from retrofill.services.running.loop import Loop
from retrofill.services.running.tick_report import TickReport
from services.crashing import dying_at
from services.worlds import MakeWorld, World

DAILY = make_task("w.a", "0 1 * * *")


class QuietWake:
    """Nobody ever wakes it."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def fileno(self) -> int:
        return self._read

    def drain(self) -> bool:
        raise AssertionError("nobody has written")

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class NoCourier:
    """There is nothing to deliver."""

    def __init__(self) -> None:
        self.told: list[str | None] = []

    def tell(self, trouble: Text | None) -> None:
        self.told.append(None if trouble is None else str(trouble))

    def look(self, due_ms: int | None) -> int | None:
        return None


def run(w: World, observe: Callable[[TickReport], bool]) -> list[str | None]:
    """Run a world's loop until `observe` says so; what administrators are told."""
    courier = NoCourier()
    loop = Loop(w.scheduler, w.later_starts, w.schedule, w.executor, QuietWake(), w.clock, courier)  # type: ignore[arg-type]
    loop.run(observe)
    return courier.told


def test_a_night_is_made_while_ends_come_without_a_pause(world: MakeWorld) -> None:
    """AUTO-1: the executor always has something to tell, and the night comes all the same."""
    w = world(DAILY, now="2026-03-02T12:00")
    w.clock.move_to("2026-03-02T23:29:59")
    w.executor.stir()
    nights: list[str] = []
    ticks = 0

    def observe(ticked: TickReport) -> bool:
        nonlocal ticks
        ticks += 1
        nights.extend(str(bizdate) for bizdate in ticked.nights)
        w.clock.forward(1)
        return ticks > 100 or bool(nights)

    run(w, observe)
    assert nights == ["2026-03-02"]


class TroubledOnce:
    """A deploy that is looked at while the store is full."""

    def __init__(self) -> None:
        self.looks = 0

    def look(self) -> str | None:
        self.looks += 1
        if self.looks == 1:
            raise StoreFullError("no room for a view")
        return "The settings were read."


def test_a_store_that_cannot_be_read_does_not_end_the_loop(world: MakeWorld) -> None:
    """What a deploy has changed is looked at again; the trouble is told meanwhile."""
    w = world(DAILY)
    following, courier = TroubledOnce(), NoCourier()
    loop = Loop(
        w.scheduler,
        w.later_starts,
        w.schedule,
        w.executor,
        QuietWake(),  # type: ignore[arg-type]
        w.clock,
        courier,  # type: ignore[arg-type]
        following=following,  # type: ignore[arg-type]
    )
    told: list[object] = []
    w.executor.stir()

    def observe(ticked: TickReport) -> bool:
        told.extend([*ticked.notes, *([ticked.trouble] if ticked.trouble else [])])
        w.clock.forward(60)
        return len(told) > 100 or "The settings were read." in told

    loop.run(observe)
    assert set(told) == {"no room for a view", "The settings were read."}


def test_a_full_disk_at_night_is_told_and_tried_again_later(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AUTO-1: without spinning meanwhile; what was half written is made anew when there is room."""
    monkeypatch.setattr(loops, "RETRY_MS", 20)
    w = world(DAILY, now="2026-03-02T12:00")
    w.clock.move_to("2026-03-02T23:30")
    tries: list[int] = []
    seen: list[TickReport] = []

    def full(point: str) -> None:
        if point == "night.written" and len(tries) < 3:
            tries.append(w.clock.ms)
            raise StoreFullError("no room")

    def observe(ticked: TickReport) -> bool:
        seen.append(ticked)
        w.clock.forward(0.02)
        return bool(ticked.nights) or len(seen) > 100

    with failpoints.passing(full):
        run(w, observe)
    assert len(seen) == len(tries) + 1  # one look for each try, and the one that tells of the night
    assert {ticked.trouble for ticked in seen[:-1]} == {"no room"}
    assert [str(bizdate) for bizdate in seen[-1].nights] == ["2026-03-02"]
    assert w.auto_states() == {"a 2 01:00": "waiting_time"}


@pytest.mark.parametrize("point", ["night.written", "night.shown"])
def test_what_another_process_left_half_made_is_put_in_order(world: MakeWorld, point: str) -> None:
    """AUTO-1: a deploy was killed after its commit; what it owes is made by the scheduler that runs on."""
    hours = make_task("w.h", "0 */6 * * *", generation="immediate")
    w = world(hours, now="2026-03-02T11:00")
    with dying_at(point):
        w.schedule.make_owed()
    w.clock.forward(7 * 3_600)
    run(w, lambda _: True)
    # As of the deploy, though it is later than 18:00 by now.
    assert w.auto_states() == {"h 1 12:00": "running", "h 1 18:00": "running"}


def test_administrators_are_told_of_a_doubted_clock_once(world: MakeWorld) -> None:
    """TIME-8: when it begins; the message is dropped when the clock is right again."""
    w = world(DAILY, now="2026-03-02T12:00")
    w.tick()
    w.executor.stir()
    jumps = iter((3 * 86_400, 0, 0, -3 * 86_400, 0, 0))

    def observe(_: TickReport) -> bool:
        jump = next(jumps, None)
        w.clock.jump(jump or 0)
        return jump is None

    first, second = run(w, observe)
    assert first is not None
    assert "by the time that has passed it is 2026-03-02T12:00:00Z" in first
    assert second is None
