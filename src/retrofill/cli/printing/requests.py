"""What a backfill was asked for, in a few lines (BF-2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrofill.domain.planning.options import ASKED, CHANGEABLE

_CHANGEABLE = tuple(option.name for option in CHANGEABLE)
_WITHOUT = {option.name: option.without for option in ASKED + CHANGEABLE}


def in_words(row: Mapping[str, Any]) -> list[str]:
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


def _setting(row: Mapping[str, Any], key: str) -> str:
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


def _choice(selection: Mapping[str, Any]) -> str:
    parts = []
    for key, value in selection.items():
        if key == "way":
            parts.append(value.replace("_", " "))
        elif value not in (None, [], ""):
            text = ", ".join(value) if isinstance(value, list) else _word(value)
            parts.append(f"{key.replace('_', ' ')} {text}")
    return "; ".join(parts)
