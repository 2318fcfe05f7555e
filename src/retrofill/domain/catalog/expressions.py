"""What the value of a scheduling parameter says: text to an expression to a value (PAR-1, PAR-2, PAR-3).

`parse` does all the checking, once per text; `Expression.evaluate` only fills in. Positions
are 0-based indexes into the text. Letters and digits are those of ASCII, so any others, as in
`${yyyy年mm月}`, are separators.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from retrofill.domain.errors import UsageError, did_you_mean, shown


class ParameterError(UsageError):
    """See "Scheduling parameters" in the reference: `$bizdate`, `${yyyymmdd-1}`, `$[hh24-1/24]`, `$$`."""

    code = "bad_parameter"

    def __init__(self, message: str, position: int = 0, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.position = position


@dataclass(frozen=True, slots=True)
class Context:
    """What the values of one instance depend on.

    `scheduled_at` is T as a naive wall-clock time, on the day after the bizdate. An id that
    is None is not known yet; its built-in stays as written (PAR-6).
    """

    bizdate: date
    scheduled_at: datetime
    workspace: str
    task: str  # without its workspace
    job_id: str | None = None
    node_id: str | None = None
    instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed value. `secret` is NAME where the whole value is `${secret:NAME}`, else None."""

    text: str
    secret: str | None
    _pieces: tuple[str | _BuiltIn | _Moment, ...]

    def evaluate(self, context: Context) -> str:
        """The value for one instance; a secret stays as written.

        Raises:
            ParameterError: an offset leaves the calendar, years 1 to 9999.
        """
        return "".join(
            piece if isinstance(piece, str) else piece.value(self.text, context) for piece in self._pieces
        )


@lru_cache(maxsize=8192)
def parse(text: str) -> Expression:
    """Read a value with built-ins (PAR-1), `${...}` (PAR-2) and `$[...]` (PAR-3); other text is kept.

    Raises:
        ParameterError: with the position and what to write instead (PAR-6).
    """
    _refuse_what_no_program_can_get(text)
    whole = _SECRET.fullmatch(text)
    if whole:
        return Expression(text, whole[1], (text,))
    pieces: list[str | _BuiltIn | _Moment] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        if dollar > at:
            pieces.append(text[at:dollar])
        piece, at = _piece(text, dollar)
        pieces.append(piece)
    if at < len(text):
        pieces.append(text[at:])
    return Expression(text, None, tuple(pieces))


_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")
_BUILT_INS = (
    "bizdate",
    "cyctime",
    "gmtdate",
    "bizmonth",
    "jobid",
    "nodeid",
    "taskid",
    "workspace",
    "task",
)
_LETTERS = re.compile("[A-Za-z]+")
_UNITS_OF_DATE = re.compile("yyyy|yy|mm|dd")
_UNITS_OF_TIME = re.compile("yyyy|yy|mm|dd|hh24|hh12|hh|mi|ss")
# In the format the first sign before a digit begins the offsets, and no digit may come before it.
_OFFSETS_BEGIN = re.compile("[+-](?=[0-9])")
_WHOLE_OFFSET = re.compile(r"([+-])(7\*)?([0-9]+)")
_TIME_OFFSET = re.compile(r"([+-])(?:(7\*)([0-9]+)|([0-9]+)(/24(?:/60)?)?)(?=[+-]|$)")
_ADD_MONTHS = re.compile(r"add_months\((?P<format>.*),(?P<shift>[^,]*)\)(?P<rest>[^)]*)", re.DOTALL)
_MONTHS = re.compile(r"([+-]?)(12\*)?([0-9]+)")
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
_MINUTES_A_DAY = 24 * 60
_MINUTES = {None: _MINUTES_A_DAY, "/24": 60, "/24/60": 1}
# Bizdates are 1970 to 2199 (POL-13): an offset that leaves the calendar from everywhere in
# between is a mistake that is known without a date.
_MOST_YEARS = (-2199, 9999 - 1970)


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    name: str
    position: int

    def value(self, text: str, context: Context) -> str:
        """PAR-1."""
        match self.name:
            case "bizdate":
                return _compact(context.bizdate)
            case "cyctime":
                return _compact(context.scheduled_at) + f"{context.scheduled_at:%H%M%S}"
            case "gmtdate":
                return _compact(self._next_day(text, context))
            case "bizmonth":
                year, month = context.bizdate.year, context.bizdate.month
                if self._next_day(text, context).month == month:
                    year, month = (year, month - 1) if month > 1 else (year - 1, 12)
                if year < 1:
                    raise _out_of_calendar(text, self.position)
                return f"{year:04}{month:02}"
            case "workspace":
                return context.workspace
            case "task":
                return context.task
        ids = {"jobid": context.job_id, "nodeid": context.node_id, "taskid": context.instance_id}
        known = ids[self.name]
        return f"${self.name}" if known is None else known

    def _next_day(self, text: str, context: Context) -> date:
        if context.bizdate == date.max:
            raise _out_of_calendar(text, self.position)
        return context.bizdate + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Moment:
    """`${...}` or `$[...]`: a base moved by months and minutes, then formatted (PAR-2, PAR-3).

    `format` holds units and separators in turn, a separator as `=` and its text.
    """

    is_of_bizdate: bool
    format: tuple[str, ...]
    months: int
    minutes: int
    position: int

    def value(self, text: str, context: Context) -> str:
        at = datetime.combine(context.bizdate, time()) if self.is_of_bizdate else context.scheduled_at
        try:
            if self.months:
                at = _months_later(at, self.months)
            if self.minutes:
                at += timedelta(minutes=self.minutes)
        except (OverflowError, ValueError):
            raise _out_of_calendar(text, self.position) from None
        return "".join([_shown_unit(unit, at) for unit in self.format])


def _shown_unit(unit: str, at: datetime) -> str:
    match unit:
        case "yyyy":
            return f"{at.year:04}"
        case "yy":
            return f"{at.year % 100:02}"
        case "mm":
            return f"{at.month:02}"
        case "dd":
            return f"{at.day:02}"
        case "hh24":
            return f"{at.hour:02}"
        case "hh" | "hh12":
            return f"{(at.hour - 1) % 12 + 1:02}"
        case "mi":
            return f"{at.minute:02}"
        case "ss":
            return f"{at.second:02}"
    return unit[1:]


def _months_later(at: datetime, months: int) -> datetime:
    """Clamped to the end of the month: 31 March and a month less is the last of February."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)


def _compact(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"


def _piece(text: str, dollar: int) -> tuple[str | _BuiltIn | _Moment, int]:
    """What begins with this dollar, and the index after it."""
    following = text[dollar + 1 : dollar + 2]
    if following == "$":
        return "$", dollar + 2
    if following in ("{", "["):
        closing = "}" if following == "{" else "]"
        end = text.find(closing, dollar)
        if end < 0:
            raise _refusal(text, dollar, f'"${following}" is not closed by "{closing}"')
        inner = text[dollar + 2 : end]
        read = _of_bizdate if following == "{" else _of_scheduled_time
        return read(text, dollar, inner), end + 1
    match = _LETTERS.match(text, dollar + 1)
    if match is None:
        raise _refusal(text, dollar, 'the "$" begins nothing; write "$$" for a dollar')
    word = match[0]
    if word not in _BUILT_INS:
        known = [f"${name}" for name in _BUILT_INS]
        near = did_you_mean(f"${word.lower()}", known) or f"; there are {_listed(known)}"
        raise _refusal(text, dollar, f'"${_cut(word)}" is not known{near}')
    return _BuiltIn(word, dollar), match.end()


def _of_bizdate(text: str, dollar: int, inner: str) -> _Moment:
    """`${...}` (PAR-2)."""
    start = dollar + 2
    if inner.startswith("secret:"):
        advice = "must be the whole value, and its name is letters, digits and _"
        raise _refusal(text, dollar, f'"${{secret:NAME}}" {advice}')
    if inner in _BUILT_INS:
        raise _refusal(text, dollar, f'"${{{inner}}}" is not known; write "${inner}"')
    sign = _OFFSETS_BEGIN.search(inner)
    length = sign.start() if sign else len(inner)
    format = _format(text, start, inner[:length], _UNITS_OF_DATE)
    if sign is None:
        return _Moment(True, format, 0, 0, dollar)
    match = _WHOLE_OFFSET.fullmatch(inner, length)
    if match is None:
        advice = 'in "${...}" one whole offset stands at the end: +N, -N, +7*N or -7*N'
        if "/" in inner[length:]:
            advice += '; for hours write "$[...]"'
        raise _refusal(text, start + length, f'"{_cut(inner[length:])}" is not an offset; {advice}')
    _refuse_leading_zero(text, start + length, match[3])
    number = _count(text, start + length, match[3]) * (7 if match[2] else 1) * (-1 if match[1] == "-" else 1)
    if "dd" in format:
        months, minutes = 0, number * _MINUTES_A_DAY
    else:
        months, minutes = number * (1 if "mm" in format else 12), 0
    return _moment(text, _Moment(True, format, months, minutes, dollar))


def _of_scheduled_time(text: str, dollar: int, inner: str) -> _Moment:
    """`$[...]` (PAR-3)."""
    start = dollar + 2
    if inner.startswith("add_months"):
        return _of_added_months(text, dollar, inner)
    sign = _OFFSETS_BEGIN.search(inner)
    length = sign.start() if sign else len(inner)
    format = _format(text, start, inner[:length], _UNITS_OF_TIME)
    return _moment(text, _Moment(False, format, 0, _minutes(text, start + length, inner[length:]), dollar))


def _of_added_months(text: str, dollar: int, inner: str) -> _Moment:
    match = _ADD_MONTHS.fullmatch(inner)
    if match is None:
        raise _refusal(
            text, dollar + 2, 'write "add_months(FORMAT, N)", for example "add_months(yyyymm, -1)"'
        )
    start = dollar + 2
    shift, at = match["shift"].strip(), start + match.start("shift")
    months = _MONTHS.fullmatch(shift)
    if months is None:
        raise _refusal(
            text, at, f'"{_cut(shift)}" is not a number of months; write +N, -N, or +12*N for years'
        )
    number = _count(text, at, months[3]) * (12 if months[2] else 1) * (-1 if months[1] == "-" else 1)
    own = match["format"]
    before = len(own) - len(own.lstrip())
    format_start = start + match.start("format") + before
    if sign := _OFFSETS_BEGIN.search(own):
        raise _refusal(
            text,
            format_start - before + sign.start(),
            'the offset in days stands after the ")" of add_months',
        )
    format = _format(text, format_start, own.strip(), _UNITS_OF_TIME)
    minutes = _minutes(text, start + match.start("rest"), match["rest"])
    return _moment(text, _Moment(False, format, number, minutes, dollar))


def _format(text: str, start: int, format: str, units: re.Pattern[str]) -> tuple[str, ...]:
    """Units, and separators as `=` and their text; at least one unit."""
    found: list[str] = []
    at = 0
    while at < len(format):
        if match := units.match(format, at):
            found.append(match[0])
            at = match.end()
        elif format[at].isascii() and format[at].isalnum():
            raise _bad_format(text, start + at, format[at:], units)
        else:
            if not found or not found[-1].startswith("="):
                found.append("=")
            found[-1] += format[at]
            at += 1
    if all(unit.startswith("=") for unit in found):
        raise _refusal(text, start, f"there is no date in it; its letters are {_names_of(units)}")
    return tuple(found)


def _bad_format(text: str, position: int, rest: str, units: re.Pattern[str]) -> ParameterError:
    word = re.match("[A-Za-z]+|[0-9]+", rest)
    bad = word[0] if word else rest[0]
    known = f"letters are {_names_of(units)}"
    if bad.isdigit():
        advice = "is a number without a sign; an offset is written +N or -N, at the end"
        return _refusal(text, position, f'"{_cut(bad)}" {advice}')
    if units.match(bad.lower()):
        return _refusal(text, position, f'"{_cut(bad)}" is not known; write it in lower case')
    if units is _UNITS_OF_DATE and _UNITS_OF_TIME.match(bad):
        advice = 'is not known in "${...}", which has no time of day; use "$[...]"'
        return _refusal(text, position, f'"{_cut(bad)}" {advice}')
    near = did_you_mean(f"${bad.lower()}", [f"${name}" for name in _BUILT_INS])
    return _refusal(text, position, f'"{_cut(bad)}" is not known; {known}{near}')


def _minutes(text: str, start: int, offsets: str) -> int:
    """The sum of chained offsets in days, as minutes."""
    total = at = 0
    while at < len(offsets):
        match = _TIME_OFFSET.match(offsets, at)
        if match is None:
            advice = (
                "offsets are +N, +7*N (days), +N/24 (hours) or +N/24/60 (minutes), with + or -, at the end"
            )
            raise _refusal(text, start + at, f'"{_cut(offsets[at:])}" is not an offset; {advice}')
        _refuse_leading_zero(text, start + at, match[3] or match[4])
        number = _count(text, start + at, match[3] or match[4])
        minutes = number * (7 * _MINUTES_A_DAY if match[2] else _MINUTES[match[5]])
        total += -minutes if match[1] == "-" else minutes
        at = match.end()
    return total


def _refuse_leading_zero(text: str, sign: int, digits: str) -> None:
    """`${yyyy-mm-01}` looks like the first of the month and would be the month before (PAR-2)."""
    if len(digits) == 1 or digits[0] != "0":
        return
    opening = text.rfind("$", 0, sign)
    closing = "}" if text[opening + 1] == "{" else "]"
    end = text.index(closing, sign)
    before, offset = text[opening:sign], text[sign:end]
    fixed = offset.replace(digits, digits.lstrip("0") or "0", 1)
    as_offset = f'"{_cut(f"{before}{fixed}{closing}")}"'
    as_text = f'"{_cut(f"{before}{closing}{offset}")}" if it is text, ' if offset[1:] == digits else ""
    advice = f"write {as_text}{as_offset}{' if it is an offset' if as_text else ''}"
    raise _refusal(text, sign, f'the offset "{_cut(offset)}" begins with a zero; {advice}')


def _count(text: str, position: int, digits: str) -> int:
    if len(digits.lstrip("0")) > 12:
        raise _out_of_calendar(text, position)
    return int(digits[-12:])


def _moment(text: str, moment: _Moment) -> _Moment:
    """The same, unless it leaves the calendar for every bizdate that there may be."""
    years = moment.months / 12 + moment.minutes / (_MINUTES_A_DAY * 365.2425)
    if not _MOST_YEARS[0] <= years <= _MOST_YEARS[1]:
        raise _out_of_calendar(text, moment.position)
    return moment


def _refuse_what_no_program_can_get(text: str) -> None:
    """NUL ends the text of an environment variable, and half of a surrogate pair is no character."""
    if match := _NO_CHARACTER.search(text):
        raise _refusal(text, match.start(), "there is a character that no program can be given; take it out")


def _refusal(text: str, position: int, why: str) -> ParameterError:
    return ParameterError(f'{why} (at character {position + 1} of "{_cut(text)}")', position)


def _out_of_calendar(text: str, position: int) -> ParameterError:
    return _refusal(text, position, "the date leaves the calendar, which is the years 1 to 9999")


def _names_of(units: re.Pattern[str]) -> str:
    return _listed(units.pattern.split("|"))


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _cut(text: str) -> str:
    safe = shown(text)
    return safe if len(safe) <= 60 else f"{safe[:59]}…"
