"""Which folder a store belongs to (RUN-8): its device and inode, and a random word that names the store.

A folder that was copied has another inode, and says so; one that was moved has not. Some file systems give
their devices other numbers after a restart of the machine: then the inode alone tells.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection

WORD = "SELECT word FROM identity"
_WORD_BYTES = 4  # its tokens have eight more
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Identity(NamedTuple):
    """The store's word, and its folder as it was when the two were bound to each other."""

    word: str
    device: int
    inode: int
    boot_id: str

    def fits(self, directory: Path) -> bool:
        """Whether the folder is that one."""
        now = of(directory, self.word)
        return self.inode == now.inode and (self.device == now.device or self.boot_id != now.boot_id)


def of(directory: Path, word: str) -> Identity:
    """The identity of a store in this folder."""
    status = os.stat(directory)
    with open(_BOOT_ID, encoding="ascii") as file:
        return Identity(word, status.st_dev, status.st_ino, file.read().strip())


def new_word() -> str:
    return os.urandom(_WORD_BYTES).hex()


def find(connection: Connection) -> Identity | None:
    """What the store says of itself; None before it was bound."""
    row = connection.execute("SELECT word, device, inode, boot_id FROM identity").fetchone()
    return Identity(row[0], int(row[1]), int(row[2]), row[3]) if row else None


def put(connection: Connection, identity: Identity) -> None:
    connection.execute(
        "INSERT INTO identity (id, word, device, inode, boot_id) VALUES (1, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
        "SET word = excluded.word, device = excluded.device, inode = excluded.inode, boot_id = excluded.boot_id",
        # As text: an inode may be larger than SQLite's integers.
        (identity.word, str(identity.device), str(identity.inode), identity.boot_id),
    )
