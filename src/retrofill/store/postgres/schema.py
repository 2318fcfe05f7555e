"""Making and migrating the tables of a database that is ours alone."""

from __future__ import annotations

import psycopg

from retrofill.store.dialects import Connection
from retrofill.store.schema.revision import MIGRATIONS, StoreError


def version(connection: Connection) -> str | None:
    """The schema's version, None for a database without tables.

    Raises:
        StoreError: the database holds tables that are not ours.
    """
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    ).fetchall()
    names = {row[0] for row in rows}
    if not names:
        return None
    if "alembic_version" not in names or "backfill" not in names:
        raise StoreError(
            "the database holds tables that are not of Retrofill", "Give the store a database of its own."
        )
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def upgrade(conninfo: str, lock: int) -> None:
    """Migrate to HEAD, in one transaction that holds the lock of writers.

    Raises:
        StoreError: as `version` says, or the database has another encoding than UTF-8.
        psycopg.Error: the server refuses.
    """
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(conninfo, prepare_threshold=None),
        poolclass=NullPool,
    )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock})")
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
            if encoding != "UTF8":
                raise StoreError(
                    f"the database's encoding is {encoding}, and texts may hold any letter",
                    "Create it with ENCODING 'UTF8'.",
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise error.orig from None
        raise
