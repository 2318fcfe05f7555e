"""A ledger with one backfill of one task, for the tests of stores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrofill.domain.running.states import Move, State
from retrofill.services.ports import Ledger, Store
from retrofill.services.ports.records import BackfillRecord, DateRecord, InstanceRecord

INSTANCE = InstanceRecord(
    id=1, backfill_id=1, task_id=1, bizdate="2026-01-05", slot=60, due_ms=1_000, kind="run", state="not_run",
    reason=None, frozen_from=None, priority=1, resource_group="default", open_waits=0, ignores_waits=0, start_ms=1_000,
    run_number=1, reruns=0, started_ms=None, ended_ms=None,
)  # fmt: skip
BACKFILL = BackfillRecord(
    id=0, name="b", phase="active", check_status="passed", version_id=1, selection="{}", choice="{}",
    policy='{"window": null}', analysis="{}", task_count=1, instance_count=1, first_instance_id=1, stride=100,
    paused=0, stopped=0, created_by="admin", created_ms=5, start_ms=None, started_ms=None, ended_ms=None,
)  # fmt: skip

# How instance 1 makes each move.
MAKE: dict[Move, Callable[[Ledger], object]] = {
    Move.WAIT_FOR_TIME: lambda tx: tx.wait_for_time([1]),
    Move.WAIT_FOR_RESOURCES: lambda tx: tx.wait_for_resources([(1, 1, "default")]),
    Move.WITHDRAW: lambda tx: tx.withdraw([1]),
    Move.PASS: lambda tx: tx.pass_by([(1, "dry_run")], 9),
    Move.START: lambda tx: tx.start([(1, 1, "token")], "boot", 9),
    Move.SUCCEED: lambda tx: tx.succeed([(9, 1)]),
    Move.FAIL: lambda tx: tx.fail(1, "exit_code", 9),
    Move.RERUN_BY_ITSELF: lambda tx: tx.rerun_by_itself(1, 9, 9),
    Move.START_ANEW: lambda tx: tx.start_later(1, 9),
    Move.MAKE_WAY: lambda tx: tx.yield_to_auto(1, 9),
    Move.FAIL_WITH_SIBLING: lambda tx: tx.fail_siblings([1], 9),
    Move.RESTORE_SIBLING: lambda tx: tx.restore([1]),
    Move.RERUN: lambda tx: tx.rerun([(1, 2, False)]),
    Move.SET_SUCCESSFUL: lambda tx: tx.set_successful(1, 9),
    Move.FREEZE: lambda tx: tx.freeze(1),
    Move.UNFREEZE: lambda tx: tx.unfreeze(1, "run", "default"),
}


def in_state(state: State, number: int = 1, **more: Any) -> InstanceRecord:
    """An instance as it stands in the ledger in this state."""
    own: dict[str, Any] = {"id": number, "state": state.value}
    if state is State.FROZEN:
        own["frozen_from"] = "not_run"
    if state is State.RUNNING:
        own["started_ms"] = 2_000
    return INSTANCE._replace(**own | more)


def fill(store: Store, *rows: InstanceRecord, **backfill: Any) -> int:
    """Deploy one task and write a backfill with these instances on one date; its id."""
    with store.transaction() as tx:
        if tx.current_version_id() is None:
            tx.add_version("{}", 1, "admin")
            tx.set_deployed("task", ["w.a"])
        number = tx.add_backfill(BACKFILL._replace(**backfill), [tx.task_ids()["w.a"]])
        tx.add_instances([row._replace(backfill_id=number) for row in rows])
        counts = [
            sum(row.state == name for row in rows) for name in ("successful", "failed", "running", "frozen")
        ]
        tx.add_dates([DateRecord(number, 0, "2026-01-05", 1, 0, len(rows), *counts)])
    return number
