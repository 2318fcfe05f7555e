"""What stands above every tab of a backfill: its state, how far it is, what is in the way, what can be done.

A tab is a row of `Tab`: who makes one takes the visit and the `Head`, and answers with a `BackfillTab` whose template
extends `backfill.html` and fills its block `tab`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from retrofill.domain.running.states import State
from retrofill.web.looks import HELD_UP
from retrofill.web.rendering import Page

if TYPE_CHECKING:
    from retrofill.services.reading.documents import BackfillPage, Cause, Trouble
    from retrofill.web.visits import PageVisit

_CHIPS: tuple[str, ...] = (
    State.SUCCESSFUL,
    State.RUNNING,
    State.WAITING_RESOURCES,
    State.WAITING_TIME,
    State.FAILED,
    State.FROZEN,
    HELD_UP,
    State.NOT_RUN,
)


@dataclass(frozen=True, kw_only=True)
class Head:
    """A backfill as its page shows it above the tabs.

    Attributes:
        shown: the backfill.
        trouble: what is in the way of all of it.
        finding_count: what verification found when it was created.
    """

    shown: BackfillPage
    trouble: Trouble
    finding_count: int

    @property
    def id(self) -> int:
        return self.shown["id"]

    @property
    def address(self) -> str:
        return f"/backfills/{self.id}"

    @property
    def counts(self) -> Mapping[str, int]:
        """Instances by state; what is held up is told apart from what is only not run."""
        held = self.trouble["held_up"]
        not_run = self.shown["counts"]["not_run"]
        counts = cast("Mapping[str, int]", self.shown["counts"])
        return {**counts, HELD_UP: held, "not_run": max(not_run - held, 0)}

    @property
    def chips(self) -> Sequence[tuple[str, int]]:
        """State and number of instances, of what there is."""
        return [(state, self.counts[state]) for state in _CHIPS if self.counts[state]]

    @property
    def cause(self) -> Cause | None:
        """What holds up most, of what may be known."""
        return next(iter(self.trouble["causes"]), None)

    @property
    def percent(self) -> float:
        """How much of it is Successful."""
        whole = self.shown["instance_count"]
        return 100 * self.shown["counts"]["successful"] / whole if whole else 0.0

    @property
    def first_date(self) -> str:
        return min(self.shown["bizdates"], default="")

    @property
    def last_date(self) -> str:
        return max(self.shown["bizdates"], default="")


@dataclass(frozen=True, kw_only=True)
class BackfillTab(Page):
    """One tab.

    Attributes:
        tabs: those that there are, each with its number, if it has one.
        tab: the key of this one.
    """

    template: ClassVar[str] = "backfill.html"
    nav: ClassVar[str] = "backfills"
    head: Head
    tabs: Sequence[TabLink]
    tab: str


class TabLink(NamedTuple):
    """How a tab is led to."""

    key: str
    label: str
    number: int | None


def _no_number(head: Head) -> None:
    return None


class Tab(NamedTuple):
    """One tab, before it is looked at.

    Attributes:
        show: makes it; `around` are the values of `BackfillTab`, for `SomeTab(**around, ...)`.
        number: stands beside its label.
    """

    key: str
    label: str
    show: Callable[[PageVisit, Head, Mapping[str, Any]], BackfillTab]
    number: Callable[[Head], int | None] = _no_number


def head_of(visit: PageVisit, backfill_id: int) -> Head:
    """What is known of a backfill now.

    Raises:
        UnknownNameError: there is none with this id, as far as who looks knows.
    """
    backfills = visit.center.backfills
    return Head(
        shown=backfills.show(backfill_id),
        trouble=backfills.trouble(backfill_id),
        finding_count=len(backfills.analysis(backfill_id)["findings"]),
    )
