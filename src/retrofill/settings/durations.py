"""Durations and sizes as people write them: `30s`, `5m`, `2h`, `3d`; `500k`, `50m`, `1g`."""

from __future__ import annotations

import re

from retrofill.settings.forms import FormError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
_DURATION = re.compile(r"([0-9]{1,9})([smhd])")
_SIZE = re.compile(r"([0-9]{1,9})([kmg])")


def parse_duration(text: str) -> int:
    """Seconds of a duration; a whole number and one unit, without a sign or a space.

    Raises:
        FormError: it is written in another way.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not match[1].isascii():
        raise FormError(f'is "{text}", which is not a duration', "write it like 30s, 5m, 2h or 3d")
    return int(match[1]) * _SECONDS[match[2]]


def duration_words(seconds: int) -> str:
    """The shortest text that `parse_duration` reads as so many seconds."""
    for unit in "dhm":
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def parse_size(text: str) -> int:
    """Bytes of a size; `0` needs no unit.

    Raises:
        FormError: it is written in another way.
    """
    match = _SIZE.fullmatch(text)
    if text == "0":
        return 0
    if match is None:
        raise FormError(f'is "{text}", which is not a size', "write it like 500k, 50m or 1g")
    return int(match[1]) * _BYTES[match[2]]
