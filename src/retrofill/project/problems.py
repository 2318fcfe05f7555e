"""What is wrong with a project's files: one `Problem` a place, all of them in one `ProjectError`.

Lines and columns count from 1; columns count characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from retrofill.domain.errors import UsageError, shown


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`path` is relative to the project; `message` says what is wrong, `hint` what to write instead."""

    path: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """`path:line:column: what is wrong; what to write instead`, safe to print in a terminal."""
        hint = f"; {self.hint}" if self.hint else ""
        return shown(f"{self.path}:{self.line}:{self.column}: {self.message}{hint}")

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.path,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "hint": self.hint or None,
        }


class ProjectError(UsageError):
    """Correct the files at the places named, then run `retrofill check` again."""

    code = "invalid_project"

    def __init__(self, problems: Iterable[Problem], hint: str | None = None) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems), hint)

    def seen_by(self, sees: Callable[[str], bool], hint: str | None = None) -> ProjectError:
        """As somebody sees it who may not know of every workspace (SEC-2), with other advice.

        Args:
            sees: whether a workspace may be shown.
        """
        shown_ones = [one for one in self.problems if _sees(one, sees)]
        if len(shown_ones) < len(self.problems):
            text = "there are errors in workspaces that you are not a member of"
            shown_ones.append(Problem("workspaces", 1, 1, text, "their members can mend them"))
        return ProjectError(shown_ones, hint)


def _sees(problem: Problem, sees: Callable[[str], bool]) -> bool:
    parts = problem.path.split("/")
    return len(parts) < 3 or parts[0] != "workspaces" or sees(parts[1])


@dataclass(frozen=True, slots=True, order=True)
class Doubtful:
    """What is right and may mean something else than its writer thought; `check` warns of it."""

    path: str
    line: int
    column: int
    code: str
    message: str
    hint: str
    task: str


class FormError(ValueError):
    """A value that is not in the form of its key: the end of a sentence that begins with the key.

    `path` leads from the value to the part that is wrong.
    """

    def __init__(self, message: str, hint: str = "", path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path

    def within(self, step: str | int) -> FormError:
        """The same error seen from the mapping or list that holds the value."""
        return FormError(self.message, self.hint, (step, *self.path))


class Report:
    """Collects the problems of one load."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._said_once: set[tuple[str, int, int]] = set()
        self._doubts: dict[Doubtful, None] = {}

    @property
    def doubts(self) -> tuple[Doubtful, ...]:
        return tuple(sorted(self._doubts))

    def doubt(self, path: str, where: tuple[int, int], code: str, message: str, hint: str, task: str) -> None:
        """Note a warning; a place is warned of once."""
        self._doubts.setdefault(Doubtful(path, *where, code, message, hint, task))

    def add(self, path: str, where: tuple[int, int], message: str, hint: str = "") -> None:
        self._problems[Problem(path, where[0], where[1], message, hint)] = None

    def add_once(self, path: str, where: tuple[int, int], message: str, hint: str = "") -> None:
        """Like `add`, but only the first for a place: a bad default would be told once a task."""
        key = (path, *where)
        if key not in self._said_once:
            self._said_once.add(key)
            self.add(path, where, message, hint)

    def __len__(self) -> int:
        return len(self._problems)

    def raise_if_any(self) -> None:
        if self._problems:
            raise ProjectError(self._problems)
