"""Which date follows which, and what becomes of it when groups change while they run."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from retrofill.domain.planning.groups import Groups, dealt, from_runs, regroup, to_runs


def nothing_before(_: int) -> int | None:
    return None


def test_as_dealt_first() -> None:
    """POL-4, POL-6: contiguous, larger groups first; each position follows the one before it in its group."""
    groups = dealt(5, 2)
    assert groups.chains == ((0, 1, 2), (3, 4))
    assert groups.numbers == [1, 1, 1, 2, 2]
    assert [groups.previous(p) for p in range(5)] == [None, 0, 1, None, 3]
    assert [groups.next(p) for p in range(5)] == [1, 2, None, 4, None]


def test_more_groups_for_what_is_left() -> None:
    """BF-3: one group goes on from the date under way, the others begin at once."""
    groups, at_once = regroup(dealt(10, 1), 3, {0, 1}, {0}, nothing_before)
    assert groups.chains == ((0, 1, 2, 3, 4), (5, 6, 7), (8, 9))
    assert at_once == [5, 8]


def test_fewer_groups_begin_nothing_while_the_old_ones_run() -> None:
    """BF-3: the one that is left goes on from the first date under way; the others come to their ends."""
    groups, at_once = regroup(dealt(9, 3), 1, {0, 3, 6}, set(), nothing_before)
    assert at_once == []
    assert groups.chains == ((3, 6, 0, 1, 2, 4, 5, 7, 8),)
    assert (groups.previous(1), groups.next(0)) == (0, 1)


def test_no_more_groups_than_dates() -> None:
    """POL-4: one date a group."""
    groups, at_once = regroup(dealt(4, 1), 10, {0}, set(), nothing_before)
    assert groups.chains == ((0,), (1,), (2,), (3,))
    assert at_once == [1, 2, 3]


def test_no_group_has_nothing_to_do_while_a_date_waits() -> None:
    """BF-3: three dates, one of them under way, in three groups: the other two begin at once."""
    groups, at_once = regroup(dealt(3, 1), 3, {0}, set(), nothing_before)
    assert (groups.chains, at_once) == (((0,), (1,), (2,)), [1, 2])
    both, now = regroup(dealt(4, 2), 4, {0, 2}, set(), nothing_before)
    assert (both.chains, now) == (((0,), (2,), (1,), (3,)), [1, 3])
    assert regroup(dealt(4, 1), 3, {0}, set(), nothing_before)[1] == [2, 3]


def test_no_two_dates_wait_for_each_other() -> None:
    """BF-3, DEP-13: date 4 waits for date 3 as its own previous cycle, so nothing before 4 may wait for 4."""
    waits = {p: p - 1 for p in range(1, 8)}.get
    groups, at_once = regroup(dealt(8, 2), 2, {0, 4}, set(), waits)
    assert groups.previous(1) == 0
    assert groups.previous(5) == 4
    assert at_once == []
    # With the one before it complete, date 6 waits for nothing, and an earlier one can go on from it.
    groups, at_once = regroup(dealt(8, 2), 3, {0, 4, 5, 6}, {4, 5}, waits)
    assert [groups.previous(p) for p in (1, 3)] == [0, 6]
    assert at_once == [7]


@settings(max_examples=examples(300))
@given(st.integers(0, 10**9))
def test_in_any_history_all_dates_come_to_their_end(seed: int) -> None:
    """BF-3, POL-6: groups change again and again; positions stay in one group each, never more than so many new
    dates are under way, nothing waits in a circle, and in the end every date is complete."""
    chance = Random(seed)
    count = chance.randint(1, 30)
    # A date waits for the one before it in the calendar, where that is part of the backfill.
    gaps = {p for p in range(count) if chance.random() < 0.2}
    waits_for = (
        [None] * count
        if chance.random() < 0.3
        else [p - 1 if p and p not in gaps else None for p in range(count)]
    )
    groups = dealt(count, chance.randint(1, 10))
    reached = {chain[0] for chain in groups.chains}
    complete: set[int] = set()
    since: set[int] = set()  # begun since the last change
    most = 10
    while len(complete) < count:
        can_end = [p for p in reached - complete if waits_for[p] is None or waits_for[p] in complete]
        assert can_end, "every date under way waits for one that is not"
        if chance.random() < 0.3 and len(reached) < count:
            most = chance.randint(1, 10)
            groups, at_once = regroup(groups, most, reached, complete, waits_for.__getitem__)
            assert sorted(p for chain in groups.chains for p in chain) == list(range(count))
            assert len(groups.chains) <= most
            assert not reached & set(at_once)
            since = set(at_once)
            reached |= since
        else:
            ended = chance.choice(can_end)
            complete.add(ended)
            after = groups.next(ended)
            if after is not None and after not in reached:
                reached.add(after)
                since.add(after)
        assert len(since - complete) <= most


@given(st.lists(st.permutations(range(6)).map(tuple), max_size=4))
def test_chains_survive_storage(chains: list[tuple[int, ...]]) -> None:
    """BF-3: short where positions lie in a row, whatever their order."""
    assert from_runs(to_runs(chains)) == tuple(chains)


def test_what_lies_in_a_row_is_short() -> None:
    assert to_runs(dealt(3_660, 3).chains) == (((0, 1219),), ((1220, 2439),), ((2440, 3659),))


@pytest.mark.parametrize("wanted", range(1, 11))
def test_what_has_begun_keeps_its_number_as_far_as_there_is_one(wanted: int) -> None:
    """BF-3: complete dates are shown in a group too."""
    groups, _ = regroup(dealt(20, 5), wanted, {0, 1, 4, 8, 12, 16}, {0}, nothing_before)
    assert groups.numbers[0] == 1
    assert set(groups.numbers) == set(range(1, len(groups.chains) + 1))
    assert isinstance(groups, Groups)
