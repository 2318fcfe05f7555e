"""Keys by which requests are known again: who sends one twice gets what the first one made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from retrofill.services.ports.records import RequestKeyRecord


class RequestKeyReader(Protocol):
    """What was made with a key."""

    def find(self, user: str, key: str) -> RequestKeyRecord | None: ...


class RequestKeys(RequestKeyReader, Protocol):
    """Keys inside the write transaction that makes what they stand for."""

    def put(self, record: RequestKeyRecord) -> None:
        """Note what a key has made, in place of what it made before."""
        ...

    def forget(self, before_ms: int) -> None:
        """Remove those that are older."""
        ...
