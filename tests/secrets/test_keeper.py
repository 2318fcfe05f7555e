"""What a process knows of secrets, and how often it asks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from retrofill.secrets.keeper import KEPT_SECONDS, TRIED_AGAIN_SECONDS, SecretKeeper
from retrofill.services.ports.secrets import SecretUnavailableError

PATIENCE = 60.0


class Source:
    """Counts what it is asked."""

    def __init__(self, answer: Callable[[str], str | None]) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def find(self, name: str) -> str | None:
        self.asked.append(name)
        return self.answer(name)

    def remedy(self, name: str) -> str:
        return f"tell a source of {name}"


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refuse(name: str) -> str | None:
    raise SecretUnavailableError(f"nobody answers about {name}")


def test_sources_are_asked_in_order() -> None:
    """SEC-3: the environment comes before the file, the file before the command."""
    first, second, slow = Source({"A": "1"}.get), Source({"A": "2", "B": "2"}.get), Source({"C": "3"}.get)
    keeper = SecretKeeper([first, second], slow)
    assert [keeper.find(name) for name in "ABCD"] == ["1", "2", "3", None]
    assert (second.asked, slow.asked) == (["B", "C", "D"], ["C", "D"])


def test_a_value_is_kept_for_a_while() -> None:
    """SEC-3: what is not known too; then it is asked for again, because passwords change."""
    values, clock = {"A": "old"}, Time()
    slow = Source(values.get)
    keeper = SecretKeeper([], slow, clock)
    assert [keeper.find(name) for name in "AABB"] == ["old", "old", None, None]
    assert slow.asked == ["A", "B"]
    values["A"] = "new"
    clock.now = KEPT_SECONDS - 1
    assert keeper.find("A") == "old"
    clock.now = KEPT_SECONDS
    assert (keeper.find("A"), slow.asked) == ("new", ["A", "B", "A"])


def test_after_a_failure_it_is_asked_again_soon() -> None:
    """SEC-3: not at once, or every start would wait for a service that is away."""
    clock, slow = Time(), Source(refuse)
    keeper = SecretKeeper([], slow, clock)
    for now, asked in ((0.0, 1), (TRIED_AGAIN_SECONDS - 1, 1), (TRIED_AGAIN_SECONDS, 2)):
        clock.now = now
        with pytest.raises(SecretUnavailableError, match="nobody answers about A"):
            keeper.find("A")
        assert len(slow.asked) == asked
    assert keeper.find_or_none("A") is None


def test_threads_that_want_the_same_ask_once() -> None:
    """SEC-3."""
    go, begin = Event(), Barrier(5)

    def answer(name: str) -> str:
        assert go.wait(PATIENCE)
        return name.lower()

    slow = Source(answer)
    keeper = SecretKeeper([], slow)

    def find(_: int) -> str | None:
        begin.wait()
        return keeper.find("A")

    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(find, number) for number in range(4)]
        begin.wait()
        go.set()
        assert [one.result(PATIENCE) for one in found] == ["a"] * 4
    assert slow.asked == ["A"]


def test_who_may_not_wait_does_not() -> None:
    """SEC-3: a start waits for no command; when it has answered, the value is there."""
    go = Event()

    def answer(name: str) -> str:
        assert go.wait(PATIENCE)
        return name.lower()

    keeper = SecretKeeper([], Source(answer))
    keeper.learn(["A"])
    with pytest.raises(SecretUnavailableError, match="the secret A is still being asked for"):
        keeper.find_soon("A")
    go.set()
    assert keeper.find("A") == "a"
    assert keeper.find_soon("A") == "a"
