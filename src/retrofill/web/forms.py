"""What a form of a page has sent. Read here, without a parser of multipart bodies: there are none."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from retrofill.domain.errors import InvalidValueError, UsageError

MEDIA_TYPE = "application/x-www-form-urlencoded"
MOST_BYTES = 1_000_000  # ids of 100,000 instances
MOST_FIELDS = 101_000


class Form:
    """Names and texts, in the order in which they stand on the page."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self.fields = tuple(fields)

    @classmethod
    def read(cls, body: bytes, most_fields: int = MOST_FIELDS) -> Form:
        """What a browser sends.

        Raises:
            UsageError: it has more fields than its page.
        """
        text = body.decode(errors="replace").replace("\0", "�")
        try:
            return cls(parse_qsl(text, keep_blank_values=True, max_num_fields=most_fields, encoding="utf-8"))
        except ValueError:
            raise UsageError("this form has too many fields", "Send those of the page.") from None

    def one(self, name: str, default: str = "") -> str:
        """What was written last under a name, as it was written."""
        return next((value for key, value in reversed(self.fields) if key == name), default)

    def all(self, name: str) -> tuple[str, ...]:
        """Everything under a name; what is empty counts as nothing."""
        return tuple(value for key, value in self.fields if key == name and value)

    def has(self, name: str) -> bool:
        """Whether it was sent: a box is sent only when it is ticked."""
        return any(key == name for key, _ in self.fields)

    def number(self, name: str) -> int | None:
        """A whole number; None where nothing is written.

        Raises:
            InvalidValueError: something else is.
        """
        text = self.one(name).strip()
        return None if not text else whole_number(name, text)

    def numbers(self, name: str) -> tuple[int, ...]:
        """Whole numbers, each once.

        Raises:
            InvalidValueError: something else is among them.
        """
        return tuple(dict.fromkeys(whole_number(name, text) for text in self.all(name)))


def whole_number(name: str, text: str) -> int:
    """A whole number that a store can hold.

    Raises:
        InvalidValueError: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidValueError(f"{name} is no whole number: {text[:40]!r}", "Write digits, as 42.")
    return int(text)
