"""Instances and their runs: who is where, who may go on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.filters import ALL_INSTANCES
from retrofill.domain.running.states import LEAVING, Reason, State
from retrofill.services.ports.instances import NO_INSTANCE
from retrofill.services.ports.revisions import SCHEDULE
from retrofill.store import filters
from retrofill.store.statements.rows import INSTANCE, OUTCOME, RUN
from retrofill.store.statements.view import View

if TYPE_CHECKING:
    from retrofill.domain.running.filters import InstanceFilter
    from retrofill.services.ports.records import InstanceRecord, Outcome, RunRecord
    from retrofill.services.ports.start_filter import StartFilter

_EVER = "9999"  # sorts after every bizdate
_NEXT_DONE = (
    "SELECT min(bizdate) FROM instance INDEXED BY instance_done "
    "WHERE state = 'successful' AND kind = 'run' AND task_id = ? AND bizdate {0} AND bizdate <= ?"
)
_DONE = (
    f"WITH RECURSIVE done (bizdate) AS ({_NEXT_DONE.format('>= ?')} UNION ALL "
    f"SELECT ({_NEXT_DONE.format('> done.bizdate')}) FROM done WHERE done.bizdate IS NOT NULL) "
    "SELECT bizdate FROM done WHERE bizdate IS NOT NULL LIMIT ?"
)
_FAILED = (
    "instance INDEXED BY instance_failed WHERE state = 'failed' "
    f"AND coalesce(reason, '') <> '{Reason.SIBLING_FAILED}'"
)
_FAILURES = f"SELECT coalesce(backfill_id, {SCHEDULE}), count(*) FROM {_FAILED} GROUP BY backfill_id"
_READY = f"SELECT {INSTANCE} FROM instance INDEXED BY instance_ready WHERE state = 'waiting_resources'"
_INSTANCE_I = INSTANCE.of("i")
_OPEN_OF = (
    f"SELECT {_INSTANCE_I} FROM json_each(?) j CROSS JOIN instance i ON i.id = j.value "
    "WHERE i.state = 'not_run' AND (i.open_waits = 0 OR i.ignores_waits = 1)"
)
# Instances of a backfill that is being made or removed are nobody's business yet, or any more.
_VISIBLE = "AND (backfill_id IS NULL OR EXISTS (SELECT 1 FROM backfill b WHERE b.id = backfill_id AND b.phase = 'active'))"
NEXT_START = (
    f"SELECT start_ms FROM instance INDEXED BY instance_due WHERE state = 'waiting_time' {_VISIBLE} "
    "ORDER BY start_ms LIMIT 1"
)

_BRANCHES = " ".join(
    f"WHEN '{state.value}' THEN '{place}'"
    for place, state in sorted(enumerate(State), key=lambda one: one[1] is not State.SUCCESSFUL)
)
_STATES_BETWEEN = (
    f"SELECT count(*), group_concat(CASE i.state {_BRANCHES} END, '') "
    "FROM (SELECT state FROM instance WHERE id BETWEEN ? AND ? ORDER BY id) i"
)
_OF_DIGITS = bytes((byte - ord("0")) % 256 for byte in range(256))


class InstanceReader(View):
    """Instances and their runs."""

    def find_instance(self, instance_id: int) -> InstanceRecord | None:
        row = self._execute(
            f"SELECT {_INSTANCE_I} FROM instance i LEFT JOIN backfill b ON b.id = i.backfill_id "
            "WHERE i.id = ? AND (b.phase = 'active' OR (i.backfill_id IS NULL AND NOT EXISTS ("
            "SELECT 1 FROM generation g INDEXED BY generation_unfinished WHERE g.phase <> 'active' "
            "AND g.phase = 'creating' AND i.id BETWEEN g.first_instance_id AND g.first_instance_id + g.stride - 1)))",
            (instance_id,),
        ).fetchone()
        return INSTANCE.one(row)

    def instances(self, ids: Iterable[int]) -> list[InstanceRecord]:
        rows = self._execute(
            f"SELECT {_INSTANCE_I} FROM json_each(?) j CROSS JOIN instance i ON i.id = j.value ORDER BY i.id",
            (json.dumps(list(ids)),),
        )
        return INSTANCE.all(rows)

    def outcomes(self, ids: Iterable[int]) -> list[Outcome]:
        rows = self._execute(
            f"SELECT {OUTCOME.of('i')} FROM json_each(?) j CROSS JOIN instance i ON i.id = j.value",
            (json.dumps(list(ids)),),
        )
        return OUTCOME.all(rows)

    def spans(
        self, resource_group: str, first_id: int, last_id: int, since_ms: int, limit: int
    ) -> list[tuple[int, int | None]]:
        rows = self._execute(
            "SELECT r.started_ms, r.ended_ms FROM run r CROSS JOIN instance i ON i.id = r.instance_id "
            "WHERE r.instance_id BETWEEN ? AND ? AND (r.ended_ms IS NULL OR r.ended_ms > ?) "
            "AND i.resource_group = ? LIMIT ?",
            (first_id, last_id, since_ms, resource_group, limit),
        )
        return [(row[0], row[1]) for row in rows]

    def instance_range(
        self, first_id: int, last_id: int, asked: InstanceFilter = ALL_INSTANCES
    ) -> Iterator[InstanceRecord]:
        """Instances whose ids lie in the range, by id."""
        text, bound = filters.where(("id BETWEEN ? AND ?", [first_id, last_id]), *filters.of_instances(asked))
        for row in self._execute(f"SELECT {INSTANCE} FROM instance WHERE {text} ORDER BY id", bound):
            yield INSTANCE.make(row)

    def first_and_last(self, first_id: int, last_id: int) -> tuple[int | None, int | None]:
        row = self._execute(
            "SELECT min(started_ms), max(ended_ms) FROM instance WHERE id BETWEEN ? AND ?",
            (first_id, last_id),
        ).fetchone()
        return row[0], row[1]

    def states_between(self, first_id: int, last_id: int) -> bytearray:
        """A byte for each id in the range; joined by the database, because rows take thrice as long."""
        size = last_id - first_id + 1
        count, digits = self._execute(_STATES_BETWEEN, (first_id, last_id)).fetchone()
        codes = (digits or "").encode().translate(_OF_DIGITS)
        if count == size:
            return bytearray(codes)
        found = bytearray([NO_INSTANCE]) * size
        ids = self._execute(
            "SELECT id FROM instance WHERE id BETWEEN ? AND ? ORDER BY id", (first_id, last_id)
        )
        for (number,), code in zip(ids, codes, strict=True):
            found[number - first_id] = code
        return found

    def alike(self, first_id: int, last_id: int, asked: InstanceFilter) -> list[tuple[InstanceRecord, int]]:
        """Grouped by the database, because there may be a million of a few sorts."""
        text, bound = filters.where(("id BETWEEN ? AND ?", [first_id, last_id]), *filters.of_instances(asked))
        found = self._execute(
            f"SELECT min(id), count(*) FROM instance WHERE {text} GROUP BY task_id, kind, state, code_version_id",
            bound,
        )
        counts = dict(found.fetchall())
        return [(row, counts[row.id]) for row in self.instances(sorted(counts))]

    def has_isolated(self, first_id: int, last_id: int) -> bool:
        row = self._execute(
            f"SELECT 1 FROM instance WHERE id BETWEEN ? AND ? AND reason = '{Reason.ISOLATED}' AND state = 'not_run' LIMIT 1",
            (first_id, last_id),
        ).fetchone()
        return row is not None

    def has_failed(self, first_id: int, last_id: int) -> bool:
        row = self._execute(
            "SELECT 1 FROM instance WHERE id BETWEEN ? AND ? AND (state = 'failed' OR frozen_from = 'failed') "
            f"AND coalesce(reason, '') <> '{Reason.SIBLING_FAILED}' LIMIT 1",
            (first_id, last_id),
        ).fetchone()
        return row is not None

    def done_bizdates(self, task_id: int, first: str, last: str | None, limit: int) -> list[str]:
        """Bizdates of this range on which the task has really run: from one to the next in the index."""
        rows = self._connection.execute(_DONE, (task_id, first, last or _EVER, task_id, last or _EVER, limit))
        return [row[0] for row in rows]

    def failures(self) -> dict[int, int]:
        return dict(self._execute(_FAILURES).fetchall())

    def first_failed(self, backfill_id: int, limit: int) -> list[InstanceRecord]:
        whose, bound = ("IS NULL", []) if backfill_id == SCHEDULE else ("= ?", [backfill_id])
        rows = self._execute(
            f"SELECT {INSTANCE} FROM {_FAILED} AND backfill_id {whose} ORDER BY ended_ms, id LIMIT ?",
            [*bound, limit],
        )
        return INSTANCE.all(rows)

    def due(self, now_ms: int, limit: int) -> list[InstanceRecord]:
        rows = self._execute(
            f"SELECT {INSTANCE} FROM instance INDEXED BY instance_due "
            f"WHERE state = 'waiting_time' AND start_ms <= ? {_VISIBLE} ORDER BY start_ms LIMIT ?",
            (now_ms, limit),
        )
        return INSTANCE.all(rows)

    def open_of(self, ids: Iterable[int]) -> list[InstanceRecord]:
        rows = self._execute(_OPEN_OF, (json.dumps(list(ids)),))
        return INSTANCE.all(rows)

    def candidates(self, resource_group: str, wanted: StartFilter, limit: int) -> list[InstanceRecord]:
        rows = self._execute(
            f"{_READY} AND resource_group = ? {filters.of_ready(wanted)} "
            "ORDER BY priority DESC, (backfill_id IS NOT NULL), due_ms, id LIMIT ?",
            (resource_group, limit),
        )
        return INSTANCE.all(rows)

    def passing(self, held: Sequence[int], auto: bool, limit: int) -> list[InstanceRecord]:
        rows = self._execute(
            f"{_READY} AND resource_group = '' {filters.but_backfills(held, auto)} LIMIT ?", (limit,)
        )
        return INSTANCE.all(rows)

    def queues(self, held: Sequence[int] = (), auto: bool = True) -> list[tuple[str, str, int]]:
        """Resource group, state (waiting_resources or running), number of instances; nothing waits that is held."""
        rows = self._execute(
            "SELECT resource_group, 'waiting_resources', count(*) FROM instance INDEXED BY instance_ready "
            f"WHERE state = 'waiting_resources' {filters.but_backfills(held, auto)} GROUP BY resource_group "
            "UNION ALL SELECT i.resource_group, 'running', count(*) FROM run r INDEXED BY run_open "
            "CROSS JOIN instance i ON i.id = r.instance_id "
            "WHERE r.ended_ms IS NULL AND i.state = 'running' GROUP BY i.resource_group"
        )
        return list(rows)

    def running(self) -> list[tuple[InstanceRecord, RunRecord]]:
        rows = self._execute(
            f"SELECT {_INSTANCE_I}, {RUN.of('r')} "
            "FROM run r INDEXED BY run_open CROSS JOIN instance i ON i.id = r.instance_id "
            "WHERE r.ended_ms IS NULL AND i.state = 'running' AND i.run_number = r.number"
        )
        width = len(INSTANCE.names)
        return [(INSTANCE.make(row[:width]), RUN.make(row[width:])) for row in rows]

    def stopping(self) -> list[int]:
        """Running instances that somebody asked to stop, or that make way (RUN-5)."""
        rows = self._execute(
            "SELECT i.id FROM run r INDEXED BY run_open CROSS JOIN instance i ON i.id = r.instance_id "
            f"WHERE r.ended_ms IS NULL AND i.state = 'running' AND {filters.one_of('i.reason', LEAVING)}"
        )
        return [row[0] for row in rows]

    def runs(self, instance_id: int) -> list[RunRecord]:
        rows = self._execute(f"SELECT {RUN} FROM run WHERE instance_id = ? ORDER BY number", (instance_id,))
        return RUN.all(rows)

    def runs_between(self, first_id: int, last_id: int) -> list[RunRecord]:
        rows = self._execute(
            f"SELECT {RUN} FROM run WHERE instance_id BETWEEN ? AND ? ORDER BY instance_id, number",
            (first_id, last_id),
        )
        return RUN.all(rows)

    def open_runs(self) -> list[RunRecord]:
        rows = self._execute(f"SELECT {RUN} FROM run INDEXED BY run_open WHERE ended_ms IS NULL")
        return RUN.all(rows)
