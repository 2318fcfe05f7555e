"""Why the instances of a list stand where they do, in a few words each, for all of them at once (OPS-9).

`why` explains one instance and goes up to its cause; here what waits in the end for a failure is known from the arrays
of `held_up`, so that a hundred rows cost little more than one.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.errors import LimitError
from retrofill.domain.running.states import Reason, State
from retrofill.domain.words import many
from retrofill.services.people.access import ANOTHER
from retrofill.services.reading.trouble import causes_of, has_isolated, standing_of
from retrofill.services.reading.whereabouts import whereabouts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrofill.domain.arrays import BoolArray
    from retrofill.services.instances.held_up import Standing
    from retrofill.services.ports.records import BackfillRecord, InstanceRecord
    from retrofill.services.reading.documents import RowReason
    from retrofill.services.reading.known_hosts import KnownHosts
    from retrofill.services.reading.view import View

_MOST = 100
_FAILED_BECAUSE = {
    Reason.STOPPED: "stopped",
    Reason.TIMEOUT: "ran longer than its timeout",
    Reason.LOST: "its supervisor was killed",
    Reason.NOT_STARTED: "could not be started",
    Reason.SIBLING_FAILED: "another instance of its task and bizdate failed",
}
_PASSED = {
    Reason.DRY_RUN.value: "dry run, its code did not run",
    Reason.OFF_DAY.value: "off day, its code did not run",
    Reason.SET_SUCCESSFUL.value: "set successful by hand",
}


def row_reasons(
    view: View, record: BackfillRecord, ids: Sequence[int], hosts: KnownHosts | None = None
) -> list[RowReason]:
    """The documents, in the order of the ids; of what is no instance of it, or not seen, nothing.

    Args:
        hosts: where what runs may be; None: it is not asked for.

    Raises:
        LimitError: more are asked for than a list shows.
    """
    wanted = dict.fromkeys(ids)
    if len(wanted) > _MOST:
        raise LimitError(f"{len(wanted):,} instances are more than the {_MOST} that are explained at once")
    found = {
        row.id: row
        for row in view.reader.instances([*wanted])
        if row.backfill_id == record.id and view.access.sees_instance(row)
    }
    if not found or record.phase != "active":
        return []
    explaining = _Explaining(view, record, list(found.values()), hosts)
    return [explaining.of(found[number]) for number in wanted if number in found]


class _Explaining:
    """Rows of one backfill."""

    def __init__(
        self, view: View, record: BackfillRecord, rows: Sequence[InstanceRecord], hosts: KnownHosts | None
    ) -> None:
        self._view, self._record, self._rows, self._hosts = view, record, rows, hosts
        view.graphs.follow([record])
        self._context = view.graphs.get(view.reader, record.id)
        self._dates = view.reader.dates(record.id)

    def of(self, row: InstanceRecord) -> RowReason:
        cause = next((number for number, held in self._held_by if held[self._context.offset(row.id)]), None)
        is_held_up = row.state == State.NOT_RUN and bool(self._held_up[self._context.offset(row.id)])
        return {
            "id": row.id,
            "text": self._text(row, cause),
            "held_up": is_held_up,
            "cause": cause if is_held_up else None,
        }

    def _text(self, row: InstanceRecord, cause: int | None) -> str:
        if row.state == State.FAILED:
            own = _FAILED_BECAUSE.get(Reason(row.reason), "") if row.reason else ""
            message = self._messages.get(row.id) or ""
            return message or own
        if row.state == State.SUCCESSFUL:
            return _PASSED.get(row.reason or "", "")
        if row.state == State.WAITING_RESOURCES:
            return f"waits for a slot of {row.resource_group}"
        if row.state == State.NOT_RUN:
            return self._waiting(row, cause)
        return self._where.get(row.id, "") if row.state == State.RUNNING else ""

    @cached_property
    def _where(self) -> dict[int, str]:
        """Where what runs is, if anything is to be said of that."""
        ids = {row.id for row in self._rows if row.state == State.RUNNING}
        if not ids or self._hosts is None:
            return {}
        now_ms = self._view.reader.hosting.now_ms()
        return {
            row.id: whereabouts(run, row.resource_group, False, self._hosts, now_ms - run.started_ms).short
            for row, run in self._view.reader.running()
            if row.id in ids
        }

    @cached_property
    def _messages(self) -> dict[int, str]:
        """How the last run of what failed has ended."""
        failed = [row for row in self._rows if row.state == State.FAILED]
        found = {}
        for row in failed:
            runs = self._view.reader.runs(row.id)
            found[row.id] = next((r.message or "" for r in runs if r.number == row.run_number), "")
        return found

    # What has not run

    def _waiting(self, row: InstanceRecord, cause: int | None) -> str:
        if row.reason == Reason.ISOLATED:
            return "isolated: what it waits for is no part of the backfill"
        above = [
            up for up in self._above[row.id] if self._states.get(up, State.SUCCESSFUL) != State.SUCCESSFUL
        ]
        if above:
            above.sort(key=lambda up: (self._states[up] != State.FAILED, up))
            more = f" and {len(above) - 1} more" if len(above) > 1 else ""
            in_the_end = "" if cause is None or cause in above else f"; in the end for {self._name(cause)}"
            return f"waits for {self._name(above[0])} ({self._words(above[0])}){more}{in_the_end}"
        date = self._dates[self._context.position(row.id)]
        return "" if date.reached else self._turn(date.position)

    def _turn(self, position: int) -> str:
        """Of a date to which its group has not come: where the group is."""
        groups = self._context.plan.grouping
        before = groups.previous(position)
        while before is not None and not self._dates[before].reached:
            before = groups.previous(before)
        if before is None:
            return "its group of bizdates has not begun"
        date = self._dates[before]
        left = date.total - date.successful
        return f"its group is at {date.bizdate}, where {many(left, 'instance')} {'has' if left == 1 else 'have'} not succeeded"

    @cached_property
    def _above(self) -> dict[int, list[int]]:
        """By id of what has not run, what it waits for."""
        removed: dict[int, set[int]] = {}
        waiting = [row.id for row in self._rows if row.state == State.NOT_RUN]
        if waiting:
            pairs = self._view.reader.interventions.removed_between(min(waiting), max(waiting))
            for below, up in pairs:
                removed.setdefault(below, set()).add(up)
        return {i: [up for up in self._context.upstream(i) if up not in removed.get(i, ())] for i in waiting}

    @cached_property
    def _found(self) -> dict[int, InstanceRecord]:
        """What any of them waits for, and causes."""
        ids = {up for above in self._above.values() for up in above} | {number for number, _ in self._held_by}
        return {row.id: row for row in self._view.reader.instances(sorted(ids))}

    @cached_property
    def _states(self) -> dict[int, State]:
        return {number: State(row.state) for number, row in self._found.items()}

    def _words(self, instance_id: int) -> str:
        return self._states[instance_id].words

    def _name(self, instance_id: int) -> str:
        row = self._found[instance_id]
        task = self._view.task_names[row.task_id]
        return task if self._view.access.sees_instance(row) else ANOTHER

    # What failed and holds up

    @cached_property
    def _held_by(self) -> list[tuple[int, BoolArray]]:
        """The first causes that are seen, each with what it holds up."""
        if self._standing is None:
            return []
        first = self._record.first_instance_id
        rows = causes_of(self._view, self._record, self._dates, self._standing)
        return [
            (row.id, self._standing.held_up_by(np.array([row.id - first], dtype=np.int64))) for row in rows
        ]

    @cached_property
    def _standing(self) -> Standing | None:
        """None: nothing is in the way."""
        _, _, failed, _, frozen = self._view.reader.progress(self._record.id)
        if not (failed or frozen or has_isolated(self._record)):
            return None
        return standing_of(self._view, self._record, self._dates)

    @cached_property
    def _held_up(self) -> BoolArray:
        if self._standing is None:
            return np.zeros(len(self._dates) * self._context.plan.n, dtype=bool)
        found: BoolArray = self._standing.held_up
        return found
