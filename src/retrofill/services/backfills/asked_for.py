"""What a backfill was asked for, as rows show it: choice and policy (BF-2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from retrofill.domain.planning import options
from retrofill.domain.planning.options import ASKED, CHANGEABLE
from retrofill.domain.selection import ways
from retrofill.domain.time.windows import clock
from retrofill.services.instances.stored import policy_of, selection_of

if TYPE_CHECKING:
    from retrofill.services.ports.records import BackfillRecord

Row = dict[str, Any]
_CHANGEABLE = tuple(option.name for option in CHANGEABLE)
_WITHOUT = {option.name: option.without for option in ASKED + CHANGEABLE}


def request_row(record: BackfillRecord, names: Callable[[str], bool], sees: Callable[[str], bool]) -> Row:
    """Everything that was asked for, as it stands now: changes of groups, window and places count.

    Args:
        names: whether a task may be named (SEC-2); others are left out.
        sees: whether a task or workspace may be shown, with the parameters that are set.
    """
    policy = policy_of(record)
    values = {key: value for key, value in options.to_json(policy).items() if key in _WITHOUT}
    values |= {
        "bizdates": [str(dates) for dates in policy.ranges],
        "time_range": "-".join(clock(minute) for minute in policy.time_range),
        "groups": policy.wanted_groups,
        "overrides": {task: texts for task, texts in values["overrides"].items() if sees(task)},
    }
    return {"selection": _selection(record, names, sees), **values}


def _selection(record: BackfillRecord, names: Callable[[str], bool], sees: Callable[[str], bool]) -> Row:
    chosen = ways.to_json(selection_of(record))
    found: Row = {}
    for key, value in chosen.items():
        may_show = sees if key in ways.NAMES_WORKSPACES else names
        if isinstance(value, list):
            found[key] = [name for name in value if may_show(name)]
        elif key in ways.NAMES_TASKS:
            found[key] = value if names(value) else None
        else:
            found[key] = value
    return found


def in_words(row: Row) -> list[str]:
    """The request in a few lines: choice, dates, what can be changed while it runs, the rest, what is set."""
    rest = [key for key in row if key not in (*_CHANGEABLE, "selection", "bizdates", "overrides")]
    return [
        f"chosen: {_choice(row['selection'])}",
        f"asked for: bizdates {', '.join(row['bizdates'])}",
        *(", ".join(_setting(row, key) for key in keys if key in row) for keys in (_CHANGEABLE, rest)),
        *(
            f"set {task}.{name}={value}"
            for task, texts in row["overrides"].items()
            for name, value in texts.items()
        ),
    ]


def _setting(row: Row, key: str) -> str:
    value = _WITHOUT[key] if row[key] is None else _word(row[key])
    return f"{key.replace('_', ' ')} {value}"


def _word(value: Any) -> str:
    if isinstance(value, dict) and "timezone" in value:
        return f"{value['period']}{' on weekends' if value['weekends'] else ''} ({value['timezone']})"
    if isinstance(value, dict):
        return " ".join(_word(v) for v in value.values() if v is not False)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _choice(selection: Row) -> str:
    parts = []
    for key, value in selection.items():
        if key == "way":
            parts.append(value.replace("_", " "))
        elif value not in (None, [], ""):
            text = ", ".join(value) if isinstance(value, list) else _word(value)
            parts.append(f"{key.replace('_', ' ')} {text}")
    return "; ".join(parts)
