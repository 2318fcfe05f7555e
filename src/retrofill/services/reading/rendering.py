"""What a task would run at a bizdate, without running it: the code with its values, and the environment.

Made by what makes real runs, from a plan of this one task. What is known only when an instance exists
stays as it is written: `$jobid`, `$taskid`, and secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.catalog import parameters
from retrofill.domain.catalog.definitions import Catalog, Task
from retrofill.domain.catalog.surroundings import INHERITED, interpreter_of
from retrofill.domain.catalog.task_types import TASK_TYPES
from retrofill.domain.errors import UsageError
from retrofill.domain.planning.plan import build
from retrofill.domain.planning.policy import Policy
from retrofill.domain.selection.choice import Choice
from retrofill.domain.time.bizdates import ONE_DAY, DateRange
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.domain.time.windows import clock
from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.run_specs import CODE, RunSpecs
from retrofill.services.ports import RunSpec
from retrofill.services.ports.records import InstanceRecord

if TYPE_CHECKING:
    from retrofill.services.reading.documents import RenderedRun

_NODE_ID, _TASK_ID, _JOB_ID = "$nodeid", "$taskid", "$jobid"
_NO_VERSION = 0


@dataclass(frozen=True, slots=True)
class Rendered:
    """A run that nobody starts. `slots` are all times of the task on that date, minutes after midnight."""

    row: InstanceRecord
    spec: RunSpec
    slots: tuple[int, ...]
    is_off_day: bool

    @property
    def inherits(self) -> list[str]:
        """Names and beginnings of the variables that it finds as the scheduler has them (CAT-10)."""
        return [*INHERITED, *self.spec.inherit]

    def document(self, version_id: int | None) -> RenderedRun:
        spec = self.spec
        return {
            "task": spec.name,
            "type": spec.type,
            "version": version_id,
            "bizdate": self.row.bizdate,
            "scheduled_at": self.row.scheduled_at.isoformat(),
            "due_at": shown_instant(self.row.due_ms),
            "off_day": self.is_off_day,
            "slots": [clock(slot) for slot in self.slots],
            "working_directory": spec.working_directory,
            "connection": spec.connection or None,
            "connection_url": spec.connection_url,
            "interpreter": _interpreter(spec),
            "arguments": list(spec.arguments) if TASK_TYPES[spec.type].traits.has_arguments else [],
            "environment": dict(spec.environment),
            "inherits": self.inherits,
            "code": spec.code,
        }


def _interpreter(spec: RunSpec) -> str | None:
    found = interpreter_of(TASK_TYPES[spec.type], spec.code, spec.shell, spec.interpreter)
    return None if found is None else " ".join(found.words)


class Around(NamedTuple):
    """What a run finds on this machine: the project's folder, what runs python, and working folders by workspace."""

    project: Path
    interpreter: str
    folders: Mapping[str, str]


class _Unresolved(RunSpecs):
    """Leaves open what an instance would say."""

    def __init__(self, around: Around, node_id: int | None) -> None:
        super().__init__(
            around.project, lambda name: f"${{secret:{name}}}", around.interpreter, around.folders
        )
        self._node_id = node_id

    def at(self, row: InstanceRecord, task: Task) -> parameters.Context:
        node_id = _NODE_ID if self._node_id is None else str(self._node_id)
        return replace(super().at(row, task), job_id=_JOB_ID, node_id=node_id, instance_id=_TASK_ID)


def render(
    catalog: Catalog,
    name: str,
    bizdate: date,
    minute: int | None,
    around: Around,
    version_id: int | None,
    ids: Mapping[str, int],
) -> Rendered:
    """The run of a task at one of its slots.

    Args:
        minute: the slot, after midnight; None for the first of the date.
        version_id: of the catalog; None where it is not deployed.
        ids: of tasks that were deployed.

    Raises:
        UsageError: the task has no instance then, or no code.
    """
    task = catalog.tasks[name]
    if not task.type.traits.has_code:
        raise UsageError(f"{name} is a {task.type} task: it has no code, and nothing would run")
    if not ONE_DAY <= bizdate - date.min <= date.max - date.min - 2 * ONE_DAY:
        raise UsageError(f"{bizdate} is too near to the first or the last day of calendars")
    if not task.is_valid_on(bizdate + ONE_DAY):
        raise UsageError(f"{name} has no instance of bizdate {bizdate}: its validity period leaves it out")
    plan = build(catalog, Choice((name,)), Policy(ranges=(DateRange(bizdate, bizdate),)))
    slots = tuple(plan.slot_of.tolist())
    if minute is not None and minute not in slots:
        raise UsageError(f"{name} has no slot at {clock(minute)}; {_times(slots)}")
    place = slots.index(minute) if minute is not None else 0
    row = _row(bizdate, slots[place], int(plan.due(0)[place]) * 1000, ids.get(name, 0))
    context = BackfillGraph(0, -place, plan, dict(ids), version_id or _NO_VERSION, "")
    made = _Unresolved(around, ids.get(name)).make(row, context, "", "")
    environment = dict(made.environment) | {"RETROFILL_INSTANCE": _TASK_ID}
    if version_id is None and CODE in environment:
        environment[CODE] = environment[CODE].replace(f"/{_NO_VERSION}/", "/VERSION/")
    return Rendered(
        row, replace(made, environment=environment), slots, not task.schedule.matches(bizdate + ONE_DAY)
    )


def _row(bizdate: date, slot: int, due_ms: int, task_id: int) -> InstanceRecord:
    return InstanceRecord(
        0, 0, task_id, bizdate.isoformat(), slot, due_ms, "run", "not_run", None, None, 1, "", 0, 0, due_ms, 1, 0, None, None
    )  # fmt: skip


def _times(slots: tuple[int, ...]) -> str:
    few = ", ".join(clock(slot) for slot in slots[:24])
    return f"its times are {few}{' ...' if len(slots) > 24 else ''}"
