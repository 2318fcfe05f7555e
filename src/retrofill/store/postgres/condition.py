"""How a store on a server is, as far as the server tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from retrofill.services.ports.health import Found

if TYPE_CHECKING:
    from retrofill.services.ports import Reader


def condition(shown: str, reader: Reader) -> Iterator[Found]:
    """What was found.

    Args:
        shown: the store's address without its password.
    """
    damage = reader.health.damage()
    yield Found("store", not damage, damage[0] if damage else f"{shown}, schema {reader.health.schema()}")
