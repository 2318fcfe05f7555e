"""Taking SQL text apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrofill.domain.statements import (
    controls_transactions,
    excerpt,
    first_words,
    split,
    stands_alone,
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


@given(st.text(alphabet=";'\"`$-/*\nab E\\"))
def test_splitting_loses_nothing(code: str) -> None:
    """PAR-4: whatever the text, all but `;`, blanks and comments arrives, in order."""
    position = 0
    for statement in split(code):
        position = code.index(statement, position) + len(statement)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("select 1", ("SELECT",)),
        ("-- c\n /* d */ Create  unique index i", ("CREATE", "UNIQUE", "INDEX")),
        ("", ()),
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
    assert not controls_transactions(["select 1", "insert into commits select 1"])


@pytest.mark.parametrize(
    "statement", ["vacuum", "CHECKPOINT w", "create database x", "create index concurrently i on t(a)"]
)
def test_what_stands_alone(statement: str) -> None:
    assert stands_alone(statement)
    assert not stands_alone("create index i on t(a)")
