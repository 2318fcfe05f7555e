"""One reason why an instance is not running, with what it is about (OPS-9)."""

from __future__ import annotations

from dataclasses import dataclass, field

from retrofill.domain.texts import Text


@dataclass(frozen=True, slots=True)
class Why:
    """The sentence, and what it is about.

    `code` names the constraint in a word; `cause` is the instance at which a chain of waits ends.
    """

    code: str
    text: Text
    blockers: tuple[dict[str, object], ...] = field(default=())
    cause: dict[str, object] | None = None


def reason_of(
    code: str,
    text: str | Text,
    blockers: tuple[dict[str, object], ...] = (),
    cause: dict[str, object] | None = None,
) -> Why:
    """A reason of which the sentence may be plain words."""
    return Why(code, Text.of(text), blockers, cause)
