"""Some lines of a log at a time, from any byte or line on, and the search in it (OPS-10).

A log may have a gigabyte, in one line: what is long is given out in parts, each look reads a megabyte at most,
and a search goes on where the one before it ended. Secrets are masked as in `logs`, in the same places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from retrofill.services.ports.logs import NoLogError
from retrofill.services.reading.logs import OpenLog, ref_of, without_log

if TYPE_CHECKING:
    from retrofill.services.ports.logs import Logs
    from retrofill.services.ports.records import RunRecord
    from retrofill.services.reading.documents import LogFinds, LogLine, LogWindow
    from retrofill.services.reading.log_index import LineIndexes
    from retrofill.services.reading.logs import Look

MOST_LINES = 2_000
_PART = 4 << 10  # bytes of a line that are given out as one
_MOST_READ = 1 << 20  # bytes of a window
_FIRST_READ = 64 << 10
_SEARCHED = 48 << 20  # bytes at once
_COUNTED, _COUNTED_ALONE = (
    4 << 20,
    48 << 20,
)  # bytes in which lines are counted beside a window; where nothing else is wanted
_MOST_FINDS = 200
_AROUND = 300  # bytes of a line before and behind what was found
_WORDS = (b"error", b"exception", b"traceback", b"fatal", b"critical", b"panic")
_ERROR = re.compile(
    rb"(?i:\b(?:error|fatal|critical|panic|exception)\b(?!\s*[=:]\s*(?:0|none|false)\b))"
    rb"|[A-Za-z](?:Error|Exception)\b|(?i:\btraceback \(most recent)"
)
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)")
_COLOURED = 4  # times as long a search takes where there are sequences


class Where(NamedTuple):
    """Which lines: none of these for the last ones.

    Attributes:
        since: from this byte on.
        until: before this byte.
        at: around the line that holds this byte.
        line: from the line with this number on.
    """

    since: int | None = None
    until: int | None = None
    at: int | None = None
    line: int | None = None


class _Part(NamedTuple):
    """A line, or a part of a long one."""

    offset: int
    data: bytes  # with its end
    missing: int
    starts: bool

    @property
    def ends(self) -> bool:
        return self.data.endswith(b"\n")


class LogLines:
    """The lines of the log of one run, as it is now.

    Raises:
        NoLogError: the run never began, or its log has expired.
    """

    def __init__(
        self, logs: Logs, run: RunRecord, secrets: tuple[str, ...], look: Look, indexes: LineIndexes
    ) -> None:
        self._logs, self._run, self._secrets, self._look = logs, run, secrets, look
        self._index = indexes.of(ref_of(run), secrets)
        try:
            self._gaps = logs.gaps(ref_of(run))
        except NoLogError as error:
            raise without_log(run, error) from None
        self._missing = {end: end - begin for begin, end in self._gaps}
        self._has_ended = run.ended_ms is not None

    def window(self, where: Where, count: int) -> LogWindow:
        """Lines in the order of the log."""
        count = min(max(count, 0), MOST_LINES)
        self._index.go_on(self._opened, self._gaps, _COUNTED if count > 1 else _COUNTED_ALONE)
        parts = self._parts(where, count)
        size = self._logs.read(ref_of(self._run), 0, 0).size
        given = parts[-1].offset + len(parts[-1].data) if parts else None
        is_counted = self._index.counted >= (size if self._has_ended else min(size, given or 0))
        first = parts[0].offset - self._missing.get(parts[0].offset, 0) if parts else 0
        return {
            "id": self._run.instance_id,
            "run_number": self._run.number,
            "ended": self._has_ended,
            "size": size,
            "lines": list(self._numbered(parts)),
            "total": self._index.total if is_counted else None,
            "before": first or None,
            "after": self._after(where) if given is None else given,
        }

    def _after(self, where: Where) -> int:
        """Where what comes next begins, if nothing is there yet."""
        return where.since if where.since is not None else self._index.counted

    def _parts(self, where: Where, count: int) -> list[_Part]:
        if where.since is not None:
            return self._from(where.since, count)
        if where.line is not None:
            begin = self._index.begin_of(self._opened, where.line)
            return [] if begin is None else self._from(begin, count)
        if where.at is not None:
            before = self._before(where.at, count // 3)
            line = self._before(where.at + 1, 1)
            begin = before[0].offset if before else line[0].offset if line else where.at
            return self._from(begin, count)
        until = where.until
        size = self._logs.read(ref_of(self._run), 0, 0).size
        return self._before(size if until is None else min(until, size), count)

    def _from(self, offset: int, count: int) -> list[_Part]:
        """So many lines from a byte on."""
        found: list[_Part] = []
        read = 0
        for part in _split(self._pieces(offset), offset, self._is_start(offset)):
            if len(found) == count or read >= _MOST_READ:
                break
            found.append(part)
            read += len(part.data)
        return found

    def _before(self, until: int, count: int) -> list[_Part]:
        """So many lines before a byte; a line that begins further off than a look reaches begins in its middle."""
        until = next((begin for begin, end in self._gaps if begin < until <= end), until)
        reach = _FIRST_READ
        while True:
            begin = max(0, until - reach)
            parts = list(_split(_up_to(self._pieces(begin), until), begin, begin == 0))
            if parts and begin and not parts[0].missing and len(parts) > 1:
                parts = _whole(parts)
            if len(parts) >= count or begin == 0 or reach >= _MOST_READ:
                return parts[len(parts) - min(count, len(parts)) :]
            reach *= 4

    def _is_start(self, offset: int) -> bool:
        """Whether a line begins with a byte."""
        if offset == 0:
            return True
        before = b"".join(data for _, _, data in _up_to(self._pieces(offset - 1), offset))
        return before == b"\n"

    def _numbered(self, parts: list[_Part]) -> Iterator[LogLine]:
        number = self._index.number_at(self._opened, parts[0].offset) if parts else None
        for at, part in enumerate(parts):
            if at and number is not None and (parts[at - 1].ends or part.missing):
                number += 1
            yield _line(part, number, self._missing.get(part.offset, 0))

    def _opened(self, offset: int) -> OpenLog:
        return OpenLog(self._logs, self._run, self._secrets, self._look, offset)

    def _pieces(self, offset: int) -> Iterator[tuple[int, int, bytes]]:
        opened = self._opened(offset)
        yield from opened.pieces()
        if self._has_ended:
            yield from opened.rest()

    # Search

    def find(self, text: str, since: int, is_error: bool, limit: int) -> LogFinds:
        """Lines that hold a text in whatever letters, or that tell of an error, from a byte on."""
        self._index.go_on(self._opened, self._gaps, _COUNTED_ALONE)
        wanted = _Wanted(text, is_error)
        items: list[LogLine] = []
        numbers = _Numbers(self._index.number_at(self._opened, since))
        limit = min(max(limit, 1), _MOST_FINDS)
        searched = 0
        for chunk in _chunks(self._pieces(since), since):
            for begin, end in wanted.lines_of(chunk.data):
                number = numbers.at(chunk, begin)
                items.append(_found(chunk, begin, end, number, wanted))
                if len(items) == limit:
                    return self._finds(items, chunk.offset + end)
            numbers.over(chunk)
            searched += len(chunk.data) * (_COLOURED if b"\x1b" in chunk.data else 1)
            if searched >= _SEARCHED:
                return self._finds(items, chunk.offset + len(chunk.data))
        return self._finds(items, None)

    def _finds(self, items: list[LogLine], following: int | None) -> LogFinds:
        return {
            "id": self._run.instance_id,
            "run_number": self._run.number,
            "items": items,
            "next": following,
        }


def window_of_words(instance_id: int, text: str) -> LogWindow:
    """What stands for the log of an instance that ran no code."""
    line: LogLine = {
        "number": 1,
        "offset": 0,
        "text": text.rstrip("\n"),
        "missing": 0,
        "starts": True,
        "ends": True,
        "error": False,
    }
    size = len(text.encode())
    return {
        "id": instance_id,
        "run_number": 0,
        "ended": True,
        "size": size,
        "lines": [line],
        "total": 1,
        "before": None,
        "after": size,
    }


def _line(part: _Part, number: int | None, missing: int) -> LogLine:
    return {
        "number": number,
        "offset": part.offset,
        "text": part.data.removesuffix(b"\n").decode("utf-8", "replace"),
        "missing": missing,
        "starts": part.starts,
        "ends": part.ends,
        "error": tells_of_error(part.data),
    }


def _split(pieces: Iterable[tuple[int, int, bytes]], offset: int, starts: bool) -> Iterator[_Part]:
    """Lines, those that are long in parts."""
    held, missing = b"", 0
    for at, cut, data in pieces:
        if cut:
            if held:
                yield _Part(offset, held, missing, starts)
            held, offset, missing, starts = b"", at, cut, False
        elif not held:
            offset = at
        held += data
        begin = 0
        while (length := _length(held, begin)) is not None:
            yield _Part(offset + begin, held[begin : begin + length], missing, starts)
            missing, starts = 0, held[begin + length - 1] == 0x0A
            begin += length
        held, offset = held[begin:], offset + begin
    if held:
        yield _Part(offset, held, missing, starts)


def _length(data: bytes, begin: int) -> int | None:
    """Of the line that begins there, or of a part of it, on the border of a letter; None where it may go on."""
    end = data.find(b"\n", begin, begin + _PART)
    if end >= 0:
        return end + 1 - begin
    if len(data) - begin < _PART:
        return None
    length = _PART
    while length > _PART - 4 and data[begin + length - 1 : begin + length + 1][-1] & 0xC0 == 0x80:
        length -= 1
    return length


def _whole(parts: list[_Part]) -> list[_Part]:
    """Without what is left of a line that began earlier, where there is anything else."""
    for at, part in enumerate(parts[:-1]):
        if part.ends:
            return parts[at + 1 :]
    return parts


def _up_to(pieces: Iterable[tuple[int, int, bytes]], until: int) -> Iterator[tuple[int, int, bytes]]:
    for at, missing, data in pieces:
        if at >= until:
            return
        yield at, missing, data[: until - at]
        if at + len(data) >= until:
            return


class _Chunk(NamedTuple):
    """Whole lines of a log, or parts of one that is long."""

    offset: int
    data: bytes
    ends_before: int  # lines that what was cut out before it has ended


def _chunks(pieces: Iterable[tuple[int, int, bytes]], offset: int) -> Iterator[_Chunk]:
    """Pieces cut where lines end; of a line longer than that, parts that overlap by what may be looked for."""
    held = b""
    ended = 0
    for at, missing, data in pieces:
        if missing:
            if held:
                yield _Chunk(offset, held, 0)
                ended = int(not held.endswith(b"\n"))
            held, offset = b"", at
        elif not held:
            offset = at
        held += data
        end = held.rfind(b"\n") + 1
        if not end and len(held) > _MOST_READ:
            end = len(held) - 2 * _AROUND
        if end:
            yield _Chunk(offset, held[:end], ended)
            held, offset, ended = held[end:], offset + end, 0
    if held:
        yield _Chunk(offset, held, ended)


class _Numbers:
    """Numbers of lines, counted along with a search."""

    def __init__(self, first: int | None) -> None:
        self._number = first
        self._chunk: _Chunk | None = None
        self._at = 0

    def at(self, chunk: _Chunk, begin: int) -> int | None:
        """Of the line that begins there."""
        self._go_to(chunk, begin)
        return self._number

    def over(self, chunk: _Chunk) -> None:
        """That chunk is done."""
        self._go_to(chunk, len(chunk.data))

    def _go_to(self, chunk: _Chunk, end: int) -> None:
        if chunk is not self._chunk:
            self._chunk, self._at = chunk, 0
            if self._number is not None:
                self._number += chunk.ends_before
        if self._number is not None:
            self._number += chunk.data.count(b"\n", self._at, end)
        self._at = end


class _Wanted:
    """What is looked for: in what is read, without the colours of terminals."""

    def __init__(self, text: str, is_error: bool) -> None:
        self._needle = text.lower().encode()
        self._is_error = is_error

    def lines_of(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Begin and end of each line that holds it."""
        plain = _plain(data)
        begin = done = 0  # of the lines that were passed: in the data, and in what is read of it
        for first, last in self._lines_of(plain):
            for _ in range(plain.count(b"\n", done, first)):
                begin = data.index(b"\n", begin) + 1
            end = data.find(b"\n", begin)
            end = len(data) if end < 0 else end + 1
            yield begin, end
            begin, done = end, last

    def _lines_of(self, plain: bytes) -> Iterator[tuple[int, int]]:
        low = plain.lower()
        at = self._first(low, plain, 0)
        while at is not None:
            end = low.find(b"\n", at)
            end = len(low) if end < 0 else end + 1
            yield low.rfind(b"\n", 0, at) + 1, end
            at = self._first(low, plain, end)

    def place_in(self, line: bytes) -> int:
        """Where it stands in a line, about."""
        at = self._first(line.lower(), line, 0)
        return 0 if at is None else at

    def _first(self, low: bytes, plain: bytes, begin: int) -> int | None:
        """Where it stands from a byte on."""
        if not self._is_error:
            at = low.find(self._needle, begin)
            return at if at >= 0 else None
        if not any(low.find(word, begin) >= 0 for word in _WORDS):
            return None
        found = _ERROR.search(plain, begin)
        return None if found is None else found.start()


def _plain(data: bytes) -> bytes:
    """Without sequences of terminals; ends of lines stay."""
    return _SEQUENCE.sub(b"", data) if b"\x1b" in data else data


def tells_of_error(data: bytes) -> bool:
    """Whether a line does."""
    low = data.lower()
    return any(word in low for word in _WORDS) and _ERROR.search(_plain(data)) is not None


def _found(chunk: _Chunk, begin: int, end: int, number: int | None, wanted: _Wanted) -> LogLine:
    """The line, of a long one what lies around the place."""
    line = chunk.data[begin:end].removesuffix(b"\n")
    at = wanted.place_in(line)
    first = max(0, at - _AROUND)
    shown = line[first : at + _AROUND]
    return {
        "number": number,
        "offset": chunk.offset + begin + (at if at > _PART else 0),
        "text": shown.decode("utf-8", "replace"),
        "missing": 0,
        "starts": first == 0,
        "ends": at + _AROUND >= len(line),
        "error": tells_of_error(shown),
    }
