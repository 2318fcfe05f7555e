"""Bringing a store's schema to the version that this program knows.

Alembic is imported only when something is to be migrated: asking the version costs one
query, importing Alembic more than the rest of a command. So a new store is made by one script.
"""

from __future__ import annotations

import sqlite3

from retrofill.store.schema.revision import HEAD, MIGRATIONS, SNAPSHOT, StoreError, is_head


def version(connection: sqlite3.Connection) -> str | None:
    """The schema's version, None for an empty store.

    Raises:
        StoreError: the file is no store of Retrofill.
    """
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not names:
        return None
    if "alembic_version" not in names:
        raise StoreError("the store is a SQLite file, but not one of Retrofill")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the store has the schema that this program knows; False where it is to be made or migrated.

    Raises:
        StoreError, NewerSchemaError: as `check` says.
    """
    check(connection)
    return version(connection) == HEAD


def check(connection: sqlite3.Connection) -> None:
    """Refuse what is no store of ours, before anything of the file is changed.

    Raises:
        StoreError: the file is no store of Retrofill.
        NewerSchemaError: a newer program wrote the store.
    """
    is_head(version(connection))


def check_integrity(connection: sqlite3.Connection, shown: object) -> None:
    """Look at the whole file, and at whether all that is referred to is there.

    Raises:
        StoreError: something is wrong.
    """
    try:
        found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
        dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        found, dangling = str(error), None
    if found != "ok":
        raise StoreError(f"{shown} is damaged: {found}")
    if dangling is not None:
        raise StoreError(
            f"{shown} is damaged: a row of {dangling[0]} refers to one of {dangling[2]} that is not there"
        )


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring it to HEAD; the caller holds the write lock and has called `check`.

    A new store is made at once, without Alembic: by a script that is made from the migrations.
    """
    found = version(connection)
    if found is None:
        connection.executescript(f"BEGIN IMMEDIATE;\n{SNAPSHOT.read_text(encoding='utf-8')}\nCOMMIT;")
    elif found != HEAD:
        migrate(connection)


def migrate(connection: sqlite3.Connection) -> None:
    """Carry out the migrations that lead from its version to HEAD."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as shared:
        shared.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = shared
        command.upgrade(config, "head")
        if connection.in_transaction:
            connection.execute("COMMIT")
