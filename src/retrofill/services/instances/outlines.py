"""What rows show of an instance beyond what is stored in them, without building a plan.

The same questions that a `Context` answers, for as much as needs no edges: who only looks
imports no arrays.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

from retrofill.services.instances.stored import dry_runs_of, policy_of
from retrofill.services.ports.records import BackfillRecord, InstanceRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retrofill.domain.catalog.definitions import Catalog, Task
    from retrofill.domain.planning.outline import Outline
    from retrofill.domain.planning.policy import Policy
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Reader


class PlanLike(Protocol):
    """What a `Plan` and an `Outline` have in common."""

    @property
    def catalog(self) -> Catalog: ...

    @property
    def policy(self) -> Policy: ...

    @property
    def dry_runs(self) -> Mapping[str, str]: ...

    def resource_group(self, task: Task) -> str: ...

    def parameters_of(self, task: Task) -> tuple[tuple[str, str], ...]: ...


class Belonging(Protocol):
    """What a `Context` and a `OutlineGraph` have in common.

    Attributes:
        newer: catalogs of versions whose code reruns have chosen.
    """

    @property
    def newer(self) -> Mapping[int, Catalog]: ...

    def plan_of(self, instance_id: int) -> PlanLike: ...

    def task(self, instance_id: int) -> Task: ...

    def version_id(self, instance_id: int) -> int: ...


class Outlines:
    """Outlines of backfills and nights, as of one view of the ledger."""

    def __init__(self, reader: Reader, graphs: GraphCache) -> None:
        self._reader = reader
        self._graphs = graphs
        self._outlines: dict[tuple[int | None, int, str], Outline] = {}
        self._positions: dict[int, dict[int, int]] = {}
        self._records: dict[int, BackfillRecord] = {}

    def of(self, row: InstanceRecord) -> OutlineGraph:
        """Task and outline of an instance.

        Raises:
            KeyError: the ledger does not hold what it belongs to.
        """
        name = self._reader.task_name(row.task_id) or ""
        chosen = row.code_version_id
        newer = {} if chosen is None else {chosen: self._graphs.catalog(self._reader, chosen)}
        if row.backfill_id is not None:
            record = self.record(row.backfill_id)
            return OutlineGraph(self.of_backfill(record), name, record.version_id, newer)
        generation = self._reader.generations.holding(row.id)
        if generation is None:
            raise KeyError(row.id)
        outline = self._of_night(generation.version_id, row.bizdate)
        return OutlineGraph(outline, name, generation.version_id, newer)

    def record(self, backfill_id: int) -> BackfillRecord:
        if backfill_id not in self._records:
            found = self._reader.find_backfill(backfill_id)
            assert found is not None
            self._records[backfill_id] = found
        return self._records[backfill_id]

    def of_backfill(self, record: BackfillRecord) -> Outline:
        key = (record.id, record.version_id, record.policy)
        if key not in self._outlines:
            from retrofill.domain.planning.outline import Outline

            catalog = self._graphs.catalog(self._reader, record.version_id)
            self._outlines[key] = Outline(catalog, policy_of(record), dry_runs_of(record))
        return self._outlines[key]

    def _of_night(self, version_id: int, bizdate: str) -> Outline:
        key = (None, version_id, bizdate)
        if key not in self._outlines:
            from retrofill.domain.planning.outline import Outline
            from retrofill.domain.planning.policy import Policy
            from retrofill.domain.time.bizdates import DateRange

            day = date.fromisoformat(bizdate)
            catalog = self._graphs.catalog(self._reader, version_id)
            self._outlines[key] = Outline(catalog, Policy(ranges=(DateRange(day, day),)), {})
        return self._outlines[key]

    def group(self, row: InstanceRecord) -> int | None:
        """The group of bizdates that an instance of a backfill runs in; None for auto triggered ones."""
        if row.backfill_id is None:
            return None
        if row.backfill_id not in self._positions:
            dates = self._reader.dates(row.backfill_id)
            self._positions[row.backfill_id] = {date.position: date.group_number for date in dates}
        record = self.record(row.backfill_id)
        return self._positions[row.backfill_id][position_of(record, row.id)]


class OutlineGraph:
    """What one instance belongs to; the ids that its methods are given are that instance's."""

    def __init__(self, outline: Outline, task: str, version_id: int, newer: Mapping[int, Catalog]) -> None:
        self._outline = outline
        self._task = task
        self._version_id = version_id
        self.newer = newer

    def plan_of(self, instance_id: int) -> Outline:
        return self._outline

    def task(self, instance_id: int) -> Task:
        return self._outline.catalog.tasks[self._task]

    def version_id(self, instance_id: int) -> int:
        return self._version_id


def position_of(record: BackfillRecord, instance_id: int) -> int:
    """Index of the instance's bizdate in running order."""
    return (instance_id - record.first_instance_id) // record.stride
