"""Deployed versions, and the contents of the files that they include (CAT-9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from retrofill.services.ports.records import VersionRecord


class VersionsReader(Protocol):
    """Looking."""

    def find(self, version_id: int) -> VersionRecord | None: ...

    def latest(self, limit: int, older_than: int | None = None) -> list[VersionRecord]:
        """Newest first; -1: all."""
        ...

    def before(self, version_id: int) -> int | None:
        """The version before this one."""
        ...

    def task(self, version_id: int, name: str) -> str | None:
        """A task as the text of a version has it (`services.catalogs.document`), without reading the others."""
        ...

    def content(self, sha256: str) -> bytes:
        """What a file of a version holds.

        Raises:
            KeyError: the store has no such content.
        """
        ...

    def missing(self, hashes: Iterable[str]) -> set[str]:
        """Those contents that are not there."""
        ...


class Versions(VersionsReader, Protocol):
    """Keeping."""

    def add_contents(self, contents: Mapping[str, bytes]) -> None:
        """Keep contents by their SHA-256; those that are there stay as they are."""
        ...
