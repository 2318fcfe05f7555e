"""Worlds as the tests of services have them."""

from services.conftest import pytest_generate_tests, stores, world

__all__ = ["pytest_generate_tests", "stores", "world"]
