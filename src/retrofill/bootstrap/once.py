"""A request that is done once, however often it is sent: its key is written down where it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrofill.bootstrap.deployment import AnyStore
    from retrofill.services.ports import Ledger


class OnceStore:
    """A store of which the first write transaction holds something besides what it is for; of one thread.

    Args:
        note: writes it, or raises, and then nothing of the transaction is kept.
    """

    def __init__(self, store: AnyStore, note: Callable[[Ledger], None]) -> None:
        self._store = store
        self._note = note
        self._is_noted = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def transaction(self, *, checks_references: bool = True, is_brief: bool = False) -> Iterator[Ledger]:
        """As that of the store."""
        with self._store.transaction(checks_references=checks_references, is_brief=is_brief) as tx:
            if not self._is_noted:
                self._note(tx)
            yield tx
        self._is_noted = True
