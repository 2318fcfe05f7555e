"""Acting in the middle of something, at the points where the crash harness kills processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from retrofill import failpoints


class Killed(BaseException):
    """What a process does not survive."""


@contextmanager
def dying_at(name: str) -> Iterator[None]:
    """What is called within dies there."""

    def die(point: str) -> None:
        if point == name:
            raise Killed

    with failpoints.passing(die), pytest.raises(Killed):
        yield


@contextmanager
def once_at(name: str, act: Callable[[], object]) -> Iterator[list[object]]:
    """Act when that point is passed first; what came of it, empty if it was not passed."""
    done: list[object] = []

    def passed(point: str) -> None:
        if point == name and not done:
            done.append(None)
            done[0] = act()

    with failpoints.passing(passed):
        yield done
