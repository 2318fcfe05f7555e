"""Cron text to slots, dates and cycles (TIME-1, TIME-2, TIME-6)."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from croniter import CroniterBadDateError, croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from retrofill.domain.time.cron import CronError, Cycle, parse


def dates_of(text: str, first: str, last: str) -> list[str]:
    """The dates of a range that match, as text."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    days = [start + timedelta(days=i) for i in range((end - start).days + 1)]
    return [day.isoformat() for day in days if parse(text).matches(day)]


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("30 1 * * *", ["01:30"]),
        ("05 02 * * *", ["02:05"]),
        ("0 6,12,18 * * *", ["06:00", "12:00", "18:00"]),
        ("0 18,6,6 * * *", ["06:00", "18:00"]),
        ("*/30 0-1 * * *", ["00:00", "00:30", "01:00", "01:30"]),
        ("10-30/10 5 * * *", ["05:10", "05:20", "05:30"]),
        ("0 1-10/4 * * *", ["01:00", "05:00", "09:00"]),
        ("59 23 * * *", ["23:59"]),
        ("0 */24 * * *", ["00:00"]),
        ("  0\t2 * *   * ", ["02:00"]),
        ("@daily", ["00:00"]),
        ("@weekly", ["00:00"]),
    ],
)
def test_slots_are_ascending_and_distinct(text: str, slots: list[str]) -> None:
    """TIME-1: ranges, steps and lists of minutes and hours."""
    assert [f"{slot // 60:02}:{slot % 60:02}" for slot in parse(text).slots] == slots


def test_many_slots() -> None:
    """TIME-1: every minute of the day, and every hour."""
    assert parse("* * * * *").slots == tuple(range(1440))
    assert parse("5 * * * *").slots == tuple(range(5, 1440, 60))
    assert parse("@hourly").slots == tuple(range(0, 1440, 60))


@pytest.mark.parametrize(
    ("text", "cycle"),
    [
        ("*/15 * * * *", Cycle.MINUTE),
        ("0,30 2 * * *", Cycle.MINUTE),
        ("0,30 2 1 1 *", Cycle.MINUTE),
        ("5 * * * *", Cycle.HOUR),
        ("5 2,3 1 1 *", Cycle.HOUR),
        ("30 1 * * *", Cycle.DAY),
        ("30 1 1-31 1-12 0-6", Cycle.DAY),
        ("30 1 */1 */1 */1", Cycle.DAY),
        ("30 1 * * 0-7", Cycle.DAY),
        ("30 1 * * MON", Cycle.WEEK),
        ("30 1 */100,1-7 * MON", Cycle.MONTH),
        ("30 1 1-31 * 1-5", Cycle.WEEK),
        ("30 1 1 * *", Cycle.MONTH),
        ("30 1 L * *", Cycle.MONTH),
        ("30 1 1 * MON", Cycle.MONTH),
        ("30 1 */2 * *", Cycle.MONTH),
        ("30 1 1 1 *", Cycle.YEAR),
        ("30 1 1 1,4,7,10 *", Cycle.YEAR),
        ("30 1 * 1-11 MON", Cycle.YEAR),
        ("@hourly", Cycle.HOUR),
        ("@daily", Cycle.DAY),
        ("@weekly", Cycle.WEEK),
        ("@monthly", Cycle.MONTH),
        ("@yearly", Cycle.YEAR),
    ],
)
def test_the_cycle_is_derived(text: str, cycle: Cycle) -> None:
    """TIME-1: by the slots, else by the first restricted field of month, day of month, day of week."""
    assert parse(text).cycle is cycle


def test_the_last_day_of_the_month() -> None:
    """TIME-1: `L` alone and in a list."""
    assert dates_of("0 0 L * *", "2024-01-01", "2024-04-30") == [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
    ]
    assert dates_of("0 0 L 2 *", "2023-01-01", "2023-12-31") == ["2023-02-28"]
    assert dates_of("0 0 15,l * *", "2023-02-01", "2023-03-01") == ["2023-02-15", "2023-02-28"]
    assert dates_of("0 0 30,L 2,4 *", "2023-01-01", "2023-12-31") == ["2023-02-28", "2023-04-30"]


def test_day_of_month_and_day_of_week_are_one_or_the_other() -> None:
    """TIME-2: where both are restricted, one of them is enough; 2026-11-01 is a Sunday."""
    assert dates_of("0 0 5 * MON", "2026-11-01", "2026-11-10") == ["2026-11-02", "2026-11-05", "2026-11-09"]
    assert dates_of("0 0 * * MON", "2026-11-01", "2026-11-10") == ["2026-11-02", "2026-11-09"]
    assert dates_of("0 0 5 * *", "2026-11-01", "2026-11-10") == ["2026-11-05"]
    assert dates_of("0 0 5 * 5-6", "2026-11-01", "2026-11-10") == ["2026-11-05", "2026-11-06", "2026-11-07"]
    assert dates_of("0 0 L * SAT", "2026-11-20", "2026-11-30") == ["2026-11-21", "2026-11-28", "2026-11-30"]
    assert dates_of("0 0 5 12 MON", "2026-11-01", "2026-12-07") == ["2026-12-05", "2026-12-07"]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("5 2 */100,1-7 * MON", [1]),
        ("0 16 */2 * SAT", [13, 27]),
        ("0 9 1-31 * MON", list(range(1, 31))),
        ("0 9 5 * 0-6", list(range(1, 31))),
        ("0 9 5,* * MON", list(range(1, 31))),
        ("0 9 *,5 * MON", [1, 8, 15, 22, 29]),
        ("0 9 13 * */5", []),
        ("0 9 14 * */5", [14]),
        ("0 9 */10 * *", [1, 11, 21]),
        ("0 9 * * */3", [3, 6, 7, 10, 13, 14, 17, 20, 21, 24, 27, 28]),
        ("0 9 L * */2", [30]),
        ("0 9 L * 1-7", list(range(1, 31))),
    ],
)
def test_a_field_that_begins_with_a_star_restricts_nothing(text: str, days: list[int]) -> None:
    """TIME-2: as in Vixie's cron, `*/2` is unrestricted, so both fields must match; `1-31` is restricted."""
    assert dates_of(text, "2026-06-01", "2026-06-30") == [f"2026-06-{day:02}" for day in days]


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("0", "Sun"),
        ("7", "Sun"),
        ("sun", "Sun"),
        ("Mon-fri", "Mon Tue Wed Thu Fri"),
        ("5-7", "Fri Sat Sun"),
        ("FRI-SUN", "Fri Sat Sun"),
        ("SUN-TUE", "Sun Mon Tue"),
        ("MON,3,SAT", "Mon Wed Sat"),
        ("1-7/2", "Mon Wed Fri Sun"),
        ("6-7", "Sat Sun"),
    ],
)
def test_days_of_the_week(text: str, weekdays: str) -> None:
    """TIME-1, TIME-6: 0 and 7 are Sunday, `5-7` is Friday to Sunday, names in any case."""
    week = [date(2026, 11, 1) + timedelta(days=i) for i in range(7)]
    expected = [day.isoformat() for day in week if day.strftime("%a") in weekdays.split()]
    assert dates_of(f"0 0 * * {text}", "2026-11-01", "2026-11-07") == expected


def test_months_by_name() -> None:
    """TIME-1: names in any case, in ranges, lists and steps."""
    assert dates_of("0 0 1 jan-JUN/2,Dec *", "2026-01-01", "2026-12-31") == [
        "2026-01-01",
        "2026-03-01",
        "2026-05-01",
        "2026-12-01",
    ]
    assert dates_of("0 0 29 2 *", "2023-01-01", "2024-12-31") == ["2024-02-29"]


@pytest.mark.parametrize(
    ("text", "field", "part", "advice"),
    [
        ("5/15 * * * *", "minute", "5/15", '"5-59/15"'),
        ("0 2/6 * * *", "hour", "2/6", '"2-23/6"'),
        ("0 0 * * TUE/2", "day-of-week", "TUE/2", '"TUE-SAT/2"'),
        ("0 22-2 * * *", "hour", "22-2", '"22-23,0-2"'),
        ("0 0 * * FRI-MON", "day-of-week", "FRI-MON", '"FRI-SAT,SUN-MON"'),
        ("0 0 * NOV-JAN *", "month", "NOV-JAN", '"NOV-DEC,JAN"'),
        ("0 0 * * 6-0", "day-of-week", "6-0", '"6,0"'),
        ("0 0 ? * 1", "day-of-month", "?", '"*"'),
        ("0 0 L-3 * *", "day-of-month", "L-3", '"L"'),
        ("0 0 1-L * *", "day-of-month", "1-L", "in a list"),
        ("0 0 L/2 * *", "day-of-month", "L/2", "in a list"),
        ("0 0 * * 5L", "day-of-week", "5L", "as numbers"),
        ("0 0 * * L", "day-of-week", "L", "third field"),
        ("0 0 * * 5#2", "day-of-week", "5#2", "as numbers"),
        ("0 0 15W * *", "day-of-month", "15W", "as numbers"),
        ("0 0 LW * *", "day-of-month", "LW", "as numbers"),
        ("60 * * * *", "minute", "60", "0-59"),
        ("0 24 * * *", "hour", "24", "0-23; midnight is 0"),
        ("H 2 * * *", "minute", "H", "write a number"),
        ("H/15 * * * *", "minute", "H/15", '"*/15"'),
        ("0 H(0-7) * * *", "hour", "H(0-7)", "write a number"),
        ("0 0 0 * *", "day-of-month", "0", "1-31"),
        ("0 0 1-32 * *", "day-of-month", "1-32", "1-31"),
        ("0 0 * 13 *", "month", "13", "1-12"),
        ("0 0 * * 8", "day-of-week", "8", "0-7"),
        ("*/0 * * * *", "minute", "*/0", "1 or more"),
        ("1-5/0 * * * *", "minute", "1-5/0", "1 or more"),
        ("1,,2 * * * *", "minute", "", "between the commas"),
        ("0 0 * * MONDAY", "day-of-week", "MONDAY", '"MON"'),
        ("0 0 * * monday-friday/2", "day-of-week", "MONDAY-FRIDAY/2", '"MON-FRI/2"'),
        ("0 0 * * 7/2", "day-of-week", "7/2", '"7-7/2"'),
        ("0 0 * * MOM", "day-of-week", "MOM", 'did you mean "MON"'),
        ("0 0 * MON *", "month", "MON", "JAN to DEC"),
        ("x * * * *", "minute", "X", "no names"),
        ("-5 * * * *", "minute", "-5", "range"),
        ("+5 * * * *", "minute", "+5", "range"),
        ("1-2-3 * * * *", "minute", "1-2-3", "range"),
        ("*/ * * * *", "minute", "*/", "step"),
        ("*-5 * * * *", "minute", "*-5", "range"),
        ("٣ * * * *", "minute", "٣", "range"),
        ("1.5 * * * *", "minute", "1.5", "range"),
    ],
)
def test_a_bad_part_is_named_with_its_field_and_what_to_write(
    text: str, field: str, part: str, advice: str
) -> None:
    """TIME-6: no other cron's extensions, nothing that cannot be meant."""
    with pytest.raises(CronError) as raised:
        parse(text)
    assert raised.value.message.startswith(f'in the {field} field of the schedule, "{part}" ')
    assert advice in raised.value.message
    assert raised.value.code == "bad_cron"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("0 0 2 * * *", 'leave out the field for seconds: write "0 2 * * *"'),
        ("*/10 * * * * *", 'seconds: write "* * * * *", and a minute is the shortest cycle'),
        ("* * * * * */15", 'seconds: write "* * * * *", and a minute is the shortest cycle'),
        ("0 2 * * * 30", 'leave out the field for seconds: write "0 2 * * *"'),
        ("0 0/5 14 * * ?", 'seconds: write "*/5 14 * * *"'),
        ("0 15 10 ? * 2-6", 'seconds: write "15 10 * * MON-FRI"'),
        ("0 15 10 ? * 6L", "leave out the field for seconds"),
        ("0 12 * * ? *", 'leave out the field for years: write "0 12 * * *"'),
        ("0/10 8-17 ? * MON-FRI *", 'years: write "*/10 8-17 * * MON-FRI"'),
        ("0 10 * * ? 2025", 'years: write "0 10 * * *", and years go under `valid: {from, until}`'),
        ("0 0 0 1 1 ? *", 'leave out the fields for seconds and years: write "0 0 1 1 *"'),
        ("0 0 12 * * ? 2024-2026", 'write "0 12 * * *", and years go under `valid'),
        ("* * * * * * *", 'write "* * * * *"'),
        ("cron(0 12 * * ? *)", 'write "0 12 * * *"'),
        ("cron(0 2 * * *)", 'write "0 2 * * *"'),
        ("rate(5 minutes)", 'write "*/5 * * * *"'),
        ("@every 2h", 'write "0 */2 * * *"'),
        ("@every 120m", 'write "0 */2 * * *"'),
        ("@every 7m", "only parts of an hour can be written"),
        ("@quarterly", 'write "0 0 1 */3 *"'),
        ('"0 2 * * *"', 'write "0 2 * * *"'),
        (
            "CRON_TZ=Europe/Berlin 0 2 * * *",
            '`timezone: Europe/Berlin` in the workspace\'s file; write "0 2 * * *"',
        ),
        ("TZ=UTC 0 0 2 * * *", '`timezone: UTC` in the workspace\'s file; write "0 2 * * *"'),
        ("30 2 * * * root", 'leave out what follows, code goes under `run`: write "30 2 * * *"'),
        ("30 2 * * SUN /usr/bin/x --all", 'write "30 2 * * SUN"'),
        ("0 2 * * * # nightly", 'write "0 2 * * *"'),
    ],
)
def test_what_other_programs_write_is_offered_as_five_fields(text: str, advice: str) -> None:
    """TIME-6: seconds, years, time zones, commands; Quartz counts the days of the week from Sunday = 1."""
    with pytest.raises(CronError) as raised:
        parse(text)
    assert raised.value.message.endswith(advice) or advice in raised.value.message
    for offered in re.findall('write "([^"]+)"', raised.value.message):
        assert parse(offered).slots


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has 0 fields and must have 5"),
        ("*", "has 1 field and must have 5"),
        ("0 2 * *", "has 4 fields"),
        ("0 0 2 * * *", "has 6 fields and must have 5: minute, hour, .*seconds"),
        ("0 0 30 2 *", 'no month of "2" has a day "30"; write a day up to 29'),
        ("0 0 30,31 FEB *", 'a day "30,31"'),
        ("0 0 31 4,6,9,11 *", "write a day up to 30"),
        ("@reboot", 'the schedule "@reboot" is none of @hourly, @daily'),
        ("@midnight", 'write "@daily"'),
        ("@annually", 'write "@yearly"'),
        ("@dayly", 'did you mean "@daily"'),
        ("@daily 5", "is none of"),
        ("9" * 9999 + " * * * *", "lies outside 0-59"),
        ("1-" * 9999 + " * * * *", "is neither a value"),
        ("\x1b[31m * * * *", r"\\x1b"),
    ],
)
def test_a_bad_schedule_is_refused_in_one_short_sentence(text: str, words: str) -> None:
    """TIME-6: wrong number of fields, no date at all, other @ words; foreign text is shown harmlessly."""
    with pytest.raises(CronError, match=words) as raised:
        parse(text)
    assert len(raised.value.message) < 250
    assert raised.value.message.isprintable()


def test_a_date_that_comes_in_some_years_or_by_its_weekday_is_accepted() -> None:
    """TIME-6: 29 February exists, and with a restricted day of week 30 February does no harm."""
    assert parse("0 0 29 2 *").cycle is Cycle.YEAR
    assert dates_of("0 0 30 2 MON", "2026-02-01", "2026-03-31")[0] == "2026-02-02"
    assert parse("0 0 31 4,5 *").matches(date(2026, 5, 31))
    with pytest.raises(CronError, match="never runs"):
        parse("0 0 30 2 */2")  # both must match here


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 2 * * *", "every day at 02:00"),
        ("0,30 5 * * *", "every day at 05:00 and 05:30"),
        ("0 6,12,18 * * *", "every day at 06:00, 12:00 and 18:00"),
        ("5 * * * *", "every hour at :05"),
        ("0,20,50 * * * *", "every hour at :00, :20 and :50"),
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("*/10 8-17 * * *", "every 10 minutes from 08:00 to 17:50"),
        ("30 */2 * * *", "every 2 hours at :30"),
        ("0 3-20/2 * * *", "every 2 hours at :00 from 03:00 to 19:00"),
        ("*/15 1,5,6 * * *", "12 times a day from 01:00 to 06:45"),
        ("30 3 * * MON", "Mondays at 03:30"),
        ("30 3 * * 1,4", "Mondays and Thursdays at 03:30"),
        ("30 3 * * 5-7", "Friday to Sunday at 03:30"),
        ("5 * * * 1-5", "every hour at :05 on Monday to Friday"),
        ("0 2 1,15,L * *", "on the 1st, 15th and last day of every month at 02:00"),
        ("0 2 2-5,22,23 * *", "on the 2nd, 3rd, 4th, 5th, 22nd and 23rd of every month at 02:00"),
        ("0 2 1-12 * *", "on the 1st to 12th of every month at 02:00"),
        ("0 2 1 1,7 *", "on the 1st of January and July at 02:00"),
        ("0 2 * 2 *", "every day in February at 02:00"),
        ("5 * * 2 3", "every hour at :05 on Wednesdays in February"),
        ("0 2 1 * 1", "on the 1st of every month and on Mondays at 02:00"),
        ("0 2 1-31 * 1", "every day at 02:00"),
        ("5 * 1 2 0-6", "every hour at :05 every day in February"),
        ("0 2 */100,1-7 * 1", "Mondays among the 1st to 7th of every month at 02:00"),
        ("0 2 */2 3 1", "Mondays among the 1st, 3rd, 5th and so on to the 31st of March at 02:00"),
        (
            "5 * */15 * 1-5",
            "every hour at :05 on Monday to Friday among the 1st, 16th and 31st of every month",
        ),
    ],
)
def test_words_for_people(text: str, words: str) -> None:
    """TIME-1: a schedule read aloud."""
    assert parse(text).words() == words


def test_text_is_kept_as_written() -> None:
    """TIME-1: for messages and pages."""
    assert parse(" @Daily ").text == "@Daily"
    assert parse("0 2 * * mon").text == "0 2 * * mon"


# Properties against croniter, which reads `1-1` and `0-6` as `*`: not drawn. Left alone it takes `*/2` for a
# restriction (`day_or`); what crontab does it calls `implement_cron_bug`.


@st.composite
def fields(draw: st.DrawFn, first: int, last: int, is_whole: bool = False) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(first, last))
        end = draw(st.integers(start, last))
        step = draw(st.integers(1, 7))
        kinds = ["*", f"*/{step + 1}", f"{start}"]
        if is_whole:
            kinds.append(f"{first}-{last}")
        if start < end < last:
            kinds += [f"{start}-{end}", f"{start}-{end}/{step}"]
        parts.append(draw(st.sampled_from(kinds)))
    return "*" if "*" in parts and not is_whole else ",".join(parts)


def times_of_croniter(text: str, first: datetime, last: datetime) -> list[datetime]:
    """All its times from first to last, both included."""
    before = first - timedelta(seconds=1)
    times = croniter(text, before, max_years_between_matches=1, implement_cron_bug=True)
    found = []
    try:
        while (at := times.get_next(datetime)) <= last:
            found.append(at)
    except CroniterBadDateError:  # no further one within a year
        pass
    return found


@settings(max_examples=examples(60))
@given(fields(0, 59), fields(0, 23))
def test_slots_are_those_of_croniter(minute: str, hour: str) -> None:
    """TIME-1: minutes and hours."""
    midnight = datetime(2026, 1, 1, tzinfo=UTC)
    end = midnight + timedelta(hours=23, minutes=59)
    text = f"{minute} {hour} * * *"
    slots = [midnight + timedelta(minutes=slot) for slot in parse(text).slots]
    assert slots == times_of_croniter(text, midnight, end)


@settings(max_examples=examples(200))
@given(
    st.one_of(fields(1, 28), fields(1, 28).map(lambda days: f"{days},L".removeprefix("*,"))),
    fields(1, 12),
    fields(0, 6),
    st.dates(date(1990, 1, 1), date(2060, 1, 1)),
)
def test_dates_are_those_of_croniter(day: str, month: str, weekday: str, start: date) -> None:
    """TIME-2: day of month, month and day of week together, over two months."""
    text = f"0 0 {day} {month} {weekday}"
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
    days = [midnight + timedelta(days=i) for i in range(62)]
    assert [at for at in days if parse(text).matches(at.date())] == times_of_croniter(
        text, midnight, days[-1]
    )


def is_in(text: str, value: int, first: int, last: int) -> bool:
    """Whether a value is one of a field, part by part."""
    for part in text.split(","):
        values, _, step = part.partition("/")
        low, _, high = values.partition("-") if values != "*" else (str(first), "-", str(last))
        if value in range(int(low), int(high or low) + 1, int(step or 1)):
            return True
    return False


def matches_slowly(day: str, month: str, weekday: str, at: date) -> bool:
    """As Vixie's cron.c says it: a flag for each day field whose first character is `*`."""
    number = at.isoweekday() % 7
    is_day = is_in(day, at.day, 1, 31)
    is_weekday = is_in(weekday, number, 0, 6) or (number == 0 and is_in(weekday, 7, 0, 6))
    if not is_in(month, at.month, 1, 12):
        return False
    if day[0] == "*" or weekday[0] == "*":
        return is_day and is_weekday
    return is_day or is_weekday


@given(
    fields(1, 31, is_whole=True),
    fields(1, 12, is_whole=True),
    fields(0, 7, is_whole=True),
    st.dates(date(1990, 1, 1), date(2060, 1, 1)),
)
def test_dates_are_those_of_crontab(day: str, month: str, weekday: str, start: date) -> None:
    """TIME-2: the slow way, field by field, over two months; what never runs is refused (TIME-6)."""
    days = [start + timedelta(days=i) for i in range(62)]
    slow = [at for at in days if matches_slowly(day, month, weekday, at)]
    try:
        schedule = parse(f"0 0 {day} {month} {weekday}")
    except CronError:
        found = []
    else:
        found = [at for at in days if schedule.matches(at)]
    assert found == slow


@given(st.dates(date(1970, 1, 1), date(2199, 12, 31)))
def test_the_last_day_is_that_of_the_calendar(day: date) -> None:
    """TIME-1: `L` in every month of every year."""
    assert parse("0 0 L * *").matches(day) == (day.day == calendar.monthrange(day.year, day.month)[1])
