"""What the check command says of places in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrofill.project.loader import TaskPlace
    from retrofill.project.problems import Doubtful


def warning_at(level: str, code: str, place: TaskPlace | Doubtful, message: str, hint: str) -> dict[str, Any]:
    """What `check` says about a place in a file."""
    return {
        "level": level,
        "code": code,
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "message": message,
        "hint": hint,
    }
