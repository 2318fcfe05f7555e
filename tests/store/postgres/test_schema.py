"""The store on a PostgreSQL server: its schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine

from databases import postgres
from retrofill.store.schema import tables


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as one:
        yield one


def test_migrations_make_what_the_tables_say(url: str) -> None:
    """OPS-0: migrated and declared schema are the same."""
    migrated = _definitions(url)
    with postgres.database(is_empty=True) as empty:
        engine = create_engine(empty.replace("postgresql:", "postgresql+psycopg:"))
        tables.metadata.create_all(engine)
        engine.dispose()
        wanted = _definitions(empty)
    assert {"instance", "instance_ready"} <= wanted.keys()
    assert {name: migrated[name] for name in migrated if "alembic" not in name} == wanted


def _definitions(url: str) -> dict[str, object]:
    """Columns, constraints and indexes as the server keeps them, whatever order they were made in."""
    import psycopg

    found: dict[str, object] = {}
    with psycopg.connect(url) as connection:
        for table, *column in connection.execute(
            "SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default "
            "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, column_name"
        ):
            found.setdefault(table, []).append(tuple(column))  # type: ignore[attr-defined]
        for name, definition in connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        ):
            found[name] = definition
        for table, name, definition in connection.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace"
        ):
            found[f"{table}.{name}"] = definition
    return found


def test_texts_compare_byte_by_byte_and_numbers_have_64_bits(url: str) -> None:
    """POL-13: whatever language a server was set up for."""
    import psycopg

    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT DISTINCT data_type, collation_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
        ).fetchall()
    assert set(rows) == {("text", "C"), ("bigint", None), ("bytea", None)}
