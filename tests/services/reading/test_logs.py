"""A log that is read from somewhere in its middle says what who read all of it would have read there."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrofill.services.ports import Reader, RunRef
from retrofill.services.ports.logs import LogPart
from retrofill.services.ports.records import RunRecord
from retrofill.services.reading.logs import OpenLog

RUN = RunRecord(1, 1, "token", "boot", 5, None, None, None, None)
GAP = (30, 40)


class Text:
    """A log of which a part was cut out."""

    def __init__(self, text: bytes, gap: tuple[int, int] | None = None) -> None:
        self._text, self._gap = text, gap

    def read(self, ref: RunRef, offset: int, limit: int) -> LogPart:
        missing = 0
        if self._gap is not None and self._gap[0] <= offset < self._gap[1]:
            missing, offset = self._gap[1] - offset, self._gap[1]
        end = len(self._text) if self._gap is None or offset >= self._gap[1] else self._gap[0]
        return LogPart(offset, self._text[offset : min(end, offset + limit)], missing, len(self._text))

    def read_tail(self, ref: RunRef, limit: int) -> LogPart:
        raise NotImplementedError

    def gaps(self, ref: RunRef) -> tuple[tuple[int, int], ...]:
        return () if self._gap is None else (self._gap,)


def nothing() -> AbstractContextManager[Reader]:
    raise NotImplementedError


def read(text: Text, offset: int, *secrets: str) -> list[tuple[int, int, bytes]]:
    opened = OpenLog(text, RUN, secrets, nothing, offset)
    return [*opened.pieces(), *opened.rest()]


@given(st.lists(st.sampled_from([b"a", b"secret", b"secre", b"tsecret", b"\n"])), st.integers(0, 60))
def test_a_secret_is_masked_wherever_one_begins(parts: list[bytes], offset: int) -> None:
    """SEC-3: also where one begins in the middle of it."""
    text = Text(b"".join(parts))
    whole = b"".join(data for _, _, data in read(text, 0, "secret", "tsec"))
    found = read(text, offset, "secret", "tsec")
    assert b"".join(data for _, _, data in found) == whole[offset:]
    assert [at for at, _, _ in found[:1]] in ([], [offset])


@pytest.mark.parametrize("offset", [0, 29, 30, 35, 40, 41, 59, 60, 99])
def test_what_was_cut_out_is_said_once(offset: int) -> None:
    text = Text(bytes(range(60)), GAP)
    found = read(text, offset)
    whole = b"".join(bytes(missing) + data for _, missing, data in found)
    assert len(whole) == max(60 - offset, 0)
    assert sum(missing for _, missing, _ in found) == max(0, GAP[1] - max(offset, GAP[0]))
    for at, _, data in found:
        assert data == bytes(range(at, at + len(data)))
