"""What `doctor` tells whom: everything to a system administrator, to others nothing of what is foreign (SEC-2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from services.centers import FakeWatch
from services.operation_center.cases import Case

FOREIGN = 2  # the vault's own backfill, of which a run goes on


@dataclass
class Still:
    """A supervisor that somebody has stopped."""

    instance_id: int
    part: str = "supervisor"
    pid: int = 4711
    run: str = "1.1.abc"

    def words(self, names_instance: bool = True) -> str:
        return f"the supervisor{f' of instance {self.instance_id}' if names_instance else ''} stands still"


def told(case: Case, user: str) -> dict[str, str]:
    return {row["check"]: str(row["detail"]) for row in case.center(user).upkeep.doctor()}


def running(case: Case, task: str) -> int:
    """An instance of a task that runs."""
    with case.world.store.read() as reader:
        return next(row.id for row, _ in reader.running() if case.tasks.get(row.id) == task)


@pytest.fixture
def mine(changed: Case) -> int:
    return running(changed, "open.first")


@pytest.fixture
def foreign(changed: Case) -> int:
    return running(changed, "vault.goldmine")


def test_backfills_of_others_are_not_named(changed: Case) -> None:
    """Nor is one offered to be waited for."""
    assert (
        "4 backfills open: 2, 3, 4, 5, and no scheduler runs; backfill wait 2 "
        in told(changed, "admin")["work"]
    )
    assert (
        "3 backfills open: 3, 4, 5, and no scheduler runs; backfill wait 3 " in told(changed, "alice")["work"]
    )
    assert "2 backfills open: 2, 5," in told(changed, "greta")["work"]


def test_a_foreign_run_without_a_supervisor_has_no_number(changed: Case, mine: int, foreign: int) -> None:
    """It counts as running, and nobody carries it out."""
    changed.parts.watch.is_running = True
    everything, seen, others = (told(changed, user)["runs"] for user in ("admin", "alice", "greta"))
    changed.parts.watch.is_running = False
    assert f"instance {min(mine, foreign)} counts" in everything
    assert f"instance {mine} counts" in seen
    assert f"instance {foreign} counts" in others


def test_where_the_scheduler_runs_is_for_system_administrators(changed: Case) -> None:
    """SEC-2: members are told that one runs, not on which machine and as which process."""
    changed.parts.watch = FakeWatch(host="there")
    where = {"host": "here", "process": 7}
    answers = {user: changed.center(user).work.scheduler() for user in ("admin", "alice")}
    assert answers["admin"] == {"runs": True, "starts_auto": True, "since": None, **where}
    assert answers["alice"] == {**answers["admin"], "host": None, "process": None}
    words = {user: told(changed, user)["scheduler"] for user in answers}
    changed.parts.watch = FakeWatch(is_running=False)
    assert words == {"admin": "runs as process 7 on here", "alice": "runs"}


def test_a_foreign_supervisor_that_stands_still_has_no_number(changed: Case, mine: int, foreign: int) -> None:
    changed.parts.watch = FakeWatch(is_running=False, still=(Still(mine), Still(foreign)))
    assert told(changed, "alice")["standstill"] == (
        f"the supervisor of instance {mine} stands still; the supervisor stands still"
    )
    assert [row["instance"] for row in changed.center("alice").work.standstills()] == [mine, None]
    assert [row["instance"] for row in changed.center("admin").work.standstills()] == [mine, foreign]
    changed.parts.watch = FakeWatch(is_running=False)


@pytest.fixture
def not_started(changed: Case, mine: int, foreign: int) -> Iterator[None]:
    with changed.world.store.transaction() as tx:
        tx.failed_starts.note(mine, "no room", 1_000)
        tx.failed_starts.note(foreign, "no descriptors", 2_000)
    yield
    with changed.world.store.transaction() as tx:
        tx.failed_starts.forget([mine, foreign])


@pytest.mark.usefixtures("not_started")
def test_what_could_not_be_started(changed: Case, mine: int, foreign: int) -> None:
    """RUN-3: how many, and the one that was tried last; only of what one sees."""
    last = f"(instance {foreign}, 1 time: no descriptors)"
    assert told(changed, "admin")["starts"].startswith("2 instances could not be started")
    assert told(changed, "admin")["starts"].endswith(last)
    assert told(changed, "alice")["starts"].startswith("1 instance could not be started")
    assert told(changed, "alice")["starts"].endswith(f"(instance {mine}, 1 time: no room)")


def test_all_could_be_started(changed: Case) -> None:
    assert told(changed, "admin")["starts"] == "no instance waits because it could not be started"


def test_what_is_of_the_machine_or_takes_long_is_the_system_administrators(changed: Case) -> None:
    """A member who asks again and again costs little."""
    thorough = {"disk", "logs", "store", "counters"}
    assert thorough & told(changed, "admin").keys() >= {"disk", "logs", "counters"}
    assert not thorough & told(changed, "alice").keys()
    assert {"work", "starts", "nights", "clock"} <= told(changed, "alice").keys()


def test_where_counters_differ(changed: Case) -> None:
    with changed.world.store.read() as reader:
        rows = reader.instances(changed.instances)
        waiting = next(row.id for row in rows if row.state == "not_run" and row.backfill_id == 3)
    assert "agree" in told(changed, "admin")["counters"]
    with changed.world.store.transaction() as tx:
        tx.add_waits([(1, waiting)])
    found = told(changed, "admin")["counters"]
    with changed.world.store.transaction() as tx:
        tx.add_waits([(-1, waiting)])
    assert f"instance {waiting}: open_waits is" in found
