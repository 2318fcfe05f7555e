"""Which check plugins are installed: entry points in the group `retrofill.checks`.

Asked at every `create`, so it costs next to nothing where there are none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_GROUP = "retrofill.checks"  # as in `extending`, which imports pluggy


def installed(path: Sequence[str] | None = None) -> list[str]:
    """Names of the plugins that are installed, ascending.

    Args:
        path: where packages are looked for; by default where Python imports from.
    """
    folders = sys.path if path is None else path
    if not any(_may_have_plugins(folder or os.curdir) for folder in folders):
        return []  # as nearly everywhere; importing importlib.metadata costs more than this look
    from importlib.metadata import distributions

    found = {
        point.name
        for distribution in distributions(path=list(folders))
        for point in distribution.entry_points
        if point.group == _GROUP
    }
    return sorted(found)


def _may_have_plugins(folder: str) -> bool:
    """Whether a package in the folder names our group among its entry points."""
    try:
        names = os.listdir(folder)
    except OSError:
        return False  # an archive, or not there
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            try:
                with open(f"{folder}/{name}/entry_points.txt", "rb") as points:
                    if _GROUP.encode() in points.read():
                        return True
            except OSError:
                continue
    return False
