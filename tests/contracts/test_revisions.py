"""What every store tells of changes: each transaction that changes what is shown has a number and says what it was."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.ledgers import INSTANCE, MAKE, fill, in_state
from retrofill.domain.running.states import MOVES, Move, State
from retrofill.services.ports import Ledger, Store
from retrofill.services.ports.records import GenerationRecord, UserRecord
from retrofill.services.ports.revisions import MOST_NAMED, SCHEDULE, InstancePlace, Revision

_SOME = 100


def last(store: Store) -> int:
    with store.read() as reader:
        return reader.revisions.last()


def since(store: Store, number: int) -> list[Revision] | None:
    with store.read() as reader:
        return reader.revisions.since(number, _SOME)


def change(store: Store, act: Callable[[Ledger], object]) -> Revision | None:
    """What the store tells of a transaction."""
    before = last(store)
    with store.transaction() as tx:
        act(tx)
    (found,) = since(store, before) or (None,)
    return found


def queue(tx: Ledger, number: int) -> None:
    tx.outbox.add(number, "failure", "email", 9)


@pytest.mark.parametrize("move", list(MAKE))
def test_every_move_names_the_instance(store: Store, move: Move) -> None:
    """Whatever the ledger lets an instance do."""
    fill(store, in_state(next(iter(MOVES[move].sources)), open_waits=int(move is Move.WITHDRAW)))
    found = change(store, MAKE[move])
    assert found is not None
    assert found.instances == (1,)


OF_AN_INSTANCE: dict[str, Callable[[Ledger], object]] = {
    "a wish to stop": lambda tx: tx.mark_stopping(1),
    "a wish to make way": lambda tx: tx.mark_yielding(1),
    "another place": lambda tx: tx.place([(1, 9, "default")]),
    "held back": lambda tx: tx.hold_back(1),
    "other code": lambda tx: tx.set_code_version(1, 1),
    "a run explained": lambda tx: tx.explain_run(1, 1, "why"),
    "a wait removed": lambda tx: tx.interventions.remove_waits(1, [7]),
    "isolation ended": lambda tx: tx.interventions.end_isolation(1),
    "a priority": lambda tx: tx.interventions.set_priority(1, 9),
    "a resource group": lambda tx: tx.interventions.set_resource_group(1, "default"),
    "an operation": lambda tx: tx.record(9, "alice", "stop", instance_id=1),
}


@pytest.mark.parametrize("what", OF_AN_INSTANCE)
def test_what_is_shown_of_an_instance_names_it(store: Store, what: str) -> None:
    fill(store, INSTANCE)
    found = change(store, OF_AN_INSTANCE[what])
    assert found is not None
    assert found.instances == (1,)


def test_a_clock_that_is_set_names_what_waits_by_it(store: Store) -> None:
    """TIME-8: the ends of pauses move with it, and those of alerts."""
    number = fill(store, in_state(State.WAITING_TIME, reason="rerun_interval"), in_state(State.NOT_RUN, 2))
    change(store, lambda tx: queue(tx, number))
    change(store, lambda tx: tx.clock.keep(1_700_000_000_000))
    found = change(store, lambda tx: tx.clock.accept(1_700_003_600_000))
    assert found is not None
    assert (found.backfills, found.instances) == ((number,), (1,))


def test_a_log_that_is_removed_names_its_instance(store: Store) -> None:
    """OBS-2."""
    fill(store, INSTANCE)
    found = change(store, lambda tx: tx.retention.note_removed_logs([(1, 1, "token")], 9))
    assert found is not None
    assert found.instances == (1,)


def test_a_schedule_that_is_paused_is_changed_as_a_whole(store: Store) -> None:
    """OPS-0: what waits of it is shown as Not run."""
    fill(store)
    for held in (True, False):
        found = change(store, lambda tx, held=held: tx.generations.hold(held))  # type: ignore[misc]
        assert found is not None
        assert found.whole == (SCHEDULE,)


OF_A_BACKFILL: dict[str, Callable[[Ledger, int], object]] = {
    "its row": lambda tx, number: tx.set_backfill(number, idle_ms=1),
    "its expected end": lambda tx, number: tx.times.set_expected(number, "{}"),
    "its first estimate": lambda tx, number: tx.times.set_first_estimate(number, "{}"),
    "failures": lambda tx, number: tx.add_failures(number, 1),
    "a date's counters": lambda tx, number: tx.count(number, 0, (0, 0, 1, 0)),
    "counters": lambda tx, number: tx.count_many(number, {0: (0, 0, 1, 0)}),
    "a date's turn": lambda tx, number: tx.reach(number, 0),
    "a turn taken back": lambda tx, number: tx.unreach(number, [0]),
    "an operation": lambda tx, number: tx.record(9, "alice", "pause", number),
    "an alert": queue,
    "what is left of one": lambda tx, number: tx.delete_half_created(number, "planned"),
}


@pytest.mark.parametrize("what", OF_A_BACKFILL)
def test_what_is_shown_of_a_backfill_names_it(store: Store, what: str) -> None:
    number = fill(store)
    found = change(store, lambda tx: OF_A_BACKFILL[what](tx, number))
    assert found is not None
    assert (found.backfills, found.whole, found.instances) == ((number,), (), ())


def test_an_alert_that_is_being_sent_names_its_backfill(store: Store) -> None:
    """OBS-5: its state is shown. Looking in vain for one to send changes nothing."""
    number = fill(store)
    assert change(store, lambda tx: tx.outbox.claim(9, 99)) is None
    change(store, lambda tx: queue(tx, number))
    found = change(store, lambda tx: tx.outbox.claim(9, 99))
    assert found is not None
    assert found.backfills == (number,)


WHOLE: dict[str, Callable[[Ledger, int], object]] = {
    "a pause or its end": lambda tx, number: tx.set_backfill(number, paused=1),
    "a stop": lambda tx, number: tx.set_backfill(number, stopped=1),
    "a phase": lambda tx, number: tx.set_backfill(number, phase="active"),
    "a policy, and with it a window": lambda tx, number: tx.set_backfill(number, policy="{}"),
    "groups dealt anew": lambda tx, number: tx.set_groups(number, {0: 2}),
    "a date that waits again": lambda tx, number: tx.withdraw_date(number, 1, 99),
    "retention": lambda tx, number: tx.retention.hide(number, 1 << 40),
}


@pytest.mark.parametrize("what", WHOLE)
def test_what_names_no_instances_is_told_of_the_whole_backfill(store: Store, what: str) -> None:
    number = fill(store)
    found = change(store, lambda tx: WHOLE[what](tx, number))
    assert found is not None
    assert found.whole == (number,)


def test_many_instances_are_told_of_their_backfills(store: Store) -> None:
    """A row stays short: beyond 1,000 it says whose they are."""
    number = fill(store, INSTANCE, in_state(State.NOT_RUN, 2))
    with store.transaction() as tx:
        tx.generations.add(GenerationRecord(0, "2026-01-05", "night", "active", 1, 5_000, 100, 1))
        tx.add_instances([INSTANCE._replace(id=5_000, backfill_id=None)])
    most = change(store, lambda tx: tx.wait_for_time(range(1, MOST_NAMED + 1)))
    more = change(store, lambda tx: tx.wait_for_time([*range(1, MOST_NAMED + 1), 5_000]))
    assert most is not None
    assert (most.whole, len(most.instances)) == ((), MOST_NAMED)
    assert more is not None
    assert (more.whole, more.instances) == ((SCHEDULE, number), ())


RIGHTS: dict[str, Callable[[Ledger], object]] = {
    "a deploy": lambda tx: tx.add_version("{}", 1, "admin"),
    "a user": lambda tx: tx.people.put_user(UserRecord(0, "alice", "", "", 1, 5)),
    "a token revoked": lambda tx: tx.people.revoke_token(1, 9),
    "a sign-out": lambda tx: tx.signing_in.end_session(1, 9),
    "all sign-outs of somebody": lambda tx: tx.signing_in.end_sessions_of("alice", 9),
}


@pytest.mark.parametrize("what", RIGHTS)
def test_what_may_change_who_sees_what_is_told(store: Store, what: str) -> None:
    """SEC-1, SEC-2: who listens is judged anew."""
    found = change(store, RIGHTS[what])
    assert found is not None
    assert found.rights


def test_what_changes_nothing_that_is_shown_has_no_number(store: Store) -> None:
    """A tick with nothing to do writes none."""
    fill(store)
    assert change(store, lambda tx: tx.reserve_instance_ids(5)) is None
    assert change(store, lambda tx: tx.clock.keep(10, 1_000)) is None


def test_what_was_undone_has_no_number(store: Store) -> None:
    """It is written in the transaction that it tells of."""
    fill(store, INSTANCE)
    before = last(store)

    def break_off() -> None:
        with store.transaction() as tx:
            tx.wait_for_time([1])
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert last(store) == before
    assert since(store, before) == []


def test_numbers_rise_by_one_in_the_order_of_commits(opener: Callable[[], Store]) -> None:
    """A reader that has seen one has missed none before it, whoever writes."""
    stores, each = [opener(), opener()], 20
    fill(stores[0], INSTANCE)
    first = last(stores[0])
    seen: list[int] = []

    def write(store: Store) -> None:
        for _ in range(each):
            with store.transaction() as tx:
                tx.wait_for_time([1])
            seen.append(last(store))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, stores))
    found = since(stores[0], first)
    assert found is not None
    assert [one.number for one in found] == [*range(first + 1, first + 2 * each + 1)]
    assert max(seen) == first + 2 * each


def test_who_knows_a_number_that_is_not_kept_looks_at_everything_anew(store: Store) -> None:
    fill(store, INSTANCE)
    number = last(store)
    assert since(store, number) == []
    assert since(store, number + 1) is None, "of another store, or of this one before it was restored"
    assert since(store, 0) is not None


def test_whose_an_instance_is(store: Store) -> None:
    """Asked by who reads, not by who writes; what was deleted meanwhile is nobody's."""
    number = fill(store, INSTANCE)
    with store.transaction() as tx:
        tx.generations.add(GenerationRecord(0, "2026-01-05", "night", "active", 1, 5_000, 100, 1))
        tx.add_instances([INSTANCE._replace(id=5_000, backfill_id=None)])
    with store.read() as reader:
        assert reader.revisions.places([1, 77, 5_000]) == [
            InstancePlace(1, number, 1),
            InstancePlace(5_000, SCHEDULE, 1),
        ]
