"""What somebody has asked for and does not wait for."""

from __future__ import annotations

from typing import TypedDict


class Errand(TypedDict):
    """What became of it."""

    id: str
    kind: str  #: `create` or `rerun`
    state: str  #: `under_way`, `done` or `failed`
    failure: str | None  #: why it did not come off
    backfill: int | None  #: that it has made; also where that was refused
    bizdates: int  #: of that backfill
