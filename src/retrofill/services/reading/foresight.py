"""What an operation on instances would do, counted before it is done.

Whether it fits an instance is judged by the functions that judge it when it is done. What lies below is
looked at level by level, up to a number; of what the actor may not see, nothing is told or counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import RetrofillError
from retrofill.domain.people.roles import Action
from retrofill.domain.running.acts import EMERGENCIES, Act, Intent
from retrofill.domain.running.states import WAITING, Reason, State
from retrofill.domain.texts import Text
from retrofill.services.instances.as_run import differs
from retrofill.services.operations.batches import visible_rows
from retrofill.services.operations.judging import (
    describe,
    judge_freeze,
    judge_group,
    judge_place,
    judge_priority,
    judge_rerun,
    judge_set_successful,
    judge_stop,
    judge_unfreeze,
    judge_waits,
)
from retrofill.services.people.access import unknown_instance
from retrofill.services.reading.instances import InstanceReader
from retrofill.services.reading.queues import counts, group_row

if TYPE_CHECKING:
    from retrofill.services.instances.graph import InstanceGraph
    from retrofill.services.people.access import Access
    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import InstanceRecord
    from retrofill.services.reading.documents import (
        Foresight,
        GroupRow,
        HeldBackfill,
        Refused,
        TaskBelow,
        WaitRow,
    )
    from retrofill.services.reading.view import View

_MOST_BELOW = 5_000  # instances that are looked at below
_SHOWN = 3
_MOST_IDS = 100  # of a reason for refusals
_ENDED = frozenset({State.SUCCESSFUL, State.FAILED})
_LET_GO_ON = frozenset(
    {Act.RERUN, Act.SET_SUCCESSFUL, Act.UNFREEZE, Act.STOP, Act.FREEZE, Act.REMOVE_WAITS}
)  # for which it matters what waits below


class Judging(NamedTuple):
    """What instances of one backfill, or of the schedule, are judged by."""

    tx: Reader
    context: InstanceGraph
    access: Access
    is_held: bool
    restored: frozenset[int] = frozenset()

    def state(self, row: InstanceRecord) -> State:
        state = State(row.state)
        return State.NOT_RUN if self.is_held and state in WAITING else state


class _Below(NamedTuple):
    """What lies below: rows that wait, how many are successful, whether that is all."""

    waiting: list[InstanceRecord]
    successful: int
    is_all: bool


def foresee(view: View, intent: Intent, ids: Sequence[int]) -> Foresight:
    """The consequences of an operation, as of this view of the ledger (OPS-1..7)."""
    return _Foreseeing(view, intent, ids).document()


def refusals(view: View, row: InstanceRecord) -> dict[str, Text]:
    """The acts that cannot be done to an instance as things are, each with why; of it alone, not of what lies below."""
    found: dict[str, Text] = {}
    for act in Act:
        if act is not Act.RERUN_DESCENDANTS:
            refused = _Foreseeing(view, Intent(act), [row.id]).refusal(row)
            if refused is not None:
                found[act.value] = refused
    return found


class _Foreseeing:
    """One question."""

    def __init__(self, view: View, intent: Intent, ids: Sequence[int]) -> None:
        self._view, self._intent = view, intent
        self._reader = InstanceReader(view)
        self._asked = list(dict.fromkeys(ids))
        found = visible_rows(view.reader, self._asked)
        self._rows = {i: row for i, row in found.items() if view.access.sees_instance(row)}
        self._cases: dict[int | None, Judging] = {}
        self._is_all = True

    def document(self) -> Foresight:
        refused, below_tasks = _Refusals(), Counter[tuple[str, bool]]()
        for number in self._asked:
            if number not in self._rows:
                refused.add(number, "", unknown_instance(number))
        candidates = list(self._rows.values())
        if self._intent.act is Act.RERUN_DESCENDANTS:
            candidates = self._descendants(candidates, below_tasks)
        fits, unchanged = self._judge(candidates, refused)
        below = self._below(fits)
        shown = fits or list(self._rows.values())
        return {
            "act": self._intent.act.value,
            "asked": len(self._asked),
            "fits": [row.id for row in fits],
            "unchanged": unchanged,
            "refused": refused.documents(),
            "named": next((self._reader.row(row) for row in self._rows.values()), None),
            "examples": [self._reader.row(row) for row in shown[:_SHOWN]],
            "tasks": len({row.task_id for row in shown}),
            "bizdates": len({row.bizdate for row in shown}),
            "waiting_below": len(below.waiting),
            "tasks_below": len({row.task_id for row in below.waiting}),
            "bizdates_below": len({row.bizdate for row in below.waiting}),
            "successful_below": below.successful,
            "siblings": self._siblings(fits),
            "is_all": self._is_all and below.is_all,
            "below_tasks": list(self._task_rows(below_tasks)),
            "held": list(self._held(fits)),
            **self._newer(fits),  # type: ignore[typeddict-item]
            "waits": self._waits(fits),
            "group": self._group(),
        }

    def refusal(self, row: InstanceRecord) -> Text | None:
        """Why it cannot be done to one of them; None: it can."""
        refused = _Refusals()
        _, unchanged = self._judge([row], refused)
        if unchanged:
            return Text("it is so already")
        return refused.documents()[0]["error"] if refused.documents() else None

    # Judging

    def _judge(
        self, rows: Iterable[InstanceRecord], refused: _Refusals
    ) -> tuple[list[InstanceRecord], list[int]]:
        """Those that it would be done to, and those that are so already."""
        fits, unchanged = [], []
        for row in rows:
            case = self._case(row)
            name = describe(row, case.context)
            try:
                needed = Action.EMERGENCY if self._intent.act in EMERGENCIES else Action.OPERATE
                self._view.access.check(needed, row, case.context, name)
                would_change = self._changes(case, row)
            except RetrofillError as error:
                refused.add(row.id, name, error)
                continue
            if would_change:
                fits.append(row)
            else:
                unchanged.append(row.id)
        return fits, unchanged

    def _changes(self, case: Judging, row: InstanceRecord) -> bool:
        """Whether it would change the instance; raises why it does not fit."""
        intent = self._intent
        match intent.act:
            case Act.STOP:
                return judge_stop(case, row)
            case Act.RERUN | Act.RERUN_DESCENDANTS:
                judge_rerun(case, row, self._view.graphs, intent.latest)
                return True
            case Act.SET_SUCCESSFUL:
                return judge_set_successful(case, row)
            case Act.FREEZE:
                return judge_freeze(case, row)
            case Act.UNFREEZE:
                return judge_unfreeze(case, row)
            case Act.REMOVE_WAITS:
                wanted = None if intent.upstream is None else frozenset(intent.upstream)
                return bool(judge_waits(case, row, wanted))
            case Act.PRIORITY:
                judge_place(case, row)
                return intent.priority is None or judge_priority(case, row, intent.priority)
            case Act.RESOURCE_GROUP:
                judge_place(case, row)
                return intent.group is None or judge_group(case, row, intent.group)

    def _case(self, row: InstanceRecord) -> Judging:
        found = self._cases.get(row.backfill_id)
        if found is None:
            view, number = self._view, row.backfill_id
            is_held = view.schedule_is_held if number is None else view.is_held(view.outlines.record(number))
            context = view.graphs.of(view.reader, row)
            found = self._cases[number] = Judging(view.reader, context, view.access, is_held)
        if row.code_version_id is not None:
            view = self._view
            found.context.newer[row.code_version_id] = view.graphs.catalog(view.reader, row.code_version_id)
        return found

    # What lies around

    def _below(self, rows: Sequence[InstanceRecord]) -> _Below:
        """What waits for these, directly or through others that have not succeeded, and is not among them."""
        if self._intent.act not in _LET_GO_ON:
            return _Below([], 0, True)
        chosen = {row.id for row in rows}
        waiting: list[InstanceRecord] = []
        successful, is_all = 0, True
        for context, own in self._by_context(rows):
            for level in self._levels(context, own):
                for row in level:
                    if row.id in chosen or not self._view.access.sees_instance(row):
                        continue
                    if row.state == State.SUCCESSFUL:
                        successful += 1
                    elif row.state not in (State.RUNNING, State.FAILED):
                        waiting.append(row)
                if len(waiting) + successful > _MOST_BELOW:
                    is_all = False
                    break
        return _Below(waiting, successful, is_all)

    def _levels(self, context: InstanceGraph, ids: Sequence[int]) -> Iterator[list[InstanceRecord]]:
        """Level by level; what has succeeded waits for nothing, so nothing is looked at behind it."""
        seen, front = set(ids), list(ids)
        while front:
            found = sorted(set(context.downstream(front)) - seen)
            seen.update(found)
            rows = self._view.reader.instances(found) if found else []
            yield rows
            front = [row.id for row in rows if row.state != State.SUCCESSFUL]

    def _by_context(self, rows: Iterable[InstanceRecord]) -> Iterator[tuple[InstanceGraph, list[int]]]:
        own: dict[int | None, list[int]] = {}
        for row in rows:
            own.setdefault(row.backfill_id, []).append(row.id)
        for number, ids in own.items():
            yield self._cases[number].context, ids

    def _descendants(
        self, rows: Sequence[InstanceRecord], counted: Counter[tuple[str, bool]]
    ) -> list[InstanceRecord]:
        """Of these, those that have ended, in order of ids; all are counted by task (OPS-4)."""
        for row in rows:
            self._case(row)
        found: dict[int, InstanceRecord] = {}
        roots = {row.id for row in rows}
        for context, ids in self._by_context(rows):
            seen, front = set(ids), list(ids)
            while front and self._is_all:
                front = sorted(set(context.dependents(front)) - seen)
                seen.update(front)
                self._is_all = len(seen) <= _MOST_BELOW
            below = seen - roots if self._is_all else set(sorted(seen - roots)[:_MOST_BELOW])
            found |= {row.id: row for row in self._view.reader.instances(sorted(below))}
        if self._intent.with_self:
            found |= {row.id: row for row in rows}
        seen_rows = {i: row for i, row in found.items() if self._view.access.sees_instance(row)}
        for row in seen_rows.values():
            if row.state in _ENDED or row.state == State.RUNNING:
                counted[self._view.task_names[row.task_id], row.state == State.RUNNING] += 1
        wanted = self._intent.tasks
        return [
            row
            for _, row in sorted(seen_rows.items())
            if (row.state in _ENDED or row.id in roots)
            and (wanted is None or self._view.task_names[row.task_id] in wanted)
        ]

    def _task_rows(self, counted: Counter[tuple[str, bool]]) -> Iterator[TaskBelow]:
        for task in sorted({task for task, _ in counted}):
            yield {"task": task, "ended": counted[task, False], "running": counted[task, True]}

    def _siblings(self, rows: Sequence[InstanceRecord]) -> int:
        """Failed because of one of these alone: they come back with it (POL-7)."""
        if self._intent.act not in (Act.RERUN, Act.SET_SUCCESSFUL):
            return 0
        failed = [row for row in rows if row.state == State.FAILED]
        chosen, beside = {row.id for row in rows}, set[int]()
        for row in failed:
            siblings = self._case(row).context.siblings(row.id)
            if len(siblings) > 1:
                beside.update(siblings)
        found = self._view.reader.instances(sorted(beside - chosen)) if beside else []
        return sum(row.state == State.FAILED and row.reason == Reason.SIBLING_FAILED for row in found)

    def _held(self, rows: Iterable[InstanceRecord]) -> Iterator[HeldBackfill]:
        """Backfills of these that are stopped or paused, and whether a rerun takes that back (OPS-2)."""
        view = self._view
        for number in sorted({row.backfill_id for row in rows if row.backfill_id is not None}):
            record = view.outlines.record(number)
            if record.stopped or record.paused:
                is_rerun = self._intent.act in (Act.RERUN, Act.RERUN_DESCENDANTS)
                yield {
                    "backfill": number,
                    "state": "stopped" if record.stopped else "paused",
                    "goes_on": bool(record.stopped) and is_rerun and view.access.may_steer(record),
                }

    def _newer(self, rows: Sequence[InstanceRecord]) -> dict[str, int | None]:
        """The deployed version, and for how many of these a rerun with it would run something else."""
        view = self._view
        if self._intent.act not in (Act.RERUN, Act.RERUN_DESCENDANTS):
            return {"version": None, "differ": 0}
        current = view.graphs.current(view.reader)
        found = sum(differs(row, self._case(row).context, current) for row in rows)
        return {"version": view.reader.current_version_id(), "differ": found}

    def _waits(self, rows: Sequence[InstanceRecord]) -> list[WaitRow]:
        """What all of these wait for (OPS-7)."""
        if self._intent.act is not Act.REMOVE_WAITS or not rows:
            return []
        view = self._view
        common = set.intersection(*(set(self._case(row).context.upstream(row.id)) for row in rows))
        removed = set.intersection(*(set(view.reader.interventions.removed_of(row.id)) for row in rows))
        found = view.reader.instances(sorted(common)) if common else []
        return [
            {
                "id": up.id,
                "task": view.task_names[up.task_id],
                "bizdate": up.bizdate,
                "scheduled_at": up.scheduled_at.isoformat(),
                "state": self._reader.state(up),
                "removed": up.id in removed,
            }
            for up in found
            if view.access.sees_instance(up)
        ]

    def _group(self) -> GroupRow | None:
        """The resource group that was chosen, as it stands."""
        view, name = self._view, self._intent.group
        deployed = view.graphs.current(view.reader)
        group = None if deployed is None or name is None else deployed.resource_groups.get(name)
        if group is None:
            return None
        bound = None if group.workspaces is None else list(filter(view.sees, group.workspaces))
        return group_row(group, counts(view), bound)


class _Refusals:
    """Why it cannot be done to some, by reason."""

    def __init__(self) -> None:
        self._by: dict[tuple[str, Text], Refused] = {}

    def add(self, number: int, name: str, error: RetrofillError) -> None:
        """Add one; what names the instance in the sentence becomes `it`, so that equal reasons are one."""
        text = error.text.with_strings(lambda part: _without(part, name, number))
        key = (error.code, text)
        if key not in self._by:
            self._by[key] = {
                "count": 0,
                "ids": [],
                "error": text,
                "code": error.code,
                "hint": error.hint,
                "steps": list(error.hint.steps),
            }
        found = self._by[key]
        found["count"] += 1
        if len(found["ids"]) < _MOST_IDS:
            found["ids"].append(number)

    def documents(self) -> list[Refused]:
        """Most first."""
        return sorted(self._by.values(), key=lambda one: -one["count"])


def _without(part: str, name: str, number: int) -> str:
    return part.replace(name, "it") if name else part.replace(f"no instance {number}", "no such instance")
