"""Records out of what a statement answers: by the names of their fields."""

from __future__ import annotations

import sqlite3

import pytest

from contracts.ledgers import BACKFILL as RECORD
from contracts.ledgers import INSTANCE as ROW
from retrofill.services.ports.records import InstanceRecord, in_columns
from retrofill.store.schema.tables import metadata
from retrofill.store.statements import rows


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        (rows.BACKFILL, "backfill"), (rows.OPEN, "backfill"), (rows.DATE, "backfill_date"), (rows.INSTANCE, "instance"),
        (rows.RUN, "run"), (rows.OPERATION, "operation"), (rows.GENERATION, "generation"), (rows.VERSION, "catalog_version"),
        (rows.ALERT, "alert"), (rows.FAILED_START, "failed_start"), (rows.USER, "user"), (rows.TOKEN, "token"),
        (rows.ACCESS_KEY, "access_key"), (rows.SESSION, "session"), (rows.LINK, "sign_in_link"), (rows.PASSWORD, "password"),
        (rows.ERRAND, "errand"),
        (rows.REQUEST_KEY, "request_key"),
        (rows.SAVED_FORM, "saved_form"),
    ],
)  # fmt: skip
def test_each_field_is_a_column(columns: rows.Columns[object], table: str) -> None:
    assert set(columns.names) <= set(metadata.tables[table].columns.keys())


def test_what_was_written_comes_back_whatever_order_the_table_has() -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute(f"CREATE TABLE backfill ({', '.join(reversed(rows.BACKFILL.names))})")
        connection.execute(rows.BACKFILL.insert("backfill"), RECORD)
        select = f"SELECT {rows.BACKFILL} FROM backfill"
        assert rows.BACKFILL.all(connection.execute(select)) == [RECORD]
        named = f"SELECT {rows.BACKFILL.of('b')} FROM backfill b WHERE id = ?"
        assert rows.BACKFILL.one(connection.execute(named, (RECORD.id,)).fetchone()) == RECORD
        assert rows.BACKFILL.one(connection.execute(named, (99,)).fetchone()) is None
    connection.close()


def test_rows_made_of_columns_in_any_order() -> None:
    columns = {
        name: [value, value] for name, value in reversed(ROW._asdict().items()) if name != "code_version_id"
    }
    assert list(map(InstanceRecord._make, in_columns(**columns))) == [ROW, ROW]
    with pytest.raises(KeyError, match="run_number"):
        in_columns(**{name: values for name, values in columns.items() if name != "run_number"})
    with pytest.raises(AssertionError):
        in_columns(**columns, colour=["red"])
