"""The picture beside a form: many tasks that are filled backwards, from the newest date on."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import NamedTuple

_ROWS = 46
_COLUMNS = 46
_STEP = 19.4
_SEED = 21


class Loom(NamedTuple):
    """Paths of SVG in a box of 900 x 900; dashes make cells of lines."""

    done: str
    open: str
    running: tuple[tuple[float, float], ...]  # the upper left corner of each


@cache
def loom() -> Loom:
    """The same one always."""
    chance = Random(_SEED)  # noqa: S311  (a picture)
    done, idle, running = [], [], []
    for row in range(_ROWS):
        y = 18.5 + row * 19
        front = 26 + 3.6 * (row % 3 - 1) + chance.uniform(-2.5, 2.5) - row * 0.22
        first = _COLUMNS - round(front)
        x = round(10 + first * _STEP, 1)
        if row % 4 == 1:
            running.append((round(x - _STEP, 1), y - 6.5))
            first -= 1
        done.append(f"M{x} {y}H900")
        idle.append(f"M17.5 {y}H{round(10 + first * _STEP, 1)}")
    return Loom("".join(done), "".join(idle), tuple(running))
