"""What extension check plugins are written with; these names stay as they are.

A plugin is an installed package with an entry point in the group `retrofill.checks`, whose
name is the check's name and whose object is a module or an object that implements
`check_backfill`:

    from retrofill.extending import fail, hookimpl, passed

    @hookimpl
    def check_backfill(question):
        if question["plan"]["instance_count"] > 10_000:
            return fail("ask the platform team before you run more than 10,000 instances")
        return passed()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pluggy

__all__ = ["GROUP", "check_backfill", "fail", "hookimpl", "passed", "warn"]

GROUP = "retrofill.checks"
Reply = dict[str, str]

hookimpl = pluggy.HookimplMarker("retrofill")
_hookspec = pluggy.HookspecMarker("retrofill")


@_hookspec(firstresult=True)
def check_backfill(question: Mapping[str, Any]) -> Reply | None:
    """Whether a backfill may run: `passed()`, `warn(message)`, `fail(message)`, or None, which passes (VER-3).

    It is called in a process of its own, which is ended at the time limit (setting
    `plugin_timeout`). An exception counts as a fail.

    Args:
        question: the document that webhooks are sent too; see the guide "Extension checks".
    """


def passed(message: str = "") -> Reply:
    """The backfill may run."""
    return {"result": "pass", "message": message}


def warn(message: str) -> Reply:
    """The backfill may run, and its creator is told this sentence."""
    return {"result": "warn", "message": message}


def fail(message: str) -> Reply:
    """The backfill must not run, for the reason that this sentence gives."""
    return {"result": "fail", "message": message}
