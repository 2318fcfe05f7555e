"""What this machine is called among those that share a store: it says whose the runs in its folder are.

Not the machine's own name, which others may have, too, and which may change. The name is made once, and belongs to the
runs' folder: a copy of that gets one of its own, so that it never takes the other's runs for its own (RUN-8).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from retrofill.executors.local.adoption import boot_id

_FILE = "host"


def host_of(runs: Path) -> str:
    """The name of the machine whose runs are in that folder, which is made if it is missing.

    Raises:
        OSError: it cannot be written.
    """
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _ in range(2):
        found = _read(runs)
        if found is not None:
            return found
        _write(runs)
    raise OSError(f"{runs / _FILE} cannot be read back")


def _read(runs: Path) -> str | None:
    """None where it has none, or that of a folder of which it is a copy."""
    with suppress(FileNotFoundError, ValueError):
        name, device, inode, boot = (runs / _FILE).read_text(encoding="utf-8").split("\n")[:4]
        status = os.stat(runs)
        # Some file systems give their devices other numbers after a restart of the machine.
        if int(inode) == status.st_ino and (int(device) == status.st_dev or boot != boot_id()):
            return name
    return None


def _write(runs: Path) -> None:
    status = os.stat(runs)
    name = f"{os.uname().nodename}-{os.urandom(4).hex()}"
    making = runs / f"{_FILE}.{os.urandom(4).hex()}"
    making.write_text(f"{name}\n{status.st_dev}\n{status.st_ino}\n{boot_id()}\n", encoding="utf-8")
    if _read(runs) is not None:
        making.unlink()  # another process was faster
    else:
        os.replace(making, runs / _FILE)
