"""Stored numbers to times and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


def instant_of(ms: int) -> datetime:
    """Milliseconds since 1970 as an aware UTC instant."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def ms_of(instant: datetime) -> int:
    """An aware instant as milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


@overload
def shown_instant(ms: int) -> str: ...
@overload
def shown_instant(ms: None) -> None: ...
@overload
def shown_instant(ms: int | None) -> str | None: ...
def shown_instant(ms: int | None) -> str | None:
    """As JSON prints it: `2013-01-02T07:00:00.123Z`, without the fraction where it is zero."""
    if ms is None:
        return None
    instant = datetime.fromtimestamp(ms // 1000, UTC).isoformat()[:19]
    return f"{instant}.{ms % 1000:03d}Z" if ms % 1000 else f"{instant}Z"
