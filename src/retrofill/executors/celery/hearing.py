"""How a worker hears of offers through Celery: a socket that tasks hand them over at, and a Celery that it looks after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retrofill.executors.celery.child import CeleryChild
from retrofill.executors.celery.handover import Reception
from retrofill.services.ports.hosting import Offer
from retrofill.services.running.worker import Round, Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrofill.executors.celery.broker import Broker


class CeleryHearing:
    """Of one worker.

    Args:
        child: its own Celery; None where Celery has started the worker.
    """

    def __init__(self, reception: Reception, child: CeleryChild | None) -> None:
        self._reception = reception
        self._child = child
        self.told = _Handed(reception)

    @property
    def watched(self) -> Sequence[tuple[int, Callable[[], None]]]:
        """Descriptors, and what is done when one is readable."""
        return [(self._reception.fileno(), self._reception.hear)]

    def observe(self, done: Round, *, takes: bool) -> None:
        """After a round, and every second: answer tasks, and see to Celery.

        Args:
            takes: whether the worker takes more.
        """
        is_wanted = takes and not done.is_draining
        claimed = {Offer(spec.ref.instance_id, spec.ref.run_number, spec.ref.token) for spec in done.starts}
        asked = self.told.asked if is_wanted else self._reception.waiting
        self._reception.answer(claimed, asked)
        self.told.asked = []
        if self._child is not None:
            self._child.see_to(is_wanted=is_wanted)


class _Handed(Told):
    """Offers whose tasks wait, as they came; what was asked for stays with its task until that is answered."""

    def __init__(self, reception: Reception) -> None:
        super().__init__()
        self._reception = reception
        self.asked: list[Offer] = []

    def take(self, most: int) -> list[Offer]:
        self._reception.hear()  # what came while the last exchange was under way goes along
        self.asked = self._reception.waiting[:most]
        return self.asked


@contextmanager
def hearing(
    home: Path, broker: Broker, groups: Sequence[str], say: Callable[[str], None], *, is_attended: bool
) -> Iterator[CeleryHearing]:
    """For as long as a worker works.

    Args:
        home: the worker's folder, which it has alone.
        is_attended: Celery has started the worker; it starts none itself.
    """
    reception = Reception(home, broker, groups)
    child = None if is_attended else CeleryChild(home, groups, say)
    try:
        yield CeleryHearing(reception, child)
    finally:
        reception.close()  # tasks that wait go
        if child is not None:
            child.end()
