"""What a backfill was asked for, as rows show it: choice and policy (BF-2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from retrofill.domain.addresses import shown_web_address
from retrofill.domain.planning import options
from retrofill.domain.planning.options import ASKED, CHANGEABLE
from retrofill.domain.selection import ways
from retrofill.domain.time.windows import clock
from retrofill.services.instances.stored import policy_of, selection_of

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillRecord

_SHOWN = frozenset(option.name for option in ASKED + CHANGEABLE)


def request_of(
    record: BackfillRecord, names: Callable[[str], bool], sees: Callable[[str], bool]
) -> dict[str, Any]:
    """Everything that was asked for, as it stands now: changes of groups, window and places count.

    Args:
        names: whether a task may be named (SEC-2); others are left out.
        sees: whether a task or workspace may be shown, with the parameters that are set.
    """
    policy = policy_of(record)
    values = {key: value for key, value in options.to_json(policy).items() if key in _SHOWN}
    values |= {
        "bizdates": [str(dates) for dates in policy.ranges],
        "time_range": "-".join(clock(minute) for minute in policy.time_range),
        "groups": policy.wanted_groups,
        "notify": None if policy.notify is None else shown_web_address(policy.notify),
        "overrides": {task: texts for task, texts in values["overrides"].items() if sees(task)},
    }
    return {"selection": _selection(record, names, sees), **values}


def _selection(
    record: BackfillRecord, names: Callable[[str], bool], sees: Callable[[str], bool]
) -> dict[str, Any]:
    chosen = ways.to_json(selection_of(record))
    found: dict[str, Any] = {}
    for key, value in chosen.items():
        may_show = sees if key in ways.NAMES_WORKSPACES else names
        if isinstance(value, list):
            found[key] = [name for name in value if may_show(name)]
        elif key in ways.NAMES_TASKS:
            found[key] = value if names(value) else None
        else:
            found[key] = value
    return found
