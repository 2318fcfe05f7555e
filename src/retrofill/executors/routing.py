"""Which dispatcher makes the offers of a resource group known: by the name of its executor, among installed ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError, UsageError, did_you_mean

if TYPE_CHECKING:
    from retrofill.services.ports.dispatching import Dispatcher, Offered
    from retrofill.services.ports.hosting import Offer

GROUP = "retrofill.executors"
_TROUBLE = (
    "Workers are not told of offers of the executor {}: {}; they find them by themselves, some seconds later."
)
_BACK = "Workers are told of offers of the executor {} again."


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


class Silent:
    """Tells nobody of anything.

    Args:
        why: what keeps it from doing so; None: that is as it should be.
    """

    def __init__(self, why: str | None) -> None:
        self._why = why

    def offer(self, offers: Sequence[Offered]) -> None:
        """Who claims them looks for them."""

    def withdraw(self, offers: Sequence[Offer]) -> None:
        """Who looks for them does not find them any more."""

    def alive(self, host: str) -> bool | None:
        return None

    def trouble(self) -> str | None:
        return self._why

    def close(self) -> None:
        """Holds nothing."""


class Dispatchers:
    """Made when one is first needed, and closed together."""

    def __init__(self, surroundings: Callable[[], Surroundings]) -> None:
        self._surroundings = surroundings
        self._made: dict[str, Dispatcher] = {}
        self._told: dict[str, str | None] = {}

    def get(self, executor: str) -> Dispatcher:
        """That of an executor; where none can be made, one that tells nobody: offers are found in the ledger all the same."""
        if executor not in self._made:
            try:
                self._made[executor] = find(executor)(self._surroundings())
            except (RetrofillError, ImportError) as error:
                self._made[executor] = Silent(
                    error.message if isinstance(error, RetrofillError) else str(error)
                )
        return self._made[executor]

    def news(self) -> list[str]:
        """Sentences on what has begun or ceased to keep offers from being made known since the last time."""
        told = []
        for name, dispatcher in self._made.items():
            trouble = dispatcher.trouble()
            if trouble != self._told.get(name):
                told.append(_BACK.format(name) if trouble is None else _TROUBLE.format(name, trouble))
                self._told[name] = trouble
        return told

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
