"""Points at which the crash harness kills a process, halts it or fails a system call; off unless the environment names them.

`RETROFILL_FAIL_POINTS` holds words `NAME@HIT` (dies at the HITth pass of the process) or
`NAME%CHANCE` (dies at each pass with this probability, by `RETROFILL_FAIL_SEED` and the pid).
`NAME=ERROR@HIT` and `NAME=ERROR%CHANCE` raise that error instead of dying, as `fault.log=ENOSPC%0.5`;
`NAME=STOP@HIT` halts the process by SIGSTOP.
A name may end with `*`. Points whose names begin with `fault.` stand where a call may fail.
A test that wants to act in the middle of something does so by `passing`, in its own process.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POINTS = "RETROFILL_FAIL_POINTS"
SEED = "RETROFILL_FAIL_SEED"

_words = os.environ.get(POINTS, "").split()
_hits: dict[str, int] = {}
_calls: list[Callable[[str], object]] = []
_chance: Callable[[], float] | None = None
_chance_pid = 0


def fail_point(name: str) -> None:
    """Die here, by SIGKILL, stand still or fail, if the environment asks for it.

    Raises:
        OSError: the environment asks for it.
    """
    if _words or _calls:
        _pass(name)


@contextmanager
def passing(call: Callable[[str], object]) -> Iterator[None]:
    """Meanwhile, call this with the name of every point that the process passes; what it raises is raised there."""
    _calls.append(call)
    try:
        yield
    finally:
        _calls.remove(call)


@contextmanager
def asked_for(words: str) -> Iterator[None]:
    """Meanwhile, as if the environment of this process asked for these words, from the first pass on."""
    before = _words[:], dict(_hits)
    _words[:] = words.split()
    _hits.clear()
    try:
        yield
    finally:
        _words[:] = before[0]
        _hits.clear()
        _hits.update(before[1])


def _pass(name: str) -> None:
    from fnmatch import fnmatchcase

    for call in tuple(_calls):
        call(name)
    _hits[name] = _hits.get(name, 0) + 1
    for word in _words:
        what, at, hit = word.partition("@")
        if not at:
            what, _, chance = word.partition("%")
        pattern, _, error = what.partition("=")
        if not fnmatchcase(name, pattern):
            continue
        due = _hits[name] == int(hit) if at else _random() < float(chance)
        if due and error == "STOP":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif due and error:
            number = getattr(errno, error)
            raise OSError(number, os.strerror(number))
        elif due:
            os.kill(os.getpid(), signal.SIGKILL)


def _random() -> float:
    """A number of this process's own sequence; a fork starts its own."""
    global _chance, _chance_pid
    if _chance is None or _chance_pid != os.getpid():
        import random

        _chance_pid = os.getpid()
        seed = f"{os.environ.get(SEED, '0')}.{_chance_pid}"
        _chance = random.Random(seed).random  # noqa: S311 - repeatable on purpose
    return _chance()
