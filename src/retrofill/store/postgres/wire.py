"""Statements of one transaction, sent together: nothing goes out before somebody asks for an answer.

What is written costs a place in libpq's buffer, and no call of the kernel; the server, which is woken once for all of
it, answers once. This is what psycopg's pipeline does, without its look at the socket after each statement.

Numbers go as 64-bit integers, whatever their size, so that a statement is prepared once and not once for each.
"""

from __future__ import annotations

import select
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer

_INT8, _FLOAT8, _NUMERIC, _BYTEA, _UNKNOWN = 20, 701, 1700, 17, 0
_LARGEST = (1 << 63) - 1
_MOST_PREPARED = 256
_DONE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY)
_CANCEL_SECONDS = 5.0
Statement = tuple[str, tuple[int, ...]]  # and the types of its values


class Sent:
    """A statement under way; its answer is waited for when it is asked for."""

    def __init__(self, wire: Wire, prepares: Statement | None = None) -> None:
        self._wire = wire
        self.prepares = prepares
        self.result: pq.abc.PGresult | None = None  # once it has come
        self._rows: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self._rows is None:
            self._rows = iter(self._wire.rows(self._answer()))
        return self._rows

    def fetchone(self) -> Any:
        return next(iter(self), None)

    def fetchall(self) -> list[Any]:
        return list(self)

    @property
    def rowcount(self) -> int:
        return self._answer().command_tuples or 0

    @property
    def columns(self) -> list[str]:
        found = self._answer()
        return [(found.fname(place) or b"").decode() for place in range(found.nfields)]

    def _answer(self) -> pq.abc.PGresult:
        if self.result is None:
            self._wire.wait_for(self)
        assert self.result is not None
        return self.result


class SentMany:
    """The same statement with many rows of values, which answers how many it has touched."""

    def __init__(self, parts: list[Sent]) -> None:
        self._parts = parts

    @property
    def rowcount(self) -> int:
        return sum(part.rowcount for part in self._parts)

    def fetchone(self) -> None:
        return None

    def fetchall(self) -> list[Any]:
        return []

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class Wire:
    """Of one connection, which nobody else uses between `open` and `close`.

    Args:
        prepares: whether the server's session is one's own, so that statements can be prepared in it.
    """

    def __init__(self, connection: psycopg.Connection[Any], prepares: bool) -> None:
        self._raw = connection
        self._pg = connection.pgconn
        self._transformer = Transformer(connection)
        self._poll: select.poll | None = None
        self._waiting: deque[Sent] = deque()  # of which no answer has come
        self._is_asked = True  # for the answers of all that was sent
        self._failure: psycopg.Error | None = None
        self._prepares = prepares
        self._prepared: OrderedDict[Statement, bytes | None] = OrderedDict()  # None: asked once
        self._number = 0

    @property
    def is_open(self) -> bool:
        return self._poll is not None

    def open(self) -> None:
        self._failure = None
        self._pg.enter_pipeline_mode()
        self._poll = select.poll()
        self._poll.register(self._pg.socket, select.POLLIN)

    def close(self) -> None:
        """Wait for all answers.

        Raises:
            psycopg.Error: what has failed first.
        """
        try:
            self._pg.pipeline_sync()
            self._flush()
            while self._waiting:
                self._take_one()
            self._next()  # the sign that all is through
        finally:
            self._leave()
        if self._failure is not None:
            raise self._failure

    def _leave(self) -> None:
        self._poll = None
        self._waiting.clear()
        try:
            self._pg.exit_pipeline_mode()
        except psycopg.Error:  # somebody has interrupted the wait for answers, or the server has
            self._raw.close()

    # To the server

    def send(self, statement: str, values: Sequence[Any] = ()) -> Sent:
        """Put a statement with `$1`, `$2`, ... on its way."""
        dumped = [_dumped(value) for value in values]
        types = tuple(kind for _, kind in dumped)
        formats = [pq.Format.BINARY if kind == _BYTEA else pq.Format.TEXT for kind in types]
        name = self._prepared_as((statement, types)) if self._prepares else None
        if name is None:
            self._pg.send_query_params(statement.encode(), [value for value, _ in dumped], types, formats)
        else:
            self._pg.send_query_prepared(name, [value for value, _ in dumped], formats)
        return self._sent()

    def send_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> SentMany:
        return SentMany([self.send(statement, row) for row in rows])

    def _sent(self, prepares: Statement | None = None) -> Sent:
        one = Sent(self, prepares)
        self._waiting.append(one)
        self._is_asked = False
        return one

    def _prepared_as(self, key: Statement) -> bytes | None:
        """The name under which the server knows it; from the second time on that it is sent."""
        if key not in self._prepared:
            self._remember(key)
            return None
        self._prepared.move_to_end(key)
        name = self._prepared[key]
        if name is None:
            self._number += 1
            name = self._prepared[key] = b"retrofill_%d" % self._number
            self._pg.send_prepare(name, key[0].encode(), key[1])
            self._sent(prepares=key)
        return name

    def _remember(self, key: Statement) -> None:
        self._prepared[key] = None
        if len(self._prepared) > _MOST_PREPARED:
            _, oldest = self._prepared.popitem(last=False)
            if oldest is not None:
                self._pg.send_query_params(b"DEALLOCATE " + oldest, None)
                self._sent()

    # From the server

    def rows(self, result: pq.abc.PGresult) -> list[Any]:
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def wait_for(self, one: Sent) -> None:
        """Until its answer is there.

        Raises:
            psycopg.Error: it, or what was sent before it, has failed; then the server answers nothing more.
        """
        while one.result is None and self._failure is None:
            if one not in self._waiting:
                raise psycopg.OperationalError("the connection was lost with an answer of the server")
            self._ask()
            self._take_one()
        if self._failure is not None:
            raise self._failure

    def _ask(self) -> None:
        if not self._is_asked:
            self._pg.send_flush_request()
            self._flush()
            self._is_asked = True

    def _take_one(self) -> None:
        """The next answer; a failure is kept."""
        one = self._waiting[0]
        while one.result is None:
            one.result = self._next()
        if one.result.status not in _DONE:
            self._note_failure(one, one.result)
        while self._next() is not None:
            pass
        self._waiting.popleft()

    def _note_failure(self, one: Sent, result: pq.abc.PGresult) -> None:
        if one.prepares is not None:
            self._prepared.pop(one.prepares, None)
        failure: psycopg.Error = psycopg.errors.error_from_result(result)
        self._failure = self._failure or failure
        if result.error_field(pq.DiagnosticField.SEVERITY_NONLOCALIZED) == b"FATAL":
            self._raw.close()  # as the server has, though libpq need not have seen it
            raise psycopg.OperationalError(str(failure)) from failure

    def _next(self) -> pq.abc.PGresult | None:
        while self._pg.is_busy():
            self._await(select.POLLIN)
            self._pg.consume_input()
        return self._pg.get_result()

    def _flush(self) -> None:
        while self._pg.flush():
            self._await(select.POLLIN | select.POLLOUT)
            self._pg.consume_input()

    def _await(self, events: int) -> None:
        assert self._poll is not None
        self._poll.modify(self._pg.socket, events)
        try:
            self._poll.poll()
        except KeyboardInterrupt:
            self._raw.cancel_safe(
                timeout=_CANCEL_SECONDS
            )  # so that nobody waits for what nobody wants any more
            raise


def _dumped(value: Any) -> tuple[bytes | None, int]:
    """As the server reads it, and its type."""
    if value is None:
        return None, _UNKNOWN
    if isinstance(value, int):
        return b"%d" % value, _INT8 if -_LARGEST <= value <= _LARGEST else _NUMERIC
    if isinstance(value, str):
        if "\0" in value:
            raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
        return value.encode(), _UNKNOWN
    if isinstance(value, float):
        return repr(value).encode(), _FLOAT8
    if isinstance(value, bytes):
        return value, _BYTEA
    raise TypeError(f"the store has no type for {type(value).__name__}")
