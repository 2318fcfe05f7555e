"""Where parameters stand in SQL text, and what a backfill may put there."""

from __future__ import annotations

import pytest

from retrofill.domain.catalog.definitions import Task
from retrofill.domain.catalog.sql_standing import ends_quotes, standings
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.planning.overrides import check_overrides
from retrofill.domain.planning.policy import OverrideError
from retrofill.domain.time import cron


@pytest.mark.parametrize(
    ("dialect", "code", "found"),
    [
        ("", "select ${a}, '${b}', ${c:quoted}", "a BARE, b QUOTED, c LITERAL"),
        ("", "select '${a:quoted}', $$ ${b:quoted} $$ -- ${c}", "a TWICE_QUOTED, b LITERAL, c QUOTED"),
        (
            "",
            "insert into t_${a} select * from ${b}.x, ${c}${d} where i=${e}",
            "a NAME, b NAME, c NAME, d NAME, e BARE",
        ),
        ("", "limit ${n}", "n BARE"),
        ("mysql", r"select 'a\'${b}', ${c}", "b QUOTED, c BARE"),
        ("postgres", r"select 'a\', ${c}", "c BARE"),
        ("", "$${a} ${b}", "b BARE"),
        ("", "select 1", ""),
    ],
)
def test_standings(dialect: str, code: str, found: str) -> None:
    """PAR-4: by the quotes of the dialect."""
    assert (
        ", ".join(f"{reference.name} {where.name}" for reference, where in standings(code, dialect)) == found
    )


SQL = "insert into t_${suffix} select ${n:quoted} from x where d = '${day}' -- ${day}"
TASK = Task(
    "w.t",
    TaskType.SQL,
    cron.parse("@daily"),
    code=SQL,
    connection="db",
    parameters=(("suffix", "$bizdate"), ("n", "1"), ("day", "$bizdate")),
)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("day", "a\n"),
        ("day", "\n"),
        ("day", "a\r"),
        ("day", "a\rdrop table t"),
        ("day", "a\u2028"),
        ("day", "a\x85b"),
        ("day", "${yyyy\n}"),
        ("n", "a\nb"),
    ],
)
def test_no_line_breaks(parameter: str, value: str) -> None:
    """PAR-5: wherever in the value: what follows a comment would run."""
    with pytest.raises(OverrideError, match="holds a line break"):
        check_overrides([TASK], {"w.t": {parameter: value}}, {"db": "duckdb:///x"})


@pytest.mark.parametrize(
    "value", ["1; drop table t", "a b", "a'", "x--y", "(select 1)", "${yyyy mm}", "${secret:A}"]
)
def test_a_name_stays_a_name(value: str) -> None:
    """PAR-5: what would end the name is refused, by the value and not by how it is written."""
    with pytest.raises(OverrideError, match="stands in a name"):
        check_overrides([TASK], {"w.t": {"suffix": value}}, {"db": "duckdb:///x"})


def test_what_may_be_set() -> None:
    """PAR-5: expressions, texts in quotes and literals, parts of names."""
    check_overrides(
        [TASK], {"w.t": {"suffix": "${yyyymm}_old", "n": "it's; here --", "day": "${yyyy-mm-dd}"}}, {}
    )


@pytest.mark.parametrize(
    ("dialect", "code", "value", "ends"),
    [
        ("", "select '${p}'", "O'Hara", True),
        ("", "select '${p}'", "x' or '1'='1", True),
        ("", "select '${p}'", "O''Hara", True),
        ("", "select '${p}'", '{"a": 1}', False),
        ("", "select '${p}', ${p:quoted}", "2026-01-05", False),
        ("", 'select "${p}"', 'a"b', True),
        ("", "select 1 /* ${p} */", "*/ , 2 /*", True),
        ("", "select 1 /* ${p} */", "it's", False),
        ("postgres", "select $$ ${p} $$", "$$ || 'x", True),
        ("mysql", "select '${p}', '${q}'", "a\\", True),
        ("postgres", "select '${p}'", "a\\", False),
        ("", "select ${p}", "'", False),
        ("", "select ${p:quoted}", "O'Hara", False),
        ("", "select '${q}'", "O'Hara", False),
    ],
)
def test_a_value_that_ends_its_quotes(dialect: str, code: str, value: str, ends: bool) -> None:
    """PAR-5: by the quotes of the dialect; where it stands bare it is SQL anyhow, as `:quoted` a text."""
    assert ends_quotes(code, "p", value, dialect) is ends
