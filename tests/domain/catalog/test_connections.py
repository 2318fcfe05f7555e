"""CAT-4: URLs of connections with which no run could work, or each would have a database of its own."""

from __future__ import annotations

import pytest

from retrofill.domain.catalog.connections import ConnectionUrlError, check_url, file_url


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("duckdb:///w.duckdb", "w.duckdb"),
        ("duckdb:////data/w.duckdb", "/data/w.duckdb"),
        ("DuckDB:///a/b?threads=2", "a/b"),
        ("sqlite:///w.db", "w.db"),
        ("sqlite+pysqlite:////w.db", "/w.db"),
        ("sqlite:///file:w.db?mode=ro&uri=true", "file:w.db"),
        ("postgresql://u@h/x", None),
    ],
)
def test_files(url: str, path: str | None) -> None:
    """CAT-4: three slashes, and the path behind them."""
    check_url(url, list)
    found = file_url(url)
    assert (found.path if found else None) == path


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("duckdb://x.db", "write duckdb:///x.db"),
        ("duckdb:/x.db", "write duckdb:///x.db for a file of the project, or duckdb:////x.db for /x.db"),
        ("duckdb:x.db", "write duckdb:///x.db"),
        ("sqlite://x.db", "write sqlite:///x.db"),
        ("sqlite:/x.db", "write sqlite:///x.db for a file of the project, or sqlite:////x.db for /x.db"),
        ("sqlite:x.db", "write sqlite:///x.db"),
        ("sqlite+pysqlite://x.db", "write sqlite+pysqlite:///x.db"),
        ("duckdb://u:geheim@x.db", "write duckdb:///NAME.db"),
        *((url, "name a file: duckdb:///NAME.db") for url in (
            "duckdb:", "duckdb:/", "duckdb://", "duckdb:///", "duckdb:///:memory:", "duckdb:///:memory:x",
            "duckdb://:memory:", "duckdb:///?threads=1",
        )),
        *((url, "name a file: sqlite:///NAME.db") for url in (
            "sqlite:", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://:memory:",
            "sqlite:///file::memory:?uri=true", "sqlite:///file:x?mode=memory&uri=true", "sqlite:///file:?uri=true",
        )),
        ("sqlite:///file:x.db?mode=ro", "write sqlite:///file:x.db?uri=true"),
        ("duckdb:///md:mine", "name a file, and ATTACH the other in the code"),
        ("w.duckdb", "write one like duckdb:///warehouse.duckdb"),
        ("a b://x", "write one like duckdb:///warehouse.duckdb"),
        ("postgresql:x", "write one like postgresql://USER@HOST/NAME"),
        ("postgres://u@h/x", "write postgresql:"),
        ("postgresql+psycopg3://u@h/x", "write postgresql+psycopg:"),
        ("postgresql+asyncpg://u@h/x", "write postgresql+psycopg:"),
        ("sqlite+aiosqlite:///x", "write sqlite+pysqlite:"),
        ("postgresql+pscopg://u@h/x", 'did you mean "psycopg"?'),
        ("mysql+zzz://u@h/x", "write mysql+mysqldb: or mysql:"),
        ("duckdb+zzz:///x", "write duckdb:"),
        ("duckbd:///x", 'did you mean "duckdb"?'),
        ("http://h/x", "install the package that adds it to SQLAlchemy"),
    ],
)  # fmt: skip
def test_what_to_write_instead(url: str, hint: str) -> None:
    """CAT-4: for each; nothing that may be a password is repeated."""
    with pytest.raises(ConnectionUrlError) as caught:
        check_url(url, lambda: ["other"])
    assert caught.value.hint == hint
    assert "geheim" not in str(caught.value)


def test_what_packages_add() -> None:
    """CAT-4: is asked for only where nothing else knows the database."""
    check_url("ours://u@a/d", lambda: ["ours", "theirs.http"])
    check_url("theirs+http://u@a/d", lambda: ["ours", "theirs.http"])
    with pytest.raises(ConnectionUrlError):
        check_url("theirs+https://u@a/d", lambda: ["ours", "theirs.http"])


@pytest.mark.parametrize(
    "url", ["bigquery://project", "snowflake://u@a/d", "hive+http://h/d", "databricks://h"]
)
def test_what_is_well_known_need_not_be_installed(url: str) -> None:
    """CAT-4: to check a project, or to read its lineage, is not to run it."""
    check_url(url, list)
