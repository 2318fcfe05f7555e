"""Worlds as the tests of services have them."""

from services.conftest import world

__all__ = ["world"]
