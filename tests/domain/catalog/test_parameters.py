"""Scheduling parameters: values, errors with their positions, names, SQL text (PAR-1..6, CAT-4)."""

from __future__ import annotations

import string
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from retrofill.domain.catalog.expressions import Context, ParameterError
from retrofill.domain.catalog.parameters import check_name, parse, resolve, sql_names, substitute_sql


def at(scheduled_at: str, **ids: str) -> Context:
    """The context of a wall-clock T; the bizdate is the day before."""
    moment = datetime.fromisoformat(scheduled_at)
    return Context(moment.date() - timedelta(days=1), moment, "ops", "daily_delays", **ids)


def on(bizdate: str) -> Context:
    """The context of a daily task at 00:00."""
    return at(str(date.fromisoformat(bizdate) + timedelta(days=1)))


def value(text: str, scheduled_at: str) -> str:
    return parse(text).evaluate(at(scheduled_at))


@pytest.mark.parametrize(
    ("scheduled_at", "text", "expected"),
    [
        ("2025-11-01 02:30:45", "${yyyymmdd}", "20251031"),
        ("2025-11-01 02:30:45", "${yyyymm}", "202510"),
        ("2025-11-01 02:30:45", "${mm}", "10"),
        ("2025-11-01 02:30:45", "${dd}", "31"),
        ("2025-11-01 02:30:45", "$[yyyymmdd]", "20251101"),
        ("2025-11-01 02:30:45", "$[dd]", "01"),
        ("2025-11-01 02:30:45", "$[hh24]", "02"),
        ("2025-11-01 02:30:45", "$[hh]", "02"),
        ("2025-11-01 02:30:45", "$[mi]", "30"),
        ("2025-11-01 02:30:45", "$[ss]", "45"),
        ("2025-11-01 02:30:45", "$[yyyy-mm-dd]", "2025-11-01"),
        ("2025-07-20 10:30:00", "${yyyy-1}", "2024"),
        ("2025-07-20 10:30:00", "${yyyy-mm-dd}", "2025-07-19"),
        ("2025-07-20 10:30:00", "${dd}", "19"),
        ("2025-07-20 10:30:00", "${yyyy-mm-dd-29}", "2025-06-20"),
        ("2025-07-20 10:30:00", "${yyyy-mm-dd-364}", "2024-07-20"),
        ("2025-07-20 10:30:00", "$[yyyy-mm-dd-1]", "2025-07-19"),
        ("2025-07-20 10:30:00", "$[hh24:mi:ss]", "10:30:00"),
        ("2025-07-20 10:30:00", "$[hh24:mi:ss-1/24/60]", "10:29:00"),
        ("2025-07-20 10:30:00", "$[hh24:mi:ss-1/24]", "09:30:00"),
        ("2025-07-20 10:30:00", "$[yyyymmdd-1]", "20250719"),
        ("2025-07-20 10:30:00", "$[yyyymmddhh24miss-1]", "20250719103000"),
        ("2025-07-27 00:05:00", "$[yyyy-mm]", "2025-07"),
        ("2025-07-27 00:05:00", "$[yyyymmdd-1]", "20250726"),
        ("2025-07-27 00:05:00", "$[yyyymmddhh24]", "2025072700"),
        ("2025-07-27 00:05:00", "$[yyyymmddhh24-1/24]", "2025072623"),
        ("2025-07-27 00:05:00", "$[hh24-15/24/60]", "23"),
        ("2025-07-27 00:05:00", "$[mi-15/24/60]", "50"),
        ("2025-07-27 00:05:00", "$[yyyymmdd-15/24/60]", "20250726"),
        ("2025-03-16 00:00:00", "${yyyymmdd}", "20250315"),
        ("2025-03-16 00:00:00", "$[yyyymmddhh24miss]", "20250316000000"),
        ("2025-03-16 00:00:00", "$gmtdate", "20250316"),
    ],
)
def test_values_of_the_documented_examples(scheduled_at: str, text: str, expected: str) -> None:
    """PAR-1, PAR-2, PAR-3: the examples that people know."""
    assert value(text, scheduled_at) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$bizdate", "20251031"),
        ("$cyctime", "20251101023045"),
        ("$gmtdate", "20251101"),
        ("$workspace.$task", "ops.daily_delays"),
        ("$jobid/$nodeid/$taskid", "7/12/345"),
        ("dt=$bizdate_x", "dt=20251031_x"),
        ("$bizdate1", "202510311"),
        ("$bizdate日", "20251031日"),
        ("$bizdate$gmtdate", "2025103120251101"),
        ("$$bizdate", "$bizdate"),
        ("$$", "$"),
        ("$$$bizdate$$", "$20251031$"),
        ("$${yyyy}", "${yyyy}"),
        ("$$[yyyy]", "$[yyyy]"),
        ("${yyyymm}01", "20251001"),
        ("a ${yyyy} b $[hh24] c", "a 2025 b 02 c"),
        ("plain }] text", "plain }] text"),
        ("", ""),
    ],
)
def test_built_ins_and_the_text_around_them(text: str, expected: str) -> None:
    """PAR-1: the longest run of letters; `$$` is a dollar; other text is kept."""
    context = at("2025-11-01 02:30:45", job_id="7", node_id="12", instance_id="345")
    assert parse(text).evaluate(context) == expected


@pytest.mark.parametrize(
    ("bizdate", "expected"),
    [
        ("2025-03-15", "202502"),
        ("2025-03-31", "202503"),
        ("2025-10-31", "202510"),
        ("2025-11-02", "202510"),
        ("2025-01-01", "202412"),
        ("2024-02-28", "202401"),
        ("2024-02-29", "202402"),
        ("2025-12-31", "202512"),
    ],
)
def test_bizmonth_is_the_last_month_that_has_ended(bizdate: str, expected: str) -> None:
    """PAR-1: the month of D, unless the next day lies in it too, then the month before."""
    assert parse("$bizmonth").evaluate(on(bizdate)) == expected


def test_ids_that_are_not_known_yet_stay_as_written() -> None:
    """PAR-6: in a plan; the other built-ins have their values."""
    text = "$jobid $nodeid $taskid $bizdate"
    assert parse(text).evaluate(on("2025-03-15")) == "$jobid $nodeid $taskid 20250315"
    assert parse(text).evaluate(at("2025-03-16", node_id="4")) == "$jobid 4 $taskid 20250315"


@pytest.mark.parametrize(
    ("bizdate", "text", "expected"),
    [
        ("2024-02-29", "${yyyy-1}", "2023"),
        ("2024-02-29", "${yy+1}", "25"),
        ("2025-01-31", "${yyyymm-1}", "202412"),
        ("2025-01-31", "${yyyymm+1}", "202502"),
        ("2025-01-31", "${mm-1}", "12"),
        ("2025-01-31", "${yyyymm-7*2}", "202311"),
        ("2025-03-01", "${yyyymmdd-1}", "20250228"),
        ("2024-03-01", "${dd-1}", "29"),
        ("2025-03-01", "${yyyymmdd-7*1}", "20250222"),
        ("2025-03-01", "${yyyymmdd+7*2}", "20250315"),
        ("2025-03-01", "${mm/dd-0}", "03/01"),
        ("2025-03-15", "${yyyy-mm-1}", "2025-02"),
        ("2025-03-15", "${yyyy-mm}-01", "2025-03-01"),
        ("2025-03-15", "${yyyy-mm-0}", "2025-03"),
        ("2025-03-15", "${yyyy-mm-}", "2025-03-"),
        ("2025-03-15", "${dd.mm.yy}", "15.03.25"),
        ("2025-03-15", "${yyyy年mm月dd日}", "2025年03月15日"),
        ("2025-03-15", "${ yyyy, mm }", " 2025, 03 "),
        ("2025-03-15", "${yyyy/mm/dd+1}", "2025/03/16"),
        ("2025-03-15", "${yyyy-mm-dd -1}", "2025-03-14 "),
        ("0999-03-15", "${yyyy-1}", "0998"),
    ],
)
def test_an_offset_of_the_bizdate_moves_the_smallest_unit_shown(
    bizdate: str, text: str, expected: str
) -> None:
    """PAR-2: years, months or days; a number at the end is always an offset."""
    assert parse(text).evaluate(on(bizdate)) == expected


@pytest.mark.parametrize(
    ("scheduled_at", "text", "expected"),
    [
        ("2025-03-16 00:10", "$[yyyymmdd-1-1/24]", "20250314"),
        ("2025-03-16 00:10", "$[yyyymmddhh24mi-1-1/24+5/24/60]", "202503142315"),
        ("2025-03-16 00:10", "$[yyyymmdd+7*2]", "20250330"),
        ("2025-03-16 00:10", "$[yyyymmdd-7*1+1]", "20250310"),
        ("2025-03-16 00:10", "$[hh24-1/24]", "23"),
        ("2025-03-16 00:10", "$[yyyy-1]", "2025"),
        ("2025-03-16 00:10", "$[yyyy-mm-1]", "2025-03"),
        ("2025-03-16 00:10", "$[hh12:mi]", "12:10"),
        ("2025-03-16 12:10", "$[hh]", "12"),
        ("2025-03-16 13:10", "$[hh12]", "01"),
        ("2025-03-16 11:59", "$[hh]", "11"),
        ("2025-03-16 23:10", "$[yy.hh24+1/24]", "25.00"),
        ("2025-03-16 00:10", "$[yyyy-mm-dd hh24:mi:ss]", "2025-03-16 00:10:00"),
    ],
)
def test_offsets_of_the_scheduled_time_are_days_hours_and_minutes(
    scheduled_at: str, text: str, expected: str
) -> None:
    """PAR-3: chained; first move, then format; 12 at midnight and noon."""
    assert value(text, scheduled_at) == expected


@pytest.mark.parametrize(
    ("scheduled_at", "text", "expected"),
    [
        ("2025-03-31 00:00", "$[add_months(yyyymmdd,-1)]", "20250228"),
        ("2024-03-31 00:00", "$[add_months(yyyymmdd, -1)]", "20240229"),
        ("2025-01-31 00:00", "$[add_months(yyyymmdd,1)]", "20250228"),
        ("2025-01-31 00:00", "$[add_months(yyyymmdd,+3)]", "20250430"),
        ("2025-01-31 00:00", "$[add_months(yyyymm,-1)]", "202412"),
        ("2025-12-31 00:00", "$[add_months(yyyymm,-0)]", "202512"),
        ("2024-02-29 00:00", "$[add_months(yyyymmdd,12*1)]", "20250228"),
        ("2024-02-29 00:00", "$[add_months(yyyy-mm-dd,-12*4)]", "2020-02-29"),
        ("2025-03-31 00:10", "$[add_months(yyyymmddhh24mi,-1)-15/24/60]", "202502272355"),
        ("2025-03-31 00:10", "$[add_months(yyyymmdd,-1)-1-1/24+7*1]", "20250305"),
        ("2025-03-31 00:10", "$[add_months( yyyy,mm , -1 )]", "2025,02"),
        ("2025-03-31 00:10", "$[add_months(hh24:mi, 1)]", "00:10"),
    ],
)
def test_months_are_added_and_clamped_to_the_end_of_the_month(
    scheduled_at: str, text: str, expected: str
) -> None:
    """PAR-3: the sign may be left out; `12*N` are years; day offsets come after the months."""
    assert value(text, scheduled_at) == expected


@pytest.mark.parametrize(
    ("text", "position", "advice"),
    [
        ("$", 0, 'write "$$"'),
        ("cost: 5$", 7, 'write "$$"'),
        ("a $1", 2, 'write "$$"'),
        ("$(date)", 0, 'write "$$"'),
        ("$ {yyyy}", 0, 'write "$$"'),
        ("$bizdat", 0, 'did you mean "$bizdate"'),
        ("$BIZDATE", 0, 'did you mean "$bizdate"'),
        ("x$bizdates", 1, 'did you mean "$bizdate"'),
        ("$foo", 0, "there are $bizdate"),
        ("${yyyymmdd", 0, 'not closed by "}"'),
        ("a$[hh24", 1, 'not closed by "]"'),
        ("${}", 2, "no date in it"),
        ("$[]", 2, "no date in it"),
        ("${-}", 2, "no date in it"),
        ("${-1}", 2, "no date in it"),
        ("$[-1/24]", 2, "no date in it"),
        ("${YYYY}", 2, "lower case"),
        ("${yyyyMM}", 6, "lower case"),
        ("${yyy}", 4, "letters are yyyy, yy, mm and dd"),
        ("${yyyymmd}", 8, "letters are"),
        ("${day}", 2, "letters are"),
        ("${bizdate}", 2 - 2, 'write "$bizdate"'),
        ("${bizdat}", 2, 'did you mean "$bizdate"'),
        ("${yyyymmddhh24}", 10, "no time of day"),
        ("${mi}", 2, "no time of day"),
        ("${yyyymmdd-1/24}", 10, "for hours"),
        ("${yyyymmdd-1-1}", 10, "one whole offset"),
        ("${yyyymmdd-3*2}", 10, "+7*N"),
        ("${yyyymmdd-7*}", 10, "+7*N"),
        ("${yyyymmdd1}", 10, "without a sign"),
        ("${yyyymmdd 1}", 11, "without a sign"),
        ("${1yyyy}", 2, "without a sign"),
        ("${yyyy-1mm}", 6, "at the end"),
        ("$[yyyymmdd1]", 10, "without a sign"),
        ("$[yyyymmdd/24]", 11, "without a sign"),
        ("$[hh23]", 4, "without a sign"),
        ("$[hh24-1/12]", 6, "hours"),
        ("$[hh24-1/1440]", 6, "hours"),
        ("$[hh24-1/24/60/60]", 6, "hours"),
        ("$[hh24-7*1/24]", 6, "hours"),
        ("$[hh24-1-1/12]", 8, "hours"),
        ("$[hh24-3*2]", 6, "+7*N"),
        ("$[yyyymmdd-1 hh24]", 10, "at the end"),
        ("$[HH24]", 2, "lower case"),
        ("$[add_months(yyyymm)]", 2, "add_months(FORMAT, N)"),
        ("$[add_months(yyyymm,-1]", 2, "add_months(FORMAT, N)"),
        ("$[add_months yyyymm,-1]", 2, "add_months(FORMAT, N)"),
        ("$[add_months(yyyymm,)]", 20, "number of months"),
        ("$[add_months(yyyymm,x)]", 20, "number of months"),
        ("$[add_months(yyyymm,12*-1)]", 20, "number of months"),
        ("$[add_months(yyyymm,7*1)]", 20, "number of months"),
        ("$[add_months(yyyymm,1.5)]", 20, "number of months"),
        ("$[add_months(,-1)]", 13, "no date in it"),
        ("$[add_months(yyyymmdd-1,-1)]", 21, 'after the ")"'),
        ("$[add_months(yyyymmdd,-1)1]", 25, "+ or -"),
        ("$[add_months(yyyymmdd,-1)x]", 25, "+ or -"),
        ("$[add_months(yyyymmdd,-1) -1]", 25, "+ or -"),
        ("${yyyy-mm-01}", 9, 'write "${yyyy-mm}-01" if it is text, "${yyyy-mm-1}" if it is an offset'),
        ("x${yyyymmdd+007}", 11, 'write "${yyyymmdd}+007" if it is text, "${yyyymmdd+7}" if it is an offset'),
        ("${yyyymmdd-7*01}", 10, 'begins with a zero; write "${yyyymmdd-7*1}"'),
        ("$[yyyy-mm-01]", 9, 'write "$[yyyy-mm]-01" if it is text, "$[yyyy-mm-1]" if it is an offset'),
        ("$[hh24-1-01/24]", 8, 'write "$[hh24-1-1/24]"'),
        ("x ${secret:KEY}", 2, "whole value"),
        ("${secret:KEY} ", 0, "whole value"),
        ("${secret:}", 0, "whole value"),
        ("${secret:1A}", 0, "whole value"),
        ("a\0b", 1, "no program can be given"),
        ("a\ud800", 1, "no program can be given"),
        ("٣${yyyy٣٣a}", 9, "letters are"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_position(text: str, position: int, advice: str) -> None:
    """PAR-1, PAR-2, PAR-3, PAR-6: nothing is guessed."""
    with pytest.raises(ParameterError) as raised:
        parse(text)
    assert advice in raised.value.message
    assert raised.value.position == position
    assert f"at character {position + 1} of" in raised.value.message
    assert raised.value.message.isprintable()
    assert raised.value.code == "bad_parameter"


@pytest.mark.parametrize(
    "text",
    [
        "${yyyy-2200}",
        "${yyyymm+99999}",
        "${yyyymmdd-9999999}",
        "$[yyyymmdd+7*9999999]",
        "$[add_months(yyyy,12*9999)]",
        "$[hh24+999999999/24]",
        "${yyyy-" + "9" * 5000 + "}",
        "$[add_months(yyyy," + "9" * 5000 + ")]",
    ],
)
def test_an_offset_that_leaves_the_calendar_for_every_date_is_known_at_once(text: str) -> None:
    """PAR-6: without evaluating it."""
    with pytest.raises(ParameterError, match="leaves the calendar"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("x${yyyy-2025}", "2026-01-01", "2025-12-31"),
        ("x${yyyymm-24300}", "2026-01-01", "2025-12-01"),
        ("x${yyyymmdd+2930000}", "1975-01-01", "1980-01-01"),
        ("x$[add_months(yyyy,12*7975)]", "2024-12-30", "2024-12-31"),
        ("x$[yyyy-740000]", "2027-02-02", "2027-01-01"),
        ("x$bizmonth", "0001-02-05", "0001-01-05"),
    ],
)
def test_an_offset_that_leaves_the_calendar_for_some_dates_is_refused_at_those(
    text: str, inside: str, outside: str
) -> None:
    """PAR-6: a clear error, whatever the date."""
    assert parse(text).evaluate(on(inside))
    with pytest.raises(ParameterError, match="leaves the calendar") as raised:
        parse(text).evaluate(on(outside))
    assert raised.value.position == 1


def test_a_secret_is_the_whole_value_and_stays_unresolved() -> None:
    """SEC-3: a plan prints it as written."""
    expression = parse("${secret:MART_PASSWORD}")
    assert expression.secret == "MART_PASSWORD"
    assert expression.evaluate(on("2025-03-15")) == "${secret:MART_PASSWORD}"
    assert parse("$${secret:MART_PASSWORD}").secret is None
    assert parse("$bizdate").secret is None


def test_a_tasks_values_come_by_name_in_declared_order() -> None:
    """PAR-4: a value that looks like an expression is not read again."""
    parameters = [("z", "${yyyy-mm-dd}"), ("a", "$$bizdate"), ("m", "plain")]
    values = resolve(parameters, on("2025-03-15"))
    assert list(values.items()) == [("z", "2025-03-15"), ("a", "$bizdate"), ("m", "plain")]


def test_an_error_among_a_tasks_values_names_the_parameter() -> None:
    """PAR-6: with the position in its text."""
    with pytest.raises(ParameterError, match=r'^parameter "day": "\$bizdat" is not known') as raised:
        resolve([("ok", "1"), ("day", "on $bizdat")], on("2025-03-15"))
    assert raised.value.position == 3


@pytest.mark.parametrize("name", ["day", "_x", "A1", "Path", "LD", "python_version", "RETROFILL"])
def test_names_that_code_can_read(name: str) -> None:
    """CAT-4: letters, digits and `_`, no digit first; case matters."""
    check_name(name)


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "a.b", "a\n", "tag_é", "日", "a=b", "a\0"])
def test_malformed_names(name: str) -> None:
    """CAT-4: `[A-Za-z_][A-Za-z0-9_]*`."""
    with pytest.raises(ParameterError, match="is not a parameter name"):
        check_name(name)


@pytest.mark.parametrize(
    "name",
    ["RETROFILL_", "RETROFILL_X", "LD_PRELOAD", "PYTHON", "PYTHONPATH", "PATH", "HOME", "SHELL", "IFS"],
)
def test_reserved_names(name: str) -> None:
    """CAT-4: they would change how programs run."""
    with pytest.raises(ParameterError, match="is reserved"):
        check_name(name)


@pytest.mark.parametrize("name", ["ENV", "BASH_ENV"])
def test_names_that_make_a_shell_run_a_file(name: str) -> None:
    """CAT-4: a shell reads the file that they name."""
    with pytest.raises(ParameterError, match="is reserved"):
        check_name(name)


def test_names_in_sql() -> None:
    """PAR-4: with positions, repeats too; a literal `${` is none."""
    assert sql_names("select '${day}', ${n} -- ${day}") == [("day", 8), ("n", 17), ("day", 25)]
    assert sql_names("select $1, $${day}, $$body$$, '$', 5$") == []
    assert sql_names("") == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("where day = '${day}'", "where day = '2025-03-15'"),
        ("${day}${day}", "2025-03-152025-03-15"),
        ("$${day}", "${day}"),
        ("as $$ select 1 $$", "as $$ select 1 $$"),
        ("as $$${day}$$", "as $$2025-03-15$$"),
        ("$1 $ $x {day} }", "$1 $ $x {day} }"),
        ("$$$${day}", "$$${day}"),
        ("${tricky}", "${day} $${day} \\1"),
        ("${quote:quoted} ${day:quoted}", "'it''s' '2025-03-15'"),
        ("$${day:quoted}", "${day:quoted}"),
    ],
)
def test_sql_is_filled_in_once(code: str, expected: str) -> None:
    """PAR-4: values are not read again."""
    assert (
        substitute_sql(code, {"day": "2025-03-15", "tricky": "${day} $${day} \\1", "quote": "it's"})
        == expected
    )


@pytest.mark.parametrize(
    ("code", "position", "words"),
    [
        ("select\n  ${day", 9, 'in line 2 of the SQL text is not closed by "}"'),
        ("select ${day\n}", 7, "not closed"),
        ("select ${}", 7, "is not a parameter"),
        ("select ${ day }", 7, "is not a parameter"),
        ("select ${yyyy-mm-dd}", 7, "is not a parameter"),
        ("select ${secret:KEY}", 7, "is not a parameter"),
        ("select ${1}", 7, "is not a parameter"),
        ("select ${day:quote}", 7, "name:quoted"),
        ("select ${:quoted}", 7, "is not a parameter"),
        ("select '$${', ${a${b}}", 14, "is not a parameter"),
    ],
)
def test_malformed_references_in_sql(code: str, position: int, words: str) -> None:
    """PAR-4: a `${` goes on with a name and a `}`; both functions say so."""
    with pytest.raises(ParameterError, match=words) as raised:
        sql_names(code)
    assert raised.value.position == position
    with pytest.raises(ParameterError, match=words):
        substitute_sql(code, {"day": "x"})


def test_an_undeclared_name_in_sql() -> None:
    """PAR-4: a near name is offered."""
    with pytest.raises(ParameterError, match=r'no parameter "dya".*line 2.*did you mean "day"') as raised:
        substitute_sql("select\n${dya}", {"day": "x"})
    assert raised.value.position == 7
    with pytest.raises(ParameterError, match="declare it"):
        substitute_sql("${day}", {})


# Properties against an obvious slow version: strftime for the units, one step at a time for the offsets.

STRFTIME = {
    "yyyy": "%Y",
    "yy": "%y",
    "mm": "%m",
    "dd": "%d",
    "hh24": "%H",
    "hh12": "%I",
    "hh": "%I",
    "mi": "%M",
    "ss": "%S",
}
SEPARATORS = st.text("-+ :/.,_*#$({é年", max_size=3)


@st.composite
def formats(draw: st.DrawFn, units: list[str]) -> list[str]:
    """Units with separators between them, which may be empty except between years."""
    chosen = draw(st.lists(st.sampled_from(units), min_size=1, max_size=6))
    parts = [draw(SEPARATORS)]
    for unit in chosen:
        if parts[-1] == "" and len(parts) > 1 and unit.startswith("yy"):
            parts[-1] = "_"
        parts += [unit, draw(SEPARATORS)]
    return parts


def formatted(parts: list[str], moment: datetime) -> str:
    return "".join(moment.strftime(STRFTIME[p]) if p in STRFTIME else p for p in parts)


def next_month(day: date, step: int) -> date:
    first = day.replace(day=1)
    return (first + timedelta(days=31)).replace(day=1) if step > 0 else (first - timedelta(days=1))


def stepped(day: date, unit: str, step: int) -> date:
    if unit == "dd":
        return day + timedelta(days=step)
    for _ in range(1 if unit == "mm" else 12):
        day = next_month(day, step)
    return day


def month_by_month(moment: datetime, months: int) -> datetime:
    """Months later or earlier, on the same day or the last one before it that the month has."""
    month = moment.date()
    for _ in range(abs(months)):
        month = next_month(month, months).replace(day=1)
    day = month.replace(day=28)
    while day.day < moment.day and (day + timedelta(days=1)).month == month.month:
        day += timedelta(days=1)
    return datetime.combine(day.replace(day=min(day.day, moment.day)), moment.time())


DATES = st.dates(date(1970, 1, 1), date(2199, 12, 31))


@settings(max_examples=examples(200))
@given(formats(["yyyy", "yy", "mm", "dd"]), st.integers(-90, 90), st.booleans(), DATES)
def test_values_of_the_bizdate_step_by_step(
    parts: list[str], number: int, in_sevens: bool, bizdate: date
) -> None:
    """PAR-2: any format with any offset."""
    smallest = "dd" if "dd" in parts else "mm" if "mm" in parts else "yyyy"
    day = bizdate
    for _ in range(abs(number) * (7 if in_sevens else 1)):
        day = stepped(day, smallest, 1 if number > 0 else -1)
    offset = f"{'-' if number < 0 else '+'}{'7*' if in_sevens else ''}{abs(number)}"
    midnight = datetime.combine(day, time())
    text = f"${{{''.join(parts)}{offset}}}"
    assert parse(text).evaluate(on(bizdate.isoformat())) == formatted(parts, midnight)


@settings(max_examples=examples(200))
@given(
    formats(list(STRFTIME)),
    st.none() | st.integers(-30, 30),
    st.lists(st.tuples(st.integers(-500, 500), st.sampled_from(["", "7*", "/24", "/24/60"])), max_size=4),
    DATES,
    st.times(),
)
def test_values_of_the_scheduled_time_step_by_step(
    parts: list[str],
    months: int | None,
    offsets: list[tuple[int, str]],
    bizdate: date,
    clock: time,
) -> None:
    """PAR-3: any format, months first, then a chain of offsets."""
    moment = datetime.combine(bizdate + timedelta(days=1), clock).replace(microsecond=0)
    context = Context(bizdate, moment, "w", "t")
    moved = month_by_month(moment, months or 0)
    chain = ""
    for number, unit in offsets:
        chain += "-" if number < 0 else "+"
        chain += f"7*{abs(number)}" if unit == "7*" else f"{abs(number)}{unit}"
        size = {"": {"days": 1}, "7*": {"weeks": 1}, "/24": {"hours": 1}, "/24/60": {"minutes": 1}}[unit]
        moved += number * timedelta(**size)
    if months is None:
        text = f"$[{''.join(parts)}{chain}]"
    else:
        parts = [parts[0].lstrip(), *parts[1:-1], parts[-1].rstrip()]
        text = f"$[add_months({''.join(parts)}, {months}){chain}]"
    assert parse(text).evaluate(context) == formatted(parts, moved)


ODD_TEXT = st.text(
    st.one_of(st.sampled_from("${}[]()+-*/,0127"), st.sampled_from(string.ascii_letters), st.characters()),
    max_size=30,
)
FRAGMENT = st.sampled_from(
    ["$", "${", "$[", "}", "]", "yyyy", "mm", "dd", "hh24", "-1", "+7*2", "/24", "x", "1", "-", "bizdate"]
) | st.sampled_from(["add_months(", ",", ")", "12*3"])
FRAGMENTS = st.lists(FRAGMENT, max_size=12).map("".join)


def position_of_error(text: str) -> int | None:
    """Where `parse` or the evaluation says that the text is wrong; None where it has a value."""
    try:
        assert isinstance(parse(text).evaluate(on("2025-03-15")), str)
    except ParameterError as error:
        return error.position
    return None


@settings(max_examples=examples(400))
@given(ODD_TEXT | FRAGMENTS)
def test_any_text_has_a_value_or_a_place_where_it_is_wrong(text: str) -> None:
    """PAR-6: never another error."""
    position = position_of_error(text)
    assert position is None or 0 <= position <= len(text)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | FRAGMENTS)
def test_a_doubled_dollar_is_that_dollar(text: str) -> None:
    """PAR-1: any text can be written as a value."""
    assert parse(text.replace("$", "$$")).evaluate(on("2025-03-15")) == text


@settings(max_examples=examples(300))
@given(st.lists(st.sampled_from(["$", "$$", "${day}", "$${", "${n_1}", "{", "}", "x", "'", "\n"])))
def test_sql_is_filled_in_from_left_to_right(parts: list[str]) -> None:
    """PAR-4: a text between two names keeps its dollars, except that a literal `${` loses one."""
    # A dollar directly before a name would be read with it, so something stands between.
    parts = [f" {part}" for part in parts]
    values = {"day": "<${n_1}>", "n_1": "7"}
    shown = {"${day}": "<${n_1}>", "${n_1}": "7", "$${": "${"}
    expected = "".join(" " + shown.get(part[1:], part[1:]) for part in parts)
    assert substitute_sql("".join(parts), values) == expected
    names = [part[3:-1] for part in parts if part[1:] in ("${day}", "${n_1}")]
    assert [name for name, _ in sql_names("".join(parts))] == names
