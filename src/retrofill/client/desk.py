"""What the desks of a client share: a desk has the methods of the same desk of the operation center, asked over HTTP.

Its methods have the names, the parameters and the answers of those (`services/operation_center`), whose docstrings say
what they mean; `tests/client/test_same_center.py` holds that none is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from retrofill.client.answers import error_of
from retrofill.client.transport import Transport
from retrofill.domain.running.results import ItemResult
from retrofill.domain.texts import Text

MOST_ITEMS = 1_000  # of one page


class Desk:
    def __init__(self, transport: Transport) -> None:
        self._server = transport

    def _page(self, path: str, query: Mapping[str, Any], limit: int) -> Any:
        """One page of a list, of as many items as are asked for, however many the server gives at once."""
        items: list[Any] = []
        cursor = query.get("cursor")
        while True:
            wanted = min(limit - len(items), MOST_ITEMS)
            page = self._server.get(path, {**query, "limit": wanted, "cursor": cursor})
            items += page["items"]
            cursor = page["next"]
            if cursor is None or len(items) >= limit:
                return {"items": items, "next": cursor}

    def _each(self, path: str, query: Mapping[str, Any], limit: int = -1) -> Iterator[Any]:
        """The items of a list, page by page; all of them where `limit` is -1."""
        cursor, left = query.get("cursor"), limit
        while left:
            wanted = MOST_ITEMS if left < 0 else min(left, MOST_ITEMS)
            page = self._server.get(path, {**query, "limit": wanted, "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return
            left = left if left < 0 else left - len(page["items"])


def item_results(page: Mapping[str, Any]) -> list[ItemResult]:
    """What became of the items of a batch."""
    return [*map(item_result, page["items"])]


def item_result(row: Mapping[str, Any]) -> ItemResult:
    """What became of one item of a batch."""
    return ItemResult(
        row["id"],
        row["state"],
        None if row["error"] is None else error_of(row),
        bool(row.get("unchanged")),
        Text.of(row.get("note") or ""),
    )
