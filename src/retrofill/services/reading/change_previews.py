"""What would come of a change of a backfill, worked out as the change would be, without making it (BF-3).

The new policy makes a plan that is kept nowhere; with it, what is left is played again, and what waits is counted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError
from retrofill.domain.planning.changes import differences
from retrofill.domain.running.filters import READY
from retrofill.domain.running.steering import Steer, judge
from retrofill.domain.time.milliseconds import instant_of, shown_instant
from retrofill.services.backfills.changes import check_group, deal_anew, notes_of
from retrofill.services.backfills.estimates import estimate_left
from retrofill.services.backfills.tags import tag_of
from retrofill.services.backfills.whole import check_may
from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.backfill_status import standing
from retrofill.services.instances.holds import holds_of
from retrofill.services.instances.queue_places import QueuePlaces
from retrofill.services.instances.stored import policy_of, text_of
from retrofill.services.reading.trouble import held_up_count

if TYPE_CHECKING:
    from retrofill.domain.planning.changes import Changes
    from retrofill.domain.planning.policy import Policy
    from retrofill.services.ports.records import BackfillRecord, DateRecord
    from retrofill.services.reading.documents import ChangePreview
    from retrofill.services.reading.view import View


def change_preview(view: View, record: BackfillRecord, changes: Changes) -> ChangePreview:
    """The document."""
    asking = _Asking(view, record)
    try:
        return asking.document(changes)
    except RetrofillError as error:
        return {**asking.nothing(), "refusal": error.text, "hint": error.hint}


class _Asking:
    """One question."""

    def __init__(self, view: View, record: BackfillRecord) -> None:
        self._view, self._record = view, record
        self._dates: list[DateRecord] = view.reader.dates(record.id)

    def nothing(self) -> ChangePreview:
        """As if nothing would change."""
        return {
            "id": self._record.id,
            "tag": tag_of(self._record),
            "refusal": None,
            "hint": None,
            "changed": [],
            "notes": [],
            "end_at": None,
            "new_end_at": None,
            "begin_at_once": [],
            "going_on": 0,
            "held_up": 0,
            "ready": 0,
            "moved": 0,
            "opens_at": None,
            "pauses": False,
        }

    def document(self, changes: Changes) -> ChangePreview:
        view, record = self._view, self._record
        check_may(view.access, Steer.CHANGE, record)
        is_closed = bool(holds_of([record], instant_of(view.now_ms)).window_closed)
        judge(Steer.CHANGE, standing(view.reader, record, is_closed), record.id)
        catalog = view.graphs.catalog(view.reader, record.version_id)
        before = policy_of(record)
        after = changes.applied_to(before, catalog.timezone)
        check_group(after, catalog)
        if record.phase == "planned":
            after = replace(after, groups=changes.groups or after.groups)
            return self._told(before, after)
        view.graphs.follow([record])
        at_once: list[int] = []
        if changes.groups is not None and changes.groups != after.wanted_groups:
            plan = view.graphs.get(view.reader, record.id).plan
            after, at_once = deal_anew(view.reader, plan, after, changes.groups, record.id)
        changed = self._graph(after)
        found = self._told(before, after)
        notes = list(notes_of(changed.plan, view.sees)) if changes.values.get("resource_group") else []
        return found | self._consequences(changed, at_once) | {"notes": notes}  # type: ignore[return-value]

    def _told(self, before: Policy, after: Policy) -> ChangePreview:
        lines = [
            {"what": one.what, "before": one.before, "after": one.after} for one in differences(before, after)
        ]
        return {**self.nothing(), "changed": lines}  # type: ignore[typeddict-item]

    def _graph(self, policy: Policy) -> BackfillGraph:
        """As it would be with another policy; kept nowhere."""
        view, record = self._view, self._record
        changed = record._replace(policy=text_of(policy))
        plan = view.graphs.plan_of(view.reader, changed)
        return BackfillGraph(
            record.id,
            record.first_instance_id,
            plan,
            view.reader.task_ids(),
            record.version_id,
            changed.policy,
        )

    def _consequences(self, changed: BackfillGraph, at_once: list[int]) -> dict[str, object]:
        view, record = self._view, self._record
        policy, now = changed.plan.policy, instant_of(view.now_ms)
        held_before = held_up_count(view, record, self._dates)
        held_after = held_up_count(view, record, self._dates, changed)
        ready, moved = self._queued(changed)
        most = policy.max_failures
        is_open = policy.window is None or policy.window.is_open(now)
        pauses = most is not None and record.failures >= most and not (record.paused or record.stopped)
        end, new_end = self._ends(changed, at_once)
        return {
            "end_at": shown_instant(end),
            "new_end_at": None if pauses else shown_instant(new_end),
            "begin_at_once": [self._dates[position].bizdate for position in at_once],
            "going_on": max(held_before - held_after, 0),
            "held_up": held_after,
            "ready": ready,
            "moved": moved,
            "opens_at": None
            if is_open or policy.window is None
            else policy.window.next_open(now).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "pauses": pauses and record.ended_ms is None,
        }

    def _queued(self, changed: BackfillGraph) -> tuple[int, int]:
        """How many only lack a slot, and how many of them would queue elsewhere."""
        placing = QueuePlaces(changed, self._view.now_ms)
        last = changed.first_id + changed.plan.n * len(self._dates) - 1
        places = [
            placing.of(row) != (row.priority, row.resource_group)
            for row in self._view.reader.instance_range(changed.first_id, last, READY)
        ]
        return len(places), sum(places)

    def _ends(self, changed: BackfillGraph, at_once: list[int]) -> tuple[int | None, int | None]:
        """When what can go on has run, as it is and changed; None where it is held or has ended."""
        view, record = self._view, self._record
        if record.paused or record.stopped:
            return None, None
        new = estimate_left(
            view.reader, view.graphs, record, view.now_ms, instead=changed, at_once=at_once
        ).end_ms
        if record.ended_ms is not None:
            return None, new
        return estimate_left(view.reader, view.graphs, record, view.now_ms).end_ms, new
