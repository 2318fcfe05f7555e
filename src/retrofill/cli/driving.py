"""Who drives the work: saying so where nobody does, and where what counts as running has ended unheard."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from retrofill.cli.session import say
from retrofill.domain.words import names

if TYPE_CHECKING:
    from retrofill.bootstrap.project import Project
    from retrofill.executors.local.standstill import Standstill
    from retrofill.services.ports import Leader

_SETTLE_MS = 2_000  # a run that was just begun may not have its supervisor yet
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
    return f"as process {leader.pid}" if leader is not None and leader.pid else ""


def standstills(project: Project) -> list[Standstill]:
    """Own processes that stand still: the scheduler, its launcher, supervisors of runs."""
    from retrofill.executors.local.standstill import find_standstills

    leader = project.leadership.leader()
    return find_standstills(project.runs_directory, None if leader is None else leader.pid)


def alone(project: Project, instance_ids: Collection[int] | None = None) -> list[int]:
    """Instances that count as running though nobody carries them out, while no scheduler is there to note it.

    Args:
        instance_ids: of these; None: of all.
    """
    from retrofill.executors.local.folder import RunsFolder

    if not (instance_ids is None or instance_ids) or project.has_scheduler():
        return []
    with project.store.read() as reader:
        runs = [run for run in reader.open_runs() if instance_ids is None or run.instance_id in instance_ids]
    late_ms = project.clock.now_ms() - _SETTLE_MS
    runs = [run for run in runs if run.started_ms < late_ms]
    if not runs:
        return []
    living = {name for _, name in RunsFolder(project.runs_directory).living_supervisors()}
    return [run.instance_id for run in runs if f"{run.instance_id}.{run.number}.{run.token}" not in living]


def say_alone(project: Project, rows: Iterable[dict[str, Any]]) -> None:
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
