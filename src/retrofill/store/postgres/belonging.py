"""Whose a database is (RUN-8): a deployment's, by its name and by a random word that its folders remember.

Any number of machines work on one database, each from a folder of its own; what they share is the deployment.
Whoever names the database of another one, or one that was emptied, is told so before anything is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retrofill.domain.errors import shown as harmless
from retrofill.store.schema.revision import StoreError
from retrofill.store.statements import identity

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection

_REMEMBERED = "store.word"  # in the home of each folder


class ForeignStoreError(StoreError):
    """Give each deployment a database of its own, and name it in `store` or RETROFILL_STORE."""

    code = "foreign_store"


class EmptiedStoreError(StoreError):
    """Name the database that the deployment worked on, or restore it from a backup."""

    code = "emptied_store"


def may_be_made(home: Path, where: str) -> None:
    """Refuse to begin anew where there was a store.

    Raises:
        EmptiedStoreError: this folder has worked on a store on a server.
    """
    if _remembered(home) is not None:
        raise EmptiedStoreError(
            f"{where} is empty, and this deployment has worked on a store: this is no fresh one",
            f"Name its database, or restore it from a backup; to begin anew, remove {home / _REMEMBERED}.",
        )


def check(connection: Connection, home: Path, project: str, where: str) -> None:
    """Let a new database belong to this deployment; refuse one of another.

    Raises:
        ForeignStoreError: it is another's.
    """
    found = connection.execute("SELECT word, project FROM identity").fetchone()
    if found is None:
        connection.execute(
            "INSERT INTO identity (id, word, device, inode, boot_id, project) VALUES (1, ?, '', '', '', ?) "
            "ON CONFLICT DO NOTHING",
            (identity.new_word(), project),
        )
        found = connection.execute("SELECT word, project FROM identity").fetchone()
    word, owner = found
    if owner and project and owner != project:
        raise ForeignStoreError(
            f"{where} belongs to the deployment {harmless(owner)}, and this one is {project}"
        )
    remembered = _remembered(home)
    if remembered is None:
        _remember(home, word)
    elif remembered != word:
        raise ForeignStoreError(
            f"{where} belongs to another deployment: this folder has worked on another store",
            f"Name that one; to let this folder work on this one, remove {home / _REMEMBERED}.",
        )


def bind(connection: Connection, home: Path, word: str | None = None) -> None:
    """Give the store another word, so that what carried the old one is not taken for its own; or that of its original."""
    word = word or identity.new_word()
    connection.execute("UPDATE identity SET word = ?", (word,))
    _remember(home, word)


def _remembered(home: Path) -> str | None:
    try:
        return (home / _REMEMBERED).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def _remember(home: Path, word: str) -> None:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / _REMEMBERED).write_text(f"{word}\n", encoding="ascii")
