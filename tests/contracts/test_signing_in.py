"""What every store must do for people who sign in: keys, sessions, links and values that count once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from retrofill.domain.people.scopes import Scope, Way
from retrofill.services.ports import ConstraintError, Store
from retrofill.services.ports.records import (
    AccessKeyRecord,
    LinkRecord,
    PasswordRecord,
    SessionRecord,
    TokenRecord,
)
from retrofill.services.ports.signing_in import Failures

TOKEN = TokenRecord(0, "ann", "for deploys", 5, None, Scope.READ, 900, None)
KEY = AccessKeyRecord(0, "RFaaa", "ann", "for the sdk", Scope.OPERATE, "a1b2", 5, None, None, None)
SESSION = SessionRecord(0, "ann", Way.PASSWORD, "127.0.0.1", "Chromium", 5, 5, 900, None)
LINK = LinkRecord("ann", 5, 900, None)


def add_session(store: Store, hashed: str = "a", **columns: object) -> int:
    with store.transaction() as tx:
        return tx.signing_in.add_session(hashed, SESSION._replace(**columns))


# Keys of programs


def test_a_token_comes_back_with_its_limits(store: Store) -> None:
    """SEC-1: by the hash of its secret, revoked or not: who shows it is told which."""
    with store.transaction() as tx:
        first = tx.people.add_token("one", TOKEN)
        second = tx.people.add_token("other", TOKEN._replace(user_name="bob", expires_ms=None))
        tx.people.see_token(second, 77)
        assert tx.people.revoke_token(first, 9)
        assert not tx.people.revoke_token(first, 10)
    with store.read() as reader:
        assert reader.people.find_token_by_secret("none") is None
        assert reader.people.find_token_by_secret("one") == TOKEN._replace(id=first, revoked_ms=9)
        assert reader.people.find_token(first) == TOKEN._replace(id=first, revoked_ms=9)
        bobs = TOKEN._replace(id=second, user_name="bob", expires_ms=None, seen_ms=77)
        assert reader.people.find_token_by_secret("other") == bobs
        assert reader.people.tokens("bob") == [bobs]
        assert [token.id for token in reader.people.tokens()] == [second, first]


def test_an_access_key_comes_back(store: Store) -> None:
    """SEC-1: by its id, revoked or not: who signs with it is told apart from who never had one."""
    with store.transaction() as tx:
        number = tx.people.add_access_key(KEY)
        tx.people.see_access_key("RFaaa", 8)
        assert tx.people.revoke_access_key("RFaaa", 9)
        assert not tx.people.revoke_access_key("RFaaa", 10)
        assert not tx.people.revoke_access_key("RFbbb", 10)
    with store.read() as reader:
        kept = KEY._replace(id=number, seen_ms=8, revoked_ms=9)
        assert reader.people.find_access_key("RFaaa") == kept
        assert reader.people.access_keys("ann") == reader.people.access_keys() == [kept]
        assert reader.people.access_keys("bob") == []
        assert reader.people.find_access_key("RFbbb") is None


@pytest.mark.parametrize(
    "add",
    [
        lambda tx: tx.people.add_access_key(KEY._replace(scope="everything")),
        lambda tx: tx.signing_in.add_session("hash", SESSION._replace(way="by the window")),
    ],
)
def test_what_is_no_scope_or_way_is_refused(store: Store, add: Callable[[Any], int]) -> None:
    with pytest.raises(ConstraintError), store.transaction() as tx:
        add(tx)


# Passwords


def test_there_is_one_password_of_a_user(store: Store) -> None:
    with store.transaction() as tx:
        tx.signing_in.put_password(PasswordRecord("ann", "old", 1))
        tx.signing_in.put_password(PasswordRecord("ann", "new", 2))
        tx.signing_in.put_password(PasswordRecord("bob", "his", 3))
    with store.read() as reader:
        assert reader.signing_in.find_password("ann") == PasswordRecord("ann", "new", 2)
        assert reader.signing_in.find_password("eve") is None
    with store.transaction() as tx:
        assert tx.signing_in.remove_password("ann")
        assert not tx.signing_in.remove_password("ann")
        assert tx.signing_in.find_password("bob") is not None


# Sessions


def test_a_session_ends_once(store: Store) -> None:
    number = add_session(store)
    with store.transaction() as tx:
        tx.signing_in.see_session(number, 60, 960)
        assert tx.signing_in.end_session(number, 70)
        assert not tx.signing_in.end_session(number, 80)
    with store.read() as reader:
        ended = SESSION._replace(id=number, seen_ms=60, expires_ms=960, ended_ms=70)
        assert reader.signing_in.find_session("a") == reader.signing_in.session(number) == ended
        assert reader.signing_in.find_session("another") is None


def test_open_sessions_are_those_that_still_count(store: Store) -> None:
    first, second = add_session(store, "a"), add_session(store, "b", user_name="bob")
    ended, expired = add_session(store, "c"), add_session(store, "d", expires_ms=50)
    with store.transaction() as tx:
        tx.signing_in.end_session(ended, 20)
        before = tx.signing_in.open_sessions(49)
        assert [session.id for session in before] == [expired, second, first]
        assert [session.id for session in tx.signing_in.open_sessions(50)] == [second, first]
        assert [session.id for session in tx.signing_in.open_sessions(50, "ann")] == [first]


def test_all_sessions_of_a_user_but_one_end(store: Store) -> None:
    """Whoever changes his password stays where he is."""
    mine, here, bobs = (
        add_session(store, "a"),
        add_session(store, "b"),
        add_session(store, "c", user_name="bob"),
    )
    with store.transaction() as tx:
        assert tx.signing_in.end_sessions_of("ann", 10, but=here) == [mine]
        assert [session.id for session in tx.signing_in.open_sessions(10)] == [bobs, here]
        assert tx.signing_in.end_sessions_of("ann", 10) == [here]
        assert tx.signing_in.end_sessions_of("ann", 10) == []


def test_the_id_of_a_session_is_given_once(store: Store) -> None:
    """A stream that still holds the id of one that is forgotten belongs to nobody else."""
    number = add_session(store, expires_ms=10)
    with store.transaction() as tx:
        tx.signing_in.clear(50, 0, 50)
        assert tx.signing_in.session(number) is None
    assert add_session(store) > number


# Links


def test_a_link_opens_once_and_in_time(store: Store) -> None:
    """SEC-1: nobody signs in with it a second time."""
    with store.transaction() as tx:
        tx.signing_in.add_link("one", LINK)
        tx.signing_in.add_link("late", LINK)
        assert tx.signing_in.use_link("one", 899) == LINK._replace(used_ms=899)
        assert tx.signing_in.use_link("one", 899) is None
        assert tx.signing_in.use_link("late", 900) is None
        assert tx.signing_in.use_link("none", 6) is None
        assert tx.signing_in.find_link("late") == LINK


def test_one_of_many_at_once_opens_a_link(opener: Callable[[], Store]) -> None:
    stores = [opener() for _ in range(4)]
    with stores[0].transaction() as tx:
        tx.signing_in.add_link("one", LINK)
    ready = Barrier(len(stores))

    def use(store: Store) -> LinkRecord | None:
        ready.wait()
        with store.transaction() as tx:
            return tx.signing_in.use_link("one", 6)

    with ThreadPoolExecutor(len(stores)) as threads:
        found = list(threads.map(use, stores))
    assert sorted(link is not None for link in found) == [False, False, False, True]


def test_unused_links_of_a_user_are_withdrawn(store: Store) -> None:
    with store.transaction() as tx:
        tx.signing_in.add_link("used", LINK)
        tx.signing_in.add_link("open", LINK)
        tx.signing_in.add_link("bobs", LINK._replace(user_name="bob"))
        tx.signing_in.use_link("used", 6)
        tx.signing_in.withdraw_links("ann")
        assert tx.signing_in.find_link("open") is None
        assert tx.signing_in.find_link("used") is not None
        assert tx.signing_in.use_link("bobs", 6) is not None


# Providers of identities


def test_a_subject_is_known_by_issuer_and_subject(store: Store) -> None:
    with store.transaction() as tx:
        tx.signing_in.put_subject("https://one", "7", "ann", 5)
        tx.signing_in.put_subject("https://two", "7", "bob", 5)
        tx.signing_in.put_subject("https://two", "7", "eve", 6)
    with store.read() as reader:
        assert reader.signing_in.user_of_subject("https://one", "7") == "ann"
        assert reader.signing_in.user_of_subject("https://two", "7") == "eve"
        assert reader.signing_in.user_of_subject("https://one", "8") is None
        known = [
            (issuer, user) for issuer in ("https://one", "https://two") for user in ("ann", "bob", "eve")
        ]
        told = [one for one in known if reader.signing_in.has_subject(*one)]
        assert told == [("https://one", "ann"), ("https://two", "eve")]


# What counts, and what counts once


def test_failures_are_counted_by_what_they_are_about(store: Store) -> None:
    with store.transaction() as tx:
        assert [tx.signing_in.add_failure("account ann", at) for at in (5, 6)] == [1, 2]
        assert tx.signing_in.add_failure("address ::1", 7) == 1
        assert tx.signing_in.add_failure("address ::2", 7) == 1
        tx.signing_in.take_back_failure("account ann")
        tx.signing_in.take_back_failure("account nobody")
        tx.signing_in.forget_failures("address ::1")
    with store.read() as reader:
        assert reader.signing_in.failures("account ann") == Failures(1, 6)
        assert reader.signing_in.failures("address ::1").times == 0


def test_a_value_is_spent_once(store: Store) -> None:
    with store.transaction() as tx:
        assert tx.signing_in.spend("nonce", 100, 5)
        assert not tx.signing_in.spend("nonce", 200, 5)
        assert tx.signing_in.spend("another", 100, 5)
    with store.transaction() as tx:
        assert not tx.signing_in.spend("nonce", 100, 5)


def test_a_value_is_remembered_until_its_time_is_over(store: Store) -> None:
    """So that the table stays small however many requests are signed."""
    with store.transaction() as tx:
        tx.signing_in.spend("nonce", 100, 5)
        assert not tx.signing_in.spend("nonce", 100, 99)
        assert tx.signing_in.spend("nonce", 200, 100)


def test_what_is_over_is_forgotten(store: Store) -> None:
    open_one, ended, long_ended = add_session(store, "a"), add_session(store, "b"), add_session(store, "c")
    with store.transaction() as tx:
        tx.signing_in.end_session(ended, 60)
        tx.signing_in.end_session(long_ended, 40)
        for value, until in (("old", 100), ("new", 101)):
            tx.signing_in.add_link(value, LINK._replace(expires_ms=until))
            tx.signing_in.add_failure(value, until)
        tx.signing_in.clear(100, 100, 50)
        assert [tx.signing_in.session(n) is not None for n in (open_one, ended, long_ended)] == [
            True,
            True,
            False,
        ]
        assert [tx.signing_in.find_link(value) is not None for value in ("old", "new")] == [False, True]
        assert [tx.signing_in.failures(value).times for value in ("old", "new")] == [0, 1]
