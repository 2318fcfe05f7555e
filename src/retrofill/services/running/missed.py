"""Nights that came while no scheduler ran and are too far back to be made, and what makes up for them (AUTO-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import Catalog, DependencyKind, RunMode, Task
from retrofill.domain.texts import Step, Text
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.milliseconds import instant_of
from retrofill.domain.words import many, names
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.running.nights import NightMaker

if TYPE_CHECKING:
    from retrofill.services.ports import Reader
    from retrofill.services.reading.documents import MissedNights

_FEW = 8  # tasks that a step names one by one
_VERSIONS = 1_000  # that are looked at


@dataclass(frozen=True, slots=True)
class Missed:
    """Nights of which something is still lacking.

    Attributes:
        bizdates: ISO, oldest first.
        tasks: that have not run on all of these.
        makes_up: the step that runs them.
        over_them: tasks that wait for a previous cycle and went on over these bizdates.
        afterwards: the step that mends those once the first one has ended; None where there are none.
    """

    bizdates: tuple[str, ...]
    tasks: tuple[str, ...]
    makes_up: Step
    over_them: tuple[str, ...] = ()
    afterwards: Step | None = None

    def document(self) -> MissedNights:
        """As programs and pages are told."""
        return {
            "bizdates": list(self.bizdates),
            "tasks": list(self.tasks),
            "makes_up": self.makes_up,
            "over_them": list(self.over_them),
            "afterwards": self.afterwards,
            "sentences": list(self.sentences()),
        }

    def sentences(self) -> Iterator[Text]:
        """What people are told."""
        count = many(len(self.bizdates), "night")
        was, it = ("was", "it") if len(self.bizdates) == 1 else ("were", "them")
        lack = "lacks" if len(self.tasks) == 1 else "lack"
        yield Text(
            "{count} {was} missed and will not be made, of bizdate {dates}: {tasks} {lack} {it}. {makes_up} makes up for {it}.",
            count=count,
            was=was,
            dates=", ".join(_ranges(self.bizdates)),
            tasks=names(self.tasks),
            lack=lack,
            it=it,
            makes_up=self.makes_up,
        )
        if self.afterwards is not None:
            verb = (
                "waits for a previous cycle and went"
                if len(self.over_them) == 1
                else "wait for previous cycles and went"
            )
            yield Text(
                "{tasks} {verb} on without {it}: run {afterwards} after that.",
                tasks=names(self.over_them),
                verb=verb,
                it=it,
                afterwards=self.afterwards,
            )


def find_missed(
    reader: Reader,
    graphs: GraphCache,
    schedule: NightMaker,
    sees: Callable[[str], bool] = lambda _: True,
) -> Missed | None:
    """Missed nights of which a task that was deployed then, and still is, has not really run on each.

    What a scheduler that starts now would not make counts as missed, once any scheduler has begun.

    Args:
        sees: whether the reader may see a task.
    """
    catalog = graphs.current(reader)
    if catalog is None:
        return None
    noted = [date.fromisoformat(bizdate) for bizdate in reader.generations.missed()]
    if noted or reader.generations.last_night() is not None:
        noted += schedule.due(reader).missed
    lacking = {bizdate: _lacking(reader, graphs, schedule, catalog, bizdate, sees) for bizdate in noted}
    bizdates = tuple(bizdate for bizdate in noted if lacking[bizdate])
    if not bizdates:
        return None
    tasks = tuple(sorted(set().union(*lacking.values())))
    isos = tuple(str(bizdate) for bizdate in bizdates)
    return _with_what_follows(
        Missed(isos, tasks, _making_up(isos, tasks)), catalog, reader.generations.last_night()
    )


def _lacking(
    reader: Reader,
    graphs: GraphCache,
    schedule: NightMaker,
    catalog: Catalog,
    bizdate: date,
    sees: Callable[[str], bool],
) -> set[str]:
    """Tasks that should have run on a bizdate and have not, at each of their times."""
    moment = schedule.moment_of(catalog, bizdate)
    versions = (v for v in reader.versions.latest(_VERSIONS) if instant_of(v.created_ms) <= moment)
    then = next(versions, None)
    deployed = graphs.catalog(reader, then.id).tasks if then is not None else {}
    done, ids, frozen = (
        reader.generations.done_on(str(bizdate)),
        reader.task_ids(),
        reader.frozen_tasks.names(),
    )
    return {
        task.name
        for task in catalog.tasks.values()
        if task.name in deployed
        and sees(task.name)
        and task.name not in frozen
        and _runs_on(task, bizdate)
        and any((ids[task.name], slot) not in done for slot in task.schedule.slots)
    }


def _runs_on(task: Task, bizdate: date) -> bool:
    day = bizdate + ONE_DAY
    is_valid = (task.valid_from or day) <= day <= (task.valid_until or day)
    runs = task.mode is RunMode.NORMAL and task.type.traits.has_code
    return is_valid and runs and task.schedule.matches(day)


def _with_what_follows(missed: Missed, catalog: Catalog, last: str | None) -> Missed:
    """With the tasks that ran on later bizdates over the hole."""
    first = str(date.fromisoformat(missed.bizdates[-1]) + ONE_DAY)
    waiting = tuple(name for name in missed.tasks if _waits_for_before(catalog.tasks[name]))
    if not waiting or last is None or last < first:
        return missed
    dates = first if first == last else f"{first}..{last}"
    afterwards = Step("backfill.create", task=waiting[:_FEW], descendants="all", bizdate=dates)
    return Missed(missed.bizdates, missed.tasks, missed.makes_up, waiting, afterwards)


def _waits_for_before(task: Task) -> bool:
    return any(dependency.kind is not DependencyKind.SAME_CYCLE for dependency in task.depends_on)


def _making_up(bizdates: Sequence[str], tasks: Sequence[str]) -> Step:
    dates = tuple(_ranges(bizdates))
    if len(tasks) <= _FEW:
        return Step("backfill.create", task=tuple(tasks), bizdate=dates)
    workspaces = sorted({name.partition(".")[0] for name in tasks})
    return Step("backfill.create", where=tuple(f"workspace={name}" for name in workspaces), bizdate=dates)


def _ranges(bizdates: Sequence[str]) -> list[str]:
    """`A..B` for what lies in a row."""
    runs: list[list[date]] = []
    for day in map(date.fromisoformat, bizdates):
        if runs and day - runs[-1][1] == ONE_DAY:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    return [str(first) if first == last else f"{first}..{last}" for first, last in runs]
