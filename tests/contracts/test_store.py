"""What every store must do: atomic transactions, compare-and-set, consistent views, marks that die."""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import select
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from contracts.adapters import StoreRoom
from contracts.ledgers import BACKFILL, INSTANCE, MAKE, fill, in_state
from retrofill import failpoints
from retrofill.domain.errors import StoreUnavailableError
from retrofill.domain.running.filters import FAILED, About, BackfillFilter, InstanceFilter
from retrofill.domain.running.states import MOVES, Move, State
from retrofill.services.ports import ConstraintError, StartFilter, Store
from retrofill.services.ports.instances import NO_INSTANCE
from retrofill.services.ports.interventions import ISOLATION, FixedPlace
from retrofill.services.ports.records import DateRecord, EndOfRun, GenerationRecord
from retrofill.services.ports.revisions import SCHEDULE

Opener = Callable[[], Store]


def state_of(store: Store, number: int = 1) -> str | None:
    with store.read() as reader:
        rows = reader.instances([number])
    return rows[0].state if rows else None


# Transactions


def test_an_exception_undoes_everything(store: Store) -> None:
    """OPS-8: one transaction per decision, or none of it."""

    def break_off() -> None:
        with store.transaction() as tx:
            tx.add_version("{}", 1, "admin")
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    with store.read() as reader:
        assert reader.current_version() is None
    with store.transaction() as tx:
        assert tx.add_version("{}", 1, "admin") == 1


def test_a_transaction_sees_its_own_writes(store: Store) -> None:
    fill(store, INSTANCE)
    with store.transaction() as tx:
        tx.wait_for_resources([(1, 5, "default")])
        assert [row.priority for row in tx.instances([1])] == [5]


_PLACES = {state: place for place, state in enumerate(State)}


def test_states_of_a_range_without_gaps(store: Store) -> None:
    """Each at its id, also where there are many."""
    many = [in_state(state, number) for number, state in enumerate(list(State) * 300, start=1)]
    fill(store, *many)
    with store.read() as reader:
        assert reader.states_between(1, len(many)) == bytes(_PLACES.values()) * 300


def test_instances_that_are_judged_alike_are_counted_together(store: Store) -> None:
    """OPS-2: by task, kind, state and the version whose code they run; each sort by its first one."""
    fill(store, INSTANCE, in_state(State.FAILED, 2), in_state(State.FAILED, 3), in_state(State.SUCCESSFUL, 4))
    with store.transaction() as tx:
        tx.set_code_version(3, tx.add_version("{}", 1, "admin"))
    ended = InstanceFilter(states=frozenset({State.FAILED, State.SUCCESSFUL}))
    with store.read() as reader:
        assert [(row.id, count) for row, count in reader.alike(1, 4, ended)] == [(2, 1), (3, 1), (4, 1)]
        assert [(row.id, count) for row, count in reader.alike(1, 2, ended)] == [(2, 1)]
    fill(store, in_state(State.FAILED, 5))
    with store.read() as reader:
        assert {row.id: count for row, count in reader.alike(1, 9, ended)}[2] == 2


def test_states_and_runs_of_a_range(store: Store) -> None:
    """BF-2: by id, of those that are there."""
    fill(store, INSTANCE, in_state(State.WAITING_RESOURCES, 3))
    with store.transaction() as tx:
        tx.start([(3, 1, "token")], "boot", 9)
    with store.read() as reader:
        found = reader.states_between(1, 4)
        assert found == bytes([_PLACES[State.NOT_RUN], NO_INSTANCE, _PLACES[State.RUNNING], NO_INSTANCE])
        assert reader.states_between(2, 2) == bytes([NO_INSTANCE])
        assert [run.instance_id for run in reader.runs_between(1, 3)] == [3]
        assert reader.runs_between(1, 2) == []


def test_a_view_does_not_change_under_its_reader(opener: Opener) -> None:
    one, other = opener(), opener()
    fill(one, INSTANCE)
    with one.read() as reader:
        before = reader.instances([1])
        with other.transaction() as tx:
            tx.wait_for_time([1])
        assert reader.instances([1]) == before
    assert state_of(one) == "waiting_time"


def test_a_commit_that_failed_hides_none_of_others(opener: Opener) -> None:
    """RUN-1: what was refused has no number: the next one who commits may be given that."""
    one, two = opener(), opener()
    fill(one, INSTANCE)
    with one.transaction() as tx:
        before = tx.others_commits()
    with (
        failpoints.asked_for("fault.store=ENOSPC@1"),
        pytest.raises(StoreUnavailableError),
        one.transaction() as tx,
    ):
        tx.mark_stopping(1)
    with two.transaction() as tx:
        tx.set_backfill(1, paused=1)
    with one.transaction() as tx:
        assert tx.others_commits() != before


def test_others_commits_are_noticed(opener: Opener) -> None:
    """RUN-1: the scheduler looks again only when somebody else has committed what it has to know."""
    one, other = opener(), opener()
    fill(one, INSTANCE)
    with one.transaction() as tx:
        first = tx.others_commits()
        tx.wait_for_time([1])
    with one.transaction() as tx:
        assert tx.others_commits() == first, "one's own commits do not count"
    with other.transaction() as tx:
        tx.withdraw([1])
    with one.transaction() as tx:
        assert tx.others_commits() != first


def _add(open_store: Opener, count: int) -> None:
    store = open_store()
    for _ in range(count):
        with store.transaction() as tx:
            tx.reserve_instance_ids(1)
    store.close()


def test_threads_share_one_store(store: Store) -> None:
    """Each has a view of its own, writes in its turn, and sees what it has committed."""
    threads, each = 8, 12
    begin = Barrier(threads)

    def newest() -> int:
        with store.read() as reader:
            found = reader.current_version_id() or 0
            with store.read() as again:
                assert again.current_version_id() == (found or None), "within a view it is the same one"
            return found

    def work(number: int) -> list[int]:
        begin.wait()
        seen = []
        for _ in range(each):
            before = newest()
            with store.transaction() as tx:
                made = tx.add_version("{}", 1, f"thread {number}")
            assert before < made <= newest()
            seen.append(made)
        return seen

    with ThreadPoolExecutor(threads) as pool:
        made = [number for seen in pool.map(work, range(threads)) for number in seen]
    assert sorted(made) == [*range(1, threads * each + 1)]


def test_what_other_threads_commit_counts_as_others(store: Store) -> None:
    """A scheduler looks around again after what another thread of its process has done."""

    def add() -> int:
        with store.transaction() as tx:
            tx.add_version("{}", 1, "admin")
            return tx.others_commits()

    known = add()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(add).result()
    assert add() != known


def test_processes_that_write_at_once_lose_nothing(store_room: StoreRoom) -> None:
    """POL-13: four processes, each with its own connection."""
    store = store_room.open()
    spawning = multiprocessing.get_context("spawn")
    processes = [spawning.Process(target=_add, args=(store_room.open_elsewhere, 25)) for _ in range(3)]
    for process in processes:
        process.start()
    for _ in range(25):
        with store.transaction() as tx:
            tx.reserve_instance_ids(1)
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    with store.transaction() as tx:
        assert tx.reserve_instance_ids(1) == 101


# Versions and ids


def test_names_keep_their_ids(store: Store) -> None:
    """CAT-3: over redeploys, also when a name was away for a while."""
    for names in (["w.a", "w.b"], ["w.c"], ["w.b", "w.a"]):
        with store.transaction() as tx:
            tx.set_deployed("task", names)
    with store.read() as reader:
        assert reader.task_ids() == {"w.a": 1, "w.b": 2, "w.c": 3}
        assert reader.task_name(3) == "w.c"
        assert reader.task_name(9) is None


def test_versions_are_kept(store: Store) -> None:
    """CAT-1: immutable and numbered."""
    with store.transaction() as tx:
        assert [tx.add_version(text, 1, "admin") for text in ("one", "two")] == [1, 2]
    with store.read() as reader:
        assert reader.current_version() == (2, "two")
        assert reader.version(1) == "one"


def test_instance_ids_are_reserved_once(opener: Opener) -> None:
    """CAT-3."""
    one, other = opener(), opener()
    with one.transaction() as tx:
        assert tx.reserve_instance_ids(10) == 1
    with other.transaction() as tx:
        assert tx.reserve_instance_ids(5) == 11


def test_bizdates_of_nights_newest_first(store: Store) -> None:
    """AUTO-1: page by page; one that is being made is none yet."""
    with store.transaction() as tx:
        tx.add_version("{}", 5, "alice", 1)
        made = ((5, "active"), (6, "active"), (7, "active"), (7, "active"), (8, "creating"))
        for first_id, (day, phase) in zip(range(1, 1_000, 100), made, strict=False):
            tx.generations.add(GenerationRecord(0, f"2026-01-0{day}", "night", phase, 1, first_id, 100, 1))
    with store.read() as reader:
        bizdates = reader.generations.bizdates
        assert bizdates(-1) == ["2026-01-07", "2026-01-06", "2026-01-05"]
        assert bizdates(2) == ["2026-01-07", "2026-01-06"]
        assert bizdates(2, before="2026-01-06") == ["2026-01-05"]
        assert bizdates(-1, before="2026-01-05") == []


def test_ids_are_never_given_again(store: Store) -> None:
    """CAT-3: what was deleted leaves a gap, so that nobody takes one backfill or generation for another."""
    night = GenerationRecord(0, "2026-01-05", "night", "active", 1, 1, 100, 1)
    first = fill(store)
    with store.transaction() as tx:
        tx.delete_half_created(first)
    assert fill(store) == first + 1
    with store.transaction() as tx:
        generation = tx.generations.add(night)
        tx.generations.delete(generation)
        assert tx.generations.add(night) == generation + 1


# Moves


def test_every_move_that_changes_a_state_is_tried() -> None:
    """OPS-0: the table below leaves nothing out; a stop is a wish, not a move of the ledger."""
    assert set(MAKE) == set(Move) - {Move.STOP}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("move", list(MAKE))
def test_a_move_happens_from_its_sources_and_from_no_other_state(
    store: Store, move: Move, state: State
) -> None:
    """OPS-0..6: compare-and-set against the state table."""
    reason = "sibling_failed" if move is Move.RESTORE_SIBLING else None
    before = in_state(state, open_waits=int(move is Move.WITHDRAW), reason=reason)
    fill(store, before)
    with store.transaction() as tx:
        MAKE[move](tx)
    with store.read() as reader:
        (after,) = reader.instances([1])
    if state in MOVES[move].sources:
        assert after.state in MOVES[move].targets
        assert MOVES[move].reason in (None, after.reason)
    else:
        assert after == before


@pytest.mark.parametrize("state", list(State))
def test_a_wish_to_stop_is_noted_on_running_ones_only(store: Store, state: State) -> None:
    """OPS-1."""
    fill(store, in_state(state))
    with store.transaction() as tx:
        assert tx.mark_stopping(1) is (state is State.RUNNING)
    assert state_of(store) == state.value


def test_what_waits_for_nothing_is_not_withdrawn(store: Store) -> None:
    """OPS-0, OPS-3: neither is what ignores its waits."""
    fill(
        store,
        in_state(State.WAITING_RESOURCES, 1),
        in_state(State.WAITING_RESOURCES, 2, open_waits=1, ignores_waits=1),
        in_state(State.WAITING_RESOURCES, 3, open_waits=1),
    )
    with store.transaction() as tx:
        tx.withdraw([1, 2, 3])
    assert [state_of(store, i) for i in (1, 2, 3)] == ["waiting_resources", "waiting_resources", "not_run"]


def test_a_date_that_waits_for_its_turn_again(store: Store) -> None:
    """OPS-3: once, and what waits of it goes back to Not run, but for what ignores its waits."""
    backfill = fill(
        store,
        in_state(State.WAITING_RESOURCES, 1),
        in_state(State.WAITING_TIME, 2),
        in_state(State.WAITING_RESOURCES, 3, ignores_waits=1),
        in_state(State.RUNNING, 4),
        in_state(State.WAITING_RESOURCES, 5),  # beyond the date
    )
    with store.transaction() as tx:
        assert tx.reach(backfill, 0)
        assert tx.unreach(backfill, [0, 1]) == [0]
        assert tx.unreach(backfill, [0]) == []
        assert not tx.is_reached(backfill, 0)
        tx.withdraw_date(backfill, 1, 4)
    states = [state_of(store, number) for number in range(1, 6)]
    assert states == ["not_run", "not_run", "waiting_resources", "running", "waiting_resources"]


def test_what_failed_in_a_range_of_ids(store: Store) -> None:
    """POL-7: also what was frozen when it had failed; not what failed with another."""
    fill(
        store,
        in_state(State.FAILED, 1, reason="sibling_failed"),
        in_state(State.FROZEN, 2, frozen_from="failed", reason="exit_code"),
        in_state(State.FAILED, 3, reason="exit_code"),
        in_state(State.SUCCESSFUL, 4),
    )
    with store.read() as reader:
        assert [reader.has_failed(i, i) for i in range(1, 5)] == [False, True, True, False]
        assert reader.has_failed(1, 4)


def test_a_run_keeps_the_version_that_its_instance_ran(store: Store) -> None:
    """OPS-2, CAT-9: as it was when it started."""
    fill(store, in_state(State.WAITING_RESOURCES))
    with store.transaction() as tx:
        tx.start([(1, 1, "a")], "boot", 10)
        tx.end_runs([EndOfRun(1, 1, "a", 20, "exited", 1, None)])
        tx.fail(1, "exit_code", 20)
        tx.rerun([(1, 2, False)])
        tx.set_code_version(1, 7)
        tx.wait_for_resources([(1, 1, "default")])
        tx.start([(1, 2, "b")], "boot", 30)
        assert [run.version_id for run in tx.runs(1)] == [None, 7]
        (row,) = tx.instances([1])
    assert row.code_version_id == 7


def test_what_a_change_owes_is_settled_by_its_own_moment_only(store: Store) -> None:
    """BF-3: a later change owes anew."""
    with store.transaction() as tx:
        tx.owe_places(1, 10)
        tx.owe_places(12, 10)
        tx.owe_places(1, 20)
        tx.settle_places(1, 10)
        assert sorted(tx.owed_places()) == [(1, 20), (12, 10)]
        tx.settle_places(1, 20)
        assert tx.owed_places() == [(12, 10)]


def test_many_records_at_once(store: Store) -> None:
    """OPS-8: as one by one."""
    with store.transaction() as tx:
        tx.record(5, "ann", "freeze", 1, 2, "not_run", "frozen", "why")
        tx.record_many([(5, "ann", "freeze", 1, 2, "not_run", "frozen", "why", None)])
        first, second = tx.operations("instance_id", 2)
    assert second == first._replace(id=second.id)


def test_the_token_decides_whose_end_it_is(store: Store) -> None:
    """RUN-3: (instance, run number, token), once."""
    fill(store, in_state(State.WAITING_RESOURCES))
    with store.transaction() as tx:
        tx.start([(1, 1, "right")], "boot", 10)
        assert tx.end_runs([EndOfRun(1, 1, "wrong", 20, "exited", 0, None)]) == [False]
        assert tx.end_runs([EndOfRun(1, 2, "right", 20, "exited", 0, None)]) == [False]
        assert not tx.forget_run(1, 1, "wrong")
        assert tx.end_runs([EndOfRun(1, 1, "right", 20, "exited", 0, "fine")]) == [True]
        assert tx.end_runs([EndOfRun(1, 1, "right", 30, "exited", 1, None)]) == [False], "once"
        assert not tx.forget_run(1, 1, "right"), "what has ended is kept"
        (run,) = tx.runs(1)
    assert (run.token, run.boot_id, run.started_ms, run.ended_ms, run.exit_code, run.message) == (
        "right", "boot", 10, 20, 0, "fine",
    )  # fmt: skip


def test_a_run_says_where_it_lives(store: Store) -> None:
    """RUN-1: on a host of those that share the store, or on the one machine that has it."""
    fill(store, *(in_state(State.WAITING_RESOURCES, number) for number in (1, 2)))
    with store.transaction() as tx:
        tx.start([(1, 1, "a")], "boot", 10)
        tx.start([(2, 1, "b")], "boot", 10, "box-1")
    with store.read() as reader:
        assert {row.id: run.host for row, run in reader.running()} == {1: None, 2: "box-1"}


def test_a_run_that_never_started_can_start_under_a_new_token(store: Store) -> None:
    """RUN-3: with the same number."""
    fill(store, in_state(State.WAITING_RESOURCES))
    with store.transaction() as tx:
        tx.start([(1, 1, "first")], "boot", 10)
        assert tx.forget_run(1, 1, "first")
        tx.start_later(1, 10)
        tx.wait_for_resources([(1, 1, "default")])
        tx.start([(1, 1, "second")], "boot", 20)
        assert [run.token for run in tx.runs(1)] == ["second"]


def test_a_start_under_a_number_that_is_over_starts_nothing(store: Store) -> None:
    """OPS-0: by a scheduler that had decided before somebody reran it."""
    fill(store, in_state(State.WAITING_RESOURCES, run_number=3))
    with store.transaction() as tx:
        tx.start([(1, 2, "late")], "boot", 10)
        (row,) = tx.instances([1])
    assert (row.state, row.started_ms) == ("waiting_resources", None)


def test_only_what_failed_with_a_sibling_is_restored_with_one(store: Store) -> None:
    """POL-7: what has failed for a reason of its own stays Failed."""
    fill(store, *(in_state(State.FAILED, n, reason=r) for n, r in ((1, "exit_code"), (2, "sibling_failed"))))
    with store.transaction() as tx:
        tx.restore([1, 2])
        assert {row.id: row.state for row in tx.instances([1, 2])} == {1: "failed", 2: "not_run"}


def test_a_number_runs_once(store: Store) -> None:
    """RUN-3: the ledger itself refuses a second run of a number."""
    fill(store, in_state(State.WAITING_RESOURCES))
    with store.transaction() as tx:
        tx.start([(1, 1, "first")], "boot", 10)
    with pytest.raises(ConstraintError), store.transaction() as tx:
        tx.start([(1, 1, "second")], "boot", 20)


def test_an_automatic_rerun_counts_and_a_persons_rerun_resets(store: Store) -> None:
    """RUN-3, OPS-2."""
    fill(store, in_state(State.RUNNING))
    with store.transaction() as tx:
        tx.rerun_by_itself(1, 99_000, 50_000)
        (row,) = tx.instances([1])
        assert (row.state, row.reason, row.run_number, row.reruns, row.start_ms) == (
            "not_run", "rerun_interval", 2, 1, 99_000,
        )  # fmt: skip
        tx.wait_for_resources([(1, 1, "default")])
        tx.start([(1, 2, "t")], "boot", 99_000)
        tx.fail(1, "exit_code", 99_500)
        tx.rerun([(1, 3, True)])
        (row,) = tx.instances([1])
    assert (row.run_number, row.reruns, row.ignores_waits, row.reason) == (3, 0, 1, None)


def test_freezing_remembers_the_state(store: Store) -> None:
    """OPS-6."""
    for number, state in enumerate((State.NOT_RUN, State.SUCCESSFUL, State.FAILED), start=1):
        fill(store, in_state(state, number))
        with store.transaction() as tx:
            tx.freeze(number)
            tx.freeze(number)
        assert state_of(store, number) == "frozen"
        with store.transaction() as tx:
            tx.unfreeze(number, "run", "default")
        assert state_of(store, number) == state.value


# Questions


def test_candidates_in_the_order_of_starting(store: Store) -> None:
    """RUN-1: priority, then T, then id; other groups, held backfills and full tasks left out."""
    ready = State.WAITING_RESOURCES
    fill(
        store,
        in_state(ready, 1, due_ms=30),
        in_state(ready, 2, due_ms=20),
        in_state(ready, 3, due_ms=20),
        in_state(ready, 4, due_ms=99, priority=8),
        in_state(ready, 5, resource_group="night"),
        in_state(State.NOT_RUN, 6),
    )
    held = fill(store, in_state(ready, 7))
    with store.read() as reader:
        assert [c.id for c in reader.candidates("default", StartFilter(held=[held]), 10)] == [4, 2, 3, 1]
        assert [c.id for c in reader.candidates("default", StartFilter(), 2)] == [4, 2]
        assert [c.id for c in reader.candidates("night", StartFilter(), 10)] == [5]
        assert [c.id for c in reader.candidates("default", StartFilter(full=[1]), 10)] == []
        assert sorted(reader.queues()) == [
            ("default", "waiting_resources", 5),
            ("night", "waiting_resources", 1),
        ]


def test_auto_triggered_candidates(store: Store) -> None:
    """RUN-1, RUN-5, RUN-6: before those of backfills of the same priority; each side can be left out."""
    ready = State.WAITING_RESOURCES
    fill(store, in_state(ready, 1, due_ms=10), in_state(ready, 2, due_ms=20, priority=3))
    with store.transaction() as tx:
        tx.set_deployed("task", ["w.a", "w.b"])
        other = tx.task_ids()["w.b"]
        tx.add_instances(
            [
                in_state(ready, 3, due_ms=30, backfill_id=None, task_id=other),
                in_state(ready, 4, due_ms=40, backfill_id=None, task_id=other, slot=61),
            ]
        )
    with store.read() as reader:

        def ids(**wanted: Any) -> list[int]:
            return [row.id for row in reader.candidates("default", StartFilter(**wanted), 10)]

        assert ids(auto=True) == [2, 3, 4, 1]
        assert ids(auto=False) == [2, 1]
        assert ids(auto=True, backfill=False) == [3, 4]
        assert ids(auto=True, held=[1]) == [3, 4]
        assert ids(auto=True, behind=[3]) == [2, 4, 1]
        assert ids(auto=True, taken=[1]) == [3, 4]
        assert ids(auto=True, yields=True) == [2, 3, 4, 1]
        assert reader.generations.ready_tasks() == [other]
    with store.transaction() as tx:
        tx.add_instances([in_state(ready, 5, backfill_id=None, slot=62)])
    with store.read() as reader:
        assert ids(auto=True, yields=True) == [3, 4, 5]
        assert [row.id for row in reader.passing([], True, 10)] == []


def test_an_auto_triggered_instance_is_there_once(store: Store) -> None:
    """AUTO-1: its task and slot are its identity."""
    fill(store)
    with store.transaction() as tx:
        tx.add_instances([in_state(State.NOT_RUN, 1, backfill_id=None)])
    with pytest.raises(ConstraintError), store.transaction() as tx:
        tx.add_instances([in_state(State.NOT_RUN, 2, backfill_id=None)])
    with store.read() as reader:
        assert reader.generations.find_instance(1, "2026-01-05", 60) == 1
        assert reader.generations.find_instance(1, "2026-01-05", 61) is None


def test_what_is_due(store: Store) -> None:
    """POL-2: earliest first; the next moment."""
    early = State.WAITING_TIME
    fill(
        store,
        in_state(early, 1, start_ms=300),
        in_state(early, 2, start_ms=100),
        in_state(early, 3, start_ms=200),
    )
    with store.transaction() as tx:
        assert [row.id for row in tx.due(200, 10)] == [2, 3]
        assert [row.id for row in tx.due(300, 1)] == [2]
        assert tx.upcoming()().start_ms == 100


def test_running_ones_with_their_runs(store: Store) -> None:
    """OPS-0."""
    fill(store, in_state(State.WAITING_RESOURCES, 1), in_state(State.WAITING_RESOURCES, 2))
    with store.transaction() as tx:
        tx.start([(1, 1, "t")], "boot", 10)
        tx.mark_stopping(1)
        assert [(row.id, run.token) for row, run in tx.running()] == [(1, "t")]
        assert tx.stopping() == [1]
        assert [run.instance_id for run in tx.open_runs()] == [1]


def test_who_waits_for_nothing(store: Store) -> None:
    """OPS-0, OPS-3."""
    fill(
        store,
        in_state(State.NOT_RUN, 1),
        in_state(State.NOT_RUN, 2, open_waits=1),
        in_state(State.NOT_RUN, 3, open_waits=1, ignores_waits=1),
        in_state(State.FAILED, 4),
    )
    with store.transaction() as tx:
        assert [row.id for row in tx.open_of([4, 3, 2, 1, 99])] in ([3, 1], [1, 3])
        tx.add_waits([(-1, 2), (2, 1)])
        assert {row.id: row.open_waits for row in tx.instances([1, 2])} == {1: 2, 2: 0}


def test_counters_of_a_date(store: Store) -> None:
    """POL-6, BF-2: changes add up; a date is reached once."""
    number = fill(store, in_state(State.NOT_RUN, 1), in_state(State.NOT_RUN, 2))
    with store.transaction() as tx:
        assert tx.count(number, 0, [0, 0, 2, 0]).running == 2
        assert tx.count(number, 0, [1, 1, -2, 0]) == DateRecord(number, 0, "2026-01-05", 1, 0, 2, 1, 1, 0, 0)
        assert tx.progress(number) == (2, 1, 1, 0, 0)
        assert not tx.is_reached(number, 0)
        assert tx.reach(number, 0)
        assert not tx.reach(number, 0)
        assert tx.is_reached(number, 0)


def test_backfills_that_are_being_created_are_invisible(store: Store) -> None:
    """POL-13: neither they nor their instances; but a planned one stays visible while it is filled."""
    hidden = fill(store, in_state(State.NOT_RUN, 1), phase="creating")
    planned = fill(store, in_state(State.NOT_RUN, 2), phase="creating", start_ms=7)
    with store.read() as reader:
        assert reader.find_backfill(hidden) is None
        assert reader.find_instance(1) is None
        assert [record.id for record in reader.backfills()] == [planned]
        assert {record.id for record in reader.in_phase("creating")} == {hidden, planned}
        assert [record.id for record in reader.open_backfills()] == [hidden, planned]
    with store.transaction() as tx:
        assert tx.delete_instances(1, 2, 1) == 1
        assert tx.delete_instances(1, 2, 5) == 1
        tx.delete_half_created(hidden)
        tx.delete_half_created(planned, back_to="planned")
    with store.read() as reader:
        assert [record.phase for record in reader.backfills()] == ["planned"]
        assert reader.in_phase("creating") == []


def test_pages_of_backfills(store: Store) -> None:
    """BF-1: newest first, by key."""
    for name in "abcd":
        fill(store, name=name)
    with store.read() as reader:
        assert [record.name for record in reader.backfills(limit=2)] == ["d", "c"]
        assert [record.name for record in reader.backfills(before=3, limit=2)] == ["b", "a"]
        assert [record.name for record in reader.backfills(BackfillFilter(name_part="B"))] == ["b"]


def test_columns_are_set_by_name(store: Store) -> None:
    number = fill(store)
    with store.transaction() as tx:
        tx.set_backfill(number, paused=1, ended_ms=9)
        record = tx.find_backfill(number)
    assert record == BACKFILL._replace(id=number, paused=1, ended_ms=9, edition=1)
    with pytest.raises(ValueError, match="name; DROP"), store.transaction() as tx:
        tx.set_backfill(number, **{"name; DROP TABLE task": 1})


def test_instances_in_a_range(store: Store) -> None:
    """BF-2: by id, and what fits."""
    fill(store, *[in_state(State.FAILED if i % 2 else State.NOT_RUN, i) for i in range(1, 8)])
    with store.read() as reader:
        assert [row.id for row in reader.instance_range(2, 6)] == [2, 3, 4, 5, 6]
        assert [row.id for row in reader.instance_range(2, 6, FAILED)] == [3, 5]
        assert [row.id for row in reader.instances([7, 99, 2])] == [2, 7]


def test_waiting_counts_by_backfill(store: Store) -> None:
    """BF-5."""
    number = fill(store, in_state(State.WAITING_TIME, 1), in_state(State.WAITING_RESOURCES, 2))
    other = fill(store, in_state(State.WAITING_TIME, 3))
    with store.read() as reader:
        assert (reader.waiting(number), reader.waiting(other)) == ((1, 1), (0, 1))
        assert (reader.has_waiting(number), reader.has_waiting(other)) == ((True, True), (False, True))
        assert [reader.has_waiting(number, (n, n)) for n in (1, 2, 3)] == [
            (False, True),
            (True, False),
            (False, False),
        ]


def test_what_a_list_shows_of_several_at_once(store: Store) -> None:
    """BF-2: the same as each of them says alone, in one question."""
    first = fill(
        store, in_state(State.WAITING_RESOURCES), in_state(State.WAITING_TIME, 2), in_state(State.FAILED, 3)
    )
    second = fill(store, in_state(State.SUCCESSFUL, 101), first_instance_id=101)
    bare = fill(store, first_instance_id=201)
    with store.transaction() as tx:
        dates = [("2026-03-02", 2), ("2026-01-01", 1)]
        tx.add_dates([DateRecord(second, place, day, 1, 0, 3, 1, 0, 1, 1) for day, place in dates])
        tx.times.set_first_estimate(second, '{"seconds": 1}')
        tx.times.set_expected(first, "[1, 2, 3, []]")
        tx.delete_half_created(bare, "planned")
    with store.read() as reader:
        found = reader.figures([second, first, bare, 999])
        assert sorted(found) == [first, second, bare]
        assert found[first] == ((3, 0, 1, 0, 0), (1, 1), ("2026-01-05",), None, "[1, 2, 3, []]")
        assert found[second] == (
            (7, 3, 0, 2, 2), (0, 0), ("2026-01-05", "2026-01-01", "2026-03-02"), '{"seconds": 1}', None
        )  # fmt: skip
        assert found[bare] == ((0, 0, 0, 0, 0), (0, 0), (), None, None)
        assert {number: one.progress for number, one in found.items()} == {
            n: reader.progress(n) for n in found
        }
        assert {number: one.waiting for number, one in found.items()} == {n: reader.waiting(n) for n in found}


def test_backfills_about_something(store: Store) -> None:
    """BF-1: the name, the id or a task that takes part; and what has ended, or not."""
    monthly, ended = fill(store, name="month end"), fill(store, name="100% over", ended_ms=9)
    with store.transaction() as tx:
        tx.set_deployed("task", ["w.a", "w.b"])
        other = tx.add_backfill(BACKFILL._replace(name="other"), [tx.task_ids()["w.b"]])
        task = tx.task_ids()["w.b"]
    with store.read() as reader:

        def found(**asked: Any) -> list[int]:
            return [record.id for record in reader.backfills(BackfillFilter(**asked))]

        assert found(about=About("MONTH", None, [])) == [monthly]
        assert found(about=About("%", None, [])) == [ended]
        assert found(about=About("month", ended, [task])) == [other, ended, monthly]
        assert found(is_open=True) == [other, monthly]
        assert found(is_open=False) == [ended]
        assert found(is_open=False, about=About("month", None, [task])) == []


def test_what_failed_is_found_whatever_there_is_besides(store: Store) -> None:
    """OPS-9: by backfill, the first ones in time, without those that failed with a sibling."""
    failed = [in_state(State.FAILED, number, ended_ms=9 - number, reason="exit_code") for number in (1, 2, 3)]
    first = fill(store, *failed[:2], failed[2]._replace(reason="sibling_failed"), in_state(State.FROZEN, 4))
    second = fill(store, in_state(State.SUCCESSFUL, 101), first_instance_id=101, ended_ms=7)
    with store.read() as reader:
        assert reader.failures() == {first: 2}
        assert [row.id for row in reader.first_failed(first, 5)] == [2, 1]
        assert [row.id for row in reader.first_failed(first, 1)] == [2]
        assert reader.first_failed(second, 5) == reader.first_failed(SCHEDULE, 5) == []


def test_backfills_that_have_ended_with_something_left(store: Store) -> None:
    """BF-4: what was frozen, and what failed, is not left over."""
    left = fill(store, in_state(State.FAILED), in_state(State.NOT_RUN, 2), ended_ms=5)
    done = fill(store, in_state(State.SUCCESSFUL, 101), first_instance_id=101, ended_ms=6)
    frozen = fill(store, in_state(State.FROZEN, 201), first_instance_id=201, ended_ms=7)
    fill(store, in_state(State.NOT_RUN, 301), first_instance_id=301)
    with store.read() as reader:

        def found(**asked: Any) -> list[int]:
            return [record.id for record in reader.backfills(BackfillFilter(**asked))]

        assert found(is_stuck=True) == [left]
        assert found(ended_from_ms=6) == [frozen, done]
        assert found(ended_from_ms=6, is_stuck=True) == []
        assert found(ids=[left, frozen, 999]) == [frozen, left]
        assert found(ids=[]) == []


def test_how_far_a_night_has_come(store: Store) -> None:
    """AUTO-1: by state, with the last end of each."""
    fill(store, in_state(State.FAILED, 9, ended_ms=9))
    rows = [
        in_state(State.SUCCESSFUL, 1, ended_ms=5), in_state(State.SUCCESSFUL, 2, slot=61, ended_ms=7),
        in_state(State.FAILED, 3, slot=62, ended_ms=6), in_state(State.NOT_RUN, 4, bizdate="2026-01-06"),
    ]  # fmt: skip
    with store.transaction() as tx:
        tx.add_instances([row._replace(backfill_id=None) for row in rows])
    with store.read() as reader:
        counts = reader.generations.counts
        assert sorted(counts("2026-01-05", "2026-01-05")) == [
            ("2026-01-05", "failed", 1, 6), ("2026-01-05", "successful", 2, 7)
        ]  # fmt: skip
        assert counts("2026-01-06", "2026-01-07") == [("2026-01-06", "not_run", 1, None)]
        found = reader.generations.in_state("2026-01-05", State.SUCCESSFUL, 9)
        assert [row.id for row in found] == [1, 2]
        assert [row.id for row in reader.generations.in_state("2026-01-05", State.FAILED, 9)] == [3]
        assert reader.failures()[SCHEDULE] == 1
        assert [row.id for row in reader.first_failed(SCHEDULE, 9)] == [3]


def test_the_first_start_and_the_last_end_of_a_range(store: Store) -> None:
    """BF-2: of what has any."""
    times = ((3, None), (1, 8), (2, 9), (None, None))
    fill(
        store,
        *(
            in_state(State.RUNNING if a and not b else State.FAILED, n, started_ms=a, ended_ms=b)
            for n, (a, b) in enumerate(times, 1)
        ),
    )
    with store.read() as reader:
        assert reader.first_and_last(1, 4) == (1, 9)
        assert reader.first_and_last(1, 1) == (3, None)
        assert reader.first_and_last(4, 9) == (None, None)


def test_isolated_ones_that_still_wait(store: Store) -> None:
    """DEP-11, BF-5."""
    fill(store, in_state(State.NOT_RUN, 1, reason="isolated", open_waits=1), in_state(State.NOT_RUN, 2))
    with store.read() as reader:
        assert reader.has_isolated(1, 2)
        assert not reader.has_isolated(2, 2)


def test_the_record_of_operations(store: Store) -> None:
    """OPS-8: per instance and per backfill, oldest first."""
    number = fill(store, INSTANCE)
    with store.transaction() as tx:
        tx.record(1, "bob", "pause", number)
        tx.record(2, "eve", "rerun", number, 1, "failed", "not_run", "because")
        found = tx.operations("instance_id", 1)
        assert [(o.user, o.action, o.from_state, o.to_state, o.comment) for o in found] == [
            ("eve", "rerun", "failed", "not_run", "because")
        ]
        assert [o.at_ms for o in tx.operations("backfill_id", number)] == [1, 2]
    with pytest.raises(ValueError, match="user"), store.read() as reader:
        reader.operations("user", 1)


# Marks and hints


def _create_for_ever(open_store: Opener, ready: multiprocessing.synchronize.Event) -> None:
    with open_store().creating(7):
        ready.set()
        select.select([], [], [])


def test_the_mark_of_creating_dies_with_its_process(store_room: StoreRoom) -> None:
    """POL-13: whatever kills it."""
    store = store_room.open()
    assert not store.is_being_created(7)
    with store.creating(7):
        assert store.is_being_created(7)
    assert not store.is_being_created(7)
    spawning = multiprocessing.get_context("spawn")
    ready = spawning.Event()
    process = spawning.Process(target=_create_for_ever, args=(store_room.open_elsewhere, ready))
    process.start()
    assert ready.wait(30)
    assert store.is_being_created(7)
    process.kill()
    process.join(30)
    assert not store.is_being_created(7)


def test_waking_reaches_the_scheduler_and_harms_nobody_without(store: Store) -> None:
    """RUN-1: a hint."""
    store.wake()
    ear = store.listen()
    try:
        for _ in range(1_000):
            store.wake()  # a full queue must not block
        assert select.select([ear], [], [], 5)[0]
        ear.drain()
        assert not select.select([ear], [], [], 0)[0]
    finally:
        ear.close()
    store.wake()


def test_what_administrators_change_about_an_instance(store: Store) -> None:
    """OPS-7: removed waits by either end; a place that stays when an instance is made ready again."""
    fill(store, *(in_state(State.NOT_RUN, number) for number in (1, 2, 3)))
    with store.transaction() as tx:
        assert tx.interventions.removed_from([1, 2, 3]) == []
        tx.interventions.remove_waits(3, [1, ISOLATION])
        tx.interventions.remove_waits(3, [1, 2])
        tx.interventions.remove_waits(2, [1])
        tx.interventions.set_priority(1, 8)
        tx.interventions.set_resource_group(1, "night")
        tx.interventions.set_priority(2, 5)
    with store.read() as reader:
        assert reader.interventions.removed_of(3) == {ISOLATION, 1, 2}
        assert reader.interventions.removed_of(1) == frozenset()
        assert sorted(reader.interventions.removed_from([1, 3])) == [(2, 1), (3, 1)]
        places = [reader.interventions.find_place(number) for number in (1, 2, 3)]
        assert places == [FixedPlace(8, "night"), FixedPlace(5, None), None]
        found = [(row.priority, row.resource_group) for row in reader.instances([1, 2, 3])]
        assert found == [(8, "night"), (5, "default"), (1, "default")]
