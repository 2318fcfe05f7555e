"""Wall-clock time in a time zone to instants in UTC and back (TIME-5).

Wall-clock times are naive, instants are aware and in UTC. A time in a skipped hour means the
first instant after the gap, a time in a repeated hour its first occurrence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from retrofill.domain.errors import UsageError, did_you_mean, shown

if TYPE_CHECKING:  # numpy takes longer to import than most commands run
    import numpy as np
    from numpy.typing import NDArray

_SECOND = timedelta(seconds=1)
_DAY_SECONDS = 24 * 60 * 60
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
# Files beside the IANA zones that can be read as one: other forms of all zones, and the machine's own.
_NOT_ZONES = frozenset({"posix", "right", "posixrules", "localtime", "Factory"})


class TimezoneError(UsageError):
    """Write an IANA time zone, for example "Asia/Shanghai" or "UTC"."""

    code = "bad_timezone"


@lru_cache(maxsize=2048)
def is_timezone(name: str) -> bool:
    """Whether this is the name of an IANA time zone, exactly as IANA writes it."""
    # The form is checked first: a name is used as a path below the folders of time zones.
    if not _NAME.fullmatch(name) or name.partition("/")[0] in _NOT_ZONES:
        return False
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a folder, a file of another kind, nothing of that name
        return False
    return True


@lru_cache(maxsize=2048)
def _zone(name: str) -> ZoneInfo:
    if not is_timezone(name):
        near = did_you_mean(name, available_timezones())
        raise TimezoneError(f'"{shown(name[:80])}" is not a time zone{near}')
    return ZoneInfo(name)


def due_at(local: datetime, timezone: str) -> datetime:
    """The instant of a wall-clock time, as aware UTC (TIME-5).

    Raises:
        TimezoneError: there is no such time zone.
    """
    zone = _zone(timezone)
    first = local.replace(tzinfo=zone, fold=0)
    instant = first.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(fold=0):
        return instant
    return _end_of_gap(first, zone)


def _end_of_gap(skipped: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the clock jumps over a wall-clock time (fold 0) that it never shows."""
    before, after = skipped.utcoffset(), skipped.replace(fold=1).utcoffset()
    if before is None or after is None:  # zones of zoneinfo always answer
        raise AssertionError(zone)
    earliest = skipped.replace(tzinfo=UTC, microsecond=0) - after
    # The offset changes once in these seconds, from `before` at 0 to `after` at `high`.
    low, high = 0, (after - before) // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if (earliest + middle * _SECOND).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return earliest + high * _SECOND


def day_start(day: date, timezone: str) -> datetime:
    """The first instant of a local day, as aware UTC; of the next one where the zone has no such day.

    Raises:
        TimezoneError: there is no such time zone.
    """
    return due_at(datetime.combine(day, time()), timezone)


def due_seconds(day: date, slots: Sequence[int] | NDArray[Any], timezone: str) -> NDArray[np.int64]:
    """The instants of a date's slots, in seconds since 1970, in the order of the slots (TIME-5).

    Args:
        slots: minutes after midnight; any shape, which the result has too.

    Raises:
        TimezoneError: there is no such time zone.
    """
    import numpy as np

    minutes = np.asarray(slots, dtype=np.int64)
    offset = offset_seconds(day, timezone)
    if offset is not None:
        return minutes * 60 + ((day.toordinal() - _EPOCH_ORDINAL) * _DAY_SECONDS - offset)
    midnight = datetime.combine(day, time())
    distinct, places = np.unique(minutes, return_inverse=True)
    instants = [due_at(midnight + timedelta(minutes=int(minute)), timezone) for minute in distinct]
    seconds = np.array([int(instant.timestamp()) for instant in instants], dtype=np.int64)
    return seconds[places].reshape(minutes.shape)


@lru_cache(maxsize=1 << 16)
def offset_seconds(day: date, timezone: str) -> int | None:
    """How far a local day is ahead of UTC; None where the clock changes on that day.

    Raises:
        TimezoneError: there is no such time zone.
    """
    zone = _zone(timezone)
    start = datetime.combine(day, time(), tzinfo=zone)
    # Fold 0 at the start and 1 at the end: a change at either midnight counts as on this day.
    end = (start + timedelta(days=1)).replace(fold=1)
    first, last = start.utcoffset(), end.utcoffset()
    if first is None or first != last:
        return None
    return first.days * _DAY_SECONDS + first.seconds


def local_date(instant: datetime, timezone: str) -> date:
    """The date that clocks in the zone show at an instant.

    Raises:
        TimezoneError: there is no such time zone.
        ValueError: the instant is naive, which is a mistake of the program.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant without its offset")
    return instant.astimezone(_zone(timezone)).date()
