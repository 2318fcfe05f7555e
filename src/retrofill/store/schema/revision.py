"""The revision of the schema that this program knows, and what to say of a store that has another."""

from __future__ import annotations

from pathlib import Path

from retrofill.domain.errors import Kind, RetrofillError

HEAD = "0009"
MIGRATIONS = Path(__file__).parent / "migrations"
SNAPSHOT = MIGRATIONS / "head.sql"  # what they make of an empty file


class StoreError(RetrofillError):
    """Look at the store; {deployment.examine} checks it."""

    code = "store"
    kind = Kind.UNAVAILABLE


class NewerSchemaError(StoreError):
    """Use the version of Retrofill that wrote the store, or a newer one."""

    code = "newer_schema"


def is_head(found: str | None) -> bool:
    """Whether a store of this revision is as this program knows it; False where it is to be made or migrated.

    Raises:
        NewerSchemaError: a newer program wrote it.
    """
    if found is not None and found > HEAD:
        raise NewerSchemaError(f"the store has schema {found}, this program knows up to {HEAD}")
    return found == HEAD
