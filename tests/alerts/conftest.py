"""Servers that are stopped when their test ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts import servers


@pytest.fixture
def mails() -> Iterator[servers.MailServer]:
    with servers.mail_server() as server:
        yield server


@pytest.fixture
def web() -> Iterator[servers.Sink]:
    with servers.sink() as server:
        yield server
