"""One moment of the ledger through the eyes of one actor: what every question of the operation center begins with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.instances.holds import holds_of
from retrofill.services.instances.outlines import Outlines
from retrofill.services.people.access import Access

if TYPE_CHECKING:
    from retrofill.domain.people.roles import Actor
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import BackfillRecord


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
        self.outlines = Outlines(reader, graphs)
        self._held: dict[int, bool] = {}

    @property
    def sees(self) -> Callable[[str], bool]:
        """Whether a task or a workspace, by its full name, may be shown."""
        return self.actor.sees

    @cached_property
    def today(self) -> date:
        """The date from which relative bizdates count: now, in the deployment's time zone."""
        from retrofill.domain.time.instants import local_date

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

    def is_held(self, record: BackfillRecord) -> bool:
        """Whether nothing of a backfill may start now: then what is ready or early counts as Not run (OPS-0)."""
        if record.id not in self._held:
            holds = holds_of([record], instant_of(self.now_ms))
            self._held[record.id] = bool(holds.may_not_start)
        return self._held[record.id]

    @cached_property
    def schedule_is_held(self) -> bool:
        """Whether no auto triggered instance may start now, so that those that wait count as Not run."""
        return self.reader.generations.is_held()

    @cached_property
    def held_backfills(self) -> tuple[int, ...]:
        """Backfills of which nothing may start now."""
        return holds_of(self.reader.open_backfills(), instant_of(self.now_ms)).may_not_start
