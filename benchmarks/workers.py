"""(m) Work on other machines: what offers, claims and ends cost in the store alone, and `true` on workers.

The reference of the latter is Celery by itself on the same broker, in the same call: as many processes that run the bare
commands, with no order, no store and no record of anything.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measuring import RETROFILL, Line, await_quiet, retrofill, scratch
from projects import dates, write
from servers import database_of, server_in, stored_in

_WRITERS = 3
_SLOTS = 300  # of each of them
_TASKS, _DAYS = 200, 50  # 10,000 instances that wait for nothing but their date
_SCHEDULERS, _WORKERS, _EACH = 3, 10, 2
_AHEAD = 8  # offers for each run that a worker takes at once, so that none waits for a tick, as none of Celery's does
_SHORT_DAYS, _LONG_DAYS = 10, 100  # 2,000 and 20,000 x `true`
_PATIENCE_SECONDS = 1_200


def run(is_long: bool, patience: float) -> list[Line]:
    from brokers.nodes import RabbitMQ, why_no_rabbitmq

    days = _LONG_DAYS if is_long else _SHORT_DAYS
    with scratch() as folder, server_in(folder) as server, ExitStack() as closing:
        with stored_in(database_of(server, "claims")):
            lines = [_store_alone(folder, patience)]
        if why_no_rabbitmq() is not None:
            return lines
        (folder / "broker").mkdir()
        broker = RabbitMQ(folder / "broker")
        closing.callback(broker.stop)
        bare = _bare(folder, broker.url, _TASKS * days, patience)
        os.environ["RETROFILL_BROKER"] = broker.url
        closing.callback(os.environ.pop, "RETROFILL_BROKER")
        for executor in ("pull", "celery"):
            with stored_in(database_of(server, executor)):
                lines.append(_on_workers(folder, executor, days, bare, patience))
    return lines


def _store_alone(folder: Path, patience: float) -> Line:
    """A scheduler that leads, and workers whose runs end at once."""
    project, count = _project(folder / "claims", "pull", _WRITERS * _SLOTS), _TASKS * _DAYS
    with _schedulers(project, 1), _writers(project):
        created, seconds = _backfill(project, _DAYS, patience)
    return Line(
        f"{count:,} starts, claims and ends in the store alone, {_WRITERS} workers, a second",
        f"{count / seconds:,.0f}",
        f"{seconds:.1f} s, of which {created:.1f} s create it",
        None,
        {"instances": count, "seconds": seconds, "create_seconds": created},
    )


def _on_workers(folder: Path, executor: str, days: int, bare: float, patience: float) -> Line:
    """Schedulers of which one leads, and worker processes that run `true`."""
    project, count = _project(folder / executor, executor, _AHEAD * _WORKERS * _EACH), _TASKS * days
    with _schedulers(project, _SCHEDULERS), _workers(project, executor):
        _, seconds = _backfill(project, days, patience)
    return Line(
        f"{count:,} x `true`, {_SCHEDULERS} schedulers, {_WORKERS} workers ({executor}), s",
        f"{seconds:.1f}",
        f"Celery by itself {bare:.1f}",
        seconds / bare,
        {"instances": count, "seconds": seconds, "bare_seconds": bare},
    )


def _backfill(project: Path, days: int, patience: float) -> tuple[float, float]:
    """Seconds until it is created, and until it has succeeded."""
    await_quiet(patience)
    began = time.perf_counter()
    retrofill(project, "backfill", "create", *_request(days), "--yes")
    created = time.perf_counter() - began
    row = json.loads(retrofill(project, "backfill", "wait", "1", "--output", "json"))
    seconds = time.perf_counter() - began
    if row["counts"]["successful"] != _TASKS * days:
        raise SystemExit(f"the backfill did not succeed: {row}")
    return created, seconds


def _bare(folder: Path, broker: str, count: int, patience: float) -> float:
    """Celery by itself: from the first message to the end of the last command."""
    done = folder / "done"
    done.touch()
    program = Path(__file__).with_name("bare_celery.py")
    environment = {
        **os.environ,
        "BARE_BROKER": broker,
        "BARE_DONE": str(done),
        "PYTHONPATH": str(program.parent),
    }
    words = [
        "-A",
        "bare_celery",
        "--quiet",
        "worker",
        "--concurrency",
        str(_WORKERS),
        "--loglevel",
        "WARNING",
    ]
    words += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    with subprocess.Popen([sys.executable, "-m", "celery", *words], env=environment) as worker:
        try:
            _publish(program, 1, environment)
            _await_bytes(done, 1)  # it has started
            await_quiet(patience)
            began = time.perf_counter()
            _publish(program, count, environment)
            _await_bytes(done, 1 + count)
            return time.perf_counter() - began
        finally:
            worker.terminate()


def _publish(program: Path, count: int, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, str(program), str(count)], env=environment, check=True)


def _await_bytes(path: Path, count: int) -> None:
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while path.stat().st_size < count:
        if time.monotonic() > give_up_at:
            raise SystemExit(f"only {path.stat().st_size:,} of {count:,} commands have run")
        time.sleep(0.02)


def _project(directory: Path, executor: str, slots: int) -> Path:
    made = write(directory, [f"t{number}: {{}}" for number in range(_TASKS)], slots)
    file = made / "retrofill.yaml"
    file.write_text(file.read_text().replace("type: exclusive", f"type: exclusive, executor: {executor}"))
    retrofill(made, "deploy")
    return made


def _request(days: int) -> list[str]:
    tasks = [word for number in range(_TASKS) for word in ("--task", f"bench.t{number}")]
    return [*tasks, "--bizdate", dates(days), "--groups", "10"]


@contextmanager
def _schedulers(project: Path, count: int) -> Iterator[None]:
    """The first one leads; each further one is a machine of its own."""
    with ExitStack() as closing:
        closing.enter_context(_running(project, ["scheduler"]))
        for number in range(1, count):
            other = project.with_name(f"{project.name}-{number}")
            shutil.copytree(project, other, ignore=shutil.ignore_patterns("runs", "*.sock", "*.lock"))
            closing.enter_context(_running(other, ["scheduler"]))
        yield


@contextmanager
def _workers(project: Path, executor: str) -> Iterator[None]:
    homes = [str(project / "workers" / str(number)) for number in range(_WORKERS)]
    words = ["worker", "--executor", executor, "--slots", str(_EACH)]
    with _running(project, *([*words, "--home", home] for home in homes)):
        yield


@contextmanager
def _running(project: Path, *commands: list[str]) -> Iterator[None]:
    """Commands that go on, from the lines on which they say that they are there."""
    processes = []
    try:
        for words in commands:
            said = project.with_name(f"said-{time.monotonic_ns()}")
            with open(said, "w") as file:
                call = [RETROFILL, "--project", str(project), *words]
                processes.append((subprocess.Popen(call, stdin=subprocess.DEVNULL, stderr=file), said))
        for _, said in processes:
            _await_bytes(said, 1)
        yield
    finally:
        for process, _ in processes:
            process.terminate()
        for process, _ in processes:
            process.wait()


@contextmanager
def _writers(project: Path) -> Iterator[None]:
    program = str(Path(__file__).with_name("claiming_process.py"))
    processes = [
        subprocess.Popen(
            [sys.executable, program, str(project), f"writer-{number}", str(_SLOTS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(_WRITERS)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise SystemExit("a worker did not start")
        yield
    finally:
        for process in processes:
            process.communicate()


if __name__ == "__main__":
    from measuring import print_table

    print_table("(m)", run("--long" in sys.argv, 0))
