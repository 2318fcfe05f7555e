"""Taking SQL text apart."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from retrofill.domain.catalog.statements import (
    Piece,
    controls_transactions,
    cut,
    excerpt,
    first_words,
    split,
    stands_alone,
    without_quotes,
)


@pytest.mark.parametrize(
    ("code", "statements"),
    [
        ("", []),
        (" ; ;\n", []),
        ("-- nothing\n/* here */", []),
        ("select 1", ["select 1"]),
        ("select 1;", ["select 1"]),
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select ';'; select 2", ["select ';'", "select 2"]),
        ("select 'it''s;'; select 2", ["select 'it''s;'", "select 2"]),
        ('select ";"; select 2', ['select ";"', "select 2"]),
        ("select `;`; select 2", ["select `;`", "select 2"]),
        ("select 1 -- a; b\n; select 2", ["select 1 -- a; b", "select 2"]),
        ("select 1 /* a; /* b; */ c; */; select 2", ["select 1 /* a; /* b; */ c; */", "select 2"]),
        ("select $$a;b$$; select 2", ["select $$a;b$$", "select 2"]),
        ("select $x$a;$$;b$x$; select 2", ["select $x$a;$$;b$x$", "select 2"]),
        ("select $1; select 2", ["select $1", "select 2"]),
        ("select a$b$c; select 2", ["select a$b$c", "select 2"]),
        (r"select E'\';'; select 2", [r"select E'\';'", "select 2"]),
        (r"select 'C:\'; select 2", [r"select 'C:\'", "select 2"]),
        ("select 'never closed; select 2", ["select 'never closed; select 2"]),
        ("select /* never closed; select 2", ["select /* never closed; select 2"]),
        ("begin; select 1; end; select 2", ["begin", "select 1", "end", "select 2"]),
        (
            "create trigger t after insert on a begin select case when 1 then 2 end; delete from b; end; select 2",
            [
                "create trigger t after insert on a begin select case when 1 then 2 end; delete from b; end",
                "select 2",
            ],
        ),
    ],
)
def test_splitting(code: str, statements: list[str]) -> None:
    """PAR-4: code of sql tasks is split at `;` outside of quotes and comments."""
    assert split(code) == statements


@pytest.mark.parametrize(
    ("dialect", "statements"),
    [
        # MySQL: escapes, both quotes, `#`, `--` only before a blank, routines without DELIMITER
        ("mysql", [r"INSERT INTO notes SELECT 'it\'s late; really' FROM src", "select 2"]),
        ("mysql", [r'select "a\";b", `c;d`', "select 5--1", "select 6 # c;c\n", "select 7 -- c;c\n"]),
        ("mysql", ["/*!40101 SET NAMES utf8 */", "select 1"]),
        ("mysql", ["create procedure p() begin if a then select 1; end if; select if(b, 1, 2); end", "call p()"]),
        ("mysql", ["create definer=`me`@`%` function f(i int) returns int begin declare j int; while i < 3 do "
                   "set i = i + 1; end while; repeat set i = 1; until i end repeat; return i; end", "select f(1)"]),
        ("mysql", ["create trigger t before insert on x for each row if new.a < 0 then set new.a = 0; end if", "select 1"]),
        ("mysql", ["create trigger t before insert on x for each row set new.a = 0", "select 1"]),
        ("mysql", ["create event e on schedule every 1 day do begin delete from a; delete from b; end", "select 1"]),
        ("mysql", ["create function f() returns text return repeat('a;', 3)", "select case when 1 then 2 end", "select 3"]),
        ("mysql", ["create procedure p() case x when 1 then select 1; else select 2; end case", "select 3"]),
        ("mysql", ["begin not atomic set @a = 1; select @a; end", "start transaction", "commit"]),
        ("mysql", ["begin", "select 1", "commit"]),
        # PostgreSQL: BEGIN ATOMIC, dollars, rules, E strings; `#` is an operator and comments nest
        ("postgres", ["CREATE OR REPLACE FUNCTION add_one(i int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; "
                      "SELECT i + 1; END",
                      "select 2"]),
        ("postgres", ["create function f() returns int begin atomic select case when 1 = 1 then 2 end; end", "select 2"]),
        ("postgres", ["create procedure p() language sql as $f$ select 1; select 2; $f$", "call p()"]),
        ("postgres", ["do $$ begin perform 1; end $$", "select 1"]),
        ("postgres", ["create rule r as on insert to t do also (insert into a values (1); insert into b values (2))",
                      "select 1"]),
        ("postgres", ["select 1 # 2", r"select 'C:\'", r"select E'\';'", "select /* a; /* b; */ c; */ 1"]),
        ("postgres", ["begin", "select 1", "end", "declare c cursor for select 1"]),
        ("redshift", [r"select 'it\'s; x'", "create procedure p() as $$ begin a; end; $$ language plpgsql", "select 1"]),
        # SQLite
        ("sqlite", ["create temp trigger t after insert on a begin select case when 1 then 2 end; delete from b; end",
                    "select 2"]),
        ("sqlite", ["select [a;b], `c;d`", "select /* /* */ 1", r"select 'C:\'", "select 2"]),
        # SQL Server: brackets
        ("tsql", ["select [a;]]b] from #t", 'select "a;b"', "select 1"]),
        # Oracle: units end with their `;`, and at a line with `/`
        ("oracle", ["select q'[it's; x]', nq'!a';b!' from dual", "select 1 from dual"]),
        # Snowflake: `BEGIN;` is a transaction, `BEGIN x` a block
        ("snowflake", ["begin", "insert into t values ('a\\';b')", "commit",
                       "begin let x := 1; if (x = 1) then return 1; end if; end",
                       "declare y int; begin y := 1; end", "begin transaction", "rollback"]),
        ("snowflake", ["create procedure p() returns int language sql as begin let x := 1; return case when x then 1 end; end",
                       "create task k schedule = '1 minute' as begin insert into a select 1; insert into b select 2; end",
                       "create task k as insert into a select 1", "select 1"]),
        ("snowflake", ["create function f() returns int as $$ a; b; $$", "put file:///tmp/x @s",
                       "select 1 // c;c\n", "select 2"]),
        ("snowflake", ["create alert a if (exists (select 1)) then insert into t values (1)", "select 2"]),
        # BigQuery
        ("bigquery", ["select '\'\'a;\'b\'\'', r'\\'; ', \"x;\" # c;c\n", "select 2"]),
        ("bigquery", ["select \"\"\"a;\"b\"\"\", `p;q`", "select 2"]),
        ("bigquery", ["create procedure d.p() begin select 1; if a then select 2; end if; end", "select 2"]),
        ("bigquery", ["if a then select 1; select 2; end if", "loop select 1; break; end loop",
                      "for r in (select 1) do select 2; end for", "select 2"]),
        # Others
        ("hive", [r"select 'a\';b'", r'select "a\";b"', "set x=1", "select 1"]),
        ("spark", ["begin declare x int; set x = 1; end", r"select r'\'", r"select 'a\';b'", "select 1"]),
        ("databricks", ["create function f() returns int language python as $$ a; b $$", "l: begin select 1; end l", "select 1"]),
        ("clickhouse", [r"select 'a\';b'", "select 2 # c;c\n", "select $x$a;b$x$", "select 3"]),
        ("trino", ["with function f() returns int begin declare i int; return i; end select f()", "select 2"]),
        ("trino", ["create function f() returns int begin declare x int; return 1; end", "select 2 /* /* */", "select 3"]),
        ("duckdb", ["begin", "create macro f(a) as case when a then 1 end", "select $$a;b$$", "end"]),
        ("unheard_of", ["create procedure p() begin select 1; end", "begin", "end", "select 1"]),
    ],
)  # fmt: skip
def test_dialects(dialect: str, statements: list[str]) -> None:
    """PAR-4: quotes, escapes, comments and blocks are those of the database."""
    assert split(";\n".join(statements) + ";", dialect) == [text.strip() for text in statements]


@pytest.mark.parametrize(
    ("dialect", "code", "pieces"),
    [
        ("oracle", "create procedure p as x int; begin null; end p;\n/\ninsert into t values (1);\nbegin p; end;\n/\n"
                   "select 2 from dual\n/\nselect 3 from dual;",
         [(1, "create procedure p as x int; begin null; end p;"), (3, "insert into t values (1)"), (4, "begin p; end;"),
          (6, "select 2 from dual"), (8, "select 3 from dual")]),
        ("oracle", "declare x int; procedure q is begin null; end; begin q; end; begin p; end; begin q; end; select 1 from dual",
         [(1, "declare x int; procedure q is begin null; end; begin q; end;"), (1, "begin p; end;"), (1, "begin q; end;"),
          (1, "select 1 from dual")]),
        ("oracle", "create package body p as procedure a is begin null; end; y int; end p;\n/\nselect 1 from dual",
         [(1, "create package body p as procedure a is begin null; end; y int; end p;"), (3, "select 1 from dual")]),
        ("mysql", "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END //\nCREATE PROCEDURE q() SELECT 2; //\n"
                  "DELIMITER ;\nselect 3; select 4",
         [(2, "CREATE PROCEDURE p() BEGIN SELECT 1; END"), (3, "CREATE PROCEDURE q() SELECT 2"),
          (5, "select 3"), (5, "select 4")]),
        ("tsql", "create table t(a int); insert into t values (1);\nGO\n\ndeclare @x int = 1;\ninsert into t values (@x);\ngo 2\n"
                 "select 'GO\nGO\n' -- declare\n;select 2",
         [(1, "create table t(a int)"), (1, "insert into t values (1)"), (4, "declare @x int = 1;\ninsert into t values (@x);"),
          (4, "declare @x int = 1;\ninsert into t values (@x);"), (7, "select 'GO\nGO\n' -- declare"), (10, "select 2")]),
        ("tsql", "create or alter procedure p as begin select 1; select 2; end\nGO\nexec p; select 3",
         [(1, "create or alter procedure p as begin select 1; select 2; end"), (3, "exec p"), (3, "select 3")]),
        ("bigquery", "-- why\ndeclare x int64 default 1;\nselect x;", [(1, "-- why\ndeclare x int64 default 1;\nselect x;")]),
        ("bigquery", "create temp function f() as (1); select f()", [(1, "create temp function f() as (1); select f()")]),
        ("bigquery", "begin transaction; select 1; commit transaction", [(1, "begin transaction; select 1; commit transaction")]),
        ("bigquery", "create table d.t as select 1; select 2", [(1, "create table d.t as select 1"), (1, "select 2")]),
        ("duckdb", "-- retrofill: one statement\nselect 1; select 2;", [(1, "-- retrofill: one statement\nselect 1; select 2;")]),
        ("", "\n\n--  Retrofill: one  statement \r\nselect 1; select 2;",
         [(3, "--  Retrofill: one  statement \r\nselect 1; select 2;")]),
        ("", "select '\n-- retrofill: one statement of many'; select 2",
         [(1, "select '\n-- retrofill: one statement of many'"), (2, "select 2")]),
    ],
)  # fmt: skip
def test_pieces_with_their_lines(dialect: str, code: str, pieces: list[tuple[int, str]]) -> None:
    """PAR-4: batches and scripts go in one piece where what they share would be forgotten; one line turns cutting off."""
    assert cut(code, dialect) == [Piece(text, line) for line, text in pieces]


_PAIRS = (("--", "\n"), ("/*", "*/"), ("'", "'"), ('"', '"'))


def slow_split(code: str) -> list[str]:
    """Character by character; knows no nesting and no dollars."""
    found, current, i = [], "", 0
    while i < len(code):
        closing = next((closing for opening, closing in _PAIRS if code.startswith(opening, i)), None)
        if closing is not None:
            end = code.find(closing, i + len(closing))
            end = len(code) if end < 0 else end + len(closing)
            current += code[i:end]
            i = end
        elif code[i] == ";":
            found.append(current)
            current, i = "", i + 1
        else:
            current, i = current + code[i], i + 1
    return [text.strip() for text in [*found, current]]


@given(
    st.lists(
        st.sampled_from(
            ["a", "x1", " ", "\n", ";", "'q;q'", "'it''s'", '"i;"', "-- c;c\n", "/* c; c */", "(", "="]
        )
    )
)
def test_splitting_agrees_with_the_slow_way(parts: list[str]) -> None:
    """PAR-4: on texts of whole tokens; statements of comments alone left out."""
    code = " ".join(parts)
    assert split(code) == [text for text in slow_split(code) if says_anything(text)]


def says_anything(text: str) -> bool:
    return text.replace("-- c;c", "").replace("/* c; c */", "").strip() != ""


DIALECTS = [
    "",
    "mysql",
    "postgres",
    "redshift",
    "sqlite",
    "duckdb",
    "tsql",
    "oracle",
    "snowflake",
    "bigquery",
]
DIALECTS += ["hive", "spark", "databricks", "trino", "presto", "athena", "clickhouse", "unheard_of"]


@given(st.text(alphabet=";'\"`$-/*[]#q(r\nab E\\"), st.sampled_from(DIALECTS))
def test_splitting_loses_nothing(code: str, dialect: str) -> None:
    """PAR-4: whatever the text, all but `;`, blanks and comments arrives, in order."""
    position = 0
    for statement, line in cut(code, dialect):
        position = code.index(statement, position)
        assert line == code.count("\n", 0, position) + 1
        position += len(statement)


_WORDS = [
    "select 1",
    "a",
    "=",
    "(",
    ")",
    "\n",
    ";",
    "'q;q'",
    "'it''s'",
    '"i;"',
    "$$d;d$$",
    "$t$d;d$t$",
    "/* c; */",
]
_WORDS += ["-- c;c\n", r"E'\';'", "/* c /* d; */ ; */"]


@given(st.lists(st.sampled_from(_WORDS)))
def test_splitting_is_that_of_duckdb(parts: list[str]) -> None:
    """PAR-4: by its own parser, where that takes the text."""
    code = " ".join(parts)
    try:
        theirs = [found.query.strip().removesuffix(";").strip() for found in duckdb.extract_statements(code)]
    except duckdb.Error:
        return
    assert len(split(code, "duckdb")) == len(theirs)


@given(
    st.lists(
        st.sampled_from(
            ["select 1", "\n", ";", "'q;q'", '"i;"', "[i;]", "`i;`", "/* c; /* */", "-- c;c\n", "begin", "commit",
             "create trigger t after insert on a begin select 1; delete from b; end;",
             "create temp trigger t delete on a begin select case when 1 then 2 end; end;"]
        )
    )
)  # fmt: skip
def test_splitting_is_that_of_sqlite(parts: list[str]) -> None:
    """PAR-4: every statement is complete for SQLite, and no beginning of it is."""
    for statement in split(" ".join(parts), "sqlite"):
        assert sqlite3.complete_statement(statement + "\n;")
        places = [i for i, character in enumerate(statement) if character == ";"]
        assert not any(sqlite3.complete_statement(statement[: place + 1]) for place in places)


_COMMON = ["select 1", "a", "=", "\n", ";", "'q;q'", "'q\\\\q'", "-- c;c\n", "/* c; */", "x1", "1.5"]
_OWN = {
    "mysql": [r"'\';'", r'"\";"', "`i;`", "# c;c\n"],
    "bigquery": [r"'\';'", r'"\";"', "`i;`", "# c;c\n", '"""a;"b"""', r"r'a;\''"],
    "snowflake": [r"'\';'", '"i;"', "$$d;d$$", "// c;c\n"],
    "postgres": [r"E'\';'", '"i;"', "$t$d;d$t$", "/* c /* d; */ ; */", r"'\'"],
    "redshift": [r"'\';'", '"i;"'],
    "spark": [r"'\';'", r'"\";"', "`i;`", "/* c /* d; */ ; */"],
    "hive": [r"'\';'", r'"\";"', "`i;`"],
    "databricks": [r"'\';'", "`i;`"],
    "clickhouse": [r"'\';'", r'"\";"', "`i;`", "# c;c\n", "/* c /* d; */ ; */"],
    "trino": ['"i;"', r"'\'", "/* c /* */"],
    "oracle": ['"i;"', "q'[it's;]'", r"'\'", "/* c /* */"],
    "tsql": ["[i;]", '"i;"', r"'\'", "/* c /* d; */ ; */"],
    "duckdb": ['"i;"', "$t$d;d$t$", r"E'\';'", r"'\'"],
    "sqlite": ["[i;]", "`i;`", '"i;"', r"'\'", "/* c /* */"],
}


@pytest.mark.parametrize("dialect", sorted(_OWN))
@given(data=st.data())
def test_splitting_is_that_of_sqlglots_tokenizer(dialect: str, data: st.DataObject) -> None:
    """PAR-4: the same `;` count as ends, by another reading of the same dialect."""
    parts = data.draw(st.lists(st.sampled_from(_COMMON + _OWN[dialect]), max_size=12))
    code = " ".join(parts)
    tokens = sqlglot.tokenize(code, dialect=dialect)
    theirs: list[list[str]] = [[]]
    for token in tokens:
        if token.text == ";" and token.token_type.name == "SEMICOLON":
            theirs.append([])
        else:
            theirs[-1].append(token.text)
    assert len(split(code, dialect)) == sum(map(bool, theirs))


@pytest.mark.parametrize(
    ("dialect", "code", "left"),
    [
        ("mysql", r"select 'a\'b', c # d", "select       , c    "),
        ("", "select /* /* */ */ 1 -- x\n+ $$a\nb$$", "select             1     \n+    \n   "),
        ("oracle", "select q'[a]b]' from c", "select q        from c"),
    ],
)
def test_without_quotes(dialect: str, code: str, left: str) -> None:
    """Blanks in place of what is quoted; places stay."""
    assert without_quotes(code, dialect) == left


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("select 1", ("SELECT",)),
        ("-- c\n /* d */ Create  unique index i", ("CREATE", "UNIQUE", "INDEX")),
        ("", ()),
        ("# c\nselect 1", ("SELECT",)),
        ("/* a /* b */ c */ select 1", ("SELECT",)),
        ("/* a /* b */ select 1", ("SELECT",)),
    ],
)
def test_first_words(statement: str, words: tuple[str, ...]) -> None:
    assert first_words(statement) == words


def test_an_excerpt_is_one_short_line() -> None:
    assert excerpt("-- why\nselect\n  a,\n  b") == "select a, b"
    assert len(excerpt("select " + "x" * 500)) == 100


def test_own_transactions() -> None:
    assert controls_transactions(["begin", "select 1", "commit"])
    assert controls_transactions(["select 1", "-- c\nstart transaction"])
    assert controls_transactions(["begin -- c", "select 1"])
    assert not controls_transactions(["select 1", "insert into commits select 1"])
    assert not controls_transactions(["begin p; end;", "select 1"])


@pytest.mark.parametrize(
    "statement", ["vacuum", "CHECKPOINT w", "create database x", "create index concurrently i on t(a)"]
)
def test_what_stands_alone(statement: str) -> None:
    assert stands_alone(statement)
    assert not stands_alone("create index i on t(a)")
