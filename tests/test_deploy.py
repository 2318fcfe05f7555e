"""Files for those who run Retrofill: the systemd units."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from retrofill.cli.exit_statuses import EXIT_STATUSES
from retrofill.domain.errors import Kind
from retrofill.services.ports.leadership import SchedulerRunsError
from retrofill.store.postgres.refusals import StoreUnreachableError

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
UNIT, SERVER = DEPLOY / "retrofill.service", DEPLOY / "retrofill-server.service"
RETROFILL = Path(sys.executable).with_name("retrofill")


def settings(unit: Path = UNIT) -> dict[str, str]:
    """What a unit says, by key; comments left out."""
    lines = [line for line in unit.read_text().splitlines() if re.match(r"\w+=", line)]
    return dict(line.split("=", 1) for line in lines)


def verify(text: str, directory: Path, name: str = UNIT.name) -> tuple[int, str]:
    """What systemd thinks of a unit: exit status and complaints."""
    if shutil.which("systemd-analyze") is None:
        if os.environ.get("RETROFILL_TEST_SERVICES") == "required":
            pytest.fail("systemd-analyze is missing; Debian's package systemd has it")
        pytest.skip("systemd-analyze is missing; Debian's package systemd has it")
    path = directory / name
    path.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    # Of other units of this machine it may complain too.
    return done.returncode, "\n".join(line for line in done.stderr.splitlines() if name in line)


@pytest.mark.parametrize("unit", [UNIT, SERVER], ids=lambda path: path.stem)
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


def test_running_tasks_survive_the_service() -> None:
    """TERM reaches the scheduler alone, and nothing of a task's is taken away by a restart."""
    found = settings()
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


@pytest.mark.parametrize(
    ("unit", "command"), [(UNIT, "scheduler"), (SERVER, "serve")], ids=["scheduler", "server"]
)
def test_the_unit_starts_a_command_that_there_is(unit: Path, command: str) -> None:
    """ExecStart's words are those of the program."""
    program, *words = settings(unit)["ExecStart"].split()
    assert Path(program).name == "retrofill"
    done = subprocess.run([RETROFILL, *words, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert f"retrofill {command}" in done.stdout
