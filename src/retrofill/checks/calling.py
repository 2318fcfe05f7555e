"""Calling one plugin, in the process that was made for it."""

from __future__ import annotations

from typing import Any

import pluggy

from retrofill import extending
from retrofill.domain.checks import LONGEST_MESSAGE

_KEYS = ("result", "message")


def call(name: str, question: dict[str, Any]) -> dict[str, Any]:
    """The answer of the plugin of this name, or the problem that it has."""
    manager = pluggy.PluginManager("retrofill")
    manager.add_hookspecs(extending)
    try:
        if not manager.load_setuptools_entrypoints(extending.GROUP, name):
            return {"problem": "it is not installed any more"}
        manager.check_pending()
        if not manager.hook.check_backfill.get_hookimpls():
            return {"problem": "it implements no check_backfill, marked with @hookimpl"}
        reply = manager.hook.check_backfill(question=question)
    except BaseException as error:  # SystemExit too: this process has nothing else to do
        return {"problem": f"it raised {type(error).__name__}: {str(error)[:LONGEST_MESSAGE]}"}
    if reply is None:
        return {"result": "pass"}
    if not isinstance(reply, dict):
        return {
            "problem": f"it returned a value of type {type(reply).__name__} instead of passed(), warn() or fail()"
        }
    return {
        key: reply[key] if isinstance(reply[key], str) else repr(reply[key]) for key in _KEYS if key in reply
    }
