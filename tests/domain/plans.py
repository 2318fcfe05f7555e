"""Plans for tests, and every instance of a plan by its offset."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.planning.plan import Plan, build
from retrofill.domain.planning.policy import Policy
from retrofill.domain.selection.choice import Choice
from retrofill.domain.time.bizdates import parse_range


def instances_of(plan: Plan) -> dict[int, tuple[str, date, int]]:
    """Every instance by its offset."""
    found = {}
    for date_index, bizdate in enumerate(plan.dates):
        for place in np.nonzero(plan.present(date_index))[0].tolist():
            name = plan.tasks[plan.task_of[place]].name
            found[date_index * plan.n + place] = (name, bizdate, int(plan.slot_of[place]))
    return found


def plan_of(catalog: Catalog, *ranges: str, **policy: Any) -> Plan:
    """A plan of all tasks of the catalog."""
    return build(
        catalog, Choice(tuple(catalog.tasks)), Policy(tuple(parse_range(r) for r in ranges), **policy)
    )
