"""Who drives the work: saying so where nobody does, and where what counts as running has ended unheard."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retrofill.cli.session import say
from retrofill.domain.words import names

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.ports import Leader

_GOES_ON = frozenset({"not_run", "waiting_time", "waiting_resources", "successful"})


def say_who_starts(center: OperationCenter, backfill_id: int) -> None:
    """After what lets a backfill go on: where nobody starts anything, how somebody can."""
    if center.work.unstarted([backfill_id])["backfill"] is not None:
        _say_who_starts(backfill_id)


def _say_who_starts(backfill_id: int) -> None:
    say(
        f"No scheduler runs, so nothing starts until one is up: `retrofill backfill wait {backfill_id}` or "
        "`retrofill scheduler`."
    )


def say_who_starts_instances(center: OperationCenter, states: dict[int, Any]) -> None:
    """The same after an operation on instances.

    Args:
        states: what became of each that was done.
    """
    changed = [instance_id for instance_id, state in states.items() if state in _GOES_ON]
    if not changed:
        return
    unstarted = center.work.unstarted(instances=changed)
    if unstarted["auto"]:
        say("No scheduler runs that starts auto triggered instances: `retrofill scheduler`.")
    if unstarted["backfill"] is not None:
        _say_who_starts(unstarted["backfill"])


def as_process(leader: Leader | None) -> str:
    """`as process 7`, or nothing where that is not known: it may have left a moment ago."""
    return "" if leader is None else leader.as_process


def say_alone(center: OperationCenter, rows: Iterable[Mapping[str, Any]]) -> None:
    """Say of instances that are shown as running which are not, and who notes it."""
    found = center.instances.unattended({row["id"] for row in rows if row["state"] == "running"})
    if found:
        listed = names([str(instance_id) for instance_id in found])
        which = f"Instance {listed} has" if len(found) == 1 else f"Instances {listed} have"
        _say(center, found, which)


def say_alone_of(center: OperationCenter, backfill_ids: Collection[int]) -> None:
    """The same of backfills that are shown as running."""
    if not backfill_ids or not (found := center.instances.unattended()):
        return
    homes = center.work.backfills_of(found)
    of_these = [home["id"] for home in homes if home["backfill"] in backfill_ids]
    if of_these:
        which = "1 instance of it that counts as running has"
        if len(of_these) > 1:
            which = f"{len(of_these):,} instances that count as running have"
        _say(center, of_these, which)


def _say(center: OperationCenter, found: Sequence[int], which: str) -> None:
    homes = center.work.backfills_of(found)
    number = min((one for home in homes if (one := home["backfill"]) is not None), default=None)
    command = "`retrofill scheduler`" if number is None else f"`retrofill backfill wait {number}`"
    say(f"{which} ended, and no scheduler runs that would note how: {command} does.")
