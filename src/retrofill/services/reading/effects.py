"""What would come of an act on all of a backfill, counted at the moment of asking (BF-3, OPS-1..3, BF-4).

Whether it can be done, and to which instances, is judged by what does it; nothing is written. Instances that are
judged alike are looked at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from retrofill.domain.errors import InvalidValueError, NotPermittedError, RetrofillError, shown
from retrofill.domain.people.roles import Action
from retrofill.domain.running.states import WAITING, State
from retrofill.domain.running.steering import Steer, Verdict
from retrofill.services.backfills.tags import tag_of
from retrofill.services.backfills.whole import Taken, WholeAct, check_may, judged, nothing_of, taken_by
from retrofill.services.instances.backfill_status import Counted
from retrofill.services.operations.judging import describe, judge_rerun
from retrofill.services.reading.foresight import Judging
from retrofill.services.reading.trouble import standing_of

if TYPE_CHECKING:
    from retrofill.services.instances.held_up import Standing
    from retrofill.services.ports.records import BackfillRecord, InstanceRecord
    from retrofill.services.reading.documents import ActEffects
    from retrofill.services.reading.view import View


class _Judged(NamedTuple):
    """Of the instances that an act takes: how many it is done to, and how many it is refused for."""

    done: int
    refused: int
    error: RetrofillError | None
    tasks: frozenset[int]  # ids of the tasks of those that it is done to


def effects(
    view: View, record: BackfillRecord, act: str, only_failed: bool = False, latest: bool = False
) -> ActEffects:
    """The document.

    Raises:
        InvalidValueError: there is no such act.
    """
    if act not in {*WholeAct}:
        raise InvalidValueError(f'"{shown(act)}" is no act on a backfill: {", ".join(WholeAct)}')
    return _Asking(view, record, WholeAct(act), only_failed, latest).document()


class _Asking:
    """One question."""

    def __init__(
        self, view: View, record: BackfillRecord, act: WholeAct, only_failed: bool, latest: bool
    ) -> None:
        self._view, self._record, self._act = view, record, act
        self._only_failed, self._latest = only_failed, latest

    def document(self) -> ActEffects:
        try:
            if self._act in (WholeAct.PAUSE, WholeAct.RESUME, WholeAct.STOP):
                return self._of_steering()
            return self._of_instances()
        except RetrofillError as error:
            return {**self._nothing(), "refusal": error.text, "hint": error.hint}

    def _nothing(self) -> ActEffects:
        """As if nothing would change."""
        counted = Counted(self._view.reader.progress(self._record.id), (0, 0))
        _, successful, failed, running, _ = counted.ended_or_running
        return {
            "id": self._record.id,
            "act": self._act.value,
            "tag": tag_of(self._record),
            "refusal": None,
            "hint": None,
            "unchanged": False,
            "whole": True,
            "acts_on": 0,
            "left_alone": 0,
            "because": None,
            "running": running,
            "not_started": 0,
            "going_on": 0,
            "held_up": 0,
            "successful": successful,
            "failed": failed,
        }

    # Pause, resume, stop

    def _of_steering(self) -> ActEffects:
        view, record, steer = self._view, self._record, Steer(self._act.value)
        try:
            check_may(view.access, steer, record)
        except NotPermittedError:
            if steer is not Steer.STOP:
                raise
            return self._of_a_part()
        found = self._nothing()
        found["unchanged"] = judged(view.reader, steer, record, view.now_ms) is Verdict.UNCHANGED
        total, successful, failed, running, frozen = view.reader.progress(record.id)
        open_ones = (total or record.instance_count) - successful - failed - running - frozen
        if steer is Steer.RESUME:
            held_up = self._held_up()
            return {**found, "going_on": open_ones - held_up, "held_up": held_up}
        if steer is Steer.STOP:
            found |= {"acts_on": running, "running": 0}
        return {**found, "not_started": open_ones}

    def _of_a_part(self) -> ActEffects:
        """SEC-4: who may not stop all of it stops what runs of his."""
        ids = [row.id for row, _ in self._view.reader.running() if row.backfill_id == self._record.id]
        rows = [row for row in self._view.reader.instances(ids) if self._view.access.sees_instance(row)]
        found = self._judge([(row, 1) for row in rows])
        if not found.done:
            raise NotPermittedError(
                f"no instance of backfill {self._record.id} that you may operate is running"
            )
        nothing = self._nothing()
        left = nothing["running"] - found.done
        return {
            **nothing,
            "whole": False,
            "acts_on": found.done,
            "running": left,
            "left_alone": found.refused,
        }

    # Rerun, freeze, unfreeze

    def _of_instances(self) -> ActEffects:
        view, record = self._view, self._record
        taken = taken_by(view.reader, record, self._act, view.now_ms, self._only_failed)
        if self._act is not WholeAct.RERUN and view.access.may_operate_each(record):
            return self._of_all(taken)
        sorts = [one for one in view.reader.alike(*taken) if view.access.sees_instance(one[0])]
        if not sorts:
            raise nothing_of(record, taken, self._act, view.access.sees_all_of(record))
        judged_ones = self._judge(sorts)
        found = self._nothing()
        found |= {
            "acts_on": judged_ones.done,
            "left_alone": judged_ones.refused,
            "because": None if judged_ones.error is None else judged_ones.error.text,
        }
        if judged_ones.error is not None and not judged_ones.done:
            found |= {"refusal": judged_ones.error.text, "hint": judged_ones.error.hint}
        if self._act is WholeAct.FREEZE:
            return found
        held_up, after = self._held_up_before_and_after(judged_ones.tasks)
        successful, failed = self._left_ended(sorts)
        return {
            **found,
            "going_on": max(held_up - after, 0),
            "held_up": after,
            "successful": successful,
            "failed": failed,
        }

    def _of_all(self, taken: Taken) -> ActEffects:
        """A freeze or an unfreeze that nobody refuses: counters tell all of it."""
        view, record = self._view, self._record
        total, successful, failed, running, frozen = view.reader.progress(record.id)
        number = frozen
        if self._act is WholeAct.FREEZE:
            waiting = (
                0 if (taken.asked.states or frozenset()) >= WAITING else sum(view.reader.waiting(record.id))
            )
            number = total - successful - failed - running - frozen - waiting
        if not number:
            raise nothing_of(record, taken, self._act, sees_all=True)
        found = {**self._nothing(), "acts_on": number}
        if self._act is WholeAct.UNFREEZE:
            held_up, after = self._held_up_before_and_after(None)
            found |= {"going_on": max(held_up - after, 0), "held_up": after}
        return found  # type: ignore[return-value]

    def _judge(self, sorts: list[tuple[InstanceRecord, int]]) -> _Judged:
        done = refused = 0
        first: RetrofillError | None = None
        tasks: set[int] = set()
        for row, count in sorts:
            error = self._refusal(row)
            first = first or error
            if error is None:
                done += count
                tasks.add(row.task_id)
            else:
                refused += count
        return _Judged(done, refused, first, frozenset(tasks))

    def _refusal(self, row: InstanceRecord) -> RetrofillError | None:
        view = self._view
        try:
            context = view.graphs.of(view.reader, row)
            view.access.check(Action.OPERATE, row, context, describe(row, context))
            if self._act is WholeAct.RERUN:
                case = Judging(view.reader, context, view.access, view.is_held(self._record))
                judge_rerun(case, row, view.graphs, self._latest)
        except RetrofillError as error:
            return error
        return None

    def _left_ended(self, sorts: list[tuple[InstanceRecord, int]]) -> tuple[int, int]:
        """How many stay Successful, and how many stay Failed."""
        _, successful, failed, *_ = self._view.reader.progress(self._record.id)
        left = {State.SUCCESSFUL.value: successful, State.FAILED.value: failed}
        if self._act is WholeAct.RERUN:
            for row, count in sorts:
                left[row.state] -= count if self._refusal(row) is None else 0
        return left[State.SUCCESSFUL.value], left[State.FAILED.value]

    # What waits for what failed, is frozen or isolated

    def _standing(self) -> Standing:
        return standing_of(self._view, self._record, self._view.reader.dates(self._record.id))

    def _held_up(self) -> int:
        if self._record.phase != "active":
            return 0
        return int(np.count_nonzero(self._standing().held_up))

    def _held_up_before_and_after(self, tasks: frozenset[int] | None) -> tuple[int, int]:
        """Instances that wait for a cause, now and once those of these tasks, or all, are none any more."""
        standing = self._standing()
        names = None if tasks is None else {self._view.task_names[number] for number in tasks}
        mended = np.array([names is None or task.name in names for task in standing.plan.tasks], dtype=bool)
        failed, frozen = standing.of_state(State.FAILED), standing.of_state(State.FROZEN)
        if self._act is WholeAct.RERUN:
            failed = standing.but_of(failed, mended)
        else:
            frozen = standing.but_of(frozen, mended)
        after = standing.held_up_by(failed) | standing.held_up_by(np.concatenate((frozen, standing.isolated)))
        return int(np.count_nonzero(standing.held_up)), int(np.count_nonzero(after))
