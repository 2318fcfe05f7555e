"""What the parts of the operation center share: a desk is one noun of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retrofill.services.reading.view import View

if TYPE_CHECKING:
    from retrofill.domain.errors import RetrofillError
    from retrofill.domain.people.roles import Actor
    from retrofill.services.operation_center.parts import Parts


class Desk:
    """Asks and does in the name of one actor."""

    def __init__(self, parts: Parts, actor: Actor) -> None:
        self._parts = parts
        self._actor = actor

    @contextmanager
    def view(self, absent: RetrofillError) -> Iterator[View]:
        """One moment of the ledger.

        Args:
            absent: raised where nothing is deployed, and so nothing can be found.
        """
        with self.view_if_deployed() as view:
            if view is None:
                raise absent
            yield view

    @contextmanager
    def view_if_deployed(self) -> Iterator[View | None]:
        """One moment of the ledger; None where nothing is deployed."""
        parts = self._parts
        if parts.deployed is None:
            yield None
            return
        with parts.store.read() as reader:
            yield View(reader, parts.graphs, self._actor, parts.clock.now_ms())
