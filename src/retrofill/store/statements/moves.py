"""What is written about instances and their runs.

Every change of a state is a compare-and-set, made from the table of moves: the statement names the states that it may
leave and the reason that it always gives, and what it did not find is not reported as changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from retrofill.domain.running.states import MOVES, PAUSES, Move, Reason, State
from retrofill.store import filters
from retrofill.store.statements import counters
from retrofill.store.statements.revisions import Writer
from retrofill.store.statements.rows import INSTANCE

if TYPE_CHECKING:
    from retrofill.services.ports.records import EndOfRun


@cache
def _move(move: Move, *columns: str, key: str = "id = ?") -> str:
    """The statement of a move of one instance.

    Args:
        columns: what it sets besides state and reason; a reason only where the table of moves names none.
    """
    rule = MOVES[move]
    state = f"'{next(iter(rule.targets)).value}'" if len(rule.targets) == 1 else "frozen_from"
    reason = [] if rule.reason is None else [f"reason = '{rule.reason.value}'"]
    setting = ", ".join([f"state = {state}", *reason, *columns])
    return f"UPDATE instance SET {setting} WHERE {key} AND {filters.one_of('state', rule.sources)}"


def _fixed(column: str, otherwise: str) -> str:
    """What an administrator has set for the instance ?1 stays, whoever judges anew (OPS-7)."""
    return (
        f"{column} = coalesce((SELECT f.{column} FROM fixed_place f WHERE f.instance_id = ?1), {otherwise})"
    )


_PLACE = (_fixed("priority", "?2"), _fixed("resource_group", "?3"))
_START_NOW = "start_ms = min(start_ms, due_ms)"
_START_THEN = "start_ms = max(start_ms, ?)"

_END_RUN = (
    "UPDATE run SET ended_ms = ?4, outcome = ?5, exit_code = ?6, message = ?7 "
    "WHERE instance_id = ?1 AND number = ?2 AND token = ?3 AND ended_ms IS NULL RETURNING number"
)


class InstanceWriter(Writer):
    """Moves, and runs, each under its token."""

    def reserve_instance_ids(self, count: int) -> int:
        return counters.reserve(self._connection, "instance", count)

    def add_instances(self, rows: Iterable[Sequence[object]]) -> None:
        """Records, or rows in the order of their fields."""
        self._connection.write_rows("instance", INSTANCE.names, rows)

    def delete_instances(self, first_id: int, last_id: int, limit: int) -> int:
        cursor = self._execute(
            "DELETE FROM instance WHERE id IN (SELECT id FROM instance WHERE id BETWEEN ? AND ? LIMIT ?)",
            (first_id, last_id, limit),
        )
        return cursor.rowcount

    def wait_for_time(self, ids: Sequence[int]) -> None:
        self._changed.instances.update(ids)
        self._connection.executemany(_move(Move.WAIT_FOR_TIME), [(i,) for i in ids])

    def wait_for_resources(self, places: Sequence[tuple[int, int, str]]) -> None:
        self._changed.instances.update(place[0] for place in places)
        reason = f"reason = CASE WHEN {filters.one_of('reason', PAUSES)} THEN NULL ELSE reason END"
        self._connection.executemany(_move(Move.WAIT_FOR_RESOURCES, *_PLACE, reason, key="id = ?1"), places)

    def place(self, places: Sequence[tuple[int, int, str]]) -> None:
        self._changed.instances.update(place[0] for place in places)
        self._connection.executemany(
            f"UPDATE instance SET {', '.join(_PLACE)} WHERE id = ?1 AND state = 'waiting_resources'", places
        )

    def withdraw(self, ids: Sequence[int]) -> None:
        self._changed.instances.update(ids)
        self._connection.executemany(
            f"{_move(Move.WITHDRAW)} AND open_waits > 0 AND ignores_waits = 0", [(i,) for i in ids]
        )

    def withdraw_date(self, backfill_id: int, first_id: int, last_id: int) -> None:
        """What waits in this range goes back to Not run, because its date has to wait; costs what waits."""
        self._changed.whole.add(backfill_id)
        for index, state in (("instance_ready_of", "waiting_resources"), ("instance_due_of", "waiting_time")):
            self._execute(
                f"UPDATE instance INDEXED BY {index} SET state = 'not_run' WHERE state = '{state}' "
                "AND backfill_id = ? AND id BETWEEN ? AND ? AND ignores_waits = 0",
                (backfill_id, first_id, last_id),
            )

    def hold_back(self, instance_id: int) -> None:
        """Waiting is Not run while the backfill is held; so that it can be frozen (OPS-0, OPS-6)."""
        self._changed.instances.add(instance_id)
        self._execute(_move(Move.WITHDRAW), (instance_id,))

    def start(
        self,
        rows: Sequence[tuple[int, int, str]],
        boot_id: str,
        at_ms: int,
        host: str | None = None,
        executor: str | None = None,
    ) -> None:
        """Start (instance id, run number, token): the commit of this is the start (OPS-0)."""
        self._changed.instances.update(row[0] for row in rows)
        self._connection.executemany(
            f"{_move(Move.START, 'reason = NULL', 'started_ms = ?', 'ended_ms = NULL')} AND run_number = ?",
            [(at_ms, instance_id, number) for instance_id, number, _ in rows],
        )
        self._connection.executemany(
            "INSERT INTO run (instance_id, number, token, boot_id, started_ms, host, executor, version_id) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT i.code_version_id FROM instance i WHERE i.id = ?1))",
            [(*row, boot_id, at_ms, host, executor) for row in rows],
        )

    def pass_by(self, rows: Sequence[tuple[int, str | None]], at_ms: int) -> None:
        self._changed.instances.update(row[0] for row in rows)
        self._connection.executemany(
            _move(Move.PASS, "reason = ?", "started_ms = ?", "ended_ms = ?", "ignores_waits = 0"),
            [(reason, at_ms, at_ms, i) for i, reason in rows],
        )

    def succeed(self, rows: Sequence[tuple[int, int]]) -> None:
        self._changed.instances.update(row[1] for row in rows)
        self._connection.executemany(
            _move(Move.SUCCEED, "reason = NULL", "ended_ms = ?", "ignores_waits = 0", "reruns = 0"), rows
        )

    def fail(self, instance_id: int, reason: str, at_ms: int) -> None:
        self._changed.instances.add(instance_id)
        self._execute(
            _move(Move.FAIL, "reason = ?", "ended_ms = ?", "ignores_waits = 0"), (reason, at_ms, instance_id)
        )

    def fail_siblings(self, ids: Sequence[int], at_ms: int) -> None:
        self._changed.instances.update(ids)
        self._connection.executemany(_move(Move.FAIL_WITH_SIBLING, "ended_ms = ?"), [(at_ms, i) for i in ids])

    def restore(self, ids: Sequence[int]) -> None:
        self._changed.instances.update(ids)
        failed_with = f"reason = '{MOVES[Move.FAIL_WITH_SIBLING].reason}'"
        self._connection.executemany(
            f"{_move(Move.RESTORE_SIBLING, 'reason = NULL', 'ended_ms = NULL', _START_NOW)} AND {failed_with}",
            [(i,) for i in ids],
        )

    def rerun_by_itself(self, instance_id: int, start_ms: int, at_ms: int) -> None:
        self._changed.instances.add(instance_id)
        counted = ("run_number = run_number + 1", "reruns = reruns + 1")
        self._execute(
            _move(Move.RERUN_BY_ITSELF, "ended_ms = ?", *counted, _START_THEN), (at_ms, start_ms, instance_id)
        )

    def start_later(self, instance_id: int, start_ms: int) -> None:
        self._changed.instances.add(instance_id)
        self._execute(_move(Move.START_ANEW, "started_ms = NULL", _START_THEN), (start_ms, instance_id))

    def mark_stopping(self, instance_id: int) -> bool:
        self._changed.instances.add(instance_id)
        cursor = self._execute(
            f"UPDATE instance SET reason = '{Reason.STOPPING}' WHERE id = ? AND state = '{State.RUNNING}'",
            (instance_id,),
        )
        return cursor.rowcount == 1

    def mark_yielding(self, instance_id: int) -> bool:
        self._changed.instances.add(instance_id)
        cursor = self._execute(
            f"UPDATE instance SET reason = '{Reason.YIELDED_TO_AUTO}' "
            f"WHERE id = ? AND state = '{State.RUNNING}' AND reason IS NULL",
            (instance_id,),
        )
        return cursor.rowcount == 1

    def yield_to_auto(self, instance_id: int, at_ms: int) -> None:
        self._changed.instances.add(instance_id)
        self._execute(
            _move(Move.MAKE_WAY, "ended_ms = ?", "run_number = run_number + 1"), (at_ms, instance_id)
        )

    def rerun(self, rows: Sequence[tuple[int, int, bool]]) -> None:
        self._changed.instances.update(row[0] for row in rows)
        anew = ("reason = NULL", "ended_ms = NULL", "started_ms = NULL", "reruns = 0", _START_NOW)
        self._connection.executemany(
            _move(Move.RERUN, *anew, "run_number = ?2", "ignores_waits = ?3", key="id = ?1"), rows
        )

    def set_code_version(self, instance_id: int, version_id: int) -> None:
        self._changed.instances.add(instance_id)
        self._execute("UPDATE instance SET code_version_id = ? WHERE id = ?", (version_id, instance_id))

    def set_successful(self, instance_id: int, at_ms: int) -> None:
        self._changed.instances.add(instance_id)
        self._execute(_move(Move.SET_SUCCESSFUL, "ended_ms = coalesce(ended_ms, ?)"), (at_ms, instance_id))

    def freeze(self, instance_id: int) -> None:
        self._changed.instances.add(instance_id)
        self._execute(_move(Move.FREEZE, "frozen_from = state"), (instance_id,))

    def unfreeze(self, instance_id: int, kind: str, resource_group: str) -> None:
        self._changed.instances.add(instance_id)
        self._execute(
            _move(Move.UNFREEZE, "frozen_from = NULL", "kind = ?", "resource_group = ?"),
            (kind, resource_group, instance_id),
        )

    def add_waits(self, rows: Sequence[tuple[int, int]]) -> None:
        self._connection.executemany("UPDATE instance SET open_waits = open_waits + ? WHERE id = ?", rows)

    def end_runs(self, ends: Sequence[EndOfRun]) -> list[bool]:
        asked = [self._execute(_END_RUN, end) for end in ends]
        return [answer.fetchone() is not None for answer in asked]

    def explain_run(self, instance_id: int, number: int, message: str) -> None:
        self._changed.instances.add(instance_id)
        self._execute(
            "UPDATE run SET message = ? WHERE instance_id = ? AND number = ?", (message, instance_id, number)
        )

    def forget_run(self, instance_id: int, number: int, token: str) -> bool:
        cursor = self._execute(
            "DELETE FROM run WHERE instance_id = ? AND number = ? AND token = ? AND ended_ms IS NULL",
            (instance_id, number, token),
        )
        return cursor.rowcount == 1
