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

    def _page(self, path: str, query: Mapping[str, Any], limit: int | None) -> Any:
        """One page of a list, of as many items as are asked for, however many the server gives at once."""
        items: list[Any] = []
        found: dict[str, Any] = {"next": None}
        for page in self._pages(path, query, limit):
            items += page["items"]
            found = page
        return {**found, "items": items}

    def _pages(self, path: str, query: Mapping[str, Any], limit: int | None) -> Iterator[Any]:
        """Page after page, until there are as many items as are asked for; None: all that there are."""
        cursor, left = query.get("cursor"), limit
        while left is None or left > 0:
            wanted = MOST_ITEMS if left is None else min(left, MOST_ITEMS)
            page = self._server.get(path, {**query, "limit": wanted, "cursor": cursor})
            yield page
            cursor = page["next"]
            if cursor is None:
                return
            left = None if left is None else left - len(page["items"])


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
