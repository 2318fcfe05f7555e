"""Whether what a connection needs is installed."""

from __future__ import annotations

import pytest

from retrofill.executors.drivers import missing_driver


@pytest.mark.parametrize("url", ["sqlite:///a.db", "sqlite+pysqlite:///a.db", "duckdb:///a.duckdb"])
def test_what_comes_with_it_is_there(url: str) -> None:
    """VER-1 `missing_connection`."""
    assert missing_driver(url) is None


@pytest.mark.parametrize(
    ("url", "package"),
    [("oracle://x/y", "cx_Oracle"), ("mysql+cymysql://x/y", "cymysql"), ("nowhere://x", "nowhere")],
)
def test_what_is_not_installed_is_named(url: str, package: str) -> None:
    """VER-1 `missing_connection`."""
    assert package in (missing_driver(url) or "")
