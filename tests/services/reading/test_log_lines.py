"""A log seen through a window shows what lies there in the whole log: the same lines, with the same numbers."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrofill.services.ports import Reader, RunRef
from retrofill.services.ports.logs import LogPart
from retrofill.services.ports.records import RunRecord
from retrofill.services.reading.log_index import LineIndexes
from retrofill.services.reading.log_lines import LogLines, Where

ENDED = RunRecord(1, 1, "token", "boot", 5, 6, None, None, None)
LINES = st.lists(st.sampled_from([b"a", b"secret", "ä".encode(), b"\n", b"\n\n", b"x" * 9_000, b"cut\n"]))


class Log:
    """Bytes of which a part was cut out."""

    def __init__(self, text: bytes, gap: tuple[int, int] | None = None, piece: int = 1 << 20) -> None:
        self.text, self.gap, self._piece = text, gap, piece
        self.read_bytes = 0

    def read(self, ref: RunRef, offset: int, limit: int) -> LogPart:
        missing, gap = 0, self.gap
        if gap is not None and gap[0] <= offset < gap[1]:
            missing, offset = gap[1] - offset, gap[1]
        end = len(self.text) if gap is None or offset >= gap[1] else gap[0]
        data = self.text[offset : min(end, offset + min(limit, self._piece))]
        self.read_bytes += len(data)
        return LogPart(min(offset, len(self.text)), data, missing, len(self.text))

    def read_tail(self, ref: RunRef, limit: int) -> LogPart:
        return self.read(ref, max(0, len(self.text) - limit), limit)

    def gaps(self, ref: RunRef) -> tuple[tuple[int, int], ...]:
        return () if self.gap is None else (self.gap,)


def nothing() -> AbstractContextManager[Reader]:
    raise NotImplementedError


def lines_of(log: Log, *secrets: str, run: RunRecord = ENDED, indexes: LineIndexes | None = None) -> LogLines:
    return LogLines(log, run, secrets, nothing, indexes or LineIndexes())


def whole(lines: LogLines, count: int = 2_000) -> list[dict[str, Any]]:
    """The whole log from its beginning, window by window."""
    found: list[Any] = []
    since = 0
    while (window := lines.window(Where(since=since), count))["lines"]:
        found += window["lines"]
        since = window["after"]
    return found


def text_of(lines: list[Any]) -> str:
    """What stands in lines."""
    return "".join(line["text"] + "\n" * line["ends"] for line in lines)


@given(LINES, st.integers(1, 5), st.integers(1, 3_000))
def test_windows_make_up_the_log(parts: list[bytes], count: int, piece: int) -> None:
    """OPS-10: forwards and backwards, whatever is long; letters stay whole; secrets are masked (SEC-3)."""
    text = b"".join(parts)
    lines = lines_of(Log(text, piece=piece), "secret")
    expected = text.replace(b"secret", b"******").decode()
    forwards = whole(lines, count)
    assert text_of(forwards) == expected
    backwards: list[Any] = []
    until: int | None = len(text)
    while until:
        window = lines.window(Where(until=until), count)
        backwards = window["lines"] + backwards
        until = window["before"]
    assert text_of(backwards) == expected
    for line in forwards:
        before = expected.encode()[: line["offset"]]
        assert line["number"] == before.count(b"\n") + 1
        assert line["starts"] == (before[-1:] in (b"", b"\n"))


@given(LINES, st.integers(0, 30_000), st.integers(1, 6))
def test_around_a_byte_and_from_a_line(parts: list[bytes], at: int, number: int) -> None:
    """OPS-10: a link to a line leads to it."""
    text = b"".join(parts)
    lines = lines_of(Log(text))
    every = whole(lines)
    if at < len(text):
        window = lines.window(Where(at=at), 30)["lines"]
        assert any(one["offset"] <= at <= one["offset"] + len(one["text"].encode()) for one in window)
        assert all(one in every or not one["starts"] for one in window)
    expected = [one for one in every if one["number"] >= number][:4]
    assert lines.window(Where(line=number), 4)["lines"] == expected


@given(LINES, LINES, LINES, st.integers(1, 3))
def test_what_was_cut_out_ends_a_line(
    head: list[bytes], middle: list[bytes], tail: list[bytes], count: int
) -> None:
    """OPS-10, RET-2: it is said once, with its size, wherever one begins to read."""
    parts = [b"".join(one) for one in (head, middle, tail)]
    begin, end = len(parts[0]), len(parts[0]) + len(parts[1])
    log = Log(b"".join(parts), (begin, end) if begin < end else None)
    lines = lines_of(log)
    every = whole(lines, count)
    missing = [one["missing"] for one in every if one["missing"]]
    assert missing == ([end - begin] if begin < end and parts[2] else [])
    numbers = [one["number"] for one in every]
    assert numbers == sorted(numbers)
    last = lines.window(Where(), 1)["lines"]
    assert last == every[-1:] or not last[0]["starts"] or len(every) == 0
    for one in every:
        if one["starts"]:
            (same,) = lines.window(Where(line=one["number"]), 1)["lines"]
            assert same["number"] == one["number"]


def test_a_cut_since_is_counted_anew() -> None:
    """RET-2: a log that has grown too large loses its middle while somebody reads it."""
    log, indexes = Log(b"line\n" * 1_000), LineIndexes()
    assert lines_of(log, indexes=indexes).window(Where(), 1)["total"] == 1_000
    log.gap = (100, 4_900)
    window = lines_of(log, indexes=indexes).window(Where(), 1)
    assert (window["total"], window["lines"][0]["number"]) == (40, 40)


def test_the_end_of_a_large_log_is_there_at_once() -> None:
    """OPS-10: numbers come when lines have been counted, look by look."""
    text = b"%09d\n" % 7 * 12_000_000
    log, indexes = Log(text), LineIndexes()
    lines = lines_of(log, indexes=indexes)
    window = lines.window(Where(), 10)
    assert [one["text"] for one in window["lines"]] == ["000000007"] * 10
    assert (window["total"], window["lines"][0]["number"]) == (None, None)
    assert log.read_bytes < 8 << 20
    totals = [lines.window(Where(), 1)["total"] for _ in range(3)]
    assert totals == [None, None, 12_000_000]
    log.read_bytes = 0
    (line,) = lines.window(Where(line=11_999_999), 1)["lines"]
    assert (line["number"], line["offset"]) == (11_999_999, len(text) - 20)
    assert log.read_bytes < 4 << 20


def test_one_line_of_many_megabytes_comes_in_parts() -> None:
    """OPS-10: no look reads more than some of it."""
    lines = lines_of(log := Log(b"x" * (40 << 20)))
    lines.window(Where(), 1)  # counted
    log.read_bytes = 0
    window = lines.window(Where(), 50)
    assert log.read_bytes < 3 << 20
    assert len(window["lines"]) == 50
    assert {(one["number"], one["starts"]) for one in window["lines"]} == {(1, False)}
    assert max(len(one["text"]) for one in window["lines"]) <= 4 << 10
    middle = lines.window(Where(at=20 << 20), 30)["lines"]
    assert middle[0]["offset"] <= 20 << 20 < middle[-1]["offset"]


def test_a_log_that_grows_is_followed_from_where_it_was() -> None:
    """OPS-10."""
    log, indexes = Log(b"one\ntw"), LineIndexes()
    running = ENDED._replace(ended_ms=None)
    first = lines_of(log, run=running, indexes=indexes).window(Where(), 10)
    assert ([one["text"] for one in first["lines"]], first["ended"]) == (["one", "tw"], False)
    log.text += b"o\nthree\n"
    more = lines_of(log, run=running, indexes=indexes).window(Where(since=first["after"]), 10)
    assert [(one["number"], one["text"], one["starts"]) for one in more["lines"]] == [
        (2, "o", False),
        (3, "three", True),
    ]
    assert more["total"] == 3


def test_a_log_without_anything() -> None:
    window = lines_of(Log(b"")).window(Where(), 10)
    assert (window["lines"], window["total"], window["before"], window["after"]) == ([], 0, None, 0)


@given(LINES, st.sampled_from(["A", "ä", "cut", "secret"]), st.integers(1, 3), st.integers(1, 3_000))
def test_a_search_finds_every_line_once(parts: list[bytes], text: str, limit: int, piece: int) -> None:
    """OPS-10, SEC-3: whatever is masked is not found; a search goes on where it has ended."""
    content = b"".join(parts)
    lines = lines_of(Log(content, piece=piece), "secret")
    masked = content.replace(b"secret", b"******").decode()
    expected = [i for i, line in enumerate(masked.split("\n"), 1) if text.lower() in line.lower()]
    found: list[Any] = []
    since: int | None = 0
    while since is not None:
        finds = lines.find(text, since, False, limit)
        found += finds["items"]
        since = finds["next"]
    assert [one["number"] for one in found] == expected
    assert all(text.lower() in one["text"].lower() for one in found)


def test_a_search_reads_what_people_read() -> None:
    """OPS-10: colours of terminals lie between words, and are none."""
    text = b"one\n\x1b[1mtwo \x1b[32mthree\x1b[0m\n\x1b]0;two three\x07four\n" + b"two three\n"
    finds = lines_of(Log(text)).find("TWO three", 0, False, 10)["items"]
    assert [(one["number"], one["offset"]) for one in finds] == [(2, 4), (4, text.rindex(b"two three"))]


@pytest.mark.parametrize(
    ("line", "is_error"),
    [
        ("2026-11-28 ERROR the file is gone", True),
        ("urllib.error.HTTPError: HTTP Error 404: Not Found", True),
        ("Traceback (most recent call last):", True),
        ("sqlite3.OperationalError: no such table", True),
        ("java.lang.NullPointerException", True),
        ("thread 'main' panicked at: panic", True),
        ("\x1b[1;31mERROR\x1b[0m the file is gone", True),
        ("0 errors", False),
        ("error: 0", False),
        ("terror in the mirror", False),
        ("all is well", False),
    ],
)
def test_what_tells_of_an_error(line: str, is_error: bool) -> None:
    """OPS-10: the first error is one keystroke away, and mostly one."""
    found = lines_of(Log(f"well\n{line}\nwell\n".encode())).find("", 0, True, 1)["items"]
    assert [one["text"] for one in found] == ([line] if is_error else [])
