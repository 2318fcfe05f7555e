"""Failures by name, where they happen: the first instances that failed, each with the last line of its log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from retrofill.cli.printing.logs import last_line
from retrofill.cli.tables import cell
from retrofill.domain.words import many
from retrofill.services.reading.failures import first_failed

if TYPE_CHECKING:
    from retrofill.bootstrap.project import Project
    from retrofill.services.people.access import Access
    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import BackfillRecord, DateRecord, InstanceRecord

_NAMED = 3


class Failures:
    """What has failed of one backfill, as far as the actor may see it; looks again only when more has."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._count = 0
        self._told: set[tuple[int, int]] = set()
        self.lines: list[str] = []

    def look(
        self, reader: Reader, access: Access, record: BackfillRecord, dates: list[DateRecord]
    ) -> list[str]:
        """Lines that are new since the last look; `lines` are all of now."""
        failed = sum(date.failed for date in dates)
        if failed == self._count:
            return []
        self._count = failed
        found = first_failed(reader, record, dates, _NAMED, access.sees_instance)
        named = {(row.id, row.run_number): self._line(reader, row) for row in found}
        self.lines = list(named.values())
        fresh = [line for key, line in named.items() if key not in self._told]
        self._told |= named.keys()
        return fresh

    def _line(self, reader: Reader, row: InstanceRecord) -> str:
        name = reader.task_name(row.task_id)
        where = f"{name} {row.scheduled_at:%Y-%m-%d %H:%M} (bizdate {row.bizdate}, instance {row.id})"
        return f"failed: {where}: {'; '.join(self._reasons(reader, row))}"

    def _reasons(self, reader: Reader, row: InstanceRecord) -> Iterator[str]:
        runs = [run for run in reader.runs(row.id) if run.number == row.run_number]
        message = runs[-1].message if runs else None
        yield cell(message or (row.reason or "failed").replace("_", " "))
        line = last_line(self._project, reader, row, runs[-1]) if runs else ""
        if line:
            yield f"its log ends with: {line}"


def first_lines(project: Project, backfill_id: int) -> list[str]:
    """The first failures of a backfill, and how many more there are."""
    with project.store.read() as reader:
        access = project.access(reader)
        record = access.get_backfill(backfill_id)
        dates = reader.dates(backfill_id)
        lines = Failures(project).look(reader, access, record, dates)
    more = sum(date.failed for date in dates) - len(lines)
    return [*lines, f"failed: {many(more, 'more instance')}"] if lines and more > 0 else lines
