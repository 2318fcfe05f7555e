"""Of what needs a person: what most waits for, how much that is, and what can be done.

What a backfill's failures hold up is worked out from its plan. That is kept for some seconds, as long as nothing
more has failed: whoever looks again, or somebody else, is told the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from retrofill.domain.running.filters import OperationFilter
from retrofill.domain.running.states import Reason, State
from retrofill.domain.texts import Step, Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.domain.words import many
from retrofill.services.instances.stored import analysis_of
from retrofill.services.reading.backfills import BackfillReader
from retrofill.services.reading.needs import Found, Standing

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillRecord, InstanceRecord, OperationRecord
    from retrofill.services.reading.documents import BackfillRow, Blockage, Need, Trouble
    from retrofill.services.reading.failures import FailureReader
    from retrofill.services.reading.view import View

_KEPT_MS = 10_000
_MOST_BELOW = 20_000  # instances below a failure of a night


class Describing:
    """What was found, in the eyes of one actor.

    Args:
        failures: asked for what a failure has left behind.
    """

    def __init__(self, view: View, found: Found, failures: FailureReader) -> None:
        self._view, self._found, self._failures = view, found, failures

    def needs(self, most: int) -> list[Need]:
        """The first ones: what holds up most, then what has failed for longest.

        Only of so many is counted what waits: of those of which most is left.
        """
        rows = BackfillReader(self._view).rows(self._found.backfills)
        pairs = sorted(zip(self._found.backfills, rows, strict=True), key=lambda pair: -_left(pair[1]))
        found = [self._backfill(record, row) for record, row in pairs[:most]]
        found += [self._night(standing) for standing in self._found.nights[:most]]
        found.sort(key=lambda need: (-need["held_up"], need["since"] or ""))
        return [*found, *map(self._refused, self._found.refused)][:most]

    def _backfill(self, record: BackfillRecord, row: BackfillRow) -> Need:
        trouble = self._trouble(record, row)
        first = next(iter(trouble["causes"]), None)
        cause = None if first is None else self._blockage(first["id"])
        failed = self._found.failures.get(record.id, 0)
        kind = "failed" if failed else next(iter(row["blocked_by"]), "failed")
        return {
            **_NOTHING,
            "kind": kind,
            "backfill": record.id,
            "name": row["name"],
            "created_by": record.created_by,
            "status": row["status"],
            "since": (None if cause is None else cause["at"]) or row["ended_at"],
            "cause": cause,
            "failed": failed,
            "held_up": trouble["held_up"] or (_left(row) if row["status"] == "failed" else 0),
            "held_up_tasks": trouble["held_up_tasks"],
            "paused": record.paused_by is not None,
            "steps": [*_acts(cause), *([Step("backfill.resume", id=record.id)] if record.paused_by else [])],
        }

    def _trouble(self, record: BackfillRecord, row: BackfillRow) -> Trouble:
        from retrofill.services.reading.trouble import trouble

        access, kept = self._view.access, self._view.graphs.troubles
        key = (record.id, "" if access.sees_all_of(record) else self._view.actor.name)
        basis = (record.edition, self._found.failures.get(record.id, 0), row["counts"]["frozen"])
        known = kept.get(key)
        if known is not None and known[0] == basis and self._view.now_ms - known[1] < _KEPT_MS:
            return cast("Trouble", known[2])
        found = trouble(self._view, record)
        kept.put(key, (basis, self._view.now_ms, found))
        return found

    def _night(self, standing: Standing) -> Need:
        first = standing.causes[0]
        cause = self._blockage(first.id)
        below = self._below([row.id for row in standing.causes])
        return {
            **_NOTHING,
            "kind": "isolated" if first.state == State.NOT_RUN else first.state,
            "bizdates": standing.bizdates,
            "since": cause["at"],
            "cause": cause,
            "failed": sum(row.state == State.FAILED for row in standing.causes),
            "held_up": len(below),
            "held_up_tasks": len({row.task_id for row in below}),
            "steps": _acts(cause),
        }

    def _below(self, ids: Sequence[int]) -> list[InstanceRecord]:
        """What of the schedule is Not run and waits for these in the end."""
        graph = self._view.graphs.schedule(self._view.reader)
        found: dict[int, InstanceRecord] = {}
        front = list(ids)
        while front and len(found) < _MOST_BELOW:
            rows = self._view.reader.instances(sorted({*graph.downstream(front)} - found.keys()))
            new = {row.id: row for row in rows if row.state == State.NOT_RUN}
            found |= new
            front = list(new)
        return list(found.values())

    def _refused(self, record: BackfillRecord) -> Need:
        findings = [one for one in analysis_of(record).get("findings", ()) if one["level"] == "risk"]
        text = Text(
            "Verification found {risks}, so nothing of it was created; {analysis} shows what.",
            risks=many(len(findings), "risk"),
            analysis=Step("backfill.analysis", id=record.id),
        )
        if not findings:
            text = Text(
                "An extension check failed, so nothing of it was created; {analysis} shows what it said.",
                analysis=Step("backfill.analysis", id=record.id),
            )
        return {
            **_NOTHING,
            "kind": "refused",
            "backfill": record.id,
            "name": self._view.access.shown_name(record),
            "created_by": record.created_by,
            "status": "stopped",
            "since": shown_instant(record.created_ms),
            "text": text,
            "steps": [
                Step("backfill.analysis", id=record.id),
                Step("backfill.create", reuse=record.id),
            ],
        }

    # What others wait for

    def _blockage(self, instance_id: int) -> Blockage:
        (row,) = self._view.reader.instances([instance_id])
        failure = self._failures.failure(row) if row.state == State.FAILED else None
        who = self._who(row)
        at_ms = row.ended_ms if row.state == State.FAILED else None if who is None else who.at_ms
        return {
            "id": row.id,
            "task": self._view.task_names[row.task_id],
            "bizdate": row.bizdate,
            "scheduled_at": row.scheduled_at.isoformat(),
            "state": row.state,
            "reason": row.reason,
            "run_number": row.run_number,
            "at": shown_instant(at_ms),
            "message": None if failure is None else failure["message"],
            "last_line": None if failure is None else failure["last_line"],
            "by": None if who is None else who.user,
            "comment": (who.comment or None) if who is not None else None,
        }

    def _who(self, row: InstanceRecord) -> OperationRecord | None:
        """Who did it, where somebody did."""
        reader = self._view.reader
        if row.state == State.FAILED and row.reason != Reason.STOPPED:
            return None
        action = "stop" if row.state == State.FAILED else "freeze"
        of_it = [one for one in reader.operations("instance_id", row.id) if one.action == action]
        if of_it or row.kind != "frozen":
            return max(of_it, key=lambda one: one.id, default=None)
        asked = OperationFilter(action="freeze-task", task_id=row.task_id)
        return next(iter(reader.latest_operations(asked, None, 1)), None)


_NOTHING: Need = {
    "kind": "",
    "backfill": None,
    "name": None,
    "created_by": None,
    "status": None,
    "bizdates": [],
    "since": None,
    "cause": None,
    "failed": 0,
    "held_up": 0,
    "held_up_tasks": None,
    "paused": False,
    "text": None,
    "steps": [],
}


def about_everything(kind: str, text: Text, *steps: Step) -> Need:
    """What hinders all work."""
    return {**_NOTHING, "kind": kind, "text": text, "steps": list(steps)}


def _left(row: BackfillRow) -> int:
    counts = row["counts"]
    return counts["not_run"] + counts["waiting_time"] + counts["waiting_resources"]


def _acts(cause: Blockage | None) -> list[Step]:
    if cause is None:
        return []
    number = cause["id"]
    if cause["state"] == State.FROZEN:
        return [Step("instance.unfreeze", id=number)]
    if cause["state"] == State.NOT_RUN:
        return [Step("instance.why", id=number), Step("instance.remove_wait", id=number, all=True)]
    return [
        Step("instance.log", id=number),
        Step("instance.rerun", id=number),
        Step("instance.set_successful", id=number),
    ]
