"""What `check` says about resource groups that run on other machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from retrofill.cli.printing.problems import warning_at
from retrofill.domain.catalog.elsewhere import Misfit

if TYPE_CHECKING:
    from retrofill.project.loader import TaskPlace


def elsewhere_warnings(
    misfits: Iterable[Misfit], tasks: Mapping[str, TaskPlace], groups: Mapping[str, TaskPlace]
) -> list[dict[str, Any]]:
    """One warning for each group or task that does not fit there.

    Args:
        tasks, groups: where they are written.
    """
    return [
        warning_at(
            "warning",
            one.code,
            tasks[one.task] if one.task else groups[one.group],
            one.message,
            one.hint,
        )
        | {"tasks": [one.task] if one.task else []}
        for one in misfits
    ]
