"""A store as a busy server has it: 1,000,000 instances in 50 backfills that run, each half done.

python benchmarks/server/filling.py FOLDER
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import retrofill
from projects import LAYER_WIDTH, dates, write

from retrofill.bootstrap.centers import open_call
from retrofill.bootstrap.deployment import open_deployment
from retrofill.services.upkeep.consistency import drift

BACKFILLS, TASKS, DAYS, GROUPS = 50, 200, 100, 10
_DONE = 5  # dates of each group that are done; the one after them is under way
SLOTS = 50


def fill(folder: Path, backfills: int = BACKFILLS, tasks: int = TASKS, days: int = DAYS) -> None:
    """Make the project and its store.

    Raises:
        SystemExit: what was written is not as the ledger would have it.
    """
    write(folder, _layers(tasks), SLOTS)
    call = open_call(str(folder))
    for number in range(backfills):
        first = date(2010, 1, 1) + timedelta(days=number * days)
        desk = call.anew().center.backfills
        given = {
            "task": [f"bench.t{n}" for n in range(tasks)],
            "bizdate": [dates(days, first)],
            "groups": str(GROUPS),
            "name": f"history {number}",
        }
        desk.create(desk.plan(given))
    call.deployment.close()
    _let_half_be_done(folder)
    _know_run_times(folder)
    deployment = open_deployment(str(folder), {})
    with deployment.store.read() as reader:
        (newest,) = reader.backfills(limit=1)
        found = drift(reader, deployment.graphs(), newest)
    deployment.close()
    if found:
        raise SystemExit(f"the store is not as it would have become: {found[:3]}")


def _layers(count: int) -> list[str]:
    """Layers of ten tasks, each after three of the layer before; some print a line."""
    tasks = []
    for n in range(count):
        layer, place = divmod(n, LAYER_WIDTH)
        above = [(layer - 1) * LAYER_WIDTH + (place + step) % LAYER_WIDTH for step in (0, 1, 3)]
        names = ", ".join(f"t{one}" for one in above) if layer else ""
        tasks.append(f"t{n}: {{depends_on: [{names}]}}")
    return tasks


def _let_half_be_done(folder: Path) -> None:
    """As if the first dates of each group had run, and the next one had just been come to."""
    with closing(sqlite3.connect(folder / ".retrofill" / "retrofill.db")) as store:
        backfills = store.execute("SELECT id, first_instance_id, stride FROM backfill").fetchall()
        for backfill_id, first, stride in backfills:
            for position, place in store.execute(_PLACES, (backfill_id,)).fetchall():
                span = (first + position * stride, first + (position + 1) * stride - 1)
                if place <= _DONE:
                    store.execute(_SUCCEED, span)
                    store.execute(_COUNT, (backfill_id, position))
                elif place == _DONE + 1:
                    store.execute(_MAKE_READY, span)
                    store.execute(_REACH, (backfill_id, position))
        store.execute("UPDATE backfill SET started_ms = created_ms")
        store.commit()


def _know_run_times(folder: Path) -> None:
    """As who has run half of it does: a minute each."""
    deployment = open_deployment(str(folder), {})
    with deployment.store.transaction() as tx:
        tx.times.add(dict.fromkeys(tx.task_ids().values(), [60_000] * 3), deployment.clock.now_ms())
    deployment.close()


_PLACES = (  # positions of dates, each with its place in its group
    "SELECT position, row_number() OVER (PARTITION BY group_number ORDER BY position) "
    "FROM backfill_date WHERE backfill_id = ?"
)
_SUCCEED = (
    "UPDATE instance SET state = 'successful', open_waits = 0, started_ms = due_ms, "
    "ended_ms = due_ms + 60000 WHERE id BETWEEN ? AND ?"
)
_MAKE_READY = "UPDATE instance SET state = 'waiting_resources' WHERE id BETWEEN ? AND ? AND open_waits = 0"
_REACH = "UPDATE backfill_date SET reached = 1 WHERE backfill_id = ? AND position = ?"
_COUNT = "UPDATE backfill_date SET reached = 1, successful = total WHERE backfill_id = ? AND position = ?"

if __name__ == "__main__":
    fill(Path(sys.argv[1]))
    print(retrofill(Path(sys.argv[1]), "backfill", "list", "--limit", "3"))
