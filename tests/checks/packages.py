"""Plugin packages as an installer leaves them: a module and a `.dist-info` that names its entry point."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HEAD = "from retrofill.extending import fail, hookimpl, passed, warn\n"


def install(folder: Path, name: str, code: str) -> None:
    """A plugin of this name; `code` is the body of its `check_backfill(question)`."""
    lines = "".join(f"    {line}\n" for line in code.splitlines())
    install_module(folder, name, f"{HEAD}\n@hookimpl\ndef check_backfill(question):\n{lines}")


def install_module(folder: Path, name: str, text: str) -> None:
    """A plugin of this name whose module reads like this."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[retrofill.checks]\n{name} = {name}_plugin\n")
    (folder / f"{name}_plugin.py").write_text(text)


def importable(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Let this process and its children import from the folder."""
    folder.mkdir(exist_ok=True)
    patch.syspath_prepend(str(folder))
    before = os.environ.get("PYTHONPATH")
    patch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{before}" if before else str(folder))
    return folder
