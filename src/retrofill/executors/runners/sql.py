"""Runs a sql task: a process of its own, so that stopping it works like stopping any other.

It gets `NAME`, the connection's URL and the code, separated by line breaks: a fork of a warm process
as an argument, a program of its own through descriptor 3. The statements run in one transaction
where the database allows it. TERM interrupts the running statement and rolls back. Nothing is
imported before it is needed: most runs are short.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is slow to import
    from typing import TextIO

    from retrofill.executors.runners.duckdb_files import Opened

# Started by path, it finds its siblings by itself, whatever the interpreter's path holds.
# ruff: noqa: E402
if __name__ == "__main__":
    sys.path[0] = os.path.abspath(f"{__file__}/../../../..")

from retrofill.domain.catalog.dialects import dialect_of
from retrofill.domain.catalog.statements import (
    Piece,
    controls_transactions,
    cut,
    excerpt,
    line_of,
    stands_alone,
)
from retrofill.executors.runners.databases import Database, DatabaseError
from retrofill.executors.runners.opening import open_database
from retrofill.executors.runners.output import Mask

_PAYLOAD = 3
_ROWS_SHOWN = 40
_WIDEST = 40
_STOPPED = 128 + signal.SIGTERM
_INTERRUPT_SECONDS = 5.0


class _Stopping:
    """Reacts to TERM in a thread of its own, because the main one may be deep inside a query."""

    def __init__(self) -> None:
        self.database: Database | None = None
        self.is_wished = False
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        _thread.start_new_thread(self._wait, ())

    def _wait(self) -> None:
        signal.sigwait({signal.SIGTERM})
        self.is_wished = True
        if self.database is not None:
            deadline = time.monotonic() + _INTERRUPT_SECONDS
            while time.monotonic() < deadline:  # again and again: it may lie between two statements
                self.database.interrupt()
                time.sleep(0.05)
        os._exit(_STOPPED)


def run(payload: bytes, opened: Opened | None = None) -> int:
    """The run's exit status.

    Args:
        opened: see `open_database`.
    """
    sys.stdout, sys.stderr = _open_output(1), _open_output(2)
    stopping = _Stopping()
    _, url, code = payload.decode("utf-8", "surrogateescape").split("\n", 2)
    mask = Mask(url)
    pieces = cut(code, dialect_of(url))
    try:
        database = open_database(url, print, opened)
    except DatabaseError as error:
        print(f"Cannot open the connection: {mask(str(error))}")
        return 1
    stopping.database = database
    try:
        _run(database, pieces, mask)
        try:
            database.close()
        except DatabaseError as error:
            raise _StatementError(f"The connection could not be closed: {mask(str(error))}") from None
    except _StatementError as error:
        database.abandon()
        if stopping.is_wished:
            print("Stopped; the transaction was rolled back.")
            return _STOPPED
        print(error)
        return 1
    return 0


def _open_output(descriptor: int) -> TextIO:
    """Anew: a stream that a fork inherits still takes the run's pipe for the file that the warm process writes to."""
    return open(descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)


class _StatementError(Exception):
    pass


def _run(database: Database, pieces: list[Piece], mask: Mask) -> None:
    statements = [piece.text for piece in pieces]
    together = len(statements) > 1 and not controls_transactions(statements)
    if together and any(map(stands_alone, statements)):
        together = False
        print("Not in one transaction, because a statement cannot be part of one.")
    count = len(statements)
    number = 0
    try:
        if together:
            database.begin()
        for number, statement in enumerate(statements, 1):
            began = time.perf_counter()
            result = database.execute(statement, _ROWS_SHOWN + 1)
            took = (time.perf_counter() - began) * 1000
            changed = "" if result.changed is None else f" -> {_count(result.changed, 'row')}"
            print(f"[{number}/{count}] {mask(excerpt(statement))}{changed} ({took:.0f} ms)")
            if result.columns:
                _print_rows(result.columns, result.rows)
        number = 0
        if together:
            database.commit()
    except DatabaseError as error:
        where = "The transaction failed"
        if number:
            where = f"Statement {number} of {count}, in line {line_of(pieces[number - 1])}, failed"
        why, _, details = mask(str(error)).partition("\n")
        lines = [f"The statement: {mask(excerpt(statements[number - 1]))}"] if number else []
        lines += [details.strip("\n")] if details.strip() else []
        lines += ["Nothing was changed: the transaction was rolled back."] if together else []
        # What went wrong comes last, because a log's last line is what others show of it.
        raise _StatementError("\n".join([*lines, f"{where}: {why}"])) from None


def _print_rows(columns: list[str], rows: list[tuple[object, ...]]) -> None:
    """A small table; more than the shown rows are cut."""
    shown = [[_cell(value) for value in row] for row in rows[:_ROWS_SHOWN]]
    names = [_cell(name) for name in columns]
    widths = [max(map(len, column)) for column in zip(names, *shown, strict=True)]
    rule = ["-" * width for width in widths]
    for line in (names, rule, *shown):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print(f"(the first {_ROWS_SHOWN} rows)" if len(rows) > _ROWS_SHOWN else f"({_count(len(rows), 'row')})")


def _cell(value: object) -> str:
    text = "null" if value is None else " ".join(str(value).split())
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


if __name__ == "__main__":
    with open(_PAYLOAD, "rb") as file:
        handed_over = file.read()
    status = run(handed_over)
    sys.stdout.flush()
    os._exit(status)  # taking the interpreter down in order costs more than many a statement
