"""Where an instance queues, as somebody sets it (OPS-7)."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """Where an instance shall queue; what is None stays as it is."""

    priority: int | None = None
    resource_group: str | None = None
