"""What a plan says of its tasks without knowing their instances: group and parameters.

Rows of lists need no more than this; a whole plan is arrays, which take longer to make than to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.planning.policy import Policy

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog, Task


@dataclass(frozen=True, slots=True)
class Outline:
    """Catalog, policy and dry runs (task: reason) of a backfill or of a night."""

    catalog: Catalog
    policy: Policy
    dry_runs: Mapping[str, str]

    def resource_group(self, task: Task) -> str:
        return resource_group_of(self.catalog, self.policy, task)

    def parameters_of(self, task: Task) -> tuple[tuple[str, str], ...]:
        return parameters_of(self.policy, task)


def resource_group_of(catalog: Catalog, policy: Policy, task: Task) -> str:
    """The backfill's group, or the task's own where its workspace is not bound to that (POL-10)."""
    name = policy.resource_group
    if name is None or not catalog.resource_groups[name].is_bound_to(task.workspace):
        return task.resource_group
    return name


def parameters_of(policy: Policy, task: Task) -> tuple[tuple[str, str], ...]:
    """Declared parameters in their order, with the backfill's overrides (PAR-5)."""
    overrides = policy.overrides.get(task.name, {})
    return tuple((name, overrides.get(name, text)) for name, text in task.parameters)
