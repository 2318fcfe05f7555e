"""A finding of verification, and the words that findings are written in (VER-2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from retrofill.domain.texts import Text
from retrofill.domain.verification.codes import CODES, Level
from retrofill.domain.words import duration, many, names

__all__ = ["CODES", "Finding", "Level", "by_level", "duration", "gathered", "has_risk", "many", "names"]

MOST_SINGLE_FINDINGS = 100  # of one code; more are gathered in one finding


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of verification: a sentence that names tasks by their full names, and what to do."""

    level: Level
    code: str
    message: str
    tasks: tuple[str, ...] = ()
    hint: Text = Text("")  # noqa: RUF009 (it is a value)

    @classmethod
    def of(cls, code: str, message: str, tasks: tuple[str, ...] = (), hint: str | None = None) -> Finding:
        """A finding with the level that the table of codes has for it, and its hint where none is more exact."""
        known = CODES[code]
        return cls(known.level, code, message, tasks, known.hint if hint is None else Text.of(hint))

    def document(self) -> dict[str, Any]:
        """What people and programs are shown."""
        return self._without_hint() | {"hint": self.hint, "steps": list(self.hint.steps)}

    def to_json(self) -> dict[str, Any]:
        """What is stored."""
        return self._without_hint() | {"hint": self.hint.to_json()}

    def _without_hint(self) -> dict[str, Any]:
        return {
            "level": self.level.value,
            "code": self.code,
            "message": self.message,
            "tasks": list(self.tasks),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """The finding that `to_json` wrote; the first version wrote no hints."""
        tasks, hint = tuple(data["tasks"]), Text.from_json(data.get("hint", ""))
        return cls(Level(data["level"]), data["code"], data["message"], tasks, hint)


def has_risk(findings: Iterable[Finding]) -> bool:
    """Whether a policy that does not allow risks stops here."""
    return any(finding.level is Level.RISK for finding in findings)


def by_level(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Risks first, then warnings, then information; within a level in the order given."""
    levels = list(Level)
    return tuple(sorted(findings, key=lambda finding: levels.index(finding.level)))


def gathered(findings: list[Finding], together: str) -> Iterator[Finding]:
    """The findings themselves, or one for all of them where they are too many to read."""
    if len(findings) <= MOST_SINGLE_FINDINGS:
        yield from findings
        return
    tasks = tuple(finding.tasks[0] for finding in findings)
    yield replace(findings[0], message=f"{together}: {names(tasks)}.", tasks=tasks)
