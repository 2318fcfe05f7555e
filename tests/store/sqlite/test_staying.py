"""A store that somebody has open for long is not replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from retrofill.domain.errors import StoreBusyError
from retrofill.store.sqlite.staying import StoreOpenError, nobody_stays, staying_open


def test_any_number_may_stay_and_nobody_replaces_it_meanwhile(tmp_path: Path) -> None:
    """RET-1: who has it open is named."""
    named = f"^process {os.getpid()} .* has the store open$"
    with staying_open(tmp_path), staying_open(tmp_path), pytest.raises(StoreOpenError, match=named):
        nobody_stays(tmp_path).__enter__()
    with nobody_stays(tmp_path):
        pass


def test_who_comes_while_it_is_replaced_is_sent_away(tmp_path: Path) -> None:
    """RET-1."""
    with (
        nobody_stays(tmp_path),
        pytest.raises(StoreBusyError, match=f"^process {os.getpid()} .* is replacing or copying the store$"),
    ):
        staying_open(tmp_path).__enter__()
    with staying_open(tmp_path):
        pass


def test_where_there_is_no_folder_yet(tmp_path: Path) -> None:
    """A server may be started before the first deploy."""
    with staying_open(tmp_path / "new"), pytest.raises(StoreOpenError):
        nobody_stays(tmp_path / "new").__enter__()
