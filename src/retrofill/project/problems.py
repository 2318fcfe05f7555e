"""What is wrong with a project's files: one `Problem` a place, all of them in one `ProjectError`.

Lines and columns count from 1; columns count characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from retrofill.domain.errors import Detail, UsageError, shown
from retrofill.domain.texts import Text


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
    """Correct the files at the places named, then run {project.check} again."""

    code = "invalid_project"

    def __init__(
        self, problems: Iterable[Problem], hint: Text | None = None, is_cut_off: bool = False
    ) -> None:
        self.problems = tuple(sorted(set(problems)))
        self.is_cut_off = is_cut_off  # some file has so many that they are not all told
        super().__init__("\n".join(str(problem) for problem in self.problems), hint)

    @property
    def details(self) -> tuple[Detail, ...]:
        """Each problem by its place, `path:line:column`."""
        return tuple(
            Detail(f"{one.path}:{one.line}:{one.column}", f"{one.message}; {one.hint}".removesuffix("; "))
            for one in self.problems
        )

    def with_hint(self, hint: Text) -> ProjectError:
        """The same with other advice."""
        return ProjectError(self.problems, hint, self.is_cut_off)

    def seen_by(self, sees: Callable[[str], bool]) -> ProjectError:
        """As somebody sees it who may not know of every workspace (SEC-2).

        Args:
            sees: whether a workspace may be shown.
        """
        shown_ones = [one for one in self.problems if _sees(one, sees)]
        if len(shown_ones) < len(self.problems):
            text = "there are errors in workspaces that you are not a member of"
            shown_ones.append(Problem("workspaces", 1, 1, text, "their members can mend them"))
        return ProjectError(shown_ones, is_cut_off=self.is_cut_off)


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


MOST = 100  # problems of one file that are told


class EnoughError(Exception):
    """A file has so many mistakes that it is read no further."""


class Report:
    """Collects the problems of one load: of each file the first hundred, and then that there are more."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._cut_off: set[str] = set()
        self.stops = True  # whether `add` raises where a file has too many
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
        """Note a problem.

        Raises:
            EnoughError: this file has too many; the problem is not noted.
        """
        problem = Problem(path, where[0], where[1], message, hint)
        if problem in self._problems:
            return
        count = self._counts.get(path, 0)
        if count < MOST:
            self._problems[problem] = None
            self._counts[path] = count + 1
            return
        self._cut_off.add(path)
        if self.stops:
            raise EnoughError

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
            raise ProjectError(
                [*self._problems, *map(self._more, self._cut_off)], is_cut_off=bool(self._cut_off)
            )

    def _more(self, path: str) -> Problem:
        """The line that stands behind those of a file with too many."""
        last = max(problem for problem in self._problems if problem.path == path)
        message = f"more than {MOST} mistakes in this file, which is read no further"
        return Problem(path, last.line, last.column + 1, message, "correct these first")
