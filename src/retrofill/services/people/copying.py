"""Who may take copies of the whole store, and put one in its place (SEC-4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from retrofill.domain.people.roles import Actor, check_system_administrator

T = TypeVar("T")


class Copying:
    """Backups in the name of one actor: they hold what every workspace holds."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def take(self, write: Callable[[], T]) -> T:
        """What `write` gives, which writes the backup.

        Raises:
            NotPermittedError: the actor is no system administrator.
        """
        check_system_administrator(self._actor, "take backups")
        return write()

    def check_restore(self) -> None:
        """Refuse a restore, before anything is looked at.

        Raises:
            NotPermittedError: the actor is no system administrator.
        """
        check_system_administrator(self._actor, "restore a backup")
