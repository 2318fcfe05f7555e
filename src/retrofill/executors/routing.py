"""Which dispatcher makes the offers of a resource group known: by the name of its executor, among installed ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from retrofill.domain.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from retrofill.services.ports.dispatching import Dispatcher

GROUP = "retrofill.executors"


class UnknownExecutorError(UsageError):
    """Name one that is installed, or install what brings it."""

    code = "unknown_executor"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a dispatcher is made with.

    Attributes:
        deployment: names the deployment among others that use the same broker: its project and the store's word.
        settings: every setting in force, by name, with secrets filled in where they are asked for (`secret`).
        secret: the value of a secret by name; None: there is none.
    """

    deployment: str
    settings: Mapping[str, object]
    secret: Callable[[str], str | None]


class Dispatchers:
    """Made when one is first needed, and closed together."""

    def __init__(self, surroundings: Callable[[], Surroundings]) -> None:
        self._surroundings = surroundings
        self._made: dict[str, Dispatcher] = {}

    def get(self, executor: str) -> Dispatcher:
        """That of an executor.

        Raises:
            UnknownExecutorError: nothing of that name is installed.
        """
        if executor not in self._made:
            self._made[executor] = find(executor)(self._surroundings())
        return self._made[executor]

    def troubles(self) -> dict[str, str]:
        """What keeps offers from being made known now, by executor."""
        found = {name: dispatcher.trouble() for name, dispatcher in self._made.items()}
        return {name: trouble for name, trouble in found.items() if trouble is not None}

    def close(self) -> None:
        for dispatcher in self._made.values():
            dispatcher.close()
        self._made.clear()


def names() -> list[str]:
    """Of all executors that can run what is offered."""
    return sorted({point.name for point in _points()})


def find(executor: str) -> Callable[[Surroundings], Dispatcher]:
    """What makes the dispatcher of an executor.

    Raises:
        UnknownExecutorError: nothing of that name is installed.
    """
    for point in _points():
        if point.name == executor:
            made: Callable[[Surroundings], Dispatcher] = point.load()
            return made
    near = did_you_mean(executor, names())[2:]
    raise UnknownExecutorError(
        f"there is no executor {executor!r}", near or f"installed are local, {', '.join(names())}"
    )


def _points() -> list[EntryPoint]:
    return list(entry_points(group=GROUP))
