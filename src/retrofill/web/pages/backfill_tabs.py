"""Tabs of a backfill that are tables: instances, analysis, operations, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from retrofill.domain.running.searches import InstanceSearch, OperationSearch
from retrofill.web.pages.backfill_frame import BackfillTab, Head, Tab

if TYPE_CHECKING:
    from retrofill.services.reading.documents import InstanceRow, OperationRow
    from retrofill.web.visits import PageVisit

_ROWS = 100


@dataclass(frozen=True, kw_only=True)
class InstancesTab(BackfillTab):
    """A page of its instances.

    Attributes:
        next: the instance after which the next page begins; None: this is the last.
    """

    template: ClassVar[str] = "backfill_instances.html"
    rows: Sequence[InstanceRow]
    next: int | str | None


def instances(visit: PageVisit, head: Head, around: Mapping[str, Any]) -> InstancesTab:
    """Those that fit, in the order in which they run."""
    search = InstanceSearch(backfills=(head.id,))
    found = visit.center.instances.list(search, _ROWS)
    return InstancesTab(**around, rows=found["items"], next=found["next"])


@dataclass(frozen=True, kw_only=True)
class OperationsTab(BackfillTab):
    """What people did to it."""

    template: ClassVar[str] = "backfill_operations.html"
    rows: Sequence[OperationRow]


def operations(visit: PageVisit, head: Head, around: Mapping[str, Any]) -> OperationsTab:
    """The newest first."""
    found = visit.center.operations.list(OperationSearch(backfill_id=head.id), limit=_ROWS)
    return OperationsTab(**around, rows=found["items"])


TABS = (
    Tab("instances", "Instances", instances, lambda head: head.shown["instance_count"]),
    Tab("operations", "Operations", operations),
)
