"""What a server can say of its deployment at a moment, for whoever watches many machines: numbers, and whether it is ready.

Counts of what schedulers have done are those of this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import RetrofillError

if TYPE_CHECKING:
    from retrofill.bootstrap.centers import Call
    from retrofill.bootstrap.deployment import Deployment
    from retrofill.bootstrap.tallies import Tallies
    from retrofill.services.ports.leadership import Leader
    from retrofill.services.reading.documents import GroupRow, HostRow

_STANDS_STILL_SECONDS = 150  # a loop that sleeps for longest ticks every minute


class Measures(NamedTuple):
    """One moment.

    Attributes:
        groups: all resource groups.
        leader: who schedules, on whichever machine; None: nobody.
        tallies: of schedulers of this machine.
        outbox_seconds: for how long an alert has been due that is not sent; 0 where none is.
        ready_seconds: since when nothing has started although an instance waits for resources; 0 where none waits.
        open_backfills: how many have not ended, by every status that such a one can have.
        hosts: those that carry out runs, but for what is gone.
        offer_seconds: for how long the oldest offer waits for a host, by resource group with offers.
        failed_backfills: how many need somebody because something of them failed or is in the way.
        failed_tasks: how many hold up nights of the last two weeks.
    """

    groups: list[GroupRow]
    leader: Leader | None
    tallies: Tallies
    outbox_seconds: float
    ready_seconds: float
    open_backfills: Mapping[str, int]
    hosts: list[HostRow]
    offer_seconds: Mapping[str, float]
    failed_backfills: int
    failed_tasks: int


def measure(call: Call) -> Measures:
    """As who may see all of it sees it."""
    now_ms = call.clock.now_ms()
    groups, tallies = list(call.center.groups.list()), call.deployment.tallies.read()
    with call.store.read() as reader:
        due_ms = reader.outbox.next_ms()
    waits = any(group["waiting"] for group in groups)
    return Measures(
        groups,
        call.leadership.leader(),
        tallies,
        0.0 if due_ms is None else max(now_ms - due_ms, 0) / 1000,
        max(now_ms / 1000 - tallies.started_at, 0.0) if waits and tallies.started_at else 0.0,
        _open_backfills(call),
        list(call.center.hosts.list()),
        *_attention(call),
    )


def _attention(call: Call) -> tuple[Mapping[str, float], int, int]:
    """How long offers wait, and how many backfills and tasks of nights need somebody."""
    from retrofill.services.reading.needs import find, last_nights
    from retrofill.services.reading.unattended import offers_of

    with call.center.backfills.view_if_deployed() as view:
        if view is None:
            return {}, 0, 0
        offers = {group: one.age_ms / 1000 for group, one in offers_of(view.reader).items()}
        found = find(view, last_nights(view))
        return offers, len(found.backfills), len(found.nights)


def _open_backfills(call: Call) -> Mapping[str, int]:
    from retrofill.domain.running.status import ENDED, Status
    from retrofill.services.reading.backfills import BackfillReader

    counts = dict.fromkeys((status.value for status in Status if status not in ENDED), 0)
    with call.center.backfills.view_if_deployed() as view:
        if view is None:
            return counts
        rows = BackfillReader(view)
        for one in view.reader.open_backfills():
            record = view.reader.find_backfill(one.id)
            status = None if record is None else rows.row(record)["status"]
            if status in counts:
                counts[status] += 1
    return counts


class Readiness(NamedTuple):
    """What keeps a server from being of use: sentences without names; None where nothing does."""

    store: str | None
    scheduler: str | None

    @property
    def is_ready(self) -> bool:
        return self.store is None and self.scheduler is None


def readiness(deployment: Deployment) -> Readiness:
    """Whether the store can be read, and somebody schedules."""
    try:
        deployment.deployed()
        return Readiness(None, _without_scheduler(deployment))
    except (RetrofillError, OSError):  # whose message may name paths and machines, and anybody may ask this
        return Readiness("the store cannot be read", None)


def _without_scheduler(deployment: Deployment) -> str | None:
    leader = deployment.leadership().leader()
    if leader is None:
        return "no scheduler runs"
    if not leader.starts(auto=True):
        return "the scheduler that runs starts instances of backfills only"
    is_alone = deployment.host is None
    since = max(deployment.tallies.read().ticked_at, (leader.since_ms or 0) / 1000)
    if is_alone and deployment.clock.now_ms() / 1000 - since > _STANDS_STILL_SECONDS:
        return "the scheduler stands still"
    return None
