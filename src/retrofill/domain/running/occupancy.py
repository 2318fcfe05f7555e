"""How many slots were in use over time, from when runs began and ended."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

Span = tuple[int, int | None]  # when a run began and ended; None: it runs on


def in_use(spans: Iterable[Span], begin_ms: int, now_ms: int, steps: int) -> list[float]:
    """How many ran at the same time, a mean for each of so many equal steps from `begin_ms` to now."""
    step = (now_ms - begin_ms) / steps
    shares = [0.0] * steps  # of steps in which a run begins or ends
    whole = [0] * (steps + 1)  # differences of how many run throughout
    for began, ended in spans:
        first = max((began - begin_ms) / step, 0.0)
        last = min(((now_ms if ended is None else ended) - begin_ms) / step, float(steps))
        if last <= first:
            continue
        a, b = int(first), min(int(last), steps - 1)
        if a == b:
            shares[a] += last - first
            continue
        shares[a] += a + 1 - first
        shares[b] += last - b
        whole[a + 1] += 1
        whole[b] -= 1
    return [round(share + through, 2) for share, through in zip(shares, accumulate(whole), strict=False)]
