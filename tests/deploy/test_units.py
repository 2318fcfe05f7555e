"""Files for those who run Retrofill: the systemd units."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from deploy.programs import DEPLOY, RETROFILL, assert_taken, program
from retrofill.cli.exit_statuses import EXIT_STATUSES
from retrofill.domain.errors import Kind
from retrofill.services.ports.leadership import SchedulerRunsError
from retrofill.store.postgres.refusals import StoreUnreachableError

UNIT, SERVER = DEPLOY / "retrofill.service", DEPLOY / "retrofill-server.service"
WORKER, CELERY = DEPLOY / "retrofill-worker.service", DEPLOY / "retrofill-celery-worker.service"
HAVE_RUNS = [UNIT, WORKER, CELERY]  # below these, runs live that a restart must not disturb


def settings(unit: Path = UNIT) -> dict[str, str]:
    """What a unit says, by key; comments left out."""
    lines = [line for line in unit.read_text().splitlines() if re.match(r"\w+=", line)]
    return dict(line.split("=", 1) for line in lines)


def verify(text: str, directory: Path, name: str = UNIT.name) -> tuple[int, str]:
    """What systemd thinks of a unit: exit status and complaints."""
    analyze = program("systemd-analyze", "Debian's package systemd")
    path = directory / name
    path.write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    # Of other units of this machine it may complain too.
    return done.returncode, "\n".join(line for line in done.stderr.splitlines() if name in line)


@pytest.mark.parametrize("unit", [*HAVE_RUNS, SERVER], ids=lambda path: path.stem)
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path, unit: Path) -> None:
    """It is verified as it stands, with the paths of this installation."""
    text = unit.read_text().replace("/opt/retrofill/bin/retrofill", str(RETROFILL))
    assert verify(text, tmp_path, unit.name) == (0, "")


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("KillMode=process", "KillMode=proces"),
        ("Restart=on-failure", "Restat=on-failure"),
        ("ExecStart=", "ExecStart=relative/"),
    ],
)
def test_a_unit_with_a_mistake_is_found(tmp_path: Path, good: str, bad: str) -> None:
    text = UNIT.read_text().replace("/opt/retrofill/bin/retrofill", str(RETROFILL))
    assert good in text
    assert verify(text.replace(good, bad), tmp_path)[1] != ""


@pytest.mark.parametrize("unit", HAVE_RUNS, ids=lambda path: path.stem)
def test_running_tasks_survive_the_service(unit: Path) -> None:
    """TERM reaches the scheduler or worker alone, and nothing of a task's is taken away by a restart."""
    found = settings(unit)
    assert found["KillMode"] == "process"
    assert found["OOMPolicy"] == "continue"
    assert found["Restart"] == "on-failure"
    assert found.get("PrivateTmp", "no") == "no"


def test_which_ends_are_not_tried_again() -> None:
    """Not after wrong use; a scheduler comes back where another process kept it from running, or the store's server was away."""
    not_again = {EXIT_STATUSES[Kind.USAGE]}
    for error in (SchedulerRunsError, StoreUnreachableError):
        assert EXIT_STATUSES[error.kind] not in not_again
    assert {int(status) for status in settings()["RestartPreventExitStatus"].split()} == not_again


@pytest.mark.parametrize("unit", [WORKER, CELERY], ids=lambda path: path.stem)
def test_a_worker_is_started_again_whatever_has_ended_it(unit: Path) -> None:
    """Its group may not be deployed yet, or the server be away: what keeps it from working passes."""
    assert "RestartPreventExitStatus" not in settings(unit)


@pytest.mark.parametrize(
    ("unit", "command"),
    [(UNIT, "scheduler"), (SERVER, "serve"), (WORKER, "worker"), (CELERY, "worker")],
    ids=lambda value: value.stem if isinstance(value, Path) else "",
)
def test_the_unit_starts_a_command_that_there_is(unit: Path, command: str) -> None:
    """ExecStart's words are those of the program."""
    called, *words = settings(unit)["ExecStart"].split()
    assert Path(called).name == "retrofill"
    assert command in words
    assert_taken([word for word in words if word not in ("--project", "/srv/retrofill")])
