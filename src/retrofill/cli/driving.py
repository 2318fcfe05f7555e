"""Who drives the work: saying so where nobody does, and where what counts as running has ended unheard."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from retrofill.cli.session import say
from retrofill.domain.words import names

if TYPE_CHECKING:
    from retrofill.bootstrap.project import Project
    from retrofill.services.ports import Leader
    from retrofill.services.ports.watching import Standstill

_GOES_ON = frozenset({"not_run", "waiting_time", "waiting_resources", "successful"})


def say_who_starts(project: Project, backfill_id: int) -> None:
    """After what lets a backfill go on: where nobody starts anything, how somebody can."""
    if project.has_scheduler():
        return
    with project.store.read() as reader:
        record = reader.find_backfill(backfill_id)
    if record is not None and record.ended_ms is None and not (record.paused or record.stopped):
        say(
            f"No scheduler runs, so nothing starts until one is up: `retrofill backfill wait {backfill_id}` or "
            "`retrofill scheduler`."
        )


def say_who_starts_instances(project: Project, states: dict[int, Any]) -> None:
    """The same after an operation on instances.

    Args:
        states: what became of each that was done.
    """
    changed = [instance_id for instance_id, state in states.items() if state in _GOES_ON]
    if not changed:
        return
    with project.store.read() as reader:
        backfills = {row.backfill_id for row in reader.instances(changed)}
    if None in backfills and not project.has_scheduler(auto=True):
        say("No scheduler runs that starts auto triggered instances: `retrofill scheduler`.")
    for backfill_id in sorted(one for one in backfills if one is not None)[:1]:
        say_who_starts(project, backfill_id)


def as_process(leader: Leader | None) -> str:
    """`as process 7`, or nothing where that is not known: it may have left a moment ago."""
    return "" if leader is None else leader.as_process


def standstills(project: Project) -> list[Standstill]:
    """Own processes that stand still: the scheduler, its launcher, supervisors of runs."""
    return list(project.watch.standstills())


def alone(project: Project, instance_ids: Collection[int] | None = None) -> list[int]:
    """Instances that count as running though nobody carries them out, while no scheduler is there to note it.

    Args:
        instance_ids: of these; None: of all.
    """
    return list(project.center.instances.unattended(instance_ids))


def say_alone(project: Project, rows: Iterable[Mapping[str, Any]]) -> None:
    """Say of instances that are shown as running which are not, and who notes it."""
    found = alone(project, {row["id"] for row in rows if row["state"] == "running"})
    if found:
        listed = names([str(instance_id) for instance_id in found])
        which = f"Instance {listed} has" if len(found) == 1 else f"Instances {listed} have"
        _say(project, found, which)


def say_alone_of(project: Project, backfill_ids: Collection[int]) -> None:
    """The same of backfills that are shown as running."""
    if not backfill_ids or not (found := alone(project)):
        return
    with project.store.read() as reader:
        of_these = [row.id for row in reader.instances(found) if row.backfill_id in backfill_ids]
    if of_these:
        which = "1 instance of it that counts as running has"
        if len(of_these) > 1:
            which = f"{len(of_these):,} instances that count as running have"
        _say(project, of_these, which)


def _say(project: Project, found: list[int], which: str) -> None:
    with project.store.read() as reader:
        backfills = {row.backfill_id for row in reader.instances(found)}
    number = min((one for one in backfills if one is not None), default=None)
    command = "`retrofill scheduler`" if number is None else f"`retrofill backfill wait {number}`"
    say(f"{which} ended, and no scheduler runs that would note how: {command} does.")
