"""What was deployed: versions, and the ids that names have for good."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class CatalogReader(Protocol):
    """Versions and names (CAT-1, CAT-3)."""

    def current_version(self) -> tuple[int, str] | None:
        """Id and document of the deployed version."""
        ...

    def current_version_id(self) -> int | None: ...

    def version(self, version_id: int) -> str: ...

    def first_deployed_ms(self) -> int | None:
        """When the first version was deployed."""
        ...

    def task_ids(self) -> dict[str, int]:
        """Ids by full name, of every task that was ever deployed."""
        ...

    def workspace_ids(self) -> dict[str, int]: ...

    def task_name(self, task_id: int) -> str | None: ...


class CatalogWriter(Protocol):
    """What a deploy writes."""

    def add_version(
        self,
        document: str,
        at_ms: int,
        user: str,
        task_count: int | None = None,
        published_from: int | None = None,
    ) -> int: ...

    def set_deployed(self, table: str, names: Iterable[str]) -> None:
        """Note which tasks or workspaces the current version has; new names get an id (CAT-3)."""
        ...
