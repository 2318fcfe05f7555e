"""What every store must do for keys of requests: one of a user's stands for the last thing that was made with it."""

from __future__ import annotations

from retrofill.services.ports import Store
from retrofill.services.ports.records import RequestKeyRecord

KEY = RequestKeyRecord("ann", "k", "hash", 7, 5)


def test_a_key_stands_for_what_was_made_last(store: Store) -> None:
    with store.transaction() as tx:
        tx.request_keys.put(KEY)
        tx.request_keys.put(KEY._replace(user_name="bob"))
        tx.request_keys.put(KEY._replace(backfill_id=8))
    with store.read() as reader:
        assert reader.request_keys.find("ann", "k") == KEY._replace(backfill_id=8)
        assert reader.request_keys.find("bob", "k") == KEY._replace(user_name="bob")
        assert reader.request_keys.find("ann", "other") is None


def test_old_keys_are_forgotten(store: Store) -> None:
    with store.transaction() as tx:
        tx.request_keys.put(KEY)
        tx.request_keys.put(KEY._replace(name="new", created_ms=6))
        tx.request_keys.forget(6)
    with store.read() as reader:
        assert reader.request_keys.find("ann", "k") is None
        assert reader.request_keys.find("ann", "new") is not None
