"""Passwords by argon2, a few at a time."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from argon2 import PasswordHasher, extract_parameters

from retrofill.identity.passwords import AT_ONCE, WAITING, Argon2Passwords
from retrofill.services.ports.identities import TooBusyError

RIGHT = "correct horse battery"


@pytest.fixture(scope="module")
def passwords() -> Argon2Passwords:
    return Argon2Passwords()


def test_a_hash_is_that_of_its_password(passwords: Argon2Passwords) -> None:
    """SEC-1: salted, so that the same password twice is not seen."""
    first, second = passwords.hash(RIGHT), passwords.hash(RIGHT)
    assert first != second
    assert RIGHT not in first
    assert passwords.matches(first, RIGHT)
    assert passwords.matches(second, RIGHT)
    for wrong in ("", RIGHT + " ", RIGHT.upper(), "\udcff", "x" * 1_000):
        assert not passwords.matches(first, wrong)


@pytest.mark.parametrize("hashed", [None, "", "x", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA", "$2b$12$abc"])
def test_what_is_no_hash_never_matches(passwords: Argon2Passwords, hashed: str | None) -> None:
    assert not passwords.matches(hashed, RIGHT)


def test_parameters_are_those_of_the_decision(passwords: Argon2Passwords) -> None:
    """Decision 0020; a hash with others still matches, and is made anew."""
    found = extract_parameters(passwords.hash(RIGHT))
    assert (found.memory_cost, found.time_cost, found.parallelism) == (19 * 1024, 2, 1)
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(RIGHT)
    assert passwords.matches(old, RIGHT)
    assert passwords.is_outdated(old)
    assert not passwords.is_outdated(passwords.hash(RIGHT))


def test_more_than_can_wait_are_told_to_come_back(passwords: Argon2Passwords) -> None:
    """SEC-6: 429 before memory or threads are used up."""
    many = AT_ONCE + WAITING + 30
    ready = Barrier(many)

    def attempt(_: int) -> bool:
        ready.wait()
        try:
            return passwords.matches(None, RIGHT)
        except TooBusyError:
            return True

    with ThreadPoolExecutor(many) as threads:
        told = list(threads.map(attempt, range(many)))
    assert any(told)
    assert passwords.matches(passwords.hash(RIGHT), RIGHT), "and afterwards everybody is let in again"


def test_twenty_at_once_stay_small() -> None:
    """SEC-6: measured in a process of its own; a semaphore over twenty threads does not do it."""
    program = """
from concurrent.futures import ThreadPoolExecutor
from retrofill.identity.passwords import Argon2Passwords
passwords = Argon2Passwords()
with ThreadPoolExecutor(20) as threads:
    list(threads.map(lambda _: passwords.matches(None, "correct horse battery"), range(20)))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 120_000
