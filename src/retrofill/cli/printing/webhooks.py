"""What `check` says about webhooks that lead inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrofill.domain.errors import RetrofillError


def webhook_warnings(internal: Mapping[str, RetrofillError]) -> list[dict[str, Any]]:
    """One warning for each that will not be reached; `internal` has the reasons by setting."""
    return [
        {
            "level": "warning",
            "code": error.code,
            "path": "retrofill.yaml",
            "line": 1,
            "column": 1,
            "message": f"{name}: {error.message}",
            "hint": str(error.hint).removesuffix("."),
            "tasks": [],
        }
        for name, error in internal.items()
    ]
