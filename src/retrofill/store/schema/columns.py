"""Types of columns that mean the same in every database, for the tables and their migrations.

Integers have 64 bits. Texts are compared byte by byte, in lists as in conditions, whatever language a server
was set up for. Ids are given by us (`counters`), so that a transaction that is undone uses none up.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData()  # of all tables

Int = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def where(condition: str) -> dict[str, Any]:
    """Of a partial index: which rows are in it."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def one_of(column: str, values: Iterable[str]) -> str:
    """A CHECK as a chain of ORs: with IN, SQLite builds a table of the values for every row."""
    return " OR ".join(f"{column} = '{value}'" for value in values)
