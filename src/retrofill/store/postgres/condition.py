"""What a database on a server says of itself when somebody asks how it is (`doctor`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from retrofill.services.ports.health import Found
from retrofill.store.postgres import blocking

if TYPE_CHECKING:
    from retrofill.services.ports import Reader
    from retrofill.store.postgres.leases import Ask

_OLD_SECONDS = 3_600  # no transaction of ours takes so long
_MANY_DEAD_ROWS = 100_000


def condition(
    shown: str,
    reader: Reader,
    ask: Ask,
    old_seconds: int = _OLD_SECONDS,
    many_dead_rows: int = _MANY_DEAD_ROWS,
) -> Iterator[Found]:
    """What was found.

    Args:
        shown: the store's address without its password.
        ask: puts a question to the server, outside of any transaction.
        old_seconds: how long a transaction may be open.
        many_dead_rows: that a table may hold, and more than living ones.
    """
    damage = reader.health.damage()
    yield Found("store", not damage, damage[0] if damage else f"{shown}, schema {reader.health.schema()}")
    oldest: Any = ask(blocking.oldest)
    is_old = oldest is not None and oldest.seconds >= old_seconds
    held = f"{oldest} keeps a transaction open: nothing can be cleared away that has changed since"
    yield Found("snapshots", not is_old, held if is_old else "no transaction has been open for long")
    swollen: Any = ask(lambda connection: blocking.dead_rows(connection, many_dead_rows))
    told = "the server clears away what has changed"
    if swollen is not None:
        table, dead, living = swollen
        told = f"table {table} holds {dead:,} dead rows beside {living:,} living ones: autovacuum does not follow"
    yield Found("dead rows", swollen is None, told)
