"""How far a backfill has come, and what else wants its slots: where a simulation begins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DateUnderWay:
    """A date on which something has happened, as it stands; one entry per place.

    Attributes:
        waits: open waits; any number where the instance is not open.
        is_open: it has not started, and neither failed nor is frozen.
        is_done: Successful.
        kinds: what it does when its turn comes.
        free: places that start whatever they wait for (OPS-3).
    """

    waits: Sequence[int]
    is_open: Sequence[bool]
    is_done: Sequence[bool]
    kinds: Sequence[int]
    free: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """How far a backfill has come.

    Attributes:
        done: dates of which every instance is Successful.
        begun: dates on which something has happened, but not all.
        ages: for each running instance by offset, for how long it has been running, in ms.
        reached: dates to which groups have come and on which nothing has happened yet.
        passed_over: by date, how many of its instances failed or wait for something failed, where groups go on
            without these (POL-14).
    """

    done: frozenset[int] = frozenset()
    begun: Mapping[int, DateUnderWay] = field(default_factory=dict)
    ages: Mapping[int, int] = field(default_factory=dict)
    reached: frozenset[int] = frozenset()
    passed_over: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Competitor:
    """An instance of something else that holds a slot, or waits for one."""

    task: str
    resource_group: str
    is_running: bool
    left_ms: int  # of its run
    priority: int = 1
    is_auto: bool = False
    due_ms: int = 0
