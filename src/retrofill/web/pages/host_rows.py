"""A host as a row, alone and beside the resource group whose instances it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.words import duration

if TYPE_CHECKING:
    from retrofill.services.reading.documents import HostRow

# By the state of a host: the look of its cell, and what people call it.
_LOOKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "there": ("ok", "At work"),
        "draining": ("paused", "Drains"),
        "left": ("idle", "Has left"),
        "unknown": ("blocked", "Not heard of"),
        "lost": ("fail", "Lost"),
    }
)


class ShownHost(NamedTuple):
    """A host as a row.

    Attributes:
        look: of its cell.
        taken: `3 of 8`; of one that schedules, how many run there.
        heard: when it was heard of, in words.
    """

    name: str
    label: str
    look: str
    state: str
    executor: str
    groups: Sequence[str]
    taken: str
    heard: str
    version: str


def shown_host(row: HostRow) -> ShownHost:
    """A host in a list."""
    slots = row["slots"]
    seconds = row["silent_seconds"]
    return ShownHost(
        row["name"],
        row["label"],
        *_LOOKS[row["state"]],
        row["executor"],
        row["resource_groups"],
        f"{row['running']:,}" if slots is None else f"{row['running']:,} of {slots:,}",
        "never" if seconds is None else f"{duration(seconds)} ago",
        row["version"] or "",
    )
