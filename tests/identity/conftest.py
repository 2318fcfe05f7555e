"""A provider of identities that says what a test wants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from identity.providers import Provider, serving


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider()) as served:
        yield served
