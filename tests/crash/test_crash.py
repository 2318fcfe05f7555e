"""The crash harness in short; `make crash` is the long one."""

from __future__ import annotations

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
