"""What goes on only once a person has done something: which backfills and nights these are, and what they wait for.

Finding them costs what failed, not what exists, so that every page can count them; only what is shown is described
(`describing`). Of what has ended, so many days are looked at: what nobody has cared for since then needs nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from retrofill.domain.running.filters import BackfillFilter
from retrofill.domain.running.states import Reason, State
from retrofill.services.reading.schedule import night_rows

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillRecord, InstanceRecord
    from retrofill.services.reading.documents import NightRow
    from retrofill.services.reading.view import View

DAY_MS = 86_400_000
NIGHTS = 14  # that are looked at
_LOOKED_BACK_MS = NIGHTS * DAY_MS
_REFUSED_MS = 3 * DAY_MS
_MOST = 500  # backfills, or instances of a night


@dataclass(slots=True)
class Standing:
    """Nights in which the same task holds others up.

    Attributes:
        causes: instances of that task, of the newest night first.
    """

    causes: list[InstanceRecord]

    @property
    def bizdates(self) -> list[str]:
        """Newest first."""
        return list(dict.fromkeys(row.bizdate for row in self.causes))


@dataclass(frozen=True, slots=True)
class Found:
    """What needs somebody, as far as the actor sees it.

    Attributes:
        backfills: of which something failed, or that have ended with something left.
        refused: of the actor, that were not started.
        failures: by backfill, how many instances failed for a reason of their own.
    """

    backfills: tuple[BackfillRecord, ...] = ()
    refused: tuple[BackfillRecord, ...] = ()
    nights: tuple[Standing, ...] = ()
    failures: dict[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.backfills) + len(self.refused) + len(self.nights)


def last_nights(view: View) -> list[NightRow]:
    """The last ones, newest first."""
    return night_rows(view, view.reader.generations.bizdates(NIGHTS))


def find(view: View, nights: Sequence[NightRow]) -> Found:
    """All of it, without a look at any instance that has neither failed nor is frozen.

    Args:
        nights: the last ones.
    """
    failures = view.reader.failures()
    since_ms = view.now_ms - _LOOKED_BACK_MS
    asked = (
        BackfillFilter(is_open=True, phase="active", ids=failures.keys()),
        BackfillFilter(ended_from_ms=since_ms, phase="active", ids=failures.keys()),
        BackfillFilter(ended_from_ms=since_ms, is_stuck=True),
    )
    found = {record.id: record for one in asked for record in view.reader.backfills(one, limit=_MOST)}
    mine = BackfillFilter(
        phase="refused", created_by=view.actor.name, created_from_ms=view.now_ms - _REFUSED_MS
    )
    return Found(
        tuple(record for _, record in sorted(found.items()) if _needs_somebody(view, record)),
        tuple(view.reader.backfills(mine, limit=_MOST)),
        tuple(_by_task(row for night in nights for row in _causes(view, night))),
        failures,
    )


def _needs_somebody(view: View, record: BackfillRecord) -> bool:
    """Who has stopped or paused one knows that it stands."""
    is_attended = record.stopped or (record.paused and not record.paused_by)
    return not is_attended and view.access.sees_backfill(record)


def _by_task(rows: Iterable[InstanceRecord]) -> Iterator[Standing]:
    """A task that fails night after night is one thing to mend."""
    found: dict[tuple[str, int], Standing] = {}
    for row in rows:
        found.setdefault((row.state, row.task_id), Standing([])).causes.append(row)
    yield from found.values()


def _causes(view: View, night: NightRow) -> list[InstanceRecord]:
    """What of a night failed for a reason of its own; where nothing goes on by itself, what else holds it up.

    A night that only waits for the one before has nothing of that.
    """
    day, counts, generations = night["bizdate"], night["counts"], view.reader.generations
    failed = generations.in_state(day, State.FAILED, _MOST) if counts["failed"] else []
    found = [row for row in failed if row.reason != Reason.SIBLING_FAILED]
    goes_on = counts["running"] + counts["waiting_time"] + counts["waiting_resources"]
    if counts["not_run"] and not goes_on and not view.schedule_is_held:
        found += generations.in_state(day, State.FROZEN, _MOST) if counts["frozen"] else []
        isolated = generations.in_state(day, State.NOT_RUN, _MOST) if not found else []
        found += [row for row in isolated if row.reason == Reason.ISOLATED]
    return list(islice(filter(view.access.sees_instance, found), _MOST))
