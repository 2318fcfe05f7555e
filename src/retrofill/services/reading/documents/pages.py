"""Lists, page by page."""

from __future__ import annotations

from typing import Generic, TypedDict, TypeVar

_Item = TypeVar("_Item")


class Page(TypedDict, Generic[_Item]):
    """One page of a list."""

    items: list[_Item]
    next: int | str | None  #: the cursor that asks for the next page; null on the last one
