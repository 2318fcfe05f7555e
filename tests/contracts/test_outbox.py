"""What every store's outbox must do: queue once, hand out once at a time, keep what became of it (POL-9)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.ledgers import fill
from retrofill.services.ports import ConstraintError, Store
from retrofill.services.ports.records import AlertRecord


def queue(
    store: Store, backfill_id: int, event: str = "failure", method: str = "email", at_ms: int = 100
) -> None:
    with store.transaction() as tx:
        tx.outbox.add(backfill_id, event, method, at_ms)


def claim(store: Store, now_ms: int, until_ms: int) -> AlertRecord | None:
    with store.transaction() as tx:
        return tx.outbox.claim(now_ms, until_ms)


def alerts(store: Store, backfill_id: int) -> list[AlertRecord]:
    with store.read() as reader:
        return reader.outbox.of_backfill(backfill_id)


def next_ms(store: Store) -> int | None:
    with store.read() as reader:
        return reader.outbox.next_ms()


def test_a_round_has_each_event_and_method_once(store: Store) -> None:
    """POL-9."""
    number = fill(store)
    for event in ("failure", "success", "failure"):
        for method in ("email", "sms", "email"):
            queue(store, number, event, method)
    found = [(alert.round, alert.event, alert.method) for alert in alerts(store, number)]
    assert found == [
        (1, "failure", "email"),
        (1, "failure", "sms"),
        (1, "success", "email"),
        (1, "success", "sms"),
    ]


def test_a_new_round_may_tell_again(store: Store) -> None:
    """POL-9."""
    number, other = fill(store), fill(store)
    queue(store, number)
    with store.transaction() as tx:
        tx.outbox.new_round(number)
    queue(store, number)
    queue(store, other)
    assert [alert.round for alert in alerts(store, number)] == [1, 2]
    assert [alert.round for alert in alerts(store, other)] == [1]


def test_a_transaction_that_fails_queues_nothing(store: Store) -> None:
    """POL-9: the alert is written with what it tells, or not at all."""
    number = fill(store)

    def break_off() -> None:
        with store.transaction() as tx:
            tx.outbox.add(number, "failure", "email", 100)
            assert [alert.event for alert in tx.outbox.of_backfill(number)] == ["failure"]
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert alerts(store, number) == []
    assert next_ms(store) is None


def test_what_is_due_longest_is_handed_out_first_and_to_one_only(opener: Callable[[], Store]) -> None:
    """POL-9."""
    one, other = opener(), opener()
    number = fill(one)
    queue(one, number, method="sms", at_ms=200)
    queue(one, number, method="email", at_ms=100)
    assert next_ms(one) == 100
    assert claim(one, 99, 1_000) is None
    first = claim(one, 300, 1_000)
    second = claim(other, 300, 2_000)
    assert first is not None
    assert second is not None
    assert (first.method, first.state, first.tries) == ("email", "sending", 1)
    assert second.method == "sms"
    assert claim(one, 300, 3_000) is None
    assert next_ms(one) == 1_000


def test_a_claim_that_ran_out_is_handed_out_again_and_lost_to_its_holder(store: Store) -> None:
    """POL-9: a crash between sending and noting it repeats the message at worst."""
    number = fill(store)
    queue(store, number)
    lost = claim(store, 100, 500)
    assert lost is not None
    assert claim(store, 499, 900) is None
    again = claim(store, 500, 900)
    assert again is not None
    assert again.tries == 2
    with store.transaction() as tx:
        assert not tx.outbox.finish(lost, "sent", 510)
        assert tx.outbox.finish(again, "sent", 520)
        assert not tx.outbox.finish(again, "sent", 530)
    assert [(alert.state, alert.done_ms, alert.next_ms) for alert in alerts(store, number)] == [
        ("sent", 520, None)
    ]
    assert next_ms(store) is None


def test_a_failed_try_waits_with_its_reason(store: Store) -> None:
    """POL-9."""
    number = fill(store)
    queue(store, number)
    claimed = claim(store, 100, 500)
    assert claimed is not None
    with store.transaction() as tx:
        assert tx.outbox.finish(claimed, "pending", 200, next_ms=700, reason="the mail server is away")
    (alert,) = alerts(store, number)
    assert (alert.state, alert.next_ms, alert.done_ms) == ("pending", 700, None)
    assert alert.reason == "the mail server is away"
    assert claim(store, 699, 900) is None
    assert claim(store, 700, 900) is not None


def test_a_state_and_its_moment_agree(store: Store) -> None:
    """POL-9: what is done with is never due."""
    number = fill(store)
    queue(store, number)
    claimed = claim(store, 100, 500)
    assert claimed is not None
    with pytest.raises(ConstraintError), store.transaction() as tx:
        tx.outbox.finish(claimed, "sent", 200, next_ms=700)
