"""Failures by name, where they happen: the first instances that failed, each with the last line of its log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from retrofill.cli.tables import cell
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.services.reading.documents import Failure


class Failures:
    """What has failed of one backfill; remembers what was told."""

    def __init__(self) -> None:
        self._told: set[tuple[int, int]] = set()
        self.lines: list[str] = []

    def look(self, found: Sequence[Failure]) -> list[str]:
        """Lines that are new since the last look; `lines` are all of now."""
        named = {(failure["id"], failure["run_number"]): _line(failure) for failure in found}
        self.lines = list(named.values())
        fresh = [line for key, line in named.items() if key not in self._told]
        self._told |= named.keys()
        return fresh


def _line(failure: Failure) -> str:
    at = failure["scheduled_at"].replace("T", " ")[:16]
    where = f"{failure['task']} {at} (bizdate {failure['bizdate']}, instance {failure['id']})"
    return f"failed: {where}: {'; '.join(_reasons(failure))}"


def _reasons(failure: Failure) -> Iterator[str]:
    yield cell(failure["message"])
    if failure["last_line"]:
        yield f"its log ends with: {failure['last_line']}"


def failure_lines(found: Sequence[Failure], failed: int) -> list[str]:
    """The first failures of a backfill, and how many more of all that failed there are."""
    lines = [_line(failure) for failure in found]
    more = failed - len(lines)
    return [*lines, f"failed: {many(more, 'more instance')}"] if lines and more > 0 else lines
