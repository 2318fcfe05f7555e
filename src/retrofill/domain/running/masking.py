"""Keeping the values of secrets out of logs: what a task prints of one becomes as many asterisks (SEC-3).

The length stays, so offsets in a log mean the same whoever masks. Found are the
value as it is, percent-encoded and percent-decoded, and each long line of a value of several
lines; not found is what a task has changed in another way, as by base64.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote

SHORTEST = 4  # bytes; a shorter value would mask ordinary words, and so hide little and spoil much
_SHORTEST_LINE = 8  # of a value of several lines


class Masking:
    """Masks one stream of bytes that comes in pieces; a value may lie across pieces."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._words = sorted({word for secret in secrets for word in _forms(secret)}, key=len, reverse=True)
        self._pending = b""  # may be the beginning of a value, so it was not given out yet
        self._covered: list[tuple[int, int]] = []  # what of it belongs to values that were found

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._words)

    @property
    def longest(self) -> int:
        """Bytes of the longest value: who begins in the middle begins so many before it."""
        return len(self._words[0]) if self._words else 0

    def feed(self, data: bytes) -> bytes:
        """What can be given out of all that came so far: the same number of bytes, later or at once."""
        data = self._pending + data
        cut = len(data) - self._unfinished(data)
        masked, spans = self._mask(data)
        self._pending = data[cut:]
        self._covered = [(max(0, start - cut), end - cut) for start, end in spans if end > cut]
        return masked[:cut]

    def flush(self) -> bytes:
        """The rest, when nothing comes any more, or something that does not belong to it."""
        masked, _ = self._mask(self._pending)
        self._pending, self._covered = b"", []
        return masked

    def _mask(self, data: bytes) -> tuple[bytes, list[tuple[int, int]]]:
        """The data masked, and where values lie in it."""
        spans = [*self._covered, *self._spans(data)]
        if not spans:
            return data, spans
        masked = bytearray(data)
        for start, end in spans:
            masked[start:end] = b"*" * (end - start)
        return bytes(masked), spans

    def _spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        for word in self._words:
            at = data.find(word)
            while at >= 0:
                yield at, at + len(word)
                at = data.find(word, at + 1)

    def _unfinished(self, data: bytes) -> int:
        """The length of the longest end of the data with which a value begins."""
        if not self._words:
            return 0
        longest = min(len(self._words[0]) - 1, len(data))
        for length in range(longest, 0, -1):
            end = data[-length:]
            if any(len(word) > length and word.startswith(end) for word in self._words):
                return length
        return 0


def _forms(secret: str) -> Iterator[bytes]:
    lines = secret.splitlines()
    texts = {secret, secret.strip(), quote(secret, safe=""), unquote(secret)}
    if len(lines) > 1:
        texts.update(line.strip() for line in lines if len(line.strip()) >= _SHORTEST_LINE)
    for text in texts:
        word = text.encode("utf-8", "surrogateescape")
        if len(word) >= SHORTEST:
            yield word
