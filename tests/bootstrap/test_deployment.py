"""One deployment a process: its threads read, act and schedule on the same store at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, Event

import pytest

from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import Deployment, open_deployment
from retrofill.bootstrap.engine import Engine
from retrofill.domain.errors import NotPermittedError, UsageError
from retrofill.services.running.tick_report import TickReport

PATIENCE = 60.0
TASKS = "\n".join(f'  t{number}: {{type: shell, schedule: "0 1 * * *", run: "true"}}' for number in range(6))


def write(home: Path, settings: str = "{}") -> None:
    (home / "workspaces" / "w").mkdir(parents=True, exist_ok=True)
    (home / "retrofill.yaml").write_text(f"project: test\nsettings: {settings}\n")
    (home / "workspaces" / "w" / "workspace.yaml").write_text(f"workspace: w\ntasks:\n{TASKS}\n")


def call(deployment: Deployment) -> Call:
    return Call(deployment)


def create(deployment: Deployment) -> int:
    """A backfill of all tasks, by a thread that is not the engine's."""
    asked = call(deployment)
    given = {"task": tuple(asked.folder.catalog.tasks), "bizdate": ("2026-01-05..2026-01-09",)}
    return asked.center.backfills.create(asked.center.backfills.plan(given))


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    write(tmp_path)
    opened = open_deployment(str(tmp_path), {})
    call(opened).center.versions.deploy()
    yield opened
    opened.close()


def test_threads_read_and_write_one_deployment(deployment: Deployment) -> None:
    """OPS-8: every request has a center of its own; nothing that was done is lost."""
    threads, each = 6, 5
    begin = Barrier(threads)

    def work(number: int) -> None:
        begin.wait()
        for turn in range(each):
            center = call(deployment).center
            task = f"w.t{number}"
            act = center.tasks.unfreeze if turn % 2 else center.tasks.freeze
            (result,) = act([task], comment=f"{number}.{turn}")
            assert result.error is None
            found = call(deployment).center.operations.of_task(task)
            assert found[0]["comment"] == f"{number}.{turn}", "what it has done itself it finds"
            assert len(found) == turn + 1

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    with deployment.store.read() as reader:
        assert reader.frozen_tasks.names() == {f"w.t{number}" for number in range(threads)}


def test_settings_are_those_of_the_version_that_is_deployed(deployment: Deployment) -> None:
    """Whoever asks anew goes by what was deployed meanwhile; a call goes by one version until its end."""
    before = call(deployment)
    assert before.settings.retention_days == deployment.settings().retention_days == 30
    write(deployment.folder.directory, "{retention_days: 7}")
    call(deployment).center.versions.deploy()
    assert deployment.settings().retention_days == 7
    assert call(deployment).settings.retention_days == 7
    assert before.settings.retention_days == 30


def test_settings_that_do_not_hold_leave_the_engine_as_it_is(tmp_path: Path) -> None:
    """The environment of this process may contradict what was deployed elsewhere."""
    write(tmp_path)
    environ: dict[str, str] = {}
    deployment = open_deployment(str(tmp_path), environ)
    call(deployment).center.versions.deploy()
    engine = Engine(deployment, deployment.leadership())
    environ["RETROFILL_RETENTION_DAYS"] = "many"
    with suppress(UsageError):
        engine.follow()
    assert engine.settings.retention_days == 30
    del environ["RETROFILL_RETENTION_DAYS"]
    write(tmp_path, "{retention_days: 7}")
    call(deployment).center.versions.deploy()
    engine.follow()
    assert engine.settings.retention_days == 7
    deployment.close()


def test_a_user_whom_nobody_knows(tmp_path: Path) -> None:
    """SEC-1: asked by the call, so that each request has its own."""
    write(tmp_path)
    deployment = open_deployment(str(tmp_path), {"RETROFILL_USER": "stranger"})
    with pytest.raises(NotPermittedError, match='nobody is called "stranger"'):
        _ = call(deployment).actor
    deployment.close()


@pytest.mark.slow
def test_an_engine_runs_beside_who_asks_and_acts(deployment: Deployment) -> None:
    """RUN-1, BF-3: one thread schedules, others look and steer; all on the same deployment."""
    leadership = deployment.leadership()
    assert leadership.lead()
    has_ended, is_over = Event(), Event()

    def observe(ticked: TickReport) -> bool:
        if ticked.backfills_ended:
            has_ended.set()
        return is_over.is_set()

    def schedule() -> None:
        Engine(deployment, leadership).run(observe, observe_ms=50)

    def look() -> int:
        looks = 0
        while not has_ended.is_set():
            center = call(deployment).center
            for row in center.backfills.list()["items"]:
                center.backfills.show(row["id"])
            list(center.instances.each())
            looks += 1
        return looks

    with ThreadPoolExecutor(4) as pool:
        scheduling = pool.submit(schedule)
        lookers = [pool.submit(look) for _ in range(2)]
        try:
            number = create(deployment)
            assert has_ended.wait(PATIENCE)
        finally:
            has_ended.set()
            is_over.set()
        assert all(looker.result() for looker in lookers)
        scheduling.result()
    leadership.resign()
    assert call(deployment).center.backfills.row(number)["status"] == "succeeded"
