"""What goes by age and by size, when, and what never does."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from contracts.ledgers import BACKFILL, INSTANCE
from domain.catalogs import SELF, make_task
from retrofill.domain.catalog.definitions import ResourceGroup
from retrofill.domain.people.roles import system_administrator
from retrofill.domain.running.states import State
from retrofill.domain.selection.ways import AllDescendantsSelection
from retrofill.executors.local.folder import RunsFolder
from retrofill.executors.local.journals import Journal
from retrofill.executors.logs.names import run_name
from retrofill.executors.logs.paths import RunPaths
from retrofill.services.ports.records import (
    BackfillRecord,
    EndOfRun,
    HostRecord,
    InstanceRecord,
    SavedFormRecord,
)
from retrofill.services.ports.retention import LogFile, RunName
from retrofill.services.upkeep.clocks import accept_clock
from retrofill.services.upkeep.custody import DAY_MS, LedgerCustody, Rules
from retrofill.services.upkeep.daily import Daily
from retrofill.services.upkeep.files import KEEP_BYTES, FileKeeping, Report
from retrofill.services.upkeep.retention import Retention
from retrofill.store.statements import retention as stored
from services.fakes import ms
from services.worlds import MakeWorld, World
from store.connections import file_of

ADMIN = system_administrator("admin")

RULES = Rules(30, {"shared": 7, "exclusive": 30, "serverless": 30}, 3_000_000)
_MADE = "2026-03-02T12:00"
_DAILY = "0 0 * * *"


class Old:
    """A world in which time passes, with the logs of its runs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.runs = world.directory / "runs"
        RunPaths(str(self.runs)).make()
        self._numbers = itertools.count(1_000_000)

    def job(self, is_dry: bool = False, rules: Rules = RULES) -> Retention:
        world = self.world
        return Retention(world.store, RunsFolder(self.runs), world.graphs, world.clock, rules, is_dry)

    def clean(self, rules: Rules = RULES) -> Report:
        return self.job(rules=rules).run()

    def write_log(self, run: RunName, size: int = 10, at: int | None = None) -> Path:
        """A log of so many bytes, last written at an instant (ms, now)."""
        path = self.runs / "logs" / f"{run_name(*run)}.log"
        path.write_bytes(b"x" * size)
        self.age(path, at)
        return path

    def age(self, path: Path, at: int | None = None) -> None:
        seconds = (self.world.clock.now_ms() if at is None else at) / 1000
        os.utime(path, (seconds, seconds))

    def logs(self) -> set[str]:
        return {path.name for path in (self.runs / "logs").iterdir()}

    def all_runs(self) -> list[RunName]:
        with file_of(self.world.store) as file:
            return file.execute("SELECT instance_id, number, token FROM run").fetchall()

    def write_logs(self, size: int = 10) -> list[Path]:
        return [self.write_log(run, size) for run in self.all_runs()]

    def add_auto(self, state: State = State.SUCCESSFUL, size: int = 0, **more: object) -> InstanceRecord:
        """An auto triggered instance that has run now, with a log of so many bytes."""
        now = self.world.clock.now_ms()
        values = {
            "due_ms": now,
            "started_ms": now,
            "ended_ms": now,
            "bizdate": "2026-03-01",
            "state": state.value,
        }
        number = next(self._numbers)
        values["slot"] = number
        row = INSTANCE._replace(id=number, backfill_id=None, **values | more)  # type: ignore[arg-type]
        with self.world.store.transaction() as tx:
            tx.add_instances([row._replace(state="waiting_resources", ended_ms=None)])
            if row.started_ms is not None:
                tx.start([(number, 1, "t")], "boot", now)
                tx.end_runs([EndOfRun(number, 1, "t", now, "exited", 0, None)])
        with file_of(self.world.store) as file:
            columns = (row.state, row.ended_ms, number)
            file.execute("UPDATE instance SET state = ?, ended_ms = ? WHERE id = ?", columns)
        if size:
            self.write_log((number, 1, "t"), size)
        return row

    def count(self, table: str) -> int:
        with file_of(self.world.store) as file:
            return int(file.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
def old(world: MakeWorld) -> Old:
    groups = (ResourceGroup("common", slots=9, type="shared"),)
    return Old(
        world(
            make_task("w.a", _DAILY),
            make_task("w.b", _DAILY, resource_group="common"),
            groups=groups,
            now=_MADE,
        )
    )


def days(number: float) -> float:
    return number * DAY_MS / 1000


# Backfills


def test_a_backfill_goes_with_all_that_belongs_to_it(old: Old) -> None:
    """RET-1: instances, runs, dates, operations, logs; thirty days after its end and no earlier."""
    number = old.world.create(dates="2026-01-05..2026-01-07")
    old.world.finish()
    old.write_logs()
    old.world.clock.forward(days(30))
    assert old.clean().backfills == 0
    old.world.clock.forward(1)
    report = old.clean()
    assert (report.backfills, report.instances, report.runs) == (1, 6, 6)
    assert report.logs == 3  # those of the shared group had gone after seven days
    for table in ("backfill", "backfill_date", "backfill_task", "instance", "run"):
        assert old.count(table) == 0, table
    assert old.count("operation WHERE action <> 'deploy'") == 0
    assert old.logs() == set()
    with old.world.store.read() as reader:
        assert reader.find_backfill(number) is None


def test_the_last_change_counts(old: Old) -> None:
    """RET-1: an operation on one of its instances keeps the whole backfill."""
    number = old.world.create()
    old.world.finish(fails=lambda name: name.startswith("a"))
    old.world.clock.forward(days(20))
    old.world.do("set_successful", "a 5 00:00")
    old.world.clock.forward(days(20))
    assert old.clean().backfills == 0
    old.world.clock.forward(days(10.1))
    assert old.clean().backfills == 1
    assert old.count("backfill") == 0
    assert number


@pytest.mark.parametrize("case", ["running", "running, paused", "waits for a slot", "waits for its time"])
def test_what_runs_or_goes_on_by_itself_stays(old: Old, case: str) -> None:
    """RET-1: however old: while something runs, waits for resources or will start by itself."""
    number = old.world.create(dates="2027-01-05" if case == "waits for its time" else "2026-01-05")
    if case != "waits for a slot":
        old.world.tick()
    if case == "running, paused":
        old.world.backfills.pause(number)
    old.world.clock.forward(days(200))
    assert old.clean().backfills == 0
    assert old.count("instance") == 2


def _held(old: Old, how: str) -> None:
    """A backfill of which nothing starts by itself, although some of them have not ended."""
    world = old.world
    if how.startswith("planned"):
        world.clock.move_to("2025-12-01T12:00")
        accept_clock(world.store, world.clock, ADMIN.name)
        number = world.create(selection=AllDescendantsSelection("w.a"))
    else:
        number = world.create(dates="2026-01-05..2026-01-06")
    if how == "paused midway":
        world.tick()
        world.backfills.pause(number)
        world.end("a 5 00:00", "b 5 00:00")
    elif how == "frozen":
        world.backfills.pause(number)
        world.backfills.freeze(number)
        world.backfills.resume(number)
    else:
        getattr(world.backfills, how.rpartition(" ")[2])(number)


@pytest.mark.parametrize(
    "how", ["never started, pause", "never started, stop", "paused midway", "frozen", "planned, pause", "planned, stop"]
)  # fmt: skip
def test_what_nobody_lets_go_on_goes_like_all_others(old: Old, how: str) -> None:
    """RET-1: paused, stopped and frozen ones, begun or not, 30 days after their last change."""
    _held(old, how)
    old.world.clock.forward(days(29.9))
    assert old.clean().backfills == 0
    old.world.clock.forward(days(0.2))
    assert old.job(is_dry=True).run().backfills == 1
    assert old.clean().backfills == 1
    assert (old.count("backfill"), old.count("instance"), old.count("backfill_date")) == (0, 0, 0)
    assert old.world.finish() == []


def test_a_run_that_ends_after_the_pause_is_a_change(old: Old) -> None:
    """RET-1: though nobody has done anything since."""
    number = old.world.create()
    old.world.tick()
    old.world.backfills.pause(number)
    old.world.clock.forward(days(6))
    old.world.end("a 5 00:00", "b 5 00:00", exit_code=1)
    old.world.clock.forward(days(29))
    assert old.clean().backfills == 0
    old.world.clock.forward(days(1.1))
    assert old.clean().backfills == 1


@pytest.mark.parametrize("restarts", [False, True])
def test_nothing_of_a_stopped_backfill_starts_while_it_goes(
    old: Old, restarts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RET-1, BF-4: although it had instances that waited for a slot when it was stopped."""
    monkeypatch.setattr(stored, "MOST_ROWS", 5)
    world = old.world
    number = world.create("a", dates="2026-01-05..2026-01-12", groups=8)
    world.tick()
    world.backfills.stop(number)
    world.tick()
    world.tick()
    assert world.status(number) == "stopped"
    assert "waiting_resources" in world.states().values()
    world.clock.forward(days(31))
    if restarts:
        world.restart()
    started = len(world.executor.started)
    for _ in old.job().steps():
        world.tick()
        assert len(world.executor.started) == started
    assert old.count("instance") == 0


def test_a_new_backfill_is_not_taken_for_one_that_has_gone(old: Old) -> None:
    """RET-1, CAT-3: by a scheduler that had worked on that one."""
    first = old.world.create("a")
    old.world.finish()
    old.world.clock.forward(days(31))
    old.world.tick()
    assert old.clean().backfills == 1
    assert old.world.create("b") > first
    assert old.world.finish() == [{"b 5 00:00"}]


def test_a_refused_backfill_goes_too(old: Old) -> None:
    """RET-1, VER-2."""
    with old.world.store.transaction() as tx:
        made = old.world.clock.now_ms()
        tx.add_backfill(_refused(old.world, made), [])
    old.world.clock.forward(days(31))
    assert old.clean().backfills == 1
    assert old.count("backfill") == 0


def _refused(world: World, made_ms: int) -> BackfillRecord:
    return BACKFILL._replace(
        phase="refused", check_status="failed", version_id=world.version_id, created_ms=made_ms, ended_ms=made_ms,
        first_instance_id=0,
    )  # fmt: skip


@pytest.mark.embedded
def test_no_transaction_deletes_many_rows(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    """RET-1: parts; between them others can write."""
    monkeypatch.setattr(stored, "MOST_ROWS", 50)
    old.world.create(dates="2026-01-01..2026-02-19")
    old.world.finish()
    old.world.clock.forward(days(31))
    connection = old.world.connections.writer
    before = connection.total_changes
    sizes = []
    for _ in old.job().steps():
        sizes.append(connection.total_changes - before)
        before = connection.total_changes
    assert max(sizes) <= 50
    assert sum(sizes) > 250
    assert old.count("instance") == 0


def test_a_crash_at_any_step_loses_nothing_and_leaves_nothing(
    old: Old, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RET-1: half of a backfill is never seen, and the next job deletes the rest."""
    monkeypatch.setattr(stored, "MOST_ROWS", 10)
    number = old.world.create(dates="2026-01-01..2026-01-10")
    old.world.finish()
    old.write_logs()
    young_id = _young(old)
    for count in itertools.count(1):
        done = len(list(itertools.islice(old.job().steps(), count)))
        left = old.count("instance") - 2
        with old.world.store.read() as reader:
            assert reader.find_backfill(number) is None or left == 20
            assert reader.find_backfill(young_id) is not None
        if done < count:
            break
    assert count > 5
    assert old.count("backfill") == 1
    assert old.count("instance") == 2
    assert len(old.logs()) == 0


def _young(old: Old) -> int:
    """A second backfill, thirty-one days later."""
    old.world.clock.forward(days(31))
    number = old.world.create()
    old.world.finish()
    return number


@pytest.mark.embedded
def test_a_table_that_refers_to_instances_is_followed(old: Old) -> None:
    """RET-1: whatever later versions add."""
    connection = old.world.connections.writer
    connection.execute(
        "CREATE TABLE note (id INTEGER PRIMARY KEY, of INTEGER NOT NULL REFERENCES instance (id))"
    )
    connection.execute(
        "CREATE TABLE label (of INTEGER REFERENCES backfill (id), word TEXT, PRIMARY KEY (of, word))"
    )
    number = old.world.create()
    old.world.finish()
    connection.execute("INSERT INTO note (of) SELECT id FROM instance")
    connection.execute("INSERT INTO label VALUES (?, 'x'), (?, 'y')", (number, number))
    old.world.clock.forward(days(31))
    assert old.clean().backfills == 1
    assert (old.count("note"), old.count("label"), old.count("backfill")) == (0, 0, 0)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


@pytest.mark.embedded
def test_a_dry_run_says_what_a_run_then_does(old: Old) -> None:
    """RET-1: the same counts, and nothing is touched."""
    old.world.create(dates="2026-01-05..2026-01-07")
    old.world.finish()
    old.write_logs(100)
    old.add_auto(size=200)
    old.write_log((77, 1, "nobody"), 300)
    old.world.clock.forward(days(31))
    before = Path(old.world.store.path).read_bytes(), old.logs()
    wanted = old.job(is_dry=True).run()
    assert (Path(old.world.store.path).read_bytes(), old.logs()) == before
    assert old.clean() == wanted
    assert (wanted.backfills, wanted.instances, wanted.logs, wanted.log_bytes) == (1, 7, 7, 800)
    assert (wanted.unknown_files, wanted.unknown_bytes) == (1, 300)
    assert old.clean() == Report()


# Auto triggered instances


@pytest.mark.parametrize("state", State)
def test_auto_triggered_instances_by_state(old: Old, state: State) -> None:
    """RET-1: what runs or will run by itself stays; what is blocked goes when nobody has touched it for so long."""
    more = {"frozen_from": "not_run"} if state is State.FROZEN else {}
    if state is State.FROZEN:
        row = old.add_auto(State.NOT_RUN)
        with old.world.store.transaction() as tx:
            tx.freeze(row.id)
    else:
        row = old.add_auto(state, **more)
    old.world.clock.forward(days(29))
    assert old.clean().instances == 0
    old.world.clock.forward(days(2))
    stays = state in (State.RUNNING, State.WAITING_TIME, State.WAITING_RESOURCES)
    assert old.clean().instances == (0 if stays else 1)
    assert old.count("instance") == int(stays)


def test_an_operation_keeps_an_auto_triggered_instance(old: Old) -> None:
    """RET-1: its last change."""
    row = old.add_auto(State.FAILED)
    old.world.clock.forward(days(20))
    with old.world.store.transaction() as tx:
        tx.record(old.world.clock.now_ms(), "admin", "set-successful", None, row.id)
    old.world.clock.forward(days(20))
    assert old.clean().instances == 0
    old.world.clock.forward(days(11))
    assert (old.clean().instances, old.count("operation WHERE action <> 'deploy'")) == (1, 0)


# Logs


def test_logs_by_type_of_resource_group(old: Old) -> None:
    """RET-1: seven days for shared groups, thirty for the others; the run stays and says when its log went."""
    old.world.create()
    old.world.finish()
    old.write_logs()
    names = old.world.rows()
    old.world.clock.forward(days(8))
    assert (old.clean().logs, old.clean().logs) == (1, 0)
    assert [name.split(".")[0] for name in old.logs()] == [str(names["a 5 00:00"].id)]
    with old.world.store.read() as reader:
        removed = {name: reader.runs(row.id)[0].log_removed_ms for name, row in names.items()}
    assert removed == {"a 5 00:00": None, "b 5 00:00": old.world.clock.now_ms()}


def test_a_log_of_a_run_that_goes_on_stays(old: Old) -> None:
    """RET-1: its existence is the run's claim; a silent run may last longer than logs are kept."""
    old.world.create()
    old.world.tick()
    paths = old.write_logs()
    old.world.clock.forward(days(6 * 30))
    report = old.clean(Rules(1, dict.fromkeys(RULES.log_days, 1), 0))
    assert (report.logs, report.unknown_files) == (0, 0)
    assert all(path.exists() for path in paths)


def test_files_of_unknown_runs(old: Old) -> None:
    """RET-1: they go after the longest time for which logs are kept, also what is no log at all."""
    old.world.create()
    old.world.finish()
    (first, *_) = old.all_runs()
    other = old.write_log((first[0], first[1], "another-token"))
    strange = old.runs / "logs" / "core.1234"
    strange.write_text("x")
    old.age(strange)
    folder = old.runs / "logs" / "folder"
    folder.mkdir()
    old.world.clock.forward(days(29))
    assert old.clean().unknown_files == 0
    old.world.clock.forward(days(2))
    assert old.clean().unknown_files == 2
    assert not other.exists()
    assert old.logs() == {"folder"}


def test_a_folder_of_many_logs_is_looked_at_in_steps(old: Old) -> None:
    """RET-1: no step looks at more than a few hundred files."""
    for number in range(2_000):
        old.write_log((number, 1, "t"), 1)
    old.world.clock.forward(days(31))
    left = [len(old.logs()) for _ in old.job().steps()]
    assert max(a - b for a, b in itertools.pairwise(left)) <= 400
    assert len(old.logs()) == 0


def test_hosts_that_are_gone_go_by_age(old: Old) -> None:
    """RET-1: each container is a host of its own."""
    gone = HostRecord("gone-1", "gone", "pull", "[]", 2, "0.1.0", "", 5)
    with old.world.store.transaction() as tx:
        tx.hosting.note(gone)
        tx.hosting.note(gone._replace(name="new-1", label="new", since_ms=tx.hosting.now_ms()))
    assert old.job(is_dry=True).run().backfills == 0
    assert old.count("host") == 2, "counting takes nothing away"
    old.clean()
    assert old.count("host") == 1


def test_drafts_of_forms_go_by_age(old: Old) -> None:
    """RET-1: what has a name stays, and counting takes nothing away."""
    draft = SavedFormRecord(0, "ann", "new", None, "{}", old.world.clock.now_ms())
    with old.world.store.transaction() as tx:
        tx.saved_forms.put(draft)
        tx.saved_forms.put(draft._replace(name="mine"))
    old.world.clock.forward(days(30))
    assert (old.clean().drafts, old.count("saved_form")) == (0, 2)
    old.world.clock.forward(1)
    assert (old.job(is_dry=True).run().drafts, old.count("saved_form")) == (1, 2)
    assert (old.clean().drafts, old.count("saved_form")) == (1, 1)


def _claim_and_die(journals: str, name: str) -> None:
    """A supervisor that has claimed a run and is no more."""
    pid = os.fork()
    if pid == 0:
        Journal(journals, "boot").claim(name.encode(), 1.0)
        os._exit(0)
    os.waitpid(pid, 0)


def test_journals_of_the_dead(old: Old) -> None:
    """RET-1: they go, unless they tell of a run whose end the ledger does not have yet."""
    old.world.create()
    old.world.tick()
    places = RunPaths(str(old.runs))
    for run in (*old.all_runs()[:1], (999, 1, "gone")):
        _claim_and_die(places.journals, run_name(*run))
    living = Journal(places.journals, "boot")
    living.claim(b"998.1.alive", 1.0)
    assert old.clean().journals == 1
    assert len(os.listdir(places.journals)) == 2
    old.world.finish()
    assert old.clean().journals == 1
    assert len(os.listdir(places.journals)) == 1


# Size


def test_the_largest_logs_of_a_date_are_cut_first(old: Old) -> None:
    """RET-2: until three megabytes are left; each keeps its beginning and its end."""
    sizes = [2_000_000, 1_500_000, 400_000, 100_000]
    rows = [old.add_auto(size=size) for size in sizes]
    other = old.add_auto(size=2_900_000, bizdate="2026-02-28")
    report = old.clean()
    folder = RunsFolder(old.runs)
    left = [folder.size((row.id, 1, "t")) for row in rows]
    assert left[1:] == sizes[1:]
    assert 2 * KEEP_BYTES <= left[0] <= 2 * KEEP_BYTES + 8192
    assert (report.cut_logs, report.cut_bytes) == (1, sizes[0] - left[0])
    assert folder.size((other.id, 1, "t")) == 2_900_000
    assert old.clean().cut_logs == 0


def test_logs_of_failed_ones_are_cut_last(old: Old) -> None:
    """RET-2."""
    failed = old.add_auto(State.FAILED, size=5_000_000)
    small = [old.add_auto(size=200_000) for _ in range(3)]
    still = old.add_auto(State.NOT_RUN, size=9_000_000)
    old.clean()
    folder = RunsFolder(old.runs)
    assert all(folder.size((row.id, 1, "t")) < 80_000 for row in (failed, *small))
    assert folder.size((still.id, 1, "t")) == 9_000_000  # not finished
    again = old.add_auto(State.FAILED, size=2_700_000)
    old.clean()
    assert folder.size((again.id, 1, "t")) == 2_700_000


def test_many_logs_that_cannot_be_cut_further(old: Old) -> None:
    """RET-2: first and last 32 KiB of each stay, though together they are more."""
    rows = [old.add_auto(size=90_000) for _ in range(60)]
    assert old.clean().cut_logs == 60
    folder = RunsFolder(old.runs)
    assert all(folder.size((row.id, 1, "t")) >= 2 * KEEP_BYTES for row in rows)


def test_zero_cuts_nothing(old: Old) -> None:
    """RET-2."""
    old.add_auto(size=9_000_000)
    assert old.clean(Rules(30, RULES.log_days, 0)).cut_logs == 0


def test_where_files_cannot_have_holes(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    """RET-2: the file is written anew, and says what is missing."""

    def refuse(*_: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("retrofill.executors.kernel.punch_hole", refuse)
    row = old.add_auto(size=4_000_000)
    old.clean()
    text = (old.runs / "logs" / f"{row.id}.1.t.log").read_bytes()
    gap = f"\n[{4_000_000 - 2 * KEEP_BYTES} bytes of the log were cut out here]\n".encode()
    assert text == b"x" * KEEP_BYTES + gap + b"x" * KEEP_BYTES


# Once a day


def daily(old: Old) -> Daily:
    return Daily(old.world.store, old.job, old.world.clock, 4 * 60, "America/New_York")


def went_through(job: Daily, world: World) -> bool:
    """Do all steps that are due; whether there were any."""
    before = last_run(world)
    while job.step():
        pass
    return last_run(world) != before


def last_run(world: World) -> int | None:
    with world.store.read() as reader:
        return reader.retention.last_run_ms()


def test_once_a_day_at_its_time(old: Old) -> None:
    """RET-1: at 04:00 of the deployment, once, over a change of the clocks too; a restart repeats nothing."""
    clock, world = old.world.clock, old.world
    job = daily(old)
    clock.move_to("2026-03-07T20:00")
    assert went_through(job, world)
    assert not went_through(daily(old), world)
    due = [ms("2026-03-08T08:00"), ms("2026-03-09T08:00")]  # 04:00 EDT, from the eighth on
    for moment in due:
        clock.ms = moment - 1
        assert not went_through(job, world)
        assert not went_through(daily(old), world)
        clock.ms = moment
        assert went_through(job, world)
        assert not went_through(daily(old), world)


def test_a_scheduler_that_was_down_at_the_time(old: Old) -> None:
    """RET-1: it is done as soon as one runs; one that was interrupted is begun again."""
    job = daily(old)
    assert job.step()
    again = daily(old)
    assert went_through(again, old.world)


def test_a_clock_that_was_wrong(old: Old) -> None:
    """TIME-7: a run that lies in the future does not keep the next ones away."""
    with old.world.store.transaction() as tx:
        tx.retention.note_run(ms("2030-01-01T00:00"))
    assert went_through(daily(old), old.world)


def test_what_the_system_refuses_does_not_stop_the_scheduler(
    old: Old, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RET-1: it is tried again at the next time."""
    old.write_log((77, 1, "nobody"))
    old.world.clock.forward(days(31))

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "unlink", refuse)
    job = daily(old)
    assert not went_through(job, old.world)
    monkeypatch.undo()
    assert not went_through(job, old.world)
    old.world.clock.forward(days(1))
    assert went_through(job, old.world)


@pytest.mark.embedded
def test_rows_are_found_by_index(old: Old) -> None:
    """RET-1: what is asked for every day costs what is old, not what exists."""
    connection = old.world.connections.writer
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    with old.world.store.transaction() as tx:
        tx.retention.part_of_auto(ms(_MADE), "2026-01-01")
        tx.retention.expired_backfills(ms(_MADE))
    connection.set_trace_callback(None)
    plans = [_plan(connection, s) for s in statements if s.startswith("SELECT") and "json_each" not in s]
    assert any("instance_auto" in plan for plan in plans)
    assert any("backfill_ended" in plan and "backfill_held" in plan for plan in plans)
    assert not any(line.startswith("SCAN i") for plan in plans for line in plan.splitlines())


def _plan(connection: sqlite3.Connection, statement: str) -> str:
    return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"))


# The schedule


def nights(old: Old, count: int, fails: int) -> None:
    """Let so many nights be made, run and end; the first ones fail."""
    world = old.world
    for number in range(count):
        world.clock.move_to(f"2026-03-{2 + number:02}T23:30")
        world.night()
        world.clock.move_to(f"2026-03-{3 + number:02}T12:00")
        world.finish(fails=lambda name, number=number: number < fails)  # type: ignore[misc]


def test_nights_go_with_their_instances(old: Old) -> None:
    """RET-1, AUTO-3: all but the newest one, after which the next is made."""
    nights(old, 3, fails=0)
    old.world.clock.forward(days(60))
    assert old.clean().instances == 6
    assert (old.count("instance"), old.count("generation")) == (0, 1)
    with old.world.store.read() as reader:
        assert reader.generations.last_night() == "2026-03-04"


def test_the_rest_of_a_schedule_of_which_the_oldest_goes(world: MakeWorld) -> None:
    """RET-1, AUTO-2: what has not succeeded stays as long as one waits for it that stays; then all go at once."""
    old = Old(world(make_task("w.a", _DAILY, SELF), now=_MADE))
    nights(old, 3, fails=1)
    assert sorted(row.state for row in old.world.auto_rows().values()) == ["failed", "not_run", "not_run"]
    old.world.clock.move_to("2026-04-02T13:00")
    assert old.clean().instances == 0
    old.world.clock.move_to("2026-04-04T13:00")
    assert old.clean().instances == 3
    assert old.world.drift() == []


@pytest.mark.parametrize("restarts", [False, True])
def test_what_has_gone_of_the_night_before_is_not_waited_for(world: MakeWorld, restarts: bool) -> None:
    """RET-1, AUTO-2: the schedule was paused for longer than instances are kept, and the newest night stays."""
    old = Old(world(make_task("w.a", _DAILY, SELF), now=_MADE))
    nights(old, 1, fails=0)
    old.world.schedule.pause(ADMIN.name)
    old.world.clock.move_to("2026-03-07T12:00")
    assert old.clean(Rules(3, RULES.log_days, KEEP_BYTES)).instances == 1
    assert old.count("generation") == 1
    if restarts:
        old.world.restart()
    old.world.schedule.resume(ADMIN.name)
    assert old.world.night()[0] == "2026-03-03"
    old.world.finish()
    assert set(old.world.auto_states().values()) == {"successful"}


# On other hosts, and in shared storage


def job_of(old: Old, host: str, rules: Rules = RULES, runs: Path | None = None) -> FileKeeping:
    """The job of a worker, whose clock is an hour ahead."""
    world = old.world
    custody = LedgerCustody(world.store, world.graphs, world.clock.now_ms(), rules, host)
    now_ms = world.clock.now_ms() + 3_600_000
    return FileKeeping(custody, RunsFolder(runs or old.runs), now_ms, Report())


@pytest.mark.embedded
def test_a_host_lets_go_of_its_logs(old: Old) -> None:
    """RET-1: what the ledger says has ended for so long; by ages, so that its clock need not agree."""
    old.world.create()
    old.world.finish()
    for path in old.write_logs():
        old.age(path, old.world.clock.now_ms() + 3_600_000)
    names = old.world.rows()
    open_journal = old.write_log((9, 9, "unknown"), at=old.world.clock.now_ms() + 3_600_000)
    with file_of(old.world.store) as file:
        file.execute("UPDATE run SET host = 'elsewhere'")
        file.commit()
    old.world.clock.forward(days(8))
    for _ in job_of(old, "other").steps(days(1)):
        pass
    assert len(old.logs()) == 3
    for _ in job_of(old, "elsewhere").steps(days(1)):
        pass
    assert {name.split(".")[0] for name in old.logs()} == {str(names["a 5 00:00"].id), "9"}
    with old.world.store.read() as reader:
        assert reader.runs(names["b 5 00:00"].id)[0].log_removed_ms == old.world.clock.now_ms()
    old.world.clock.forward(days(23))
    for _ in job_of(old, "elsewhere").steps(days(1)):
        pass
    assert not open_journal.exists()


@pytest.mark.embedded
def test_a_host_cuts_the_logs_of_its_own_runs(old: Old) -> None:
    """RET-2: the cap holds for what one host has of a date; those of others are not asked for."""
    rows = [old.add_auto(size=200_000) for _ in range(4)]
    with file_of(old.world.store) as file:
        file.execute("UPDATE run SET host = 'one' WHERE instance_id IN (?, ?)", (rows[0].id, rows[1].id))
        file.execute("UPDATE run SET host = 'two' WHERE instance_id IN (?, ?)", (rows[2].id, rows[3].id))
        file.commit()
    cap = Rules(30, RULES.log_days, 300_000)
    for _ in job_of(old, "one", cap).steps(days(1)):
        pass
    folder = RunsFolder(old.runs)
    sizes = {run[0]: folder.size(run) for run in old.all_runs()}
    assert sorted(sizes[row.id] < 80_000 for row in rows[:2]) == [False, True]
    assert [sizes[row.id] for row in rows[2:]] == [200_000, 200_000]


class Shared:
    """Shared storage with these files, or one that cannot be reached."""

    def __init__(self, files: list[LogFile], is_away: bool = False) -> None:
        self.files, self.is_away = files, is_away

    def scan(self) -> Iterator[LogFile]:
        if self.is_away:
            raise OSError("no route to host")
        yield from self.files

    def remove(self, names: Iterable[str]) -> None:
        gone = set(names)
        self.files = [file for file in self.files if file.name not in gone]


@pytest.mark.parametrize("is_away", [False, True])
def test_shared_storage_is_seen_to_by_who_leads(old: Old, is_away: bool) -> None:
    """RET-1: by the same rules, whoever has pushed there; one that cannot be reached keeps nothing else from going."""
    world = old.world
    world.create()
    world.finish()
    old.write_logs()
    now, names = world.clock.now_ms(), world.rows()
    shared = Shared([LogFile(f"0/{run_name(*run)}", run, now, 10) for run in old.all_runs()], is_away)
    world.clock.forward(days(8))
    Retention(world.store, RunsFolder(old.runs), world.graphs, world.clock, RULES, shelves=[shared]).run()
    left = [file.run[0] for file in shared.files if file.run is not None]
    kept = names["a 5 00:00"].id
    assert left == ([run[0] for run in old.all_runs()] if is_away else [kept])
    assert [name.split(".")[0] for name in old.logs()] == [str(kept)]
    with world.store.read() as reader:
        assert reader.retention.last_run_ms() == world.clock.now_ms()
