"""One moment of the ledger through the eyes of one actor: what every question of the operation center begins with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.services.people.access import Access

if TYPE_CHECKING:
    from retrofill.domain.people.roles import Actor
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Reader


class View:
    """A view of the store, with what the actor may see of it.

    Attributes:
        now_ms: the moment at which the question was asked.
    """

    def __init__(self, reader: Reader, graphs: GraphCache, actor: Actor, now_ms: int) -> None:
        self.reader = reader
        self.graphs = graphs
        self.actor = actor
        self.now_ms = now_ms
        self.access = Access(reader, graphs, actor)

    @property
    def sees(self) -> Callable[[str], bool]:
        """Whether a task or a workspace, by its full name, may be shown."""
        return self.actor.sees

    @cached_property
    def today(self) -> date:
        """The date from which relative bizdates count: now, in the deployment's time zone."""
        from retrofill.domain.time.instants import local_date
        from retrofill.domain.time.milliseconds import instant_of

        catalog = self.graphs.current(self.reader)
        return local_date(instant_of(self.now_ms), "UTC" if catalog is None else catalog.timezone)

    @cached_property
    def task_ids(self) -> dict[str, int]:
        """Of all tasks that ever were deployed, by full name."""
        return self.reader.task_ids()

    @cached_property
    def task_names(self) -> dict[int, str]:
        """Full names by id."""
        return {number: name for name, number in self.task_ids.items()}
