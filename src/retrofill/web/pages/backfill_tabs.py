"""Tabs of a backfill that are tables: instances, analysis, operations, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from retrofill.domain.errors import InvalidValueError, UsageError, shown
from retrofill.domain.running.searches import InstanceSearch, OperationSearch
from retrofill.domain.running.states import State
from retrofill.web.forms import whole_number
from retrofill.web.looks import HELD_UP
from retrofill.web.pages.backfill_frame import BackfillTab, Head, Tab
from retrofill.web.rendering import sentence

if TYPE_CHECKING:
    from retrofill.services.reading.documents import InstanceRow, OperationRow, RowReason
    from retrofill.web.visits import PageVisit

_ROWS = 50


class Filter(NamedTuple):
    """What of its instances is looked at, as the address says.

    Attributes:
        state: a state of instances, or a word of `FILTERS`; empty: any.
    """

    task: str = ""
    state: str = ""
    bizdate: str = ""
    group: str = ""

    @property
    def pairs(self) -> list[tuple[str, object]]:
        """For addresses."""
        return [("tab", "instances"), *self._asdict().items()]

    @property
    def is_given(self) -> bool:
        return any(self)


# Words for several states at once: how they are called, which states, and whether what they hold up is among them.
FILTERS: Mapping[str, tuple[str, tuple[State, ...], bool]] = MappingProxyType(
    {
        "unfinished": ("not successful", tuple(s for s in State if s is not State.SUCCESSFUL), False),
        "trouble": ("failed, frozen, held up", (State.FAILED, State.FROZEN), True),
        HELD_UP: ("held up", (), True),
        **{state.value: (state.words.lower(), (state,), False) for state in State},
    }
)


@dataclass(frozen=True, kw_only=True)
class InstancesTab(BackfillTab):
    """A page of its instances.

    Attributes:
        rows: each with why it stands where it does.
        next: the instance after which the next page begins; None: this is the last.
        is_first: whether nothing comes before.
        error: why nothing can be looked for.
    """

    template: ClassVar[str] = "backfill_instances.html"
    rows: Sequence[tuple[InstanceRow, RowReason | None]]
    next: int | str | None
    is_first: bool
    asked: Filter
    filters: Mapping[str, tuple[str, tuple[State, ...], bool]] = field(default_factory=lambda: FILTERS)
    error: str = ""


def instances(visit: PageVisit, head: Head, around: Mapping[str, Any]) -> InstancesTab:
    """Those that fit, in the order in which they run, each with its reason."""
    query = visit.query
    asked = Filter(*(query.get(name, "").strip() for name in Filter._fields))
    after = None if not query.get("after") else whole_number("after", query["after"])
    rows: Sequence[InstanceRow] = ()
    following: int | str | None = None
    error = ""
    try:
        found = visit.center.instances.list(_search(head.id, asked, after), _ROWS)
        rows, following = found["items"], found["next"]
    except UsageError as refused:
        error = sentence(refused.text)
    reasons = {one["id"]: one for one in visit.center.backfills.reasons(head.id, [row["id"] for row in rows])}
    return InstancesTab(
        **around,
        rows=[(row, reasons.get(row["id"])) for row in rows],
        next=following,
        is_first=after is None,
        asked=asked,
        error=error,
    )


def _search(backfill_id: int, asked: Filter, after: int | None) -> InstanceSearch:
    """What is looked for.

    Raises:
        InvalidValueError: there is no such state, date or group.
    """
    if asked.state and asked.state not in FILTERS:
        raise InvalidValueError(f'"{shown(asked.state)}" is no state', f"Choose one of {', '.join(FILTERS)}.")
    _, states, held_up = FILTERS.get(asked.state, ("", (), False))
    return InstanceSearch(
        backfills=(backfill_id,),
        bizdates=(asked.bizdate,) if asked.bizdate else (),
        states=states,
        after=after,
        task_part=asked.task or None,
        groups=(whole_number("group", asked.group),) if asked.group else (),
        held_up=held_up,
    )


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
