"""When a running backfill is expected to end, from where it stood when that was estimated (BF-2)."""

from __future__ import annotations

import json
from typing import NamedTuple

from retrofill.domain.running.status import Status

_FRESH_MS = 15_000  # a scheduler writes estimates again only so often
_FRESH_SHARE = 50  # of the time that is left: the longer that is, the less a minute says of it


class Expected(NamedTuple):
    """When a backfill would end (None: unknown), as of `at_ms`, from where `basis` says that it stood."""

    end_ms: int | None
    at_ms: int
    policy: int  # a checksum
    moved: tuple[int, ...]  # counters

    def to_json(self) -> str:
        return json.dumps(self)

    def now(self, now_ms: int, status: Status) -> int | None:
        """The end as it looks at another moment; where nothing runs, nothing has become less meanwhile."""
        if self.end_ms is None or self.end_ms >= now_ms:
            return self.end_ms
        return now_ms if status is Status.RUNNING else now_ms + self.end_ms - self.at_ms


def is_stale(found: Expected, now: tuple[int, tuple[int, ...]], now_ms: int) -> bool:
    """Whether an estimate was made from something else than what is there now, and so long ago that it matters."""
    policy, moved = now
    left_ms = 0 if found.end_ms is None else found.end_ms - found.at_ms
    fresh_ms = max(_FRESH_MS, left_ms // _FRESH_SHARE)
    return policy != found.policy or (moved != found.moved and now_ms - found.at_ms > fresh_ms)
