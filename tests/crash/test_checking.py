"""The crash harness's checker finds what it is there to find: made-up events with one thing wrong each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from crash.checking import (
    Ended,
    Event,
    Expectation,
    Slot,
    Verdict,
    check,
    check_partitions,
    expect,
    parse_events,
)

A: Slot = ("ops.a", "2024-03-02T01:00:00")
GATE: Slot = ("ops.gate", "2024-03-02T02:00:00")
B: Slot = ("ops.b", "2024-03-02T03:00:00")
NEXT_A: Slot = ("ops.a", "2024-03-03T01:00:00")
IDS = {A: 1, B: 2, NEXT_A: 3}
PLAN = Expectation(
    waits={A: [], GATE: [A], B: [GATE], NEXT_A: []},
    running=frozenset({A, B, NEXT_A}),
    barriers=[(frozenset({A, GATE, B}), frozenset({NEXT_A}))],
)
GOOD = ["start a 1", "end a 1", "start b 1", "end b 1", "start n 1", "end n 1"]
SLOTS = {"a": A, "b": B, "n": NEXT_A}


def oracle(lines: Sequence[str]) -> list[Event]:
    """Events as tasks write them, from `KIND INSTANCE RUN [DETAIL...]`."""
    text = ""
    for at, line in enumerate(lines):
        kind, name, run, *details = line.split()
        slot = SLOTS[name]
        if kind == "start":
            details = [*slot, "2024-03-01"]
        elif kind == "end" and not details:
            details = ["0"]
        text += "\t".join([kind, str(IDS[slot]), run, "4711", "boot", str(at), *details]) + "\n"
    return parse_events(text)


def judge(lines: Sequence[str], **ended: Ended) -> Verdict:
    runs = {name: max(int(line.split()[2]) for line in lines if line.split()[1] == name) for name in "abn"}
    rows = {SLOTS[name]: ended.get(name, Ended("successful", run)) for name, run in runs.items()}
    return check(oracle(lines), PLAN, rows | {GATE: Ended("successful", 1)})


def test_a_good_account_has_no_violations() -> None:
    """RUN-3: reruns after a failure and after a loss are in order."""
    lines = ["start a 1", "end a 1 1", "start a 2", "start a 3", "end a 3", *GOOD[2:]]
    verdict = judge(lines)
    assert verdict.violations == []
    assert (verdict.starts, verdict.reruns, verdict.repeated) == (5, 2, [(1, 2)])


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["start a 1", *GOOD], "run 1 started twice"),
        (
            ["start a 1", "start a 2", "alive a 2 1 99", "end a 2", *GOOD[2:]],
            "while process 99 of run 1 lived",
        ),
        (["start a 1", "overlap a 2", "start a 2", "end a 2", *GOOD[2:]], "another run held"),
        (["start a 1", "start a 2", "end a 1", "end a 2", *GOOD[2:]], "at work after run 2 had started"),
    ],
)
def test_a_run_that_overlaps_another_is_doubled(lines: list[str], words: str) -> None:
    """RUN-3: the next run starts only when the one before is known to be dead."""
    verdict = judge(lines)
    assert any(words in sentence for sentence in verdict.doubled)


def test_a_run_beyond_the_last_one_is_doubled() -> None:
    verdict = judge([*GOOD, "start n 2", "end n 2"], n=Ended("successful", 1))
    assert any("later than its last one" in sentence for sentence in verdict.doubled)


def rivals(lines: Sequence[str]) -> list[Event]:
    """Events of two instances, `a` and `z`, of one task and time."""
    slots, ids = {"a": A, "z": A}, {"a": 1, "z": 9}
    text = ""
    for at, line in enumerate(lines):
        kind, name, run = line.split()
        details = {"start": [*slots[name], "2024-03-01"], "end": ["0"]}.get(kind, [])
        text += "\t".join([kind, str(ids[name]), run, "4711", "boot", str(at), *details]) + "\n"
    return parse_events(text)


def test_two_that_write_one_partition_in_turn_are_in_order() -> None:
    """RUN-7: also where a run was killed and never said that it ended."""
    assert check_partitions(rivals(["start a 1", "end a 1", "start z 1", "start z 2", "end z 2"])) == []
    assert check_partitions(rivals(["start a 1", "start z 1", "end z 1", "start a 2", "end a 2"])) == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ["start a 1", "start z 1", "end a 1", "end z 1"],
            "run 1 of instance 1 was at work after instance 9",
        ),
        (
            ["start a 1", "start z 1", "beside z 1", "end z 1"],
            "run 1 of instance 9 started while another run",
        ),
    ],
)
def test_two_writers_of_one_partition_are_found(lines: list[str], words: str) -> None:
    """RUN-7: by what they say, and by the lock that all processes of a run hold."""
    (found,) = check_partitions(rivals(lines))
    assert words in found


def test_a_wait_that_was_overtaken_is_out_of_order_also_through_a_gate() -> None:
    """RUN-1: b waits for a virtual task that waits for a."""
    verdict = judge(["start a 1", "start b 1", "end a 1", "end b 1", *GOOD[4:]])
    assert verdict.out_of_order == [
        "ops.b 2024-03-02T03:00:00 started before ops.a 2024-03-02T01:00:00, which it waits for, had ended"
    ]


def test_a_wait_that_was_done_again_after_the_start_is_out_of_order() -> None:
    verdict = judge(["start a 1", "end a 1", "start b 1", "start a 2", "end a 2", "end b 1", *GOOD[4:]])
    assert len(verdict.out_of_order) == 1


def test_a_barrier_that_was_overtaken_is_out_of_order() -> None:
    """POL-6: the next date starts after all of the one before."""
    verdict = judge([*GOOD[:3], "start n 1", "end n 1", "end b 1"])
    assert [sentence.split()[0] for sentence in verdict.out_of_order] == ["ops.a"]


def test_success_without_work_is_lost() -> None:
    """An instance is Successful only by a run that said that it had done its work."""
    assert any("did not do its work" in sentence for sentence in judge(GOOD[:5]).lost)


def test_other_ends_than_success_are_lost() -> None:
    assert any("ended as failed" in sentence for sentence in judge(GOOD, b=Ended("failed", 1)).lost)


def test_what_is_missing_or_was_never_planned_is_found() -> None:
    rows = {A: Ended("successful", 1), B: Ended("successful", 1), ("ops.x", "t"): Ended("successful", 1)}
    verdict = check(oracle(GOOD[:4]), PLAN, rows)
    assert any("not in the backfill" in sentence for sentence in verdict.lost)
    assert verdict.other == ["ops.x t: not planned"]


def line(task: str, date: str, at: str, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "task": task,
        "bizdate": date,
        "scheduled_at": at,
        "kind": "run",
        "group": 1,
        "waits_for": [],
    }
    return row | more


def test_plan_lines_become_waits_and_barriers() -> None:
    """POL-6: with `barrier: date` whole dates wait, with `barrier: task` each task's own dates."""
    lines = [
        line("w.a", "2024-03-01", "1a"),
        line("w.v", "2024-03-01", "1v", kind="virtual", waits_for=[["w.a", "1a"]]),
        line("w.a", "2024-03-02", "2a"),
        line("w.v", "2024-03-02", "2v", kind="virtual", waits_for=[["w.a", "2a"]]),
        line("w.a", "2024-03-03", "3a", group=2),
    ]
    by_date = expect(lines, "date")
    assert by_date.waits[("w.v", "2v")] == [("w.a", "2a")]
    assert by_date.running == {("w.a", "1a"), ("w.a", "2a"), ("w.a", "3a")}
    first = frozenset({("w.a", "1a"), ("w.v", "1v")})
    assert by_date.barriers == [(first, frozenset({("w.a", "2a"), ("w.v", "2v")}))]
    assert (frozenset({("w.a", "1a")}), frozenset({("w.a", "2a")})) in expect(lines, "task").barriers


def test_a_torn_line_is_no_event() -> None:
    with pytest.raises(ValueError, match="values to unpack"):
        parse_events("start\t1\t1\n")
