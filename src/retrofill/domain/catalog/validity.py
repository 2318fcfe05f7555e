"""Validity periods of tasks that depend on each other: where they leave one without its upstream (TIME-4, DEP-11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from retrofill.domain.catalog.definitions import Catalog, DependencyKind, Task

_Span = tuple[int, int]  # ordinals of dates, both inclusive


@dataclass(frozen=True, slots=True)
class Gap:
    """Dates of T on which a task is valid, and an upstream task that it depends on is not.

    Attributes:
        first, last: None where the gap has no beginning, or no end.
        never_meet: the two are valid on no common date.
    """

    task: str
    upstream: str
    first: date | None
    last: date | None
    never_meet: bool

    @property
    def dates(self) -> str:
        """As in a sentence."""
        if self.first is None:
            return f"up to {self.last}"
        if self.last is None:
            return f"from {self.first} on"
        return f"on {self.first}" if self.first == self.last else f"from {self.first} to {self.last}"


def gaps(catalog: Catalog) -> Iterator[Gap]:
    """Every gap between a task and what it depends on in the same cycle, by task, upstream and date.

    Where another upstream task with a validity period takes over, there is none.
    """
    for task in catalog.tasks.values():
        above = [
            catalog.tasks[d.task]
            for d in task.depends_on
            if d.kind is DependencyKind.SAME_CYCLE and d.task in catalog.tasks
        ]
        limited = [upstream for upstream in above if _is_limited(upstream)]
        for upstream in limited:
            others = [_span(other) for other in limited if other is not upstream]
            yield from _gaps_between(task, upstream, others)


def _gaps_between(task: Task, upstream: Task, others: list[_Span]) -> Iterator[Gap]:
    own, theirs = _span(task), _span(upstream)
    left = _without([own], theirs)
    never_meet = left == [own]
    for other in others:
        left = _without(left, other)
    for first, last in left[:1] if never_meet else left:
        yield Gap(
            task.name,
            upstream.name,
            None if first == date.min.toordinal() else date.fromordinal(first),
            None if last == date.max.toordinal() else date.fromordinal(last),
            never_meet,
        )


def _without(spans: list[_Span], taken: _Span) -> list[_Span]:
    """What is left of the spans."""
    found = []
    for first, last in spans:
        for part in ((first, min(last, taken[0] - 1)), (max(first, taken[1] + 1), last)):
            if part[0] <= part[1]:
                found.append(part)
    return found


def _is_limited(task: Task) -> bool:
    return task.valid_from is not None or task.valid_until is not None


def _span(task: Task) -> _Span:
    return (task.valid_from or date.min).toordinal(), (task.valid_until or date.max).toordinal()
