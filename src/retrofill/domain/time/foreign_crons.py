"""What to write for schedules in the manner of other programs: seconds, years, time zones, commands (TIME-6).

Quartz and AWS count the days of the week from 1 = Sunday, and write `?` and `5/15`; others put seconds
first as well, but count as cron does, and croniter puts them last.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ZONE = re.compile(r"(?:CRON_)?TZ=(\S+)\s*(.*)", re.DOTALL)
_CALL = re.compile(r"cron\((.*)\)", re.DOTALL | re.IGNORECASE)
_EVERY = re.compile(r"(?:rate\(|@every\s+|every\s+)(\d+)\s*(m|h|d)[a-z]*\)?", re.IGNORECASE)
_YEAR = re.compile(r"[?*]|(?:19|20)\d\d(?:[-,/][\d,/-]*)?|\*/\d+")
_WHOLE_YEAR = re.compile(r"[?*]|\*/1")
_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELD = re.compile(r"([\d*?,/LW#-]|SUN|MON|TUE|WED|THU|FRI|SAT)+", re.IGNORECASE)
_LONGEST = 60
_WRITTEN = re.compile(r"[\d*][\dA-Za-z*,/ -]{1,60}")  # what may be offered
_LASTS = (59, 23, 31, 12, 6)
_UNITS = {"m": (60, "*/{} * * * *", "* * * * *"), "h": (24, "0 */{} * * *", "0 * * * *")}


def advice_on(text: str, is_valid: Callable[[str], bool]) -> str:
    """What to write, beginning with `; `; empty where nothing can be said.

    Args:
        text: the schedule as it is written.
        is_valid: whether a text is a schedule: what is not is not offered.
    """
    text = text.strip("\"'`")
    if zone := _ZONE.fullmatch(text):
        name = f"`timezone: {zone[1][:_LONGEST]}`"
        return f"; the time zone stands apart, as {name} in the workspace's file{_offer(zone[2].split(), is_valid)}"
    if call := _CALL.fullmatch(text):
        return _offer(call[1].split(), is_valid)
    if every := _EVERY.fullmatch(text):
        return _every(int(every[1][:6]), every[2].lower(), is_valid)
    words = text.split()
    return _offer(words, is_valid, _reason(words))


def _reason(words: list[str]) -> str:
    """What there is too much of."""
    if len(words) < 6:
        return ""
    if _is_line_of_a_crontab(words):
        return "leave out what follows, code goes under `run`"
    if len(words) == 6:
        return (
            "leave out the field for years" if _ends_with_year(words) else "leave out the field for seconds"
        )
    if len(words) == 7:
        return "leave out the fields for seconds and years"
    return ""


def _offer(words: list[str], is_valid: Callable[[str], bool], reason: str = "") -> str:
    """The five fields among more, as cron writes them."""
    fields, year = _five(words)
    if len(words) == 6 and not year and _ends_with_seconds(words):
        fields = words[:5]
    written = " ".join(_as_cron(index, field, words) for index, field in enumerate(fields))
    is_offered = len(fields) == 5 and _WRITTEN.fullmatch(written) and is_valid(written)
    offer = f'write "{written}"' if is_offered else ""
    parts = [": ".join(filter(None, (reason, offer)))]
    if not parts[0]:
        return ""
    if year and not _WHOLE_YEAR.fullmatch(year):
        parts.append("years go under `valid: {from, until}`")
    seconds = words[-1] if fields == words[:5] else words[0]
    if len(words) in (6, 7) and not year and not seconds.isdigit() and not _is_line_of_a_crontab(words):
        parts.append("a minute is the shortest cycle")
    return "; " + ", and ".join(parts)


def _five(words: list[str]) -> tuple[list[str], str]:
    """Minute to day of the week, and the year."""
    if len(words) <= 5 or _is_line_of_a_crontab(words):
        return words[:5], ""
    if len(words) == 6:
        return (words[:5], words[5]) if _ends_with_year(words) else (words[1:], "")
    return (words[1:6], words[6]) if len(words) == 7 else ([], "")


def _ends_with_year(words: list[str]) -> bool:
    """Six fields: of AWS, minute to year, not second to day of the week."""
    return bool(_YEAR.fullmatch(words[5])) and (
        words[5][0] in "12" or ("?" in (words[2], words[4]) and "?" not in (words[3], words[5]))
    )


def _is_line_of_a_crontab(words: list[str]) -> bool:
    return any(not _FIELD.fullmatch(word) for word in words[5:])


def _ends_with_seconds(words: list[str]) -> bool:
    """Six fields of croniter: seconds come last there, and hold what is no day of the week."""
    return any(int(number) > 7 for number in re.findall(r"\d{1,6}", words[5]))


def _as_cron(index: int, field: str, words: list[str]) -> str:
    """One field of Quartz or AWS as cron writes it."""
    if field == "?":
        return "*"
    is_quartz = "?" in words or len(words) == 7
    parts = []
    for part in field.split(","):
        first, slash, step = part.partition("/")
        if index == 4 and is_quartz:
            first = re.sub(r"\d+", lambda m: _NAMES[int(m[0]) - 1] if m[0] in "1234567" else m[0], first)
        if slash and first.isdigit():
            low = 1 if index in (2, 3) else 0
            first = "*" if int(first) == low else f"{first}-{_LASTS[index]}"
        parts.append(f"{first}{slash}{step}")
    return ",".join(parts)


def _every(number: int, unit: str, is_valid: Callable[[str], bool]) -> str:
    if unit == "d":
        return '; write "@daily"' if number == 1 else ""
    whole, many, one = _UNITS[unit]
    if unit == "m" and number and number % 60 == 0:
        number, (whole, many, one) = number // 60, _UNITS["h"]
    if number == whole and whole == 24:
        return '; write "@daily"'
    if not number or number >= whole or whole % number:
        return f"; a schedule names times of the day, so only parts of {'an hour' if whole == 60 else 'a day'} can be written"
    written = one if number == 1 else many.format(number)
    return f'; write "{written}"' if is_valid(written) else ""
