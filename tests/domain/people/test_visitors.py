"""Who comes from where, how long they wait, and how far they reach."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrofill.domain.errors import InvalidValueError
from retrofill.domain.people.scopes import Scope, parse_scope
from retrofill.domain.people.throttling import ACCOUNT, FORGOTTEN_MS, PAUSE_MS
from retrofill.domain.people.visitors import Caller, address_behind


def test_each_scope_includes_those_before() -> None:
    """SEC-1: but for that of workers, which is good for nothing else, and nothing else for that."""
    covered = {have: [need for need in Scope if have.covers(need)] for have in Scope}
    assert covered == {
        Scope.READ: [Scope.READ],
        Scope.OPERATE: [Scope.READ, Scope.OPERATE],
        Scope.ADMIN: [Scope.READ, Scope.OPERATE, Scope.ADMIN],
        Scope.WORKER: [Scope.WORKER],
    }


@pytest.mark.parametrize("text", ["", "raed", "READ", "everything"])
def test_what_is_no_scope(text: str) -> None:
    with pytest.raises(InvalidValueError, match="is no scope"):
        parse_scope(text)
    assert [parse_scope(scope.value) for scope in Scope] == list(Scope)


@pytest.mark.parametrize(
    ("address", "neighbourhood"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
        ("192.0.2.7\n", "unknown"),
    ],
)
def test_addresses_that_count_as_one(address: str, neighbourhood: str) -> None:
    """SEC-6: a customer of a provider has 2^64 addresses to try from."""
    assert Caller(address).neighbourhood == neighbourhood


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("::ffff:127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("127.0.0.1", "127.0.0.1,127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7, nonsense", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7:4711", "127.0.0.1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("", "198.51.100.7", ""),
    ],
)
def test_only_proxies_that_are_believed_say_who_asks(peer: str, forwarded: str, address: str) -> None:
    """SEC-6: nobody chooses the address under which their failures are counted."""
    assert address_behind(peer, forwarded, ("127.0.0.0/8", "10.0.0.0/8")) == address


def test_what_a_browser_calls_itself_is_cut_and_shown() -> None:
    assert Caller("", "Chrome\r\n\x1b[2J").shown_browser == "Chrome???[2J"
    assert len(Caller("", "x" * 9_999).shown_browser) == 200


@given(failures=st.integers(0, 1_000), since_ms=st.integers(-10_000, 2 * FORGOTTEN_MS))
def test_nobody_waits_longer_than_a_pause(failures: int, since_ms: int) -> None:
    """SEC-6: not even where the clock went back."""
    wait_ms = ACCOUNT.wait_ms(failures, 1_000_000, 1_000_000 + since_ms)
    assert 0 <= wait_ms <= PAUSE_MS
    assert wait_ms == 0 or failures >= 5
    assert failures < 5 or since_ms >= PAUSE_MS or wait_ms > 0
