"""Records and the columns that they are made of: by name in one place, and nowhere by position.

A column set stands in a statement as it is, and makes records of what that statement answers:
`INSTANCE.all(self._execute(f"SELECT {INSTANCE} FROM instance"))`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

from retrofill.services.ports.records import (
    AccessKeyRecord,
    AlertRecord,
    BackfillRecord,
    DateRecord,
    ErrandRecord,
    FailedStartRecord,
    GenerationRecord,
    HostRecord,
    InstanceRecord,
    LinkRecord,
    OpenBackfill,
    OperationRecord,
    Outcome,
    PasswordRecord,
    ReportedEnd,
    RequestKeyRecord,
    RunRecord,
    SavedFormRecord,
    SessionRecord,
    TokenRecord,
    UserRecord,
    VersionRecord,
)

Record = TypeVar("Record")


class Columns(Generic[Record]):
    """The columns of one kind of record, a named tuple whose fields are called as they are."""

    def __init__(self, record: type[Record]) -> None:
        kind = cast(Any, record)
        self.names: tuple[str, ...] = kind._fields
        self.make: Callable[[Iterable[Any]], Record] = (
            kind._make
        )  # of one row; half as long as calling the class
        self._text = ", ".join(map(_quoted, self.names))

    def __str__(self) -> str:
        return self._text

    def of(self, alias: str) -> str:
        """The columns of a table that goes by another name in a statement."""
        return ", ".join(f"{alias}.{_quoted(name)}" for name in self.names)

    def insert(self, table: str) -> str:
        """The statement that writes one record."""
        return f"INSERT INTO {table} ({self}) VALUES ({', '.join('?' * len(self.names))})"

    def one(self, row: Sequence[Any] | None) -> Record | None:
        """The record of what `fetchone` gives."""
        return None if row is None else self.make(row)

    def all(self, rows: Iterable[Sequence[Any]]) -> list[Record]:
        return list(map(self.make, rows))


def _quoted(name: str) -> str:
    return '"user"' if name == "user" else name  # a word of SQL


BACKFILL = Columns(BackfillRecord)
OPEN = Columns(OpenBackfill)
DATE = Columns(DateRecord)
INSTANCE = Columns(InstanceRecord)
OUTCOME = Columns(Outcome)
RUN = Columns(RunRecord)
OPERATION = Columns(OperationRecord)
GENERATION = Columns(GenerationRecord)
VERSION = Columns(VersionRecord)
ALERT = Columns(AlertRecord)
FAILED_START = Columns(FailedStartRecord)
USER = Columns(UserRecord)
TOKEN = Columns(TokenRecord)
ACCESS_KEY = Columns(AccessKeyRecord)
SESSION = Columns(SessionRecord)
LINK = Columns(LinkRecord)
PASSWORD = Columns(PasswordRecord)
ERRAND = Columns(ErrandRecord)
REQUEST_KEY = Columns(RequestKeyRecord)
SAVED_FORM = Columns(SavedFormRecord)
REPORTED_END = Columns(ReportedEnd)
HOST = Columns(HostRecord)
