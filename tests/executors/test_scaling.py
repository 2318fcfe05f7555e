"""Scalers that are programs: the notice is their input, and nothing that they do holds anybody up (RUN-9)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from retrofill.domain.catalog.definitions import ResourceGroup, ScalerHook
from retrofill.executors.scaling import CommandScaler
from retrofill.services.ports.scaling import NotToldError, ScaleNotice

NOTICE: ScaleNotice = {
    "project": "shop",
    "resource_group": "etl",
    "wanted": 12,
    "present": 8,
    "most": 80,
    "held": 10,
    "waiting": 2,
    "hosts": [
        {"name": f"etl{n}-1", "label": f"etl{n}", "state": "there", "slots": 4, "running": running}
        for n, running in enumerate((4, 0))
    ],
}
SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "scale-workers"


def tell(folder: Path, *command: str, seconds: float = 30, notice: ScaleNotice = NOTICE) -> None:
    environ = {"PATH": os.environ["PATH"], "RETROFILL_SECRET_DB": "hidden", "HOME": "/"}
    group = ResourceGroup("etl", "serverless", 80, executor="pull", scaler=ScalerHook(command))
    CommandScaler(folder, environ, seconds).tell(group, notice)


def test_it_is_told_on_its_standard_input(tmp_path: Path) -> None:
    """RUN-9, SEC-3: in the project's folder, without the secrets of tasks."""
    tell(tmp_path, "sh", "-c", "cat > notice; env > environment")
    assert json.loads((tmp_path / "notice").read_text()) == NOTICE
    assert "hidden" not in (tmp_path / "environment").read_text()


def test_what_went_wrong_is_said(tmp_path: Path) -> None:
    """RUN-9."""
    with pytest.raises(NotToldError, match=r"sh ended with status 3: no quota$"):
        tell(tmp_path, "sh", "-c", "echo no quota >&2; exit 3")
    with pytest.raises(NotToldError, match="no/such/program cannot be started"):
        tell(tmp_path, "no/such/program")
    tell(tmp_path, "true", notice={**NOTICE, "project": "x" * 500_000})  # that it does not read


def test_one_that_hangs_ends_with_all_that_it_has_started(tmp_path: Path) -> None:
    """RUN-9."""
    with pytest.raises(NotToldError, match=r"sh did not end within 0\.2 s"):
        tell(tmp_path, "sh", "-c", "exec 9> lock; flock 9; sleep 600", seconds=0.2)
    subprocess.run(["flock", "--wait", "30", str(tmp_path / "lock"), "true"], check=True)


@pytest.mark.parametrize(
    ("wanted", "running", "expected"),
    [
        (12, (4, 0), "3"),  # more
        (8, (4, 0), ""),  # as many as there are
        (0, (4, 0), "1"),  # one has something to do
        (0, (0, 0), "1"),  # the least
        (99, (4, 4), "5"),  # the most
        (0, (4, 1), ""),
    ],
)
def test_the_example_sets_how_many_workers_there_are(
    tmp_path: Path, wanted: int, running: tuple[int, ...], expected: str
) -> None:
    """RUN-9: it never removes more workers than have nothing to do."""
    hosts = [{**host, "running": runs} for host, runs in zip(NOTICE["hosts"], running, strict=True)]
    own = (sys.executable, str(SCRIPT), "--slots", "4", "--least", "1", "--most", "5", "--")
    tell(
        tmp_path,
        *own,
        "sh",
        "-c",
        "echo {count} > count",
        notice={**NOTICE, "wanted": wanted, "hosts": hosts},
    )  # type: ignore[typeddict-item]
    count = tmp_path / "count"
    assert (count.read_text().strip() if count.exists() else "") == expected
