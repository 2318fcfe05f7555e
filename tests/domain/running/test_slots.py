"""What ends mean, who gets a slot, and what a backfill's status is."""

from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrofill.domain.catalog.definitions import Rerun
from retrofill.domain.running.outcomes import Ending, Outcome, ending
from retrofill.domain.running.slots import FreeSlots, choose, free_slots
from retrofill.domain.running.states import Reason, State
from retrofill.domain.running.status import Progress, Status, status_of

TWICE = Rerun(times=2)


@pytest.mark.parametrize(
    ("outcome", "rerun", "reruns", "expected"),
    [
        (Outcome.EXITED, Rerun(), 0, Ending(State.FAILED, Reason.EXIT_CODE)),
        (Outcome.EXITED, TWICE, 0, Ending(State.NOT_RUN, Reason.RERUN_INTERVAL)),
        (Outcome.EXITED, TWICE, 1, Ending(State.NOT_RUN, Reason.RERUN_INTERVAL)),
        (Outcome.EXITED, TWICE, 2, Ending(State.FAILED, Reason.EXIT_CODE)),
        (Outcome.EXITED, replace(TWICE, mode="on_failure"), 0, Ending(State.NOT_RUN, Reason.RERUN_INTERVAL)),
        (Outcome.EXITED, replace(TWICE, mode="never"), 0, Ending(State.FAILED, Reason.EXIT_CODE)),
        (Outcome.TIMEOUT, TWICE, 0, Ending(State.FAILED, Reason.TIMEOUT)),
        (Outcome.STOPPED, TWICE, 0, Ending(State.FAILED, Reason.STOPPED)),
        (Outcome.LOST, TWICE, 0, Ending(State.FAILED, Reason.LOST)),
        (Outcome.LOST, replace(TWICE, on_lost=True), 0, Ending(State.NOT_RUN, Reason.RERUN_INTERVAL)),
        (Outcome.LOST, replace(TWICE, on_lost=True), 2, Ending(State.FAILED, Reason.LOST)),
        (Outcome.NOT_STARTED, Rerun(mode="never"), 0, Ending(State.NOT_RUN, Reason.NOT_STARTED)),
    ],
)
def test_what_an_end_means(outcome: Outcome, rerun: Rerun, reruns: int, expected: Ending) -> None:
    """RUN-3: automatic reruns; not after a stop, a timeout or mode never, a loss only if asked for."""
    assert ending(outcome, None, rerun, reruns, None) == expected


def test_a_run_that_somebody_stops_is_not_rerun_however_it_ends() -> None:
    """RUN-3, OPS-1: an exit that overtakes the stop is a stop all the same."""
    assert ending(Outcome.EXITED, None, TWICE, 0, Reason.STOPPING) == Ending(State.FAILED, Reason.STOPPED)


def test_a_signal_is_another_reason_than_an_exit_status() -> None:
    """RUN-3: the reason says why."""
    assert ending(Outcome.EXITED, 9, Rerun(), 0, None).reason is Reason.SIGNAL


@dataclass(frozen=True)
class Waiting:
    id: int
    task_id: int
    backfill_id: int | None = 1
    resource_group: str = "g"
    slot: int = 0

    @property
    def partition(self) -> tuple[int, str, int]:
        return self.task_id, "2026-01-05", self.slot


@given(
    tasks=st.lists(
        st.tuples(st.integers(1, 4), st.booleans(), st.sampled_from("gh"), st.integers(0, 9)), max_size=30
    ),
    slots=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    for_backfills=st.integers(0, 5),
    limits=st.dictionaries(st.integers(1, 4), st.integers(1, 3)),
    running=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), max_size=4),
)
def test_the_first_that_fit_get_the_slots(
    tasks: list[tuple[int, bool, str, int]],
    slots: tuple[int, int],
    for_backfills: int,
    limits: dict[int, int],
    running: list[tuple[int, int]],
) -> None:
    """RUN-1, RUN-6, RUN-7: in order over all groups, no task over its limit, no partition twice; one by one."""
    waiting = [
        Waiting(i, task, None if auto else 1, g, slot) for i, (task, auto, g, slot) in enumerate(tasks)
    ]
    free = {"g": FreeSlots(slots[0], min(slots[0], for_backfills)), "h": FreeSlots(slots[1], slots[1])}
    count, chosen = Counter(task for task, _ in running), []
    writing = {(task, "2026-01-05", slot) for task, slot in running}
    candidates = list(waiting)
    while True:
        more = choose(candidates, free, count, limits, writing)
        chosen += more.starts
        if not more.is_cut:
            break
        passed_over = [*more.starts, *more.behind]
        left = [c for c in candidates if c not in passed_over and c.task_id not in more.full]
        candidates = [c for c in left if c.backfill_id is None or free[c.resource_group].backfill]

    expected, tally = [], Counter(task for task, _ in running)
    written = {(task, slot) for task, slot in running}
    left_of, backfills_of = dict(zip("gh", slots, strict=True)), {"g": for_backfills, "h": 99}
    for one in waiting:
        group, limit, is_backfill = one.resource_group, limits.get(one.task_id), one.backfill_id is not None
        if not left_of[group] or (is_backfill and not backfills_of[group]):
            continue
        if (one.task_id, one.slot) in written:
            continue
        if limit is None or tally[one.task_id] < limit:
            expected.append(one)
            written.add((one.task_id, one.slot))
            tally[one.task_id] += 1
            left_of[group] -= 1
            backfills_of[group] -= is_backfill
    assert chosen == expected


@pytest.mark.parametrize(
    ("slots", "reserved", "running", "of_backfills", "expected"),
    [
        (4, 0, 0, 0, (4, 4)),
        (4, 1, 0, 0, (4, 3)),
        (4, 1, 3, 3, (1, 0)),
        (4, 1, 1, 0, (3, 3)),
        (4, 4, 0, 0, (4, 0)),
        (2, 1, 5, 5, (0, 0)),  # fewer slots were deployed while more ran
    ],
)
def test_reserved_slots_hold_no_backfill(
    slots: int, reserved: int, running: int, of_backfills: int, expected: tuple[int, int]
) -> None:
    """RUN-6: backfills may hold as many slots as are not reserved, whichever these are."""
    free = free_slots(slots, reserved, running, of_backfills)
    assert (free.all, free.backfill) == expected


def test_what_makes_way_is_not_rerun_and_has_not_failed() -> None:
    """RUN-5: however its run ends; a stop by a person counts for more."""
    for outcome in (Outcome.STOPPED, Outcome.EXITED, Outcome.LOST, Outcome.NOT_STARTED):
        after = ending(outcome, 15, TWICE, 0, Reason.YIELDED_TO_AUTO)
        assert after == Ending(State.NOT_RUN, Reason.YIELDED_TO_AUTO)


BASE = Progress(
    total=10,
    successful=4,
    failed=0,
    running=0,
    frozen=0,
    is_waiting_for_resources=False,
    is_waiting_for_time=False,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"running": 1, "is_paused": True, "failed": 1}, (Status.RUNNING, ())),
        ({"is_paused": True, "is_waiting_for_resources": True}, (Status.PAUSED, ())),
        ({"is_stopped": True}, (Status.STOPPED, ())),
        ({"check_failed": True, "total": 0, "successful": 0}, (Status.STOPPED, ())),
        ({"successful": 10, "is_paused": True}, (Status.SUCCEEDED, ())),
        ({"is_waiting_for_resources": True, "failed": 1}, (Status.WAITING_RESOURCES, ())),
        ({"is_waiting_for_resources": True, "window_is_closed": True}, (Status.PENDING, ())),
        ({"is_waiting_for_time": True, "failed": 1}, (Status.PENDING, ())),
        ({"is_planned": True, "total": 0, "successful": 0}, (Status.PENDING, ())),
        ({"failed": 2, "frozen": 1}, (Status.FAILED, ("failed", "frozen"))),
        ({"has_isolated": True}, (Status.FAILED, ("isolated",))),
        ({}, (Status.FAILED, ("loop",))),
    ],
)
def test_the_first_status_that_fits(
    changes: dict[str, object], expected: tuple[Status, tuple[str, ...]]
) -> None:
    """BF-5: the order of statuses, and what blocks a failed backfill."""
    assert status_of(replace(BASE, **changes)) == expected  # type: ignore[arg-type]
