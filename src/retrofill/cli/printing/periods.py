"""What `check` says about validity periods that leave a task without its upstream (DEP-11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retrofill.cli.printing.problems import warning_at
from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.catalog.validity import Gap, gaps
from retrofill.domain.people.rights import Rights

if TYPE_CHECKING:
    from retrofill.project.loader import TaskPlace

_HINT = "let the periods under `valid` meet, or leave the dependency out if that is meant"


def period_warnings(
    catalog: Catalog, places: Mapping[str, TaskPlace], rights: Rights
) -> list[dict[str, Any]]:
    """One warning for each stretch of dates on which a task runs without an upstream task that the user sees too."""
    return [
        warning_at("warning", "outside_validity", places[gap.task], _message(gap), _HINT)
        | {"tasks": [gap.task, gap.upstream]}
        for gap in gaps(catalog)
        if rights.sees(gap.task) and rights.sees(gap.upstream)
    ]


def _message(gap: Gap) -> str:
    if gap.never_meet:
        return (
            f"the validity periods of {gap.task} and {gap.upstream}, which it depends on, never meet: "
            "it never waits for it"
        )
    return (
        f"{gap.task} is valid {gap.dates}, and {gap.upstream}, which it depends on, is not: "
        "it runs there without waiting for it"
    )
