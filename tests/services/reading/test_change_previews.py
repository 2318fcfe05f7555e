"""What a change of a backfill is said to come to is what comes of it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from domain.catalogs import SELF, make_task
from retrofill.domain.errors import RetrofillError
from retrofill.domain.planning.changes import Changes
from retrofill.domain.planning.policy import OnFailure
from retrofill.domain.time.windows import parse_window
from services.backfills.running_out import learn, run
from services.worlds import MakeWorld, World

DATES = "2026-01-05..2026-01-10"


@pytest.mark.parametrize("seed", range(12))
def test_changed_groups_end_when_the_preview_says(world: MakeWorld, seed: int) -> None:
    """BF-2, BF-3: whatever has run before, over random graphs, dealt anew, also twice."""
    chance = Random(seed)
    names = "abcd"
    tasks = [
        make_task(
            f"w.{name}",
            chance.choice(["0 1 * * *", "0 */8 * * *"]),
            *(f"w.{other}" for other in names[:i] if chance.random() < 0.4),
            *([SELF] if chance.random() < 0.3 else []),
        )
        for i, name in enumerate(names)
    ]
    w = world(*tasks, slots=chance.randint(2, 5))
    seconds = {name: chance.choice([60.0, 60.0, 600.0]) for name in names}
    learn(w, **{name: int(one) for name, one in seconds.items()})
    number = w.create(dates=DATES, groups=chance.randint(1, 3))
    expected = None
    for _ in range(2):
        run(w, seconds, until=chance.randint(1, 8))
        changes = Changes({"groups": chance.randint(1, 4)})
        try:
            found = w.center.backfills.preview_change(number, changes)
            w.backfills.change(number, changes)
        except RetrofillError:
            break  # all dates have begun
        if found["refusal"] is None:
            expected = found["new_end_at"]
            left = w.center.backfills.time_left(number)
            assert left is None or left["end_at"] == expected
    run(w, seconds)
    row = w.row(number)
    assert row["status"] == "succeeded"
    assert expected in (None, row["ended_at"])


@pytest.mark.parametrize("seed", range(8))
def test_groups_that_pass_over_failures_end_when_the_preview_says(world: MakeWorld, seed: int) -> None:
    """BF-2, POL-14: the next dates go on, without what waits for the failure."""
    chance = Random(seed)
    names = "abc"
    tasks = [
        make_task(
            f"w.{name}",
            chance.choice(["0 1 * * *", "0 */8 * * *"]),
            *(f"w.{other}" for other in names[:i] if chance.random() < 0.5),
            *([SELF] if chance.random() < 0.3 else []),
        )
        for i, name in enumerate(names)
    ]
    w = world(*tasks, slots=3)
    seconds = {name: chance.choice([60.0, 600.0]) for name in names}
    learn(w, **{name: int(one) for name, one in seconds.items()})
    number = w.create(dates=DATES, groups=chance.randint(1, 3))
    w.tick()
    w.clock.forward(30)
    w.end(chance.choice(sorted(w.running())), exit_code=1)
    changes = Changes({"on_failure": OnFailure.CONTINUE})
    found = w.center.backfills.preview_change(number, changes)
    w.backfills.change(number, changes)
    left = w.center.backfills.time_left(number)
    assert left is not None
    assert left["end_at"] == found["new_end_at"]
    failed_at = "2026-03-02T12:00:30Z"
    run(w, seconds)
    assert w.row(number)["ended_at"] == (found["new_end_at"] or failed_at), "None: nothing goes on"


def under_way(world: MakeWorld, **policy: Any) -> World:
    """Of six dates in one group, the first has failed in `a`; `c` of it runs."""
    tasks = (
        make_task("w.a", "0 1 * * *"),
        make_task("w.b", "0 2 * * *", "w.a"),
        make_task("w.c", "0 3 * * *"),
    )
    w = world(*tasks, slots=4)
    learn(w, a=60, b=60, c=60)
    w.create(dates=DATES, **policy)
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    return w


def preview(w: World, **values: Any) -> Any:
    return w.center.backfills.preview_change(1, Changes(values))


def test_more_groups_begin_at_once_where_they_are_free(world: MakeWorld) -> None:
    """BF-3: these bizdates, and nothing is changed by asking."""
    w = under_way(world)
    found = preview(w, groups=3)
    assert [(one["what"], one["before"], one["after"]) for one in found["changed"]] == [("groups", "1", "3")]
    assert len(found["begin_at_once"]) == 2
    assert preview(w, groups=3) == found
    assert w.row(1)["counts"]["not_run"] == 16
    w.backfills.change(1, Changes({"groups": 3}))
    with w.store.read() as reader:
        reached = {date.bizdate for date in reader.dates(1) if date.reached}
    assert {*found["begin_at_once"]} < reached


def test_a_failure_policy_that_goes_on_tells_how_much_does(world: MakeWorld) -> None:
    """POL-14: what the order of dates held up."""
    w = under_way(world)
    found = preview(w, on_failure=OnFailure.CONTINUE)
    assert (found["going_on"], found["held_up"]) == (15, 1)
    w.backfills.change(1, Changes({"on_failure": OnFailure.CONTINUE}))
    assert w.center.backfills.trouble(1)["held_up"] == found["held_up"]


def test_as_many_failures_as_it_bears_pause_it(world: MakeWorld) -> None:
    """POL-14: told before, and so it comes."""
    w = under_way(world)
    assert preview(w, max_failures=1)["pauses"]
    assert not preview(w, max_failures=2)["pauses"]
    w.backfills.change(1, Changes({"max_failures": 1}))
    assert w.row(1)["held"] == "paused"


def test_a_window_that_is_closed_says_when_it_opens(world: MakeWorld) -> None:
    """POL-11: what is ready waits until then, and the end is put off."""
    found = preview(under_way(world), window=parse_window("22:00-06:00", "UTC"))
    assert found["opens_at"] == "2026-03-02T22:00:00Z"
    assert preview(under_way(world), window=parse_window("11:00-13:00", "UTC"))["opens_at"] is None


def test_another_priority_moves_what_is_ready(world: MakeWorld) -> None:
    """BF-3: in the queue, at once."""
    w = world(make_task("w.a", "0 */4 * * *"), slots=2)
    w.create()
    w.tick()
    found = preview(w, priority=8)
    assert (found["ready"], found["moved"]) == (4, 4)


def test_what_would_be_refused_is_told_in_the_words_of_the_refusal(world: MakeWorld) -> None:
    """OPS-8, POL-10: a resource group that there is not."""
    w = under_way(world)
    changes = Changes({"resource_group": "nowhere"})
    found = w.center.backfills.preview_change(1, changes)
    with pytest.raises(RetrofillError) as refused:
        w.backfills.change(1, changes)
    assert (str(found["refusal"]), found["hint"]) == (refused.value.message, refused.value.hint)


def test_what_holds_already_changes_nothing(world: MakeWorld) -> None:
    assert preview(under_way(world), groups=1)["changed"] == []
