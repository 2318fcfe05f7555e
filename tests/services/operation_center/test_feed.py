"""What has changed, as one actor may know it; `open` is alice's, `vault` is greta's, backfill 1 runs tasks of both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retrofill.domain.errors import UnknownNameError
from retrofill.services.ports import Ledger
from retrofill.services.reading.feed import MOST_INSTANCES, MOST_REVISIONS, Changes, Eyes, Feed
from services.centers import WorldParts
from services.operation_center.cases import Case, make_world


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    world = make_world(tmp_path)
    yield Case(world, WorldParts(world))
    world.close()


def now(case: Case, user: str = "admin") -> str:
    return case.center(user).feed.backfills()["revision"]


def told(case: Case, user: str, since: str, backfill_id: int = 1) -> tuple[bool, Any]:
    """Whether the backfill has changed, and its instances."""
    found = case.center(user).feed.backfill(backfill_id, since)
    assert not found["missed"]
    return found["changed"], found["instances"]


def ids_of(case: Case, task: str, backfill_id: int = 1) -> list[int]:
    with case.world.store.read() as reader:
        rows = reader.instances(case.instances)
    return [row.id for row in rows if row.backfill_id == backfill_id and case.tasks[row.id] == task]


def freeze(tx: Ledger, *ids: int) -> None:
    for number in ids:
        tx.interventions.set_priority(number, 7)


def test_nothing_has_changed_since_now(case: Case) -> None:
    assert told(case, "admin", now(case)) == (False, [])
    assert case.center("admin").feed.backfills(now(case))["backfills"] == []


def test_changed_instances_are_named_to_who_sees_them(case: Case) -> None:
    """SEC-2: of a backfill that several share, each is told of their own workspaces."""
    (mine, *_), (theirs, *_) = ids_of(case, "open.first"), ids_of(case, "vault.goldmine")
    since = now(case)
    with case.world.store.transaction() as tx:
        freeze(tx, mine, theirs)
    assert told(case, "admin", since) == (True, sorted([mine, theirs]))
    assert told(case, "alice", since) == (True, [mine])
    assert told(case, "greta", since) == (True, [theirs])


def test_what_changes_in_steps_is_told_as_one(case: Case) -> None:
    first = ids_of(case, "open.first")
    since = now(case)
    for number in first:
        with case.world.store.transaction() as tx:
            freeze(tx, number)
    assert told(case, "alice", since) == (True, sorted(first))
    assert told(case, "alice", now(case, "alice")) == (False, [])


def test_a_backfill_whose_row_changes_has_changed(case: Case) -> None:
    since = now(case)
    with case.world.store.transaction() as tx:
        tx.set_backfill(1, idle_ms=1)
    assert told(case, "alice", since) == (True, [])
    assert told(case, "alice", since, 3) == (False, []), "another one has not"


def test_what_a_pause_shows_as_not_run_has_changed(case: Case) -> None:
    """OPS-0: the states that are shown, though no row of an instance is another one."""
    since = now(case)
    with case.world.store.transaction() as tx:
        tx.set_backfill(1, paused=1)
    assert told(case, "alice", since) == (True, None)
    assert told(case, "alice", since, 3) == (False, []), "another one has not"


def test_the_list_names_backfills_that_are_seen(case: Case) -> None:
    """SEC-2."""
    since = now(case)
    with case.world.store.transaction() as tx:
        for number in (1, 2, 3):
            tx.set_backfill(number, paused=1)
    assert case.center("admin").feed.backfills(since)["backfills"] == [1, 2, 3]
    seen = case.center("alice").feed.backfills(since)["backfills"]
    assert 1 in seen
    assert 2 not in seen, "greta's alone"


def test_a_foreign_backfill_is_answered_like_none(case: Case) -> None:
    """SEC-2: word by word."""
    answers = []
    for number in (2, 777):
        with pytest.raises(UnknownNameError) as caught:
            case.center("alice").feed.backfill(number, "x.1")
        answers.append(caught.value.message.replace(str(number), "N"))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "since", [None, "", "x", "x.1", ".", "1", "{word}.", "{word}.-1", "{word}.²", "{word}.99999", "{word}.1e3",
              f"{{word}}.{10**30}"],
)  # fmt: skip
def test_who_names_no_revision_of_this_store_looks_anew(case: Case, since: str | None) -> None:
    """One of a store before it was restored, of another one, of nobody."""
    word = now(case).partition(".")[0]
    asked = None if since is None else since.replace("{word}", word)
    found = case.center("alice").feed.backfill(1, asked)
    assert found == {"revision": now(case), "missed": True, "changed": True, "instances": None}
    assert case.center("alice").feed.backfills(asked)["missed"]


def test_who_is_far_behind_looks_anew(case: Case) -> None:
    """Telling all of it would cost more than looking."""
    since = now(case)
    for _ in range(MOST_REVISIONS):
        with case.world.store.transaction() as tx:
            tx.set_backfill(1, idle_ms=1)
    assert told(case, "alice", since) == (True, [])
    with case.world.store.transaction() as tx:
        tx.set_backfill(1, idle_ms=1)
    assert case.center("alice").feed.backfill(1, since)["missed"]


def test_many_instances_are_not_named_one_by_one(case: Case) -> None:
    since = now(case)
    for first in range(0, MOST_INSTANCES + 1, 1_000):
        with case.world.store.transaction() as tx:
            tx.hold_back(first)
            tx.wait_for_time(range(10_000 + first, 10_000 + first + 999))
    assert case.center("alice").feed.backfill(1, since)["missed"]


def test_the_schedule_is_told_to_who_sees_something_of_it(case: Case) -> None:
    """SEC-2: by the workspaces of what has changed; who it concerns whole, all are told."""
    with case.world.store.read() as reader:
        (day, *_) = reader.generations.bizdates(1)
        rows = {reader.task_name(row.task_id): row.id for row in reader.generations.instances(day)}
    since = now(case)
    with case.world.store.transaction() as tx:
        freeze(tx, rows["open.first"])
    told_to = {
        user: case.center(user).feed.backfills(since)["schedule"] for user in ("admin", "alice", "greta")
    }
    assert told_to == {"admin": True, "alice": True, "greta": False}
    assert case.center("alice").feed.backfills(since)["backfills"] == []
    since = now(case)
    with case.world.store.transaction() as tx:
        tx.generations.hold(True)
    assert case.center("greta").feed.backfills(since)["schedule"]


def test_a_backfill_that_has_gone(case: Case) -> None:
    """RET-1: the system administrator is told its id; who else might have seen it is not known any more."""
    since = now(case)
    with case.world.store.transaction() as tx:
        tx.set_backfill(3, phase="expired")
    assert case.center("admin").feed.backfills(since) == {
        "revision": now(case), "missed": False, "backfills": [3], "schedule": False
    }  # fmt: skip
    assert case.center("alice").feed.backfills(since)["missed"]


def test_the_same_eyes_are_equal(case: Case) -> None:
    """So that all of them are told the same bytes."""
    alice, greta = case.center("alice").feed.eyes(), case.center("greta").feed.eyes()
    assert alice == Eyes("alice", frozenset({"open"}))
    assert alice != greta
    assert case.center("admin").feed.eyes().workspaces is None


def test_who_listens_to_all_is_told_the_same(case: Case) -> None:
    """A stream and a question are one function of the same values."""
    (mine, *_) = ids_of(case, "open.first")
    since = now(case)
    with case.world.store.transaction() as tx:
        freeze(tx, mine)
    changes = Feed(case.world.store).look(int(since.rpartition(".")[2]))
    assert isinstance(changes, Changes)
    assert not changes.rights
    for user in ("admin", "alice", "greta"):
        center = case.center(user)
        assert center.feed.eyes().backfill(changes, 1) == center.feed.backfill(1, since)
        assert center.feed.eyes().backfills(changes) == center.feed.backfills(since)


def test_a_sign_out_is_a_change_of_rights(case: Case) -> None:
    """SEC-1: streams of who has signed out end."""
    since = int(now(case).rpartition(".")[2])
    with case.world.store.transaction() as tx:
        tx.signing_in.end_session(1, 5)
    assert Feed(case.world.store).look(since).rights
