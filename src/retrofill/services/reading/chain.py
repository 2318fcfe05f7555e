"""The way from an instance to what holds it up, link by link, and what all it needs (OPS-9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from retrofill.domain.running.states import NOT_STARTED, State
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.reading.foresight import refusals
from retrofill.services.reading.instances import InstanceReader

if TYPE_CHECKING:
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports.logs import Logs
    from retrofill.services.ports.records import InstanceRecord
    from retrofill.services.reading.documents import ChainLink, Condition, WhyChain
    from retrofill.services.reading.reasons import Why
    from retrofill.services.reading.view import View

_MOST_LOOKED_AT = 5_000
# What is asked, in this order; and which of it a reason says does not hold.
_ASKED = ("held", "turn", "upstream", "time", "window", "scheduler", "slot")
_CONDITION: Mapping[str, str] = MappingProxyType(
    {
        "paused": "held",
        "stopped": "held",
        "earlier_date": "turn",
        "upstream": "upstream",
        "isolated": "upstream",
        "loop": "upstream",
        "time": "time",
        "rerun_interval": "time",
        "not_started": "time",
        "window": "window",
        "no_scheduler": "scheduler",
    }
)


class ChainReader:
    """Chains, on one view of the ledger.

    Args:
        logs, specs: asked for when something has failed: both take time to import.
    """

    def __init__(self, view: View, logs: Callable[[], Logs], specs: Callable[[], RunSpecs]) -> None:
        self._view, self._logs, self._specs = view, logs, specs
        self._reader = InstanceReader(view)

    def chain(self, row: InstanceRecord, found: Why) -> WhyChain:
        """The document of a reason, as its reader may be told it."""
        return {
            "id": row.id,
            "state": self._reader.state(row),
            "reason": row.reason,
            "code": found.code,
            "text": found.text,
            "steps": list(found.text.steps),
            "links": [self._link(one) for one in self._rows(row, found)],
            "conditions": _conditions(row, found.code),
            "refusals": refusals(self._view, row),
        }

    def _rows(self, row: InstanceRecord, found: Why) -> list[InstanceRecord]:
        """From the instance to the cause; only those that are seen."""
        end = found.cause or next((one for one in found.blockers if "task" in one), None)
        if end is None:
            return [row]
        target = end["id"]
        assert isinstance(target, int)
        between = self._path(row.id, target) if found.code == "upstream" else [row.id, target]
        rows = {one.id: one for one in self._view.reader.instances(sorted(between))}
        return [rows[i] for i in between if i in rows and self._view.access.sees_instance(rows[i])]

    def _path(self, first: int, target: int) -> list[int]:
        """One of the shortest ways up; through what has not succeeded."""
        below: dict[int, int] = {}
        front: Sequence[int] = [first]
        while front and target not in below and len(below) < _MOST_LOOKED_AT:
            found: dict[int, int] = {}
            for number in front:
                for up in self._upstream(number):
                    if up not in below and up != first:
                        found.setdefault(up, number)
            below |= found
            rows = self._view.reader.instances(sorted(found)) if found else []
            front = [one.id for one in rows if one.state != State.SUCCESSFUL]
        if target not in below:
            return [first, target]
        path = [target]
        while path[-1] != first:
            path.append(below[path[-1]])
        return path[::-1]

    def _upstream(self, instance_id: int) -> list[int]:
        (row,) = self._view.reader.instances([instance_id])
        waits = self._view.graphs.of(self._view.reader, row).upstream(instance_id)
        removed = self._view.reader.interventions.removed_of(instance_id)
        return [up for up in waits if up not in removed]

    def _link(self, row: InstanceRecord) -> ChainLink:
        upstream = self._upstream(row.id) if row.state == State.NOT_RUN else []
        rows = self._view.reader.instances(upstream) if upstream else []
        runs = self._view.reader.runs(row.id) if row.state not in NOT_STARTED else []
        last_line = None
        if row.state == State.FAILED and runs:
            from retrofill.services.reading.logs import last_line as line_of

            last_line = line_of(self._view, self._logs(), self._specs(), row, runs[-1]) or None
        return {
            "id": row.id,
            "task": self._view.task_names[row.task_id],
            "bizdate": row.bizdate,
            "scheduled_at": row.scheduled_at.isoformat(),
            "state": self._reader.state(row),
            "reason": row.reason,
            "upstream": len(upstream),
            "open": sum(one.state != State.SUCCESSFUL for one in rows),
            "run_number": row.run_number,
            "started_at": shown_instant(row.started_ms),
            "ended_at": shown_instant(row.ended_ms),
            "message": runs[-1].message if runs else None,
            "last_line": last_line,
        }


def _conditions(row: InstanceRecord, code: str) -> list[Condition]:
    """What holds before the one that does not, that one, and those that come later."""
    if row.state not in NOT_STARTED:
        return []
    at = _ASKED.index(_CONDITION.get(code, "slot"))
    names = _ASKED if row.backfill_id is not None else tuple(n for n in _ASKED if n not in ("turn", "window"))
    found: list[Condition] = []
    for name in names:
        place = _ASKED.index(name)
        is_asked = place <= at and not (code == "isolated" and name == "turn")
        found.append({"name": name, "holds": None if not is_asked else place < at})
    return found
